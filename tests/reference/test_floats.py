"""Rounding, against the conversions of the machine and against exact fractions."""

from __future__ import annotations

import math
import random
import struct
from fractions import Fraction

import pytest

from reference.floats import F32, F64, FloatFormat, convert, float_operators


def _random_floats(count: int) -> list[float]:
    source = random.Random(7)
    patterns = (source.getrandbits(64) for _ in range(count))
    numbers = [struct.unpack("<d", struct.pack("<Q", pattern))[0] for pattern in patterns]
    return [number for number in numbers if math.isfinite(number)]


def test_rounding_a_fraction_to_f64_is_the_identity_on_f64() -> None:
    for number in [*_random_floats(500), 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]:
        assert F64.round(Fraction(number)) == F64.pack(number)


def test_rounding_a_fraction_to_f32_is_the_machine_conversion() -> None:
    source = random.Random(8)
    for _ in range(500):
        number = math.ldexp(source.uniform(-2, 2), source.randint(-152, 129))
        assert F32.round(Fraction(number)) == F32.pack(number) or number == 0


@pytest.mark.parametrize(
    ("number", "pattern"),
    [
        (Fraction(2**24 + 1), 0x4B800000),  # a tie, to even
        (Fraction(2**24 + 3), 0x4B800002),
        (Fraction(1, 2**150), 0),  # half the smallest subnormal, to even
        (Fraction(3, 2**151), 1),
        (Fraction(2**128 - 2**103), 0x7F800000),  # the first that rounds to infinity
        (Fraction(2**128 - 2**103 - 1), 0x7F7FFFFF),
        (Fraction(-1, 3), 0xBEAAAAAB),
    ],
)
def test_rounding_to_f32(number: Fraction, pattern: int) -> None:
    assert F32.round(number) == pattern


def test_conversion_from_i64_rounds_once() -> None:
    # Through f64 it would be a tie in f32 and round down.
    assert convert(F32, 64, is_signed=True)(0x7FFFFF4000000001) == 0x5EFFFFFF
    assert F32.pack(float(0x7FFFFF4000000001)) == 0x5EFFFFFE


def test_constants_of_the_formats() -> None:
    assert (F32.nan, F32.infinity, F32.sign) == (0x7FC00000, 0x7F800000, 0x80000000)
    assert (F64.nan, F64.infinity, F64.sign) == (0x7FF8000000000000, 0x7FF0000000000000, 0x8000000000000000)


@pytest.mark.parametrize("format", [F32, F64], ids=["f32", "f64"])
def test_arithmetic_gives_canonical_nans(format: FloatFormat) -> None:
    operators = float_operators(format)
    payload = format.infinity | 1 | format.sign
    for name in ("add", "sub", "mul", "div", "min", "max"):
        assert operators[name](payload, format.pack(1.0)) == format.nan
    for name in ("ceil", "floor", "trunc", "nearest", "sqrt"):
        assert operators[name](payload) == format.nan
    assert operators["abs"](payload) == payload ^ format.sign
    assert operators["copysign"](payload, 0) == payload ^ format.sign


@pytest.mark.parametrize("format", [F32, F64], ids=["f32", "f64"])
def test_fused_multiply_add_rounds_once(format: FloatFormat) -> None:
    epsilon = 2.0 ** (1 - format.precision)
    a, b, c = format.pack(1 + epsilon), format.pack(1 - epsilon), format.pack(-1.0)
    assert format.unpack(format.fused_multiply_add(a, b, c)) == -(epsilon**2)


@pytest.mark.parametrize(
    ("a", "b", "c", "result"),
    [
        (0.0, -1.0, -0.0, -0.0),
        (0.0, -1.0, 0.0, 0.0),
        (1.0, 1.0, -1.0, 0.0),
        (1e300, 1e300, -math.inf, -math.inf),
        (math.inf, 1.0, 1.0, math.inf),
        (1e-200, -1e-200, 0.0, -0.0),
    ],
)
def test_fused_multiply_add_at_the_edges(a: float, b: float, c: float, result: float) -> None:
    assert F64.fused_multiply_add(F64.pack(a), F64.pack(b), F64.pack(c)) == F64.pack(result)


def test_zeros_and_minimum() -> None:
    operators = float_operators(F64)
    minus, plus = F64.pack(-0.0), F64.pack(0.0)
    assert operators["min"](plus, minus) == minus
    assert operators["max"](minus, plus) == plus
    assert operators["nearest"](F64.pack(-0.5)) == minus
    assert operators["nearest"](F64.pack(2.5)) == F64.pack(2.0)
