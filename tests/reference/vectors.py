"""Vector operators on 16 bytes (spec 4.3.4): lanes as unsigned bit patterns, lane 0 first."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import starmap
from typing import Any

from reference.floats import F32, F64, FloatFormat, change_format, convert, float_operators, truncate_saturating
from reference.integers import clamp, integer_operators, signed

_LANE_CODE = {8: "B", 16: "H", 32: "I", 64: "Q"}
Operator = Callable[..., Any]


def lanes(vector: bytes, bits: int) -> tuple[int, ...]:
    """The lanes of a vector."""
    return struct.unpack(f"<{128 // bits}{_LANE_CODE[bits]}", vector)


def vector(values: Iterable[int], bits: int) -> bytes:
    """The vector of these lanes; missing high lanes are zero."""
    return struct.pack(f"<{128 // bits}{_LANE_CODE[bits]}", *_padded(values, 128 // bits))


def _padded(values: Iterable[int], count: int) -> list[int]:
    present = list(values)
    return present + [0] * (count - len(present))


def splat(value: int, bits: int) -> bytes:
    """The vector with the low bits of `value` in every lane."""
    return vector([value & ((1 << bits) - 1)] * (128 // bits), bits)


def lanewise(operator: Callable[..., int], bits: int) -> Operator:
    """A scalar operator on every lane."""
    return lambda *operands: vector(map(operator, *(lanes(each, bits) for each in operands)), bits)


def _comparison(operator: Callable[..., int], bits: int) -> Operator:
    ones = (1 << bits) - 1
    return lanewise(lambda a, b: operator(a, b) * ones, bits)


def _shift(operator: Callable[..., int], bits: int) -> Operator:
    return lambda a, count: vector((operator(lane, count) for lane in lanes(a, bits)), bits)


def _bitwise(operator: Callable[..., int]) -> Operator:
    def apply(*operands: bytes) -> bytes:
        numbers = [int.from_bytes(each, "little") for each in operands]
        return (operator(*numbers) & ((1 << 128) - 1)).to_bytes(16, "little")

    return apply


def extended(a: bytes, bits: int, suffix: str) -> list[int]:
    """The lanes as numbers, signed for the suffix "s"."""
    return [signed(lane, bits) if suffix == "s" else lane for lane in lanes(a, bits)]


def _wrapped(values: Iterable[int], bits: int) -> bytes:
    mask = (1 << bits) - 1
    return vector((value & mask for value in values), bits)


def _pairwise_sums(values: list[int]) -> list[int]:
    return [low + high for low, high in zip(values[::2], values[1::2], strict=True)]


def _products(a: list[int], b: list[int]) -> list[int]:
    return [x * y for x, y in zip(a, b, strict=True)]


def swizzle(a: bytes, indices: bytes) -> bytes:
    """Bytes of `a` by index; out of range gives 0, also in the relaxed form."""
    return bytes(a[index] if index < 16 else 0 for index in indices)


def shuffle(indices: bytes, a: bytes, b: bytes) -> bytes:
    """Bytes of `a` and `b` by constant index."""
    both = a + b
    return bytes(both[index] for index in indices)


def _bitmask(a: bytes, bits: int) -> int:
    return sum((lane >> (bits - 1)) << position for position, lane in enumerate(lanes(a, bits)))


def _narrow(a: bytes, b: bytes, bits: int, suffix: str) -> bytes:
    """Lanes twice as wide, signed, saturated into `bits` bits."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if suffix == "s" else (0, (1 << bits) - 1)
    wide = extended(a, 2 * bits, "s") + extended(b, 2 * bits, "s")
    return _wrapped((clamp(value, low, high) for value in wide), bits)


def _half(half: str, bits: int) -> slice:
    middle = 64 // bits
    return slice(0, middle) if half == "low" else slice(middle, 2 * middle)


def _integer_shape(shape: str, bits: int) -> dict[str, Operator]:
    scalar = integer_operators(bits)
    table: dict[str, Operator] = {}
    for name in ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"]:
        table[f"{shape}.{name}"] = _comparison(scalar[name], bits)
    same = ("abs", "neg", "popcnt", "add", "sub", "mul", "min_s", "min_u", "max_s", "max_u", "avgr_u", "q15mulr_sat_s")
    for name in (*same, "add_sat_s", "add_sat_u", "sub_sat_s", "sub_sat_u"):
        table[f"{shape}.{name}"] = lanewise(scalar[name], bits)
    for name in ("shl", "shr_s", "shr_u"):
        table[f"{shape}.{name}"] = _shift(scalar[name], bits)
    table[f"{shape}.all_true"] = lambda a: int(all(lanes(a, bits)))
    table[f"{shape}.bitmask"] = lambda a: _bitmask(a, bits)
    table[f"{shape}.splat"] = lambda value: splat(value, bits)
    table[f"{shape}.relaxed_laneselect"] = _bitwise(lambda a, b, mask: a & mask | b & ~mask)
    return table


def _widening(shape: str, narrow: str, bits: int, suffix: str) -> dict[str, Operator]:
    """What goes between a shape and the one with lanes of half the width (`bits` wide)."""
    table: dict[str, Operator] = {
        f"{narrow}.narrow_{shape}_{suffix}": lambda a, b: _narrow(a, b, bits, suffix),
        f"{shape}.extadd_pairwise_{narrow}_{suffix}": lambda a: _wrapped(
            _pairwise_sums(extended(a, bits, suffix)), 2 * bits
        ),
    }

    def add_half(half: str) -> None:
        part = _half(half, bits)
        table[f"{shape}.extend_{half}_{narrow}_{suffix}"] = lambda a: _wrapped(
            extended(a, bits, suffix)[part], 2 * bits
        )
        table[f"{shape}.extmul_{half}_{narrow}_{suffix}"] = lambda a, b: _wrapped(
            _products(extended(a, bits, suffix)[part], extended(b, bits, suffix)[part]), 2 * bits
        )

    add_half("low")
    add_half("high")
    return table


def _float_shape(shape: str, format: FloatFormat) -> dict[str, Operator]:
    comparisons = {"eq", "ne", "lt", "gt", "le", "ge"}
    table = {
        f"{shape}.{name}": (_comparison if name in comparisons else lanewise)(operator, format.bits)
        for name, operator in float_operators(format).items()
    }
    table[f"{shape}.splat"] = lambda value: splat(value, format.bits)
    return table


def _conversions() -> dict[str, Operator]:
    def low(operator: Callable[[int], int], source: int, target: int) -> Operator:
        return lambda a: vector(map(operator, lanes(a, source)[:2]), target)

    table = {
        "f32x4.demote_f64x2_zero": low(change_format(F64, F32), 64, 32),
        "f64x2.promote_low_f32x4": low(change_format(F32, F64), 32, 64),
    }
    for suffix in "su":
        from_f32 = lanewise(truncate_saturating(F32, 32, suffix == "s"), 32)
        from_f64 = low(truncate_saturating(F64, 32, suffix == "s"), 64, 32)
        table[f"i32x4.trunc_sat_f32x4_{suffix}"] = table[f"i32x4.relaxed_trunc_f32x4_{suffix}"] = from_f32
        table[f"i32x4.trunc_sat_f64x2_{suffix}_zero"] = table[f"i32x4.relaxed_trunc_f64x2_{suffix}_zero"] = from_f64
        table[f"f32x4.convert_i32x4_{suffix}"] = lanewise(convert(F32, 32, suffix == "s"), 32)
        table[f"f64x2.convert_low_i32x4_{suffix}"] = low(convert(F64, 32, suffix == "s"), 32, 64)
    return table


def _dot(a: bytes, b: bytes, bits: int) -> list[int]:
    return _pairwise_sums(_products(extended(a, bits, "s"), extended(b, bits, "s")))


def _dot_add(a: bytes, b: bytes, c: bytes) -> bytes:
    """Sums of four products; the deterministic form lets the sums of two wrap as i16 (relaxed SIMD)."""
    pairs = extended(_wrapped(_dot(a, b, 8), 16), 16, "s")
    return _wrapped(starmap(int.__add__, zip(_pairwise_sums(pairs), lanes(c, 32), strict=True)), 32)


def vector_operators() -> dict[str, Operator]:
    """The operators without immediates by instruction name."""
    q15mulr = lanewise(integer_operators(16)["q15mulr_sat_s"], 16)
    table: dict[str, Operator] = {
        "v128.not": _bitwise(lambda a: ~a),
        "v128.and": _bitwise(lambda a, b: a & b),
        "v128.andnot": _bitwise(lambda a, b: a & ~b),
        "v128.or": _bitwise(lambda a, b: a | b),
        "v128.xor": _bitwise(lambda a, b: a ^ b),
        "v128.bitselect": _bitwise(lambda a, b, mask: a & mask | b & ~mask),
        "v128.any_true": lambda a: int(any(a)),
        "i8x16.swizzle": swizzle,
        "i8x16.relaxed_swizzle": swizzle,
        "i16x8.relaxed_q15mulr_s": q15mulr,
        "i32x4.dot_i16x8_s": lambda a, b: _wrapped(_dot(a, b, 16), 32),
        "i16x8.relaxed_dot_i8x16_i7x16_s": lambda a, b: _wrapped(_dot(a, b, 8), 16),
        "i32x4.relaxed_dot_i8x16_i7x16_add_s": _dot_add,
    }
    for shape, bits in (("i8x16", 8), ("i16x8", 16), ("i32x4", 32), ("i64x2", 64)):
        table |= _integer_shape(shape, bits)
    for shape, narrow, bits in (("i16x8", "i8x16", 8), ("i32x4", "i16x8", 16), ("i64x2", "i32x4", 32)):
        for suffix in "su":
            table |= _widening(shape, narrow, bits, suffix)
    return table | _float_shape("f32x4", F32) | _float_shape("f64x2", F64) | _conversions()
