"""The tokens of an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from wasmscope.errors import ExpressionError

MAX_LENGTH = 4096
"""Characters of an expression."""

TokenKind = Literal["number", "name", "dollar", "character", "string", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is spelled; of what is quoted, with the quotes. It goes up to, not including, `end`."""

    kind: TokenKind
    text: str
    column: int
    end: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


# A number is taken as far as it could be meant to go, so that what is wrong in it is said of it as a whole.
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>0[xX](?:[\w.]*[pP][+-]\w*|[\w]+(?:\.\w+)?)
        | \.?[0-9](?:[eE][+-][0-9]|\w|'(?=[0-9])|\.(?![.A-Za-z_*?]))*)
    | (?P<dollar>\$(?:"(?:[^"\\]|\\.)*"|[\w$]*))
    | (?P<character>(?:u8|[uUL]|b)?'(?:[^'\\\n]|\\.)+')
    | (?P<string>(?:u8|[uULbc])?"(?:[^"\\\n]|\\.)*")
    | (?P<name>(?:::)?~?[^\W\d][\w$]*(?:::~?[^\W\d][\w$]*)*)
    | (?P<symbol><<=|>>=|\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>()\[\]{}?:.,=@])
    """,
    re.VERBOSE | re.DOTALL,
)


def scan(text: str) -> list[Token]:
    """The tokens of `text`, with one of the kind "end" behind them. Raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of more than {MAX_LENGTH} characters", MAX_LENGTH + 1)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] == "." and _is_operand(tokens, position):
            # A dot right behind an operand picks a member, also the first one of a tuple: `pair.0`.
            match = re.compile(r"\.\.|\.").match(text, position)
            assert match is not None
            tokens.append(Token("symbol", match[0], position + 1, match.end()))
            position = match.end()
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(_complaint(text[position]), position + 1)
        if match.lastgroup != "space":
            tokens.append(Token(cast(TokenKind, match.lastgroup), match[0], position + 1, match.end()))
        position = match.end()
    tokens.append(Token("end", "", len(text) + 1, len(text)))
    return tokens


def _is_operand(tokens: list[Token], position: int) -> bool:
    if not tokens or tokens[-1].end != position:
        return False
    last = tokens[-1]
    if last.text in ("*", "?"):  # Zig's `.*` and `.?`
        return len(tokens) > 1 and tokens[-2].text == "." and tokens[-2].end == last.column - 1
    return last.kind in ("name", "dollar") or last.text in (")", "]")


def _complaint(character: str) -> str:
    if character in "'\"":
        return f"the quote {character} is not closed"
    return f"unexpected {character!r}"


class TokenStream:
    """The tokens of an expression, taken one after another."""

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

    def skip_to(self, end: int) -> None:
        """Take every token that ends at or before that position."""
        while self.peek().kind != "end" and self.peek().end <= end:
            self._position += 1

    def at(self, *symbols: str, ahead: int = 0) -> bool:
        """Whether one of these symbols is next."""
        token = self.peek(ahead)
        return token.kind == "symbol" and token.text in symbols

    def at_word(self, *words: str, ahead: int = 0) -> bool:
        """Whether one of these names is next."""
        token = self.peek(ahead)
        return token.kind == "name" and token.text in words

    def take(self, *symbols: str) -> Token | None:
        """Take one of these symbols, if it is next."""
        return self.next() if self.at(*symbols) else None

    def expect(self, symbol: str) -> Token:
        """Take that symbol; `ExpressionError` if something else is next."""
        if not self.at(symbol):
            raise ExpressionError(f"{symbol!r} is expected instead of {self.peek()}", self.peek().column)
        return self.next()
