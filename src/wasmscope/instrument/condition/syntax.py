"""The syntax tree of a condition. Every node knows its column, counted in characters from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Space = Literal["local", "stack", "global"]


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer or character literal; one that is not `decimal` may be unsigned."""

    value: int
    decimal: bool
    column: int


@dataclass(frozen=True, slots=True)
class Float:
    """A float literal, rounded to each of both precisions."""

    f64: float
    f32: float
    column: int


@dataclass(frozen=True, slots=True)
class Bool:
    """`true` or `false`."""

    value: bool
    column: int


@dataclass(frozen=True, slots=True)
class Null:
    """`null`."""

    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """A local, an operand or a global, by index or by name. `$name` does not say in which `space`."""

    space: Space | None
    key: int | str
    column: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of a vector: `shape(place)[lane]`."""

    shape: str
    place: Place
    lane: int
    column: int


@dataclass(frozen=True, slots=True)
class Read:
    """A read of memory: `access[address]`; the memory is given by index or by name."""

    access: str
    memory: int | str
    address: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Cast:
    """`to(operand)`, where `to` is a type or "bits"."""

    to: str
    operand: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    """A prefix operator with its operand."""

    operator: str
    operand: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """An infix operator with its operands; the column is the operator's."""

    operator: str
    left: Expression
    right: Expression
    column: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? yes : no`; the column is the question mark's."""

    condition: Expression
    yes: Expression
    no: Expression
    column: int


Expression: TypeAlias = Integer | Float | Bool | Null | Place | Lane | Read | Cast | Unary | Binary | Conditional


def postorder(root: Expression) -> list[Expression]:
    """Every node behind its operands, without recursion: chains of operators are as deep as they are long."""
    pending, found = [root], []
    while pending:
        node = pending.pop()
        found.append(node)
        pending += _operands(node)
    return found[::-1]


def _operands(node: Expression) -> tuple[Expression, ...]:
    match node:
        case Binary():
            return node.left, node.right
        case Conditional():
            return node.condition, node.yes, node.no
        case Unary() | Cast():
            return (node.operand,)
        case Read():
            return (node.address,)
        case _:
            return ()
