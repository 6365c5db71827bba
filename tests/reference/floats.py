"""Floating-point operators on bit patterns, correctly rounded (spec 4.3.3).

Arithmetic on f32 goes through f64: with 53 >= 2 * 24 + 2 bits of precision, rounding twice is rounding once for
+ - * / and the square root. What that does not cover (conversion from i64, fused multiply-add) rounds a fraction.
A NaN that arithmetic makes is always the canonical one, as the engine gives it with NaN canonicalization on.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction

from reference.errors import Trap
from reference.integers import clamp, signed


class FloatFormat:
    """An IEEE 754 binary format: bit patterns to Python floats and back."""

    def __init__(self, bits: int, precision: int, code: str) -> None:
        self.bits = bits
        self.sign = 1 << (bits - 1)
        self.precision = precision
        self.infinity = ((1 << (bits - precision)) - 1) << (precision - 1)
        self.nan = self.infinity | 1 << (precision - 2)
        self.minimum_exponent = 3 - (1 << (bits - precision - 1)) - precision
        self._float = struct.Struct(f"<{code}")
        self._pattern = struct.Struct("<I" if bits == 32 else "<Q")

    def unpack(self, pattern: int) -> float:
        """The number of a bit pattern."""
        number: float = self._float.unpack(self._pattern.pack(pattern))[0]
        return number

    def pack(self, number: float) -> int:
        """The bit pattern of a number, rounded to nearest, ties to even; a NaN becomes the canonical one."""
        if number != number:
            return self.nan
        try:
            encoded = self._float.pack(number)
        except OverflowError:
            return self.infinity | (self.sign if number < 0 else 0)
        pattern: int = self._pattern.unpack(encoded)[0]
        return pattern

    def is_nan(self, pattern: int) -> bool:
        """Whether the pattern is a NaN of any kind."""
        return pattern & (self.sign - 1) > self.infinity

    def round(self, exact: Fraction) -> int:
        """The bit pattern nearest to an exact number, ties to even; zero is positive."""
        magnitude = abs(exact)
        sign = self.sign if exact < 0 else 0
        if magnitude == 0:
            return 0
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length() - self.precision
        if magnitude >= Fraction(2) ** (exponent + self.precision):
            exponent += 1
        exponent = max(exponent, self.minimum_exponent)
        significand = round(magnitude / Fraction(2) ** exponent)
        # The hidden bit and a carry out of the significand add themselves into the exponent field.
        pattern = ((exponent - self.minimum_exponent) << (self.precision - 1)) + significand
        return sign | min(pattern, self.infinity)

    def fused_multiply_add(self, a: int, b: int, c: int) -> int:
        """`a * b + c` with one rounding."""
        x, y, z = self.unpack(a), self.unpack(b), self.unpack(c)
        if not (math.isfinite(x) and math.isfinite(y)):
            return self.pack(x * y + z)
        if not math.isfinite(z):
            return self.pack(z)
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        if exact == 0:
            # Only a product that is itself zero can give a negative zero.
            return self.pack(math.copysign(0.0, x) * math.copysign(1.0, y) + z) if x == 0 or y == 0 else 0
        return self.round(exact)


F32 = FloatFormat(32, 24, "f")
F64 = FloatFormat(64, 53, "d")


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _sqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


def _min(a: float, b: float) -> float:
    if a == b == 0:
        return min(a, b, key=lambda zero: math.copysign(1.0, zero))
    return math.nan if a != a or b != b else min(a, b)


def _max(a: float, b: float) -> float:
    return -_min(-a, -b)


def _integral(rounding: Callable[[float], int]) -> Callable[[float], float]:
    def apply(a: float) -> float:
        return math.copysign(float(rounding(a)), a) if math.isfinite(a) else a

    return apply


def float_operators(format: FloatFormat) -> dict[str, Callable[..., int]]:
    """The operators of fN by name; comparisons give 0 or 1."""
    unpack, pack, sign = format.unpack, format.pack, format.sign

    def unary(function: Callable[[float], float]) -> Callable[[int], int]:
        return lambda a: pack(function(unpack(a)))

    def binary(function: Callable[[float, float], float]) -> Callable[[int, int], int]:
        return lambda a, b: pack(function(unpack(a), unpack(b)))

    def compare(function: Callable[[float, float], bool]) -> Callable[[int, int], int]:
        return lambda a, b: int(function(unpack(a), unpack(b)))

    return {
        "abs": lambda a: a & ~sign,
        "neg": lambda a: a ^ sign,
        "copysign": lambda a, b: a & ~sign | b & sign,
        "ceil": unary(_integral(math.ceil)),
        "floor": unary(_integral(math.floor)),
        "trunc": unary(_integral(math.trunc)),
        "nearest": unary(_integral(round)),
        "sqrt": unary(_sqrt),
        "add": binary(lambda a, b: a + b),
        "sub": binary(lambda a, b: a - b),
        "mul": binary(lambda a, b: a * b),
        "div": binary(_divide),
        "min": binary(_min),
        "max": binary(_max),
        "pmin": lambda a, b: b if unpack(b) < unpack(a) else a,
        "pmax": lambda a, b: b if unpack(a) < unpack(b) else a,
        "eq": compare(lambda a, b: a == b),
        "ne": compare(lambda a, b: a != b),
        "lt": compare(lambda a, b: a < b),
        "gt": compare(lambda a, b: a > b),
        "le": compare(lambda a, b: a <= b),
        "ge": compare(lambda a, b: a >= b),
        # What the relaxed operators are in the deterministic profile.
        "relaxed_min": binary(_min),
        "relaxed_max": binary(_max),
        "relaxed_madd": format.fused_multiply_add,
        "relaxed_nmadd": lambda a, b, c: format.fused_multiply_add(a ^ sign, b, c),
    }


def _bounds(bits: int, is_signed: bool) -> tuple[int, int]:
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)


def truncate(format: FloatFormat, bits: int, is_signed: bool) -> Callable[[int], int]:
    """The trapping conversion to an integer of `bits` bits."""
    low, high = _bounds(bits, is_signed)

    def apply(pattern: int) -> int:
        number = format.unpack(pattern)
        if number != number:
            raise Trap("BAD_CONVERSION_TO_INTEGER")
        if math.isinf(number) or not low <= math.trunc(number) <= high:
            raise Trap("INTEGER_OVERFLOW")
        return math.trunc(number) & ((1 << bits) - 1)

    return apply


def truncate_saturating(format: FloatFormat, bits: int, is_signed: bool) -> Callable[[int], int]:
    """The conversion to the nearest integer of `bits` bits; NaN becomes 0."""
    low, high = _bounds(bits, is_signed)

    def apply(pattern: int) -> int:
        number = format.unpack(pattern)
        if number != number:
            return 0
        if math.isinf(number):
            return (high if number > 0 else low) & ((1 << bits) - 1)
        return clamp(math.trunc(number), low, high) & ((1 << bits) - 1)

    return apply


def convert(format: FloatFormat, bits: int, is_signed: bool) -> Callable[[int], int]:
    """The conversion from an integer of `bits` bits."""
    return lambda pattern: format.round(Fraction(signed(pattern, bits) if is_signed else pattern))


def change_format(source: FloatFormat, target: FloatFormat) -> Callable[[int], int]:
    """Promotion and demotion."""
    return lambda pattern: target.pack(source.unpack(pattern))
