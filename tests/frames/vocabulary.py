"""The types and instructions that generated programs are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Signature:
    """Parameters and results, of a function or of a block."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        params = f"(param {' '.join(self.params)})" if self.params else ""
        return f"{params} (result {' '.join(self.results)})" if self.results else params


STRUCT, STRUCT_OR_NULL, ARRAY, ARRAY_OR_NULL = "(ref $s)", "(ref null $s)", "(ref $a)", "(ref null $a)"

#: numbers more often than the rest
TYPES = (
    *("i32", "i32", "i32", "i32", "i64", "i64", "i64", "f32", "f64", "v128", "externref", "funcref", "anyref"),
    *("eqref", "i31ref", "exnref", STRUCT_OR_NULL, STRUCT, ARRAY_OR_NULL),
)
EXTERN_TYPES = ("i32", "i32", "i64", "f32", "f64", "externref")
NUMBERS = ("i32", "i64", "f32", "f64", "v128")

#: type -> types of which a value may stand where one of it is wanted
SUBTYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anyref": ("anyref", "eqref", "i31ref", STRUCT_OR_NULL, STRUCT, ARRAY_OR_NULL, ARRAY),
        "eqref": ("eqref", "i31ref", STRUCT_OR_NULL, STRUCT, ARRAY_OR_NULL, ARRAY),
        STRUCT_OR_NULL: (STRUCT_OR_NULL, STRUCT),
        ARRAY_OR_NULL: (ARRAY_OR_NULL, ARRAY),
    }
)

#: number type -> instructions of two operands of that type, and of one
BINARY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "i32": ("add", "add", "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"),
        "i64": ("add", "add", "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"),
        "f32": ("add", "sub", "mul", "div", "min", "max", "copysign"),
        "f64": ("add", "sub", "mul", "div", "min", "max", "copysign"),
    }
)
UNARY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "i32": ("clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"),
        "i64": ("clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s"),
        "f32": ("neg", "abs", "ceil", "trunc", "nearest"),
        "f64": ("neg", "abs", "floor", "trunc", "nearest", "sqrt"),
    }
)
COMPARISONS = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")

#: result type -> (type of the operand, instruction) that cannot trap
CONVERSIONS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "i32": (
            *(("i64", "i32.wrap_i64"), ("f32", "i32.reinterpret_f32"), ("f64", "i32.trunc_sat_f64_s")),
            *(("v128", "i32x4.extract_lane 1"), ("v128", "v128.any_true"), ("i64", "i64.eqz")),
            *(("anyref", "ref.is_null"), ("exnref", "ref.is_null"), ("funcref", "ref.is_null")),
            *(("anyref", "ref.test (ref $s)"), (STRUCT, "struct.get $s 0"), (STRUCT, "struct.get_u $s 3")),
            *((STRUCT, "struct.get_s $s 3"), (ARRAY, "array.len")),
        ),
        "i64": (
            *(("i32", "i64.extend_i32_s"), ("i32", "i64.extend_i32_u"), ("f64", "i64.reinterpret_f64")),
            *(("f32", "i64.trunc_sat_f32_u"), ("v128", "i64x2.extract_lane 0")),
        ),
        "f32": (
            *(("i32", "f32.reinterpret_i32"), ("i64", "f32.convert_i64_u"), ("f64", "f32.demote_f64")),
            ("v128", "f32x4.extract_lane 3"),
        ),
        "f64": (
            *(("i64", "f64.reinterpret_i64"), ("i32", "f64.convert_i32_s"), ("f32", "f64.promote_f32")),
            *(("v128", "f64x2.extract_lane 1"), (STRUCT, "struct.get $s 1")),
        ),
        "v128": (
            *(("i32", "i8x16.splat"), ("i64", "i64x2.splat"), ("f32", "f32x4.splat"), ("f64", "f64x2.splat")),
            ("v128", "v128.not"),
        ),
        "externref": (("anyref", "extern.convert_any"),),
        "anyref": (("externref", "any.convert_extern"),),
        "i31ref": (("i32", "ref.i31"),),
        "eqref": (("i32", "ref.i31"),),
        STRUCT_OR_NULL: ((STRUCT, "struct.get $s 2"),),
    }
)

#: number type -> loads that give it with the bytes they take, and stores
LOADS: Mapping[str, tuple[tuple[str, int], ...]] = MappingProxyType(
    {
        "i32": (("i32.load", 4), ("i32.load8_s", 1), ("i32.load16_u", 2)),
        "i64": (("i64.load", 8), ("i64.load8_u", 1), ("i64.load32_s", 4)),
        "f32": (("f32.load", 4),),
        "f64": (("f64.load", 8),),
        "v128": (("v128.load", 16), ("v128.load8x8_u", 8), ("v128.load32_splat", 4), ("v128.load64_zero", 8)),
    }
)
STORES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "i32": ("i32.store", "i32.store8", "i32.store16"),
        "i64": ("i64.store", "i64.store32"),
        "f32": ("f32.store",),
        "f64": ("f64.store",),
        "v128": ("v128.store", "v128.store32_lane 2"),
    }
)

#: exception tags and what they carry
TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"$t0": (), "$t1": ("i32",), "$t2": ("i64", "f64"), "$t3": ("externref", STRUCT_OR_NULL)}
)


def subtypes(type: str) -> tuple[str, ...]:
    """The types that may stand where `type` is wanted, itself first."""
    return SUBTYPES.get(type, (STRUCT,) if type == STRUCT else (type,))
