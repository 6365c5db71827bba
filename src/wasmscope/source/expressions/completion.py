"""What could stand at the end of an unfinished expression: names with a prefix, members behind a dot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.check import check
from wasmscope.source.expressions.lookup import Kept
from wasmscope.source.expressions.members import all_members
from wasmscope.source.expressions.scan import MAX_LENGTH
from wasmscope.source.target import Names
from wasmscope.source.types import PointerType, StructType, stripped
from wasmscope.source.values.value import loaded

MAX_GIVEN = 200
_TAIL = re.compile(r"(?P<dot>\.|->)?\s*(?P<prefix>\$?[\w$]*)\Z")
_OPENING = {")": "(", "]": "["}


def complete(text: str, names: Names, kept: Kept) -> tuple[str, ...]:
    """The names that the last word of `text` may become, nearest first; behind a dot the members of what is before."""
    if len(text) > MAX_LENGTH:
        return ()
    tail = _TAIL.search(text)
    assert tail is not None, "it matches the empty end"
    prefix = tail["prefix"]
    if tail["dot"]:
        candidates = _members(_operand_before(text[: tail.start()]), names, kept)
    elif prefix.startswith("$"):
        registers = [*(f"$local{i}" for i in range(3)), "$stack0", "$global0", "$pc", "$sp"]
        candidates = [*registers, *(f"${name}" for name in names.wasm_names())]
    else:
        candidates = (variable.name for variable in names.variables())
    matching = dict.fromkeys(name for name in candidates if name.startswith(prefix))
    return tuple(islice(matching, MAX_GIVEN))


def _members(operand: str, names: Names, kept: Kept) -> Iterable[str]:
    try:
        type_ = stripped(check(operand, names, kept).type)
    except ExpressionError:
        return ()
    if isinstance(type_, PointerType):
        type_ = stripped(loaded(type_.target))
    if not isinstance(type_, StructType):
        return ()
    methods = (method.name for method in type_.methods if not method.is_artificial)
    return [*(each.name for each in islice(all_members(type_), MAX_GIVEN)), *islice(methods, MAX_GIVEN)]


def _operand_before(text: str) -> str:
    """The postfix expression that `text` ends with: names, members, and what is in brackets."""
    position, open_ = len(text), []
    while position > 0:
        character = text[position - 1]
        if character in _OPENING:
            open_.append(_OPENING[character])
        elif open_ and character == open_[-1]:
            open_.pop()
        elif not open_ and not (character.isalnum() or character in "_$.:"):
            if text[position - 2 : position] == "->":
                position -= 2
                continue
            break
        position -= 1
    return text[position:]
