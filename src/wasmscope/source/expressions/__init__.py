"""Expressions over a guest's variables, registers and memory: C's, with what Rust, Zig and gdb write in other ways.

From the text to a value, or to a breakpoint's condition::

    text ─ scan ─> tokens ─ parse ─> syntax tree ─ check ─> nodes with types ─ evaluate ─> TypedValue
                                                                             └ conditions ─> a condition's text

`docs/expressions.md` describes the language to users. What has no meaning raises `ExpressionError` before anything of
the guest is read; what cannot be had is a value that is `Unavailable`.
"""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.expressions.check import check
from wasmscope.source.expressions.completion import complete
from wasmscope.source.expressions.conditions import condition
from wasmscope.source.expressions.evaluate import evaluate, is_true
from wasmscope.source.expressions.kept import KeptValues
from wasmscope.source.expressions.lookup import Kept
from wasmscope.source.expressions.nodes import has_effects
from wasmscope.source.target import Names

__all__ = [
    "Kept",
    "KeptValues",
    "check",
    "compile_condition",
    "complete",
    "condition",
    "evaluate",
    "has_effects",
    "is_true",
]


def compile_condition(text: str, names: Names) -> str | Unavailable:
    """`text` as a condition for a breakpoint at `names.pc`; `Unavailable` says why it has to be evaluated instead.

    Raises `ExpressionError` for what has no meaning there.
    """
    return condition(check(text, names, KeptValues()), names)
