"""Numbers of bits and bits of numbers, by type: integers, booleans, characters, floats, enumerations, pointers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.types import (
    BaseType,
    Encoding,
    EnumType,
    MemberPointerType,
    PointerType,
    Type,
    UnspecifiedType,
    WasmType,
    size_of,
    stripped,
)
from wasmscope.source.values.floats import SIZES, Real, decode_float, encode_float
from wasmscope.source.values.value import TypedValue
from wasmscope.wasm.types import F32, F64, I32, I64, V128

WASM_SIZES = {I32: 4, F32: 4, I64: 8, F64: 8, V128: 16}
"""Bytes of WebAssembly's own types; references have none."""
_MAX_INTEGER = 32
"""Bytes of the widest integer (Zig's may be wider; those are shown as bytes)."""
_SIGNED = (Encoding.SIGNED, Encoding.SIGNED_CHAR)
_INTEGRAL = (*_SIGNED, Encoding.UNSIGNED, Encoding.UNSIGNED_CHAR, Encoding.UTF, Encoding.BOOLEAN, Encoding.ADDRESS)


@dataclass(frozen=True, slots=True)
class Integral:
    """A type whose values are integers of `bits` bits; an enumeration or a pointer is one for this purpose."""

    bits: int
    is_signed: bool

    @property
    def lowest(self) -> int:
        """Its smallest number."""
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """Its largest number."""
        return (1 << (self.bits - self.is_signed)) - 1

    def wrapped(self, number: int) -> int:
        """`number` modulo two to the power of `bits`."""
        number &= (1 << self.bits) - 1
        return number - (1 << self.bits) if self.is_signed and number >> (self.bits - 1) else number


@dataclass(frozen=True, slots=True)
class Floating:
    """A type whose values are floats of `size` bytes."""

    size: int


Scalar = int | Real | complex
"""A value of a type that has no parts."""


def integral(type_: Type | None, bit_size: int | None = None) -> Integral | None:
    """How the bits of a type are an integer, those of a bit-field of that type too; None: they are none."""
    type_ = stripped(type_)
    match type_:
        case BaseType(size=size, encoding=encoding) if encoding in _INTEGRAL and 0 < size <= _MAX_INTEGER:
            bits = bit_size or type_.bit_size or size * 8
            return Integral(min(bits, size * 8), encoding in _SIGNED)
        case EnumType(size=int() as size, is_signed=is_signed) if 0 < size <= _MAX_INTEGER:
            return Integral(bit_size or size * 8, is_signed)
        case PointerType(size=size) if 0 < size <= 8:
            return Integral(size * 8, False)
        case MemberPointerType(size=int() as size) if 0 < size <= 8:
            return Integral(size * 8, True)
        case UnspecifiedType(name=name) if "nullptr" in name:
            return Integral(32, False)
        case WasmType(value_type=value_type) if value_type in (I32, I64):
            return Integral(32 if value_type is I32 else 64, True)
        case _:
            return None


def floating(type_: Type | None) -> Floating | None:
    """How the bits of a type are a float; None: they are none, or one of a format that is not known."""
    type_ = stripped(type_)
    match type_:
        case BaseType(size=size, encoding=Encoding.FLOAT) if size in SIZES and type_.name != "f80":
            return Floating(size)
        case WasmType(value_type=value_type) if value_type in (F32, F64):
            return Floating(WASM_SIZES[value_type])
        case _:
            return None


def is_bool(type_: Type | None) -> bool:
    """Whether it is a boolean."""
    type_ = stripped(type_)
    return isinstance(type_, BaseType) and type_.encoding is Encoding.BOOLEAN


def is_character(type_: Type | None) -> bool:
    """Whether it is a character or a code unit of text."""
    type_ = stripped(type_)
    characters = (Encoding.SIGNED_CHAR, Encoding.UNSIGNED_CHAR, Encoding.UTF)
    return isinstance(type_, BaseType) and type_.encoding in characters


def is_scalar(type_: Type | None) -> bool:
    """Whether `scalar` can say what number it is, if it can be had."""
    return integral(type_) is not None or floating(type_) is not None or _complex_size(type_) is not None


def value_size(type_: Type | None) -> int | None:
    """As `types.size_of`, WebAssembly's own numbers too."""
    inner = stripped(type_)
    if isinstance(inner, WasmType):
        return WASM_SIZES.get(inner.value_type)
    if isinstance(inner, UnspecifiedType) and "nullptr" in inner.name:
        return 4
    return size_of(type_)


def scalar(value: TypedValue) -> Scalar | Unavailable | None:
    """The number a value is: characters and enumerations by their code, pointers by their address; None: it is none."""
    if not is_scalar(value.type):
        return None
    bits = bits_of(value)
    return bits if isinstance(bits, Unavailable) else decode(value.type, bits, value.bit_size)


def bits_of(value: TypedValue) -> int | Unavailable:
    """The bits of a value; of one that fills more of its place than its type counts, those that count."""
    size = value_size(value.type)
    if value.bit_size is None and size is not None:
        data = value.read(size)
        return data if isinstance(data, Unavailable) else int.from_bytes(data, "little")
    return value.bits()


def decode(type_: Type | None, bits: int, bit_size: int | None = None) -> Scalar:
    """The number that `bits` are as that type, which `is_scalar`."""
    if as_integer := integral(type_, bit_size):
        return as_integer.wrapped(bits)
    if as_float := floating(type_):
        return decode_float(bits, as_float.size)
    half = _complex_size(type_)
    assert half is not None
    parts = bits & ((1 << half * 8) - 1), bits >> half * 8
    return complex(*(float(decode_float(part, half)) for part in parts))


def encode(type_: Type | None, number: Scalar, bit_size: int | None = None) -> int | Unavailable:
    """The bits of `number` as that type; `Unavailable` if it does not fit there exactly.

    An integer may be given signed or unsigned; floats are rounded to the nearest.
    """
    if as_integer := integral(type_, bit_size):
        return _encode_integer(number, as_integer, is_bool=is_bool(type_))
    if (as_float := floating(type_)) and not isinstance(number, complex):
        return encode_float(number, as_float.size)
    if half := _complex_size(type_):
        whole = number if isinstance(number, complex) else complex(float(number), 0)
        return encode_float(whole.real, half) | encode_float(whole.imag, half) << half * 8
    return Unavailable("a number cannot be put there")


def _encode_integer(number: Scalar, target: Integral, *, is_bool: bool) -> int | Unavailable:
    if isinstance(number, complex):
        return Unavailable("a complex number is no integer")
    if isinstance(number, float | Fraction):
        if number != number or number in (float("inf"), float("-inf")) or number != int(number):
            return Unavailable(f"{number} is no integer: cast it to have it truncated")
        number = int(number)
    lowest, highest = (0, 1) if is_bool else (-(1 << (target.bits - 1)), (1 << target.bits) - 1)
    if not lowest <= number <= highest:
        bounds = (0, 1) if is_bool else (target.lowest, target.highest)
        shown = str(number) if number.bit_length() <= 256 else "the number"
        return Unavailable(f"{shown} is not in the range from {bounds[0]} to {bounds[1]}: cast it to have it wrapped")
    return number & ((1 << target.bits) - 1)


def _complex_size(type_: Type | None) -> int | None:
    type_ = stripped(type_)
    if isinstance(type_, BaseType) and type_.encoding is Encoding.COMPLEX and type_.size in (8, 16):
        return type_.size // 2
    return None
