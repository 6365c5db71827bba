"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.conftest import Wasmscope
from wasmscope import demo

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = _BLOCK.findall((ROOT / "README.md").read_text())
SHOWN = [text for language, text in BLOCKS if language == ""]
PROGRAMS = [text for language, text in BLOCKS if language == "python"]


def test_demo_output(wasmscope: Wasmscope) -> None:
    outcome = wasmscope("demo")
    said, reported = SHOWN[0], SHOWN[1]
    assert said in outcome.stdout
    assert outcome.stderr.startswith(reported)


def test_inspect_output(wasmscope: Wasmscope) -> None:
    assert SHOWN[2] in wasmscope("inspect", str(demo.WASM)).stdout


def test_program_prints_what_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    (program,) = PROGRAMS
    exec(compile(program, "README.md", "exec"), {"__name__": "readme"})
    assert capfd.readouterr().out == SHOWN[3]


def test_ci_runs_the_commands_that_are_promised() -> None:
    commands = next(text for language, text in BLOCKS if language == "sh")
    install, test = re.search(r"^(.*'\.\[test,lint\]') && (\S.*\S)\s+# test it$", commands, re.MULTILINE).groups()  # type: ignore[union-attr]
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert ci[-1] == test
    assert any(line.replace(" --quiet --disable-pip-version-check", "") == install for line in ci)
