"""What a condition is made of before there are operators: literals, places and lanes."""

from __future__ import annotations

import math
from typing import cast

from wasmscope.errors import ConditionError
from wasmscope.instrument.condition.literals import number, special_float, unescape
from wasmscope.instrument.condition.scan import Token, TokenStream
from wasmscope.instrument.condition.syntax import Bool, Expression, Integer, Lane, Null, Place, Space
from wasmscope.instrument.condition.types import CASTS, LANES, READS

_CONSTANTS = ("true", "false", "null", "inf", "nan")
_SPACES = ("local", "stack", "global")


def primary(tokens: TokenStream) -> Expression:
    """The next literal, place or lane."""
    token = tokens.peek()
    if token.kind == "number":
        tokens.next()
        return number(token.text, token.column)
    if token.kind == "character":
        tokens.next()
        return _character(token)
    if token.kind == "name" and token.text in _CONSTANTS:
        tokens.next()
        return _constant(token)
    if token.kind == "name" and token.text in LANES:
        tokens.next()
        return _lane(tokens, token)
    found = _place(tokens)
    if found is None:
        raise ConditionError(_complaint(token), token.column)
    return found


def memory(tokens: TokenStream) -> tuple[int | str, str]:
    """Which memory is read and how, of `memory[1].u8` or `memory.name.u8`."""
    tokens.next()
    which: int | str
    if tokens.at("["):
        which = _index(tokens)
    else:
        tokens.expect(".")
        which = _name(tokens, dotted=False)
    tokens.expect(".")
    access = tokens.next()
    if access.kind != "name" or access.text not in READS:
        raise ConditionError(f"memory is read as one of {' '.join(READS)}", access.column)
    return which, access.text


def _constant(token: Token) -> Expression:
    if token.text == "null":
        return Null(token.column)
    if token.text in ("inf", "nan"):
        return special_float(math.inf if token.text == "inf" else math.nan, token.column)
    return Bool(token.text == "true", token.column)


def _character(token: Token) -> Expression:
    text = unescape(token.text, token.column + 1)
    if len(text) != 1:
        raise ConditionError("between the quotes ' is one character", token.column)
    return Integer(ord(text), True, token.column)


def _lane(tokens: TokenStream, shape: Token) -> Expression:
    tokens.expect("(")
    argument = tokens.peek()
    place = _place(tokens)
    if place is None:
        raise ConditionError(f"{shape.text} is of a local, an operand or a global", argument.column)
    tokens.expect(")")
    number_of_lanes = int(shape.text.partition("x")[2])
    start = tokens.peek().column
    lane = _index(tokens)
    if lane >= number_of_lanes:
        raise ConditionError(f"the lanes of {shape.text} are 0 to {number_of_lanes - 1}", start + 1)
    return Lane(shape.text, place, lane, shape.column)


def _place(tokens: TokenStream) -> Place | None:
    token = tokens.peek()
    if token.kind == "dollar":
        tokens.next()
        return Place(None, token.text, token.column)
    if tokens.at("$"):
        tokens.next()
        return Place(None, _name(tokens, dotted=False), token.column)
    if token.kind != "name" or token.text not in _SPACES:
        return None
    tokens.next()
    space = cast(Space, token.text)
    if tokens.at(".") and space != "stack":
        tokens.next()
        return Place(space, _name(tokens, dotted=True), token.column)
    return Place(space, _index(tokens, negative=space == "stack"), token.column)


def _index(tokens: TokenStream, *, negative: bool = False) -> int:
    """The number between brackets."""
    tokens.expect("[")
    sign = 1
    if negative and tokens.at("-"):
        tokens.next()
        sign = -1
    token = tokens.next()
    value = number(token.text, token.column) if token.kind == "number" else None
    if not isinstance(value, Integer):
        raise ConditionError("an index is an integer, not an expression", token.column)
    tokens.expect("]")
    return sign * value.value


def _name(tokens: TokenStream, *, dotted: bool) -> str:
    """A name of the name section: plain, with dots where nothing else can follow, or quoted."""
    token = tokens.next()
    if token.kind == "quoted":
        return unescape(token.text, token.column + 1)
    if token.kind != "name":
        raise ConditionError(f"a name is expected instead of {token}", token.column)
    name = token.text
    while dotted and tokens.at(".") and tokens.peek(1).kind == "name":
        tokens.next()
        name += f".{tokens.next().text}"
    return name


def _complaint(token: Token) -> str:
    if token.kind == "name":
        if token.text in READS and token.text not in CASTS:
            return f"{token.text} reads memory: {token.text}[address]"
        if token.text in CASTS or token.text == "bits":
            return f"{token.text} converts: {token.text}(expression)"
        return f"unknown word {token.text!r}; a variable is written local[index] or $name"
    return f"an operand is expected instead of {token}"
