"""The text of a condition to its syntax tree, by operator precedence (C17 6.5).

Constructs that are not complete yet are on a stack of the parser's own, not on Python's: nesting costs no recursion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from wasmscope.errors import ConditionError
from wasmscope.instrument.condition.primary import memory, primary
from wasmscope.instrument.condition.scan import TokenStream, scan
from wasmscope.instrument.condition.syntax import Binary, Cast, Conditional, Expression, Integer, Read, Unary
from wasmscope.instrument.condition.types import CASTS, READS

MAX_NESTING = 200
"""Brackets and operators that wait for an operand at one place."""

_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_PRECEDENCE = {operator: level for level, operators in enumerate(_LEVELS, start=1) for operator in operators}
_CONDITIONAL = 0
"""The precedence of `?:`, the loosest; what ends an expression binds as loosely."""
_PREFIXES = ("-", "+", "~", "!")
_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class _Prefix:
    operator: str
    column: int


@dataclass(frozen=True, slots=True)
class _Infix:
    operator: str
    left: Expression
    column: int


@dataclass(frozen=True, slots=True)
class _Question:
    condition: Expression
    column: int


@dataclass(frozen=True, slots=True)
class _Colon:
    condition: Expression
    yes: Expression
    column: int


@dataclass(frozen=True, slots=True)
class _Parenthesis:
    column: int
    cast: str | None = None
    start: int = 0
    bracket: Literal["("] = "("

    def around(self, content: Expression) -> Expression:
        return content if self.cast is None else Cast(self.cast, content, self.start)


@dataclass(frozen=True, slots=True)
class _Address:
    column: int
    access: str
    memory: int | str
    start: int
    bracket: Literal["["] = "["

    def around(self, content: Expression) -> Expression:
        return Read(self.access, self.memory, content, self.start)


_Open: TypeAlias = _Prefix | _Infix | _Question | _Colon | _Parenthesis | _Address


def parse(text: str) -> Expression:
    """The syntax tree; raises `ConditionError` where `text` is no expression."""
    if not text.strip():
        raise ConditionError("the condition is empty", 1)
    return _Parser(scan(text)).expression()


class _Parser:
    def __init__(self, tokens: TokenStream) -> None:
        self._tokens = tokens
        self._open: list[_Open] = []

    def expression(self) -> Expression:
        value = self._operand()
        while True:
            token = self._tokens.next()
            if token.kind == "end":
                value = self._fold(value, _CONDITIONAL)
                if self._open:
                    raise self._incomplete(self._open[-1])
                return value
            operator = token.text if token.kind == "symbol" else ""
            if operator in _CLOSING.values():
                value = self._close(value, operator, token.column)
                continue
            if operator in _PRECEDENCE:
                left = self._fold(value, _PRECEDENCE[operator])
                self._push(_Infix(operator, left, token.column))
            elif operator == "?":
                self._push(_Question(self._fold(value, _CONDITIONAL + 1), token.column))
            elif operator == ":":
                yes = self._fold(value, _CONDITIONAL)
                question = self._open.pop() if self._open else None
                if not isinstance(question, _Question):
                    raise ConditionError("':' without a '?' before it", token.column)
                self._push(_Colon(question.condition, yes, question.column))
            else:
                raise ConditionError(f"an operator is missing before {token}", token.column)
            value = self._operand()

    def _operand(self) -> Expression:
        """The next operand, behind whatever opens before it."""
        tokens = self._tokens
        while True:
            token = tokens.peek()
            if token.kind == "symbol" and token.text in _PREFIXES:
                tokens.next()
                self._push(_Prefix(token.text, token.column))
            elif tokens.at("("):
                tokens.next()
                self._push(_Parenthesis(token.column))
            elif token.kind == "name" and (token.text in CASTS or token.text == "bits") and tokens.at("(", 1):
                tokens.next()
                self._push(_Parenthesis(tokens.next().column, token.text, token.column))
            elif token.kind == "name" and token.text in READS and tokens.at("[", 1):
                tokens.next()
                self._push(_Address(tokens.next().column, token.text, 0, token.column))
            elif token.kind == "name" and token.text == "memory":
                which, access = memory(tokens)
                self._push(_Address(tokens.expect("[").column, access, which, token.column))
            else:
                return primary(tokens)

    def _push(self, construct: _Open) -> None:
        if len(self._open) == MAX_NESTING:
            raise ConditionError(f"more than {MAX_NESTING} operators and brackets are nested", construct.column)
        self._open.append(construct)

    def _fold(self, value: Expression, precedence: int) -> Expression:
        """`value` as the last operand of all open operators that bind at least as tightly."""
        while self._open:
            match self._open[-1]:
                case _Prefix(operator, column):
                    value = _prefixed(operator, value, column)
                case _Infix(operator, left, column) if _PRECEDENCE[operator] >= precedence:
                    value = Binary(operator, left, value, column)
                case _Colon(condition, yes, column) if precedence == _CONDITIONAL:
                    value = Conditional(condition, yes, value, column)
                case _:
                    break
            self._open.pop()
        return value

    def _close(self, value: Expression, bracket: str, column: int) -> Expression:
        value = self._fold(value, _CONDITIONAL)
        if not self._open:
            raise ConditionError(f"nothing is open that {bracket!r} closes", column)
        construct = self._open.pop()
        if not isinstance(construct, _Parenthesis | _Address) or _CLOSING[construct.bracket] != bracket:
            raise self._incomplete(construct)
        return construct.around(value)

    def _incomplete(self, construct: _Open) -> ConditionError:
        if isinstance(construct, _Parenthesis | _Address):
            return ConditionError(f"{construct.bracket!r} is not closed", construct.column)
        return ConditionError("'?' without a ':' after it", construct.column)


def _prefixed(operator: str, operand: Expression, column: int) -> Expression:
    # -2147483648 is a number of 32 bits, though 2147483648 is none.
    if operator == "-" and isinstance(operand, Integer) and operand.decimal and 0 <= operand.value <= 1 << 63:
        return Integer(-operand.value, True, column)
    return Unary(operator, operand, column)
