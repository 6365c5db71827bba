"""The arithmetic of DWARF's stack machine (DWARF 5, 2.5.1.4 and 2.5.1.6), on operands that keep their size."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from wasmscope.source.types import BaseType, Encoding


class CannotCompute(Exception):
    """An operation has no result, and why."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of `size` bytes: `value` modulo that, or the bits of a float. `is_signed`: of a signed type."""

    value: int
    size: int
    is_signed: bool = False
    is_float: bool = False

    @property
    def unsigned(self) -> int:
        """Its bits."""
        return self.value & ((1 << 8 * self.size) - 1)

    @property
    def signed(self) -> int:
        """Its bits as a two's complement number."""
        bits = self.unsigned
        return bits - (1 << 8 * self.size) if bits >> (8 * self.size - 1) else bits

    def to_int(self, size: int) -> int:
        """As an unsigned integer of `size` bytes."""
        return self.value & ((1 << 8 * size) - 1)

    def to_bytes(self) -> bytes:
        """Its bytes; of an integer eight at least, so that a type larger than it finds its sign."""
        if self.is_float:
            return self.unsigned.to_bytes(self.size, "little")
        size = max(self.size, 8)
        value = self.signed if self.is_signed else self.value
        return (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _integers(first: Operand, second: Operand) -> tuple[Operand, Operand]:
    """Both in the size of the larger."""
    if first.is_float or second.is_float:
        raise CannotCompute("arithmetic on floating-point numbers")
    size = max(first.size, second.size)
    return Operand(first.value, size, first.is_signed), Operand(second.value, size, second.is_signed)


def _binary(compute: Callable[[int, int], int], is_signed: bool = False) -> Callable[[Operand, Operand], Operand]:
    def apply(first: Operand, second: Operand) -> Operand:
        a, b = _integers(first, second)
        value = compute(a.signed, b.signed) if is_signed else compute(a.unsigned, b.unsigned)
        # Cut at once: products of products would grow without bound.
        result = Operand(value, a.size, a.is_signed)
        return Operand(result.signed if a.is_signed or value < 0 else result.unsigned, a.size, a.is_signed)

    return apply


def _comparison(compare: Callable[[int, int], bool]) -> Callable[[Operand, Operand], Operand]:
    def apply(first: Operand, second: Operand) -> Operand:
        a, b = _integers(first, second)
        return Operand(int(compare(a.signed, b.signed)), a.size)

    return apply


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise CannotCompute("a division by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _modulo(a: int, b: int) -> int:
    if b == 0:
        raise CannotCompute("a division by zero")
    return a % b


_WIDEST = 1 << 8
"""Bits: a shift by more leaves nothing."""


def _shift_right(first: Operand, second: Operand) -> Operand:
    a, b = _integers(first, second)
    return Operand(a.signed >> min(b.unsigned, _WIDEST), a.size, a.is_signed)


BINARY: dict[str, Callable[[Operand, Operand], Operand]] = {
    "and": _binary(lambda a, b: a & b),
    "or": _binary(lambda a, b: a | b),
    "xor": _binary(lambda a, b: a ^ b),
    "plus": _binary(lambda a, b: a + b),
    "minus": _binary(lambda a, b: a - b),
    "mul": _binary(lambda a, b: a * b),
    "div": _binary(_divide, is_signed=True),
    "mod": _binary(_modulo),
    "shl": _binary(lambda a, b: a << min(b, _WIDEST)),
    "shr": _binary(lambda a, b: a >> min(b, _WIDEST)),
    "shra": _shift_right,
    "eq": _comparison(lambda a, b: a == b),
    "ne": _comparison(lambda a, b: a != b),
    "lt": _comparison(lambda a, b: a < b),
    "le": _comparison(lambda a, b: a <= b),
    "gt": _comparison(lambda a, b: a > b),
    "ge": _comparison(lambda a, b: a >= b),
}
"""By the operation's name without DW_OP_; the first operand is the one that was pushed first."""


def _unary(compute: Callable[[int], int]) -> Callable[[Operand], Operand]:
    def apply(operand: Operand) -> Operand:
        if operand.is_float:
            raise CannotCompute("arithmetic on floating-point numbers")
        return Operand(compute(operand.signed), operand.size, operand.is_signed)

    return apply


UNARY: dict[str, Callable[[Operand], Operand]] = {
    "abs": _unary(abs),
    "neg": _unary(lambda a: -a),
    "not": _unary(lambda a: ~a),
}

_FLOATS = {4: "<f", 8: "<d"}
_SIGNED = (Encoding.SIGNED, Encoding.SIGNED_CHAR)


def reinterpret_bytes(content: bytes, base_type: BaseType) -> Operand:
    """Bytes as a number of that type."""
    if len(content) != base_type.size or not content:
        raise CannotCompute("a number of another size than its type has")
    is_float = base_type.encoding is Encoding.FLOAT
    return Operand(int.from_bytes(content, "little"), len(content), base_type.encoding in _SIGNED, is_float)


def convert(operand: Operand, target: BaseType | None, address_size: int) -> Operand:
    """`operand` as a number of the type `target`; None is the generic type, of the size of an address."""
    size = target.size if target is not None else address_size
    if not 1 <= size <= 16:
        raise CannotCompute(f"a number of {size} bytes")
    value: int | float = operand.signed if operand.is_signed else operand.unsigned
    if operand.is_float:
        if operand.size not in _FLOATS:
            raise CannotCompute(f"a floating-point number of {operand.size} bytes")
        (value,) = struct.unpack(_FLOATS[operand.size], operand.to_bytes())
    if target is not None and target.encoding is Encoding.FLOAT:
        if size not in _FLOATS:
            raise CannotCompute(f"a floating-point number of {size} bytes")
        try:
            content = struct.pack(_FLOATS[size], value)
        except OverflowError:
            content = struct.pack(_FLOATS[size], math.copysign(math.inf, value))
        return Operand(int.from_bytes(content, "little"), size, is_float=True)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CannotCompute("an integer of what is not finite")
        value = math.trunc(value)
    is_signed = target is not None and target.encoding in _SIGNED
    cut = Operand(value, size, is_signed)
    return Operand(cut.signed if is_signed else cut.unsigned, size, is_signed)
