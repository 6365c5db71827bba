"""Runtime values (spec 4.2.1).

=============  =====================================================================
i32 i64        `int`, the unsigned bit pattern
f32 f64        `int`, the unsigned bit pattern (exact, NaN payloads included)
v128           `bytes` of length 16, lane 0 first
null           `None`
funcref        `WasmFunction` or `HostFunc`
anyref         `I31`, `StructObject`, `ArrayObject`, or any host object made internal
externref      any host object, or a guest object made external
exnref         `ExnObject`
=============  =====================================================================

Conversions between anyref and externref keep the object, so that identity survives a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference.state import Tag
    from reference.types import DefinedType

# The static types of operands are known from validation; a union here would only be cast away everywhere.
Value = Any


@dataclass(frozen=True, slots=True)
class I31:
    """An unboxed 31-bit scalar; `value` is the unsigned bit pattern."""

    value: int


@dataclass(eq=False, slots=True)
class StructObject:
    """A structure; packed fields hold their unsigned bit pattern."""

    type: DefinedType
    fields: list[Value]


@dataclass(eq=False, slots=True)
class ArrayObject:
    """An array; packed elements hold their unsigned bit pattern."""

    type: DefinedType
    elements: list[Value]


@dataclass(eq=False, slots=True)
class ExnObject:
    """An exception: its tag and payload."""

    tag: Tag
    values: list[Value]
