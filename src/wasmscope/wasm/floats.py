"""Floats in the text format, from their exact bits (Wasm spec 6.3.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Layout:
    exponent_bits: int
    fraction_bits: int


_LAYOUTS = {4: _Layout(8, 23), 8: _Layout(11, 52)}
"""By size in bytes: IEEE 754 binary32 and binary64."""


def format_float(encoding: bytes) -> str:
    """The float with these little-endian bytes, in hexadecimal: no bit is lost, those of a NaN neither."""
    layout = _LAYOUTS[len(encoding)]
    bits = int.from_bytes(encoding, "little")
    fraction = bits & ((1 << layout.fraction_bits) - 1)
    exponent = bits >> layout.fraction_bits & ((1 << layout.exponent_bits) - 1)
    sign = "-" if bits >> (layout.fraction_bits + layout.exponent_bits) else ""
    if exponent == (1 << layout.exponent_bits) - 1:
        return sign + _special(fraction, layout)
    if exponent == 0 and fraction == 0:
        return f"{sign}0x0p+0"
    bias = (1 << (layout.exponent_bits - 1)) - 1
    if exponent == 0:
        # A subnormal number is shifted until its highest bit is the 1 before the point.
        shift = layout.fraction_bits + 1 - fraction.bit_length()
        fraction = fraction << shift & ((1 << layout.fraction_bits) - 1)
        return f"{sign}0x1.{_digits(fraction, layout)}p{1 - bias - shift:+}"
    point = "." if fraction else ""
    return f"{sign}0x1{point}{_digits(fraction, layout)}p{exponent - bias:+}"


def _special(fraction: int, layout: _Layout) -> str:
    if fraction == 0:
        return "inf"
    if fraction == 1 << (layout.fraction_bits - 1):
        return "nan"
    return f"nan:{fraction:#x}"


def _digits(fraction: int, layout: _Layout) -> str:
    """The bits after the point; a hexadecimal digit has four, so the last one is filled up with zeros."""
    digits = -(-layout.fraction_bits // 4)
    aligned = fraction << (digits * 4 - layout.fraction_bits)
    return f"{aligned:0{digits}x}".rstrip("0")
