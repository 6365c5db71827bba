"""The example in docs/watchpoints.md prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wasmscope.runtime.watch.hits import MOST_TOLD, MOST_WHOLE
from wasmscope.runtime.watch.host_writes import MOST_COMPARED

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "watchpoints.md").read_text()


def test_the_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = re.findall(r"^```(?:python)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(code, {"__name__": "example"})
    assert capsys.readouterr().out == printed


def test_the_page_names_the_limits() -> None:
    assert f"more than {MOST_WHOLE} bytes" in PAGE
    assert f"`Unavailable` beyond {MOST_TOLD >> 20} MiB" in PAGE
    assert f"the first {MOST_COMPARED >> 20} MiB" in PAGE
