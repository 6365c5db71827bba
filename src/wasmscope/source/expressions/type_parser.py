"""The types that an expression names, as in casts: C's type names (C17 6.7.7), Rust's and Zig's pointers."""

from __future__ import annotations

from collections.abc import Callable

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.literals import number
from wasmscope.source.expressions.scan import TokenStream
from wasmscope.source.expressions.syntax import ArrayOf, FunctionOf, Integer, NamedType, PointerTo, TypeSyntax

QUALIFIERS = ("const", "volatile", "restrict", "__restrict", "_Atomic", "mut")
TAGS = ("struct", "union", "class", "enum", "typename")
WORDS = ("signed", "unsigned", "char", "short", "int", "long", "float", "double", "_Bool", "__int128", "_Complex")
"""What C's types are made of, in any order."""
SINGLE = (
    "void", "bool", "wchar_t", "char8_t", "char16_t", "char32_t", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32",
    "u64", "u128", "isize", "usize", "f32", "f64", "f128", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t",
    "uint16_t", "uint32_t", "uint64_t", "size_t", "ssize_t", "ptrdiff_t", "intptr_t", "uintptr_t",
)  # fmt: skip
"""Types that are known without debug information."""
MAX_DECLARATORS = 20
"""Stars and brackets of one type."""
_MAX_TEMPLATE = 400

IsType = Callable[[str], bool]
"""Whether the debug information has a type of that name."""


class TypeParser:
    """Parses the types in an expression."""

    def __init__(self, text: str, tokens: TokenStream, is_type: IsType) -> None:
        self._text = text
        self._tokens = tokens
        self._is_type = is_type
        self._left = MAX_DECLARATORS * 5

    def is_next(self, ahead: int = 0) -> bool:
        """Whether a type begins at the token that is `ahead`."""
        tokens = self._tokens
        token = tokens.peek(ahead)
        if token.kind != "name":
            return False
        if token.text in (*QUALIFIERS, *TAGS, *WORDS, *SINGLE):
            return True
        return self._is_type(token.text) or (tokens.at("<", ahead=ahead + 1) and self._template(ahead) is not None)

    def type(self) -> TypeSyntax:
        """Take a type, with its declarators."""
        tokens = self._tokens
        if tokens.at("*", "&"):  # Rust's and Zig's are read from left to right
            sign = tokens.next()
            self._spend(sign.column)
            self._qualifiers()
            return PointerTo(self.type(), False, sign.column)
        return self._abstract_declarator(self._specifiers())

    def _qualifiers(self) -> None:
        while self._tokens.at_word(*QUALIFIERS):
            self._tokens.next()

    def _specifiers(self) -> TypeSyntax:
        tokens = self._tokens
        self._qualifiers()
        first = tokens.peek()
        if tokens.at_word(*TAGS):
            tag = tokens.next().text
            name = self._name()
            self._qualifiers()
            return NamedType(name if tag == "typename" else f"{tag} {name}", first.column)
        words: list[str] = []
        while tokens.at_word(*WORDS):
            self._spend(first.column)
            words.append(tokens.next().text)
            self._qualifiers()
        if words:
            return NamedType(" ".join(words), first.column)
        name = self._name()
        self._qualifiers()
        return NamedType(name, first.column)

    def _name(self) -> str:
        tokens = self._tokens
        token = tokens.peek()
        if token.kind != "name":
            raise ExpressionError(f"a type is expected instead of {token}", token.column)
        if tokens.at("<", ahead=1) and (end := self._template(0)) is not None:
            tokens.skip_to(end)
            return self._text[token.column - 1 : end]
        return tokens.next().text

    def _template(self, ahead: int) -> int | None:
        """Where a template's name with its arguments ends, if it is one of a type."""
        start, depth = self._tokens.peek(ahead).column - 1, 0
        for position in range(start, min(len(self._text), start + _MAX_TEMPLATE)):
            depth += {"<": 1, ">": -1}.get(self._text[position], 0)
            if depth == 0 and self._text[position] == ">":
                return position + 1 if self._is_type(self._text[start : position + 1]) else None
        return None

    def _abstract_declarator(self, inner: TypeSyntax) -> TypeSyntax:
        tokens = self._tokens
        while tokens.at("*", "&", "&&"):
            sign = tokens.next()
            self._spend(sign.column)
            inner = PointerTo(inner, sign.text != "*", sign.column)
            self._qualifiers()
        stars = 0
        if tokens.at("(") and tokens.at("*", ahead=1):
            tokens.next()
            while star := tokens.take("*"):
                self._spend(star.column)
                stars += 1
            tokens.expect(")")
        inner = self._suffixes(inner)
        for _ in range(stars):
            inner = PointerTo(inner, False, tokens.peek().column)
        return inner

    def _suffixes(self, inner: TypeSyntax) -> TypeSyntax:
        tokens = self._tokens
        if opening := tokens.take("("):
            parameters: list[TypeSyntax] = []
            while not tokens.at(")"):
                self._spend(tokens.peek().column)
                parameters.append(self.type())
                if not tokens.take(","):
                    break
            tokens.expect(")")
            if len(parameters) == 1 and parameters[0] == NamedType("void", getattr(parameters[0], "column", 0)):
                parameters = []
            return FunctionOf(inner, tuple(parameters), opening.column)
        counts: list[tuple[int | None, int]] = []
        while opening := tokens.take("["):
            self._spend(opening.column)
            count = None
            if not tokens.at("]"):
                token = tokens.next()
                literal = number(token.text, token.column) if token.kind == "number" else None
                if not isinstance(literal, Integer):
                    raise ExpressionError(f"a number of elements is expected instead of {token}", token.column)
                count = literal.value
            tokens.expect("]")
            counts.append((count, opening.column))
        for count, column in reversed(counts):
            inner = ArrayOf(inner, count, column)
        return inner

    def _spend(self, column: int) -> None:
        self._left -= 1
        if self._left <= 0:
            raise ExpressionError("too complex a type", column)
