"""A condition from its text to code."""

from __future__ import annotations

from wasmscope.instrument.condition.check import Checker
from wasmscope.instrument.condition.parse import parse
from wasmscope.instrument.condition.scope import CompiledCondition, Scope


def compile_condition(text: str, scope: Scope) -> CompiledCondition:
    """Compile `text` for the program point that `scope` describes.

    Raises `ConditionError`, with the column, where the text is no expression, is ill-typed or speaks of what is
    not there.
    """
    checker = Checker(scope)
    code = checker.condition(parse(text))
    return CompiledCondition(
        text=text,
        code=code,
        locals=tuple(checker.body.temporaries),
        globals=frozenset(checker.globals),
        memories=frozenset(checker.memories),
        faults=tuple(checker.body.faults),
    )
