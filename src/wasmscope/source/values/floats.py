"""Floating-point numbers as their bits, and their bits as numbers: IEEE 754 of 16, 32, 64 and 128 bits, exactly.

Python has binary64 only. A number of 128 bits that is none of those is a `Fraction`.
"""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

Real = float | Fraction
"""A float, or an exact number that no binary64 is."""

_FORMATS = {2: ("<e", "<H"), 4: ("<f", "<I"), 8: ("<d", "<Q")}
SIZES = (2, 4, 8, 16)
_QUAD_FRACTION = 112
_QUAD_BIAS = 16383


def decode_float(bits: int, size: int) -> Real:
    """The number with these bits; `size` is one of `SIZES`. Of a NaN, the payload is lost."""
    if size in _FORMATS:
        as_float, as_integer = _FORMATS[size]
        number: float = struct.unpack(as_float, struct.pack(as_integer, bits))[0]
        return number
    sign = -1 if bits >> 127 else 1
    exponent, fraction = bits >> _QUAD_FRACTION & 0x7FFF, bits & ((1 << _QUAD_FRACTION) - 1)
    if exponent == 0x7FFF:
        return math.nan if fraction else sign * math.inf
    significand = fraction | (1 << _QUAD_FRACTION if exponent else 0)
    return simplest(
        sign * significand * Fraction(2) ** (max(exponent, 1) - _QUAD_BIAS - _QUAD_FRACTION), negative=sign < 0
    )


def simplest(number: Fraction, *, negative: bool = False) -> Real:
    """`number` as a float where it is one; zero with its sign."""
    if number == 0:
        return -0.0 if negative else 0.0
    try:
        as_float = float(number)
    except OverflowError:
        return number
    return as_float if as_float == number else number


def encode_float(number: Real | int, size: int) -> int:
    """The bits of the nearest number of `size` bytes, ties to even; what is too large is infinite."""
    if isinstance(number, float) and not math.isfinite(number):
        return _encode_special(number, size)
    if isinstance(number, float) and size == 8:
        return int.from_bytes(struct.pack("<d", number), "little")
    precision, largest = {2: (11, 15), 4: (24, 127), 8: (53, 1023), 16: (113, 16383)}[size]
    negative = number < 0 or (isinstance(number, float) and math.copysign(1, number) < 0)
    exact = abs(Fraction(number))
    sign = int(negative) << (size * 8 - 1)
    if exact == 0:
        return sign
    exponent = max(_exponent(exact), 1 - largest)
    # In units of the last place, Python rounds half to even.
    significand = round(exact / Fraction(2) ** (exponent - precision + 1))
    # A significand that was rounded up to the next power of two carries into the exponent by itself.
    biased = exponent + largest if significand >> (precision - 1) else 0
    bits = (max(biased - 1, 0) << (precision - 1)) + significand if biased else significand
    infinite = (2 * largest + 1) << (precision - 1)
    return sign | min(bits, infinite)


def _exponent(exact: Fraction) -> int:
    """The largest power of two that is not above a positive number."""
    guess = exact.numerator.bit_length() - exact.denominator.bit_length()
    return guess if exact >= Fraction(2) ** guess else guess - 1


def _encode_special(number: float, size: int) -> int:
    precision, exponent_bits = {2: (11, 5), 4: (24, 8), 8: (53, 11), 16: (113, 15)}[size]
    infinite = ((1 << exponent_bits) - 1) << (precision - 1)
    if math.isnan(number):
        return infinite | 1 << (precision - 2)
    return infinite | int(number < 0) << (size * 8 - 1)


def rounded(number: Real | int, size: int) -> Real:
    """The nearest number of `size` bytes."""
    return decode_float(encode_float(number, size), size)


def float_text(number: Real, size: int, bits: int | None = None) -> str:
    """The shortest decimal that is this number of `size` bytes again; `bits` tell the payload of a NaN."""
    if isinstance(number, float) and not math.isfinite(number):
        if math.isnan(number):
            payload = "" if bits is None else f"({bits & ((1 << _fraction_bits(size)) - 1):#x})"
            sign = "-" if bits is not None and bits >> (size * 8 - 1) else ""
            return f"{sign}nan{payload}"
        return "inf" if number > 0 else "-inf"
    if isinstance(number, float) and size == 8:
        return _plain(repr(number))
    without_sign = (1 << (size * 8 - 1)) - 1
    wanted = encode_float(number, size) & without_sign
    longest = {2: 5, 4: 9, 8: 17, 16: 36}[size]
    for digits in range(1, longest + 1):
        text = _digits(number, digits)
        if encode_float(Fraction(text), size) & without_sign == wanted:
            return _plain(text)
    return _plain(_digits(number, longest))


def _fraction_bits(size: int) -> int:
    return {2: 10, 4: 23, 8: 52, 16: _QUAD_FRACTION}[size]


def _digits(number: Real, digits: int) -> str:
    if isinstance(number, float):
        return f"{number:.{digits}g}"
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=99999, Emin=-99999)
    return str(context.divide(Decimal(number.numerator), Decimal(number.denominator)))


def _plain(text: str) -> str:
    """As gdb writes it: no `.0` behind whole numbers."""
    return text.removesuffix(".0").replace("E", "e")
