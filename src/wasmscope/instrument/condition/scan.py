"""The tokens of a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from wasmscope.errors import ConditionError

MAX_LENGTH = 4096
"""Characters of a condition."""

TokenKind = Literal["number", "name", "dollar", "character", "quoted", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is spelled, without its quotes or its dollar sign."""

    kind: TokenKind
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


# A number is taken as far as it could be meant to go, so that what is wrong in it is said of it as a whole.
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>0[xX](?:[\w.]*[pP][+-]\w*|[\w.]*)
        | \.?[0-9](?:[eE][+-][0-9]|[\w.])*)
    | \$(?P<dollar>[\w$]+(?:\.[\w$]+)*)
    | (?P<name>[^\W\d][\w$]*)
    | '(?P<character>(?:[^'\\]|\\.)*)'
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | (?P<symbol><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()\[\]?:.$])
    """,
    re.VERBOSE | re.DOTALL,
)


def scan(text: str) -> TokenStream:
    """The tokens of `text`, with one of the kind "end" behind them."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition of more than {MAX_LENGTH} characters", MAX_LENGTH + 1)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(_complaint(text[position]), position + 1)
        kind = match.lastgroup
        if kind != "space":
            tokens.append(Token(cast(TokenKind, kind), match[str(kind)], position + 1))
        position = match.end()
    tokens.append(Token("end", "", len(text) + 1))
    return TokenStream(tokens)


def _complaint(character: str) -> str:
    if character in "'\"":
        return f"the quote {character} is not closed"
    if character == "=":
        return "a condition assigns nothing; equality is =="
    return f"unexpected {character!r}"


class TokenStream:
    """The tokens of a condition, taken one after another."""

    __slots__ = ("_position", "_tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one behind it; at the end it is the end."""
        return self._tokens[min(self._position + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._position += 1
        return token

    def at(self, symbol: str, ahead: int = 0) -> bool:
        """Whether that symbol is next."""
        token = self.peek(ahead)
        return token.kind == "symbol" and token.text == symbol

    def expect(self, symbol: str) -> Token:
        """Take that symbol; `ConditionError` if something else is next."""
        if not self.at(symbol):
            raise ConditionError(f"{symbol!r} is expected instead of {self.peek()}", self.peek().column)
        return self.next()
