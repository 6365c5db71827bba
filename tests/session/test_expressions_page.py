"""The examples in docs/expressions.md show what it says."""

from __future__ import annotations

import re
from pathlib import Path

from session.paused import paused_at
from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.parser import MAX_NESTING, MAX_OPERATIONS
from wasmscope.source.expressions.scan import MAX_LENGTH

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "expressions.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [
    tuple(re.split(r" +=> ", line, maxsplit=1)) for block in BLOCKS for line in block.splitlines() if " => " in line
]


def test_the_examples_show_what_the_page_says() -> None:
    found = []
    with paused_at("types_O0.wasm", "types.c", "return calls + fixed") as program:
        for text, _ in EXAMPLES:
            try:
                shown = program.shown(text)
            except ExpressionError as error:
                shown = f"error at {error.column}: {error.message}"
            found.append((text, shown))
    assert found == EXAMPLES
    assert len(EXAMPLES) > 20


def test_the_page_says_the_limits() -> None:
    assert f"at most {MAX_LENGTH:,} characters, {MAX_OPERATIONS} operations, and {MAX_NESTING} brackets" in PAGE
