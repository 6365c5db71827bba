"""The examples in docs/conditions.md have the outcomes that it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mirror.condition_module import evaluate
from wasmscope import ConditionError
from wasmscope.instrument.condition.parse import MAX_NESTING
from wasmscope.instrument.condition.scan import MAX_LENGTH
from wasmscope.instrument.condition.types import CASTS, LANES, READS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "conditions.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [tuple(re.split(r" +=> ", line, maxsplit=1)) for block in BLOCKS for line in block.splitlines()]


def outcome(text: str) -> str:
    try:
        found = evaluate(text)
    except ConditionError as error:
        return f"error at {error.column}: {error.message}"
    if found.fault is not None:
        column, reason = found.fault
        return f"fault at {column}: {reason}"
    return "true" if found.value else "false"


@pytest.mark.parametrize(("text", "said"), EXAMPLES)
def test_an_example_has_the_outcome_that_the_page_says(text: str, said: str) -> None:
    assert outcome(text) == said


def test_the_page_has_examples_of_every_outcome() -> None:
    assert {said.split()[0] for _, said in EXAMPLES} == {"true", "false", "fault", "error"}
    assert len(EXAMPLES) > 25


def test_the_page_names_every_read_lane_and_cast_and_the_limits() -> None:
    assert [name for name in (*READS, *LANES) if not re.search(rf"\b{name}\b", PAGE)] == []
    assert [name for name in CASTS if f"{name}(x)" not in PAGE] == []
    assert f"{MAX_LENGTH:,} characters" in PAGE
    assert f"at most {MAX_NESTING}" in PAGE
