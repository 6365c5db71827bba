"""The text of an expression to its syntax tree, by precedence climbing (C17 6.5; gdb's @, Rust's as, Zig's .*)."""

from __future__ import annotations

from collections.abc import Callable

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions import syntax
from wasmscope.source.expressions.literals import character, number, string
from wasmscope.source.expressions.scan import Token, TokenStream, scan
from wasmscope.source.expressions.syntax import Expression
from wasmscope.source.expressions.type_parser import IsType, TypeParser

MAX_OPERATIONS = 150
"""Operators, calls and the like of one expression; the tree is not deeper."""
MAX_NESTING = 30
"""Brackets in brackets."""
MAX_ARGUMENTS = 50

_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("@",),
    ("+", "-"),
    ("*", "/", "%"),
)
_PRECEDENCE = {operator: level for level, operators in enumerate(_LEVELS, start=1) for operator in operators}
_WORDS = {"and": "&&", "or": "||"}
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
_PREFIXES = ("-", "+", "~", "!", "*", "&", "&&", "++", "--")


def parse(text: str, is_type: IsType, is_variable: Callable[[str], bool] = lambda _: False) -> Expression:
    """The syntax tree; raises `ExpressionError` where `text` is no expression.

    `is_type` and `is_variable` tell a cast from an expression in parentheses: variables hide types.
    """
    if not text.strip():
        raise ExpressionError("the expression is empty", 1)
    return _Parser(text, lambda name: not is_variable(name) and is_type(name)).whole()


class _Parser:
    def __init__(self, text: str, is_type: IsType) -> None:
        self._tokens = TokenStream(scan(text))
        self._types = TypeParser(text, self._tokens, is_type)
        self._operations = 0
        self._nesting = 0

    def whole(self) -> Expression:
        found = self._comma()
        token = self._tokens.peek()
        if token.kind == "end":
            return found
        if token.text in (")", "]", "}"):
            raise ExpressionError(f"nothing is open that {token} closes", token.column)
        raise ExpressionError(f"an operator is missing before {token}", token.column)

    def _counted(self, token: Token) -> Token:
        self._operations += 1
        if self._operations > MAX_OPERATIONS:
            raise ExpressionError(f"more than {MAX_OPERATIONS} operations", token.column)
        return token

    def _comma(self) -> Expression:
        left = self._assignment()
        while token := self._tokens.take(","):
            self._counted(token)
            left = syntax.Binary(",", left, self._assignment(), token.column)
        return left

    def _assignment(self) -> Expression:
        left = self._conditional()
        if token := self._tokens.take(*_ASSIGNMENTS):
            self._counted(token)
            return syntax.Assign(token.text[:-1], left, self._nested(self._assignment, token), token.column)
        return left

    def _conditional(self) -> Expression:
        condition = self._binary(1)
        if token := self._tokens.take("?"):
            self._counted(token)
            yes = self._nested(self._comma, token)
            self._tokens.expect(":")
            return syntax.Conditional(condition, yes, self._nested(self._conditional, token), token.column)
        return condition

    def _binary(self, level: int) -> Expression:
        left = self._unary()
        while True:
            token = self._tokens.peek()
            operator = _WORDS.get(token.text, token.text) if token.kind == "name" else token.text
            precedence = _PRECEDENCE.get(operator, 0) if token.kind in ("symbol", "name") else 0
            if precedence < level or precedence == 0:
                return left
            self._counted(self._tokens.next())
            left = syntax.Binary(operator, left, self._binary(precedence + 1), token.column)

    def _unary(self) -> Expression:
        tokens = self._tokens
        prefixes: list[Callable[[Expression], Expression]] = []
        while True:
            token = tokens.peek()
            if tokens.at(*_PREFIXES):
                self._counted(tokens.next())
                if token.text.startswith("&") and tokens.at_word("mut", "const"):
                    tokens.next()
                prefixes += [_prefix(each, token.column) for each in _signs(token.text)]
            elif tokens.at_word("not"):
                self._counted(tokens.next())
                prefixes.append(_prefix("!", token.column))
            elif tokens.at("(") and self._types.is_next(1):
                self._counted(tokens.next())
                prefixes.append(_cast(self._closed_type(token, ")"), token.column))
            elif tokens.at("{"):
                self._counted(tokens.next())
                prefixes.append(_at(self._closed_type(token, "}"), token.column))
            else:
                break
        operand = self._sizeof() if tokens.at_word("sizeof") else self._postfix(self._primary())
        for prefix in reversed(prefixes):
            operand = prefix(operand)
        while tokens.at_word("as"):
            token = self._counted(tokens.next())
            operand = syntax.Cast(self._types.type(), operand, token.column)
        return operand

    def _closed_type(self, opening: Token, closing: str) -> syntax.TypeSyntax:
        found = self._types.type()
        self._tokens.expect(closing)
        return found

    def _sizeof(self) -> Expression:
        tokens = self._tokens
        token = self._counted(tokens.next())
        if tokens.at("(") and self._types.is_next(1):
            tokens.next()
            return syntax.SizeOf(self._closed_type(token, ")"), token.column)
        return syntax.SizeOf(self._nested(self._unary, token), token.column)

    def _postfix(self, operand: Expression) -> Expression:
        tokens = self._tokens
        while True:
            token = tokens.peek()
            if tokens.at("[") and self._counted(tokens.next()):
                operand = self._index(operand, token)
            elif tokens.at("(") and self._counted(tokens.next()):
                operand = syntax.Call(operand, self._arguments(token), token.column)
            elif tokens.at(".", "->") and self._counted(tokens.next()):
                operand = self._member(operand, token)
            elif tokens.at("++", "--") and self._counted(tokens.next()):
                operand = syntax.Unary(f"x{token.text}", operand, token.column)
            else:
                return operand

    def _member(self, operand: Expression, dot: Token) -> Expression:
        tokens = self._tokens
        token = tokens.next()
        if dot.text == "." and token.kind == "symbol" and token.text == "*":
            return syntax.Unary("*", operand, dot.column)
        if dot.text == "." and token.kind == "symbol" and token.text == "?":
            return syntax.Member(operand, "?", dot.column)
        if token.kind == "number" and token.text.replace(".", "").isdigit():
            for part in token.text.split("."):  # of tuples: `pair.0`, `pairs.0.1`
                operand = syntax.Member(operand, f"__{part}", token.column)
            return operand
        if token.kind != "name" or token.text.startswith("::"):
            raise ExpressionError(f"a member's name is expected instead of {token}", token.column)
        return syntax.Member(operand, token.text, token.column)

    def _index(self, operand: Expression, opening: Token) -> Expression:
        tokens = self._tokens
        start = None if tokens.at(":", "..") else self._nested(self._comma, opening)
        if not tokens.at(":", ".."):
            tokens.expect("]")
            assert start is not None
            return syntax.Index(operand, start, opening.column)
        tokens.next()
        end = None if tokens.at("]") else self._nested(self._comma, opening)
        tokens.expect("]")
        return syntax.Slice(operand, start, end, opening.column)

    def _arguments(self, opening: Token) -> tuple[Expression, ...]:
        arguments: list[Expression] = []
        while not self._tokens.at(")"):
            if len(arguments) == MAX_ARGUMENTS:
                raise ExpressionError(f"more than {MAX_ARGUMENTS} arguments", opening.column)
            arguments.append(self._nested(self._assignment, opening))
            if not self._tokens.take(","):
                break
        self._tokens.expect(")")
        return tuple(arguments)

    def _primary(self) -> Expression:
        token = self._tokens.next()
        match token.kind:
            case "number":
                return number(token.text, token.column)
            case "character":
                return character(token.text, token.column)
            case "string":
                return string(token.text, token.column)
            case "dollar":
                name = token.text[1:]
                return syntax.Dollar(_unquoted(name, token.column) if name.startswith('"') else name, token.column)
            case "name":
                return syntax.Name(token.text, token.column)
            case "symbol" if token.text == "(":
                inner = self._nested(self._comma, token)
                self._close(token)
                return inner
            case _:
                raise ExpressionError(f"an operand is expected instead of {token}", token.column)

    def _close(self, opening: Token) -> None:
        if not self._tokens.at(")"):
            found = self._tokens.peek()
            if found.kind == "end":
                raise ExpressionError("'(' is not closed", opening.column)
            raise ExpressionError(f"')' or an operator is expected instead of {found}", found.column)
        self._tokens.next()

    def _nested(self, parse: Callable[[], Expression], opening: Token) -> Expression:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(f"more than {MAX_NESTING} brackets are nested", opening.column)
        found = parse()
        self._nesting -= 1
        return found


def _signs(text: str) -> tuple[str, ...]:
    return ("&", "&") if text == "&&" else (text,)


def _prefix(operator: str, column: int) -> Callable[[Expression], Expression]:
    return lambda operand: syntax.Unary(operator, operand, column)


def _cast(type_: syntax.TypeSyntax, column: int) -> Callable[[Expression], Expression]:
    return lambda operand: syntax.Cast(type_, operand, column)


def _at(type_: syntax.TypeSyntax, column: int) -> Callable[[Expression], Expression]:
    return lambda operand: syntax.At(type_, operand, column)


def _unquoted(text: str, column: int) -> str:
    return string(text, column + 1).data.decode(errors="replace")
