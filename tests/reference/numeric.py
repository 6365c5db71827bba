"""The numeric and vector instructions without immediates, as functions of their operands by instruction name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference.floats import (
    F32,
    F64,
    change_format,
    convert,
    float_operators,
    truncate,
    truncate_saturating,
)
from reference.integers import integer_operators, signed
from reference.vectors import vector_operators

_MASK64 = (1 << 64) - 1


def _same(pattern: int) -> int:
    return pattern


def _sign_extend(source: int, target: int) -> Callable[[int], int]:
    mask = (1 << target) - 1
    return lambda a: signed(a & ((1 << source) - 1), source) & mask


def _conversions() -> dict[str, Callable[..., Any]]:
    table: dict[str, Callable[..., Any]] = {
        "i32.wrap_i64": lambda a: a & 0xFFFFFFFF,
        "i64.extend_i32_s": _sign_extend(32, 64),
        "i64.extend_i32_u": _same,
        "f32.demote_f64": change_format(F64, F32),
        "f64.promote_f32": change_format(F32, F64),
    }
    for pair in ("i32.reinterpret_f32", "i64.reinterpret_f64", "f32.reinterpret_i32", "f64.reinterpret_i64"):
        table[pair] = _same
    for bits in (32, 64):
        for source in (8, 16, 32):
            table[f"i{bits}.extend{source}_s"] = _sign_extend(source, bits)
        for name, format in (("f32", F32), ("f64", F64)):
            for suffix in "su":
                table[f"i{bits}.trunc_{name}_{suffix}"] = truncate(format, bits, suffix == "s")
                table[f"i{bits}.trunc_sat_{name}_{suffix}"] = truncate_saturating(format, bits, suffix == "s")
                table[f"{name}.convert_i{bits}_{suffix}"] = convert(format, bits, suffix == "s")
    return table


def _pair(number: int) -> tuple[int, int]:
    """A 128-bit number as its low and high half."""
    return number & _MASK64, number >> 64 & _MASK64


def wide_operators() -> dict[str, Callable[..., tuple[int, int]]]:
    """The wide-arithmetic proposal: 128-bit numbers as two i64, the low half first."""
    return {
        "i64.add128": lambda a, b, c, d: _pair((a | b << 64) + (c | d << 64)),
        "i64.sub128": lambda a, b, c, d: _pair((a | b << 64) - (c | d << 64)),
        "i64.mul_wide_s": lambda a, b: _pair(signed(a, 64) * signed(b, 64)),
        "i64.mul_wide_u": lambda a, b: _pair(a * b),
    }


def numeric_operators() -> dict[str, Callable[..., Any]]:
    """Every operator with one result."""
    table: dict[str, Callable[..., Any]] = {}
    for type, operators in (
        ("i32", integer_operators(32)),
        ("i64", integer_operators(64)),
        ("f32", float_operators(F32)),
        ("f64", float_operators(F64)),
    ):
        table |= {f"{type}.{name}": operator for name, operator in operators.items()}
    return table | _conversions() | vector_operators()
