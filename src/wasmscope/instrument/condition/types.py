"""The types of a condition's values: those of Wasm with the signedness that Wasm has in its instructions instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wasmscope.wasm.types import F32, F64, I32, I64, V128, ValType


class Type(StrEnum):
    """The type of an expression. The numbers are in the order of the conversions that C calls usual."""

    BOOL = "bool"
    I32 = "i32"
    U32 = "u32"
    I64 = "i64"
    U64 = "u64"
    F32 = "f32"
    F64 = "f64"
    V128 = "v128"
    REFERENCE = "reference"
    NULL = "null"

    @property
    def carrier(self) -> ValType:
        """The Wasm type of a number's value on the operand stack."""
        return _CARRIERS[self]

    @property
    def is_float(self) -> bool:
        """Whether this is f32 or f64."""
        return self in (Type.F32, Type.F64)

    @property
    def is_integer(self) -> bool:
        """Whether this is an integer, as which a truth value counts too."""
        return self in _ORDER[:5]

    @property
    def is_number(self) -> bool:
        """Whether there is arithmetic on it."""
        return self in _ORDER

    @property
    def suffix(self) -> str:
        """What the names of instructions end in that are there for signed and unsigned integers; "" for floats."""
        if self.is_float:
            return ""
        return "_u" if self in (Type.U32, Type.U64) else "_s"


_ORDER = (Type.BOOL, Type.I32, Type.U32, Type.I64, Type.U64, Type.F32, Type.F64)
_CARRIERS = {
    Type.BOOL: I32,
    Type.I32: I32,
    Type.U32: I32,
    Type.I64: I64,
    Type.U64: I64,
    Type.F32: F32,
    Type.F64: F64,
}
_OF_WASM = {I32: Type.I32, I64: Type.I64, F32: Type.F32, F64: Type.F64, V128: Type.V128}

CASTS = {name: Type(name) for name in ("i32", "u32", "i64", "u64", "f32", "f64")}


@dataclass(frozen=True, slots=True)
class Access:
    """How memory or a lane is read: `size` bytes, by the instruction `name`, which gives a value of type `type`."""

    name: str
    size: int
    type: Type


READS = {
    "i8": Access("i32.load8_s", 1, Type.I32),
    "u8": Access("i32.load8_u", 1, Type.I32),
    "i16": Access("i32.load16_s", 2, Type.I32),
    "u16": Access("i32.load16_u", 2, Type.I32),
    "i32": Access("i32.load", 4, Type.I32),
    "u32": Access("i32.load", 4, Type.U32),
    "i64": Access("i64.load", 8, Type.I64),
    "u64": Access("i64.load", 8, Type.U64),
    "f32": Access("f32.load", 4, Type.F32),
    "f64": Access("f64.load", 8, Type.F64),
}

LANES = {
    "i8x16": Access("i8x16.extract_lane_s", 1, Type.I32),
    "u8x16": Access("i8x16.extract_lane_u", 1, Type.I32),
    "i16x8": Access("i16x8.extract_lane_s", 2, Type.I32),
    "u16x8": Access("i16x8.extract_lane_u", 2, Type.I32),
    "i32x4": Access("i32x4.extract_lane", 4, Type.I32),
    "u32x4": Access("i32x4.extract_lane", 4, Type.U32),
    "i64x2": Access("i64x2.extract_lane", 8, Type.I64),
    "u64x2": Access("i64x2.extract_lane", 8, Type.U64),
    "f32x4": Access("f32x4.extract_lane", 4, Type.F32),
    "f64x2": Access("f64x2.extract_lane", 8, Type.F64),
}


def type_of(value_type: ValType) -> Type:
    """The type of a local, an operand or a global."""
    return Type.REFERENCE if value_type.is_ref else _OF_WASM[value_type]


def promoted(type: Type) -> Type:
    """What arithmetic makes of one operand: a truth value is 0 or 1."""
    return Type.I32 if type is Type.BOOL else type


def common(left: Type, right: Type) -> Type:
    """What both operands are converted to (C17 6.3.1.8, with an int of 32 and a long of 64 bits)."""
    return _ORDER[max(1, _ORDER.index(left), _ORDER.index(right))]


def integer_type(value: int, *, decimal: bool) -> Type:
    """The first type that holds a literal; u32 only if it is not decimal (C17 6.4.4.1)."""
    if -(1 << 31) <= value < 1 << 31:
        return Type.I32
    if 0 <= value < 1 << 32 and not decimal:
        return Type.U32
    return Type.I64 if value < 1 << 63 else Type.U64
