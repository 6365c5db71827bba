"""Programs that import `wasmtime` do the same where that says `wasmscope`."""

from __future__ import annotations

import ast
import contextlib
import io
import traceback
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from runtime.sequences import frames_of

EXAMPLES = sorted(path for path in (Path(__file__).parent / "examples").glob("*.py") if path.stem != "__init__")


class _Importing(ast.NodeTransformer):
    """Imports another package in place of `wasmtime`, which is all that a host has to change."""

    def __init__(self, package: str) -> None:
        self.package = package

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            if alias.name == "wasmtime":
                alias.name, alias.asname = self.package, alias.asname or "wasmtime"
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module == "wasmtime":
            node.module = self.package
        return node


def run(path: Path, package: str) -> Any:
    """What the program printed, and how it ended: with which exception, from which of its lines."""
    program = compile(_Importing(package).visit(ast.parse(path.read_text())), str(path), "exec")
    output, ended = io.StringIO(), None
    with contextlib.redirect_stdout(output):
        try:
            exec(program, {"__name__": "__main__"})
        except Exception as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
            frames = frames_of(error) if isinstance(error, wasmtime.Trap) else []
            ended = type(error).__name__, str(error), lines, frames
    return output.getvalue(), ended


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_program_does_the_same(path: Path) -> None:
    plain, ours = run(path, "wasmtime"), run(path, "wasmscope")
    assert plain[0]
    assert ours == plain


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 15
