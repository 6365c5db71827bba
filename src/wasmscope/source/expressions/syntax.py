"""The syntax tree of an expression. Every node knows its column, counted in characters from 1."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer literal; `suffix` is in lower case. One that is not `is_decimal` may be unsigned by itself."""

    value: int
    suffix: str
    is_decimal: bool
    column: int


@dataclass(frozen=True, slots=True)
class Real:
    """A float literal, exactly as it is written."""

    value: Fraction
    suffix: str
    column: int


@dataclass(frozen=True, slots=True)
class Character:
    """A character literal: its code, and how many bytes its type has."""

    code: int
    size: int
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal as UTF-8."""

    data: bytes
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name, perhaps with its namespaces: `a::b`. One that begins with `::` is global."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Dollar:
    """`$name`: a register, a convenience variable or a WebAssembly name; the name is without the dollar sign."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    """A prefix operator: - + ~ ! * & ++ --; `x++` and `x--` are "x++" and "x--"."""

    operator: str
    operand: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """An infix operator with its operands, `@` and `,` too; the column is the operator's."""

    operator: str
    left: Expression
    right: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value`, or with an operator `target += value`."""

    operator: str
    target: Expression
    value: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? yes : no`."""

    condition: Expression
    yes: Expression
    no: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Member:
    """`operand.name` or `operand->name`."""

    operand: Expression
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[index]`."""

    operand: Expression
    index: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Slice:
    """`operand[start:end]`; None: from the first, to the last."""

    operand: Expression
    start: Expression | None
    end: Expression | None
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Expression, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Cast:
    """`(type) operand`, or `operand as type`."""

    type: TypeSyntax
    operand: Expression
    column: int


@dataclass(frozen=True, slots=True)
class At:
    """`{type} address`: what of that type is in memory there."""

    type: TypeSyntax
    address: Expression
    column: int


@dataclass(frozen=True, slots=True)
class SizeOf:
    """`sizeof`, of a type or of an expression, which is not worked out."""

    operand: Expression | TypeSyntax
    column: int


Expression: TypeAlias = (
    Integer
    | Real
    | Character
    | Text
    | Name
    | Dollar
    | Unary
    | Binary
    | Assign
    | Conditional
    | Member
    | Index
    | Slice
    | Call
    | Cast
    | At
    | SizeOf
)


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type by its name: `unsigned long`, `struct node`, `std::string`."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class PointerTo:
    """`target *`, or `target &` if `is_reference`."""

    target: TypeSyntax
    is_reference: bool
    column: int


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """`element [count]`."""

    element: TypeSyntax
    count: int | None
    column: int


@dataclass(frozen=True, slots=True)
class FunctionOf:
    """`result (parameters)`."""

    result: TypeSyntax
    parameters: tuple[TypeSyntax, ...]
    column: int


TypeSyntax: TypeAlias = NamedType | PointerTo | ArrayOf | FunctionOf
