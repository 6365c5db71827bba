"""The types of literals (C17 6.4.4)."""

from __future__ import annotations

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions import syntax
from wasmscope.source.expressions.arithmetic import Kind, type_of
from wasmscope.source.expressions.builtin_types import builtin_type
from wasmscope.source.expressions.nodes import Constant, Node
from wasmscope.source.target import Names
from wasmscope.source.types import BaseType, Encoding
from wasmscope.source.values.floats import decode_float, encode_float
from wasmscope.source.values.scalars import integral

_SUFFIXES = {"u": "unsigned int", "l": "long", "ul": "unsigned long", "lu": "unsigned long", "ll": "long long",
             "ull": "unsigned long long", "llu": "unsigned long long", "z": "ptrdiff_t", "uz": "size_t"}  # fmt: skip
_FLOAT_SUFFIXES = {"": Kind.F64, "f": Kind.F32, "f32": Kind.F32, "f64": Kind.F64, "l": Kind.F128, "f128": Kind.F128}


def integer(literal: syntax.Integer, names: Names) -> Node:
    """C17 6.4.4.1: the first type that holds it."""
    named = builtin_type(_SUFFIXES.get(literal.suffix, literal.suffix), names.pointer_size)
    if literal.suffix and named is not None:
        as_integer = integral(named)
        assert as_integer is not None
        if literal.value <= as_integer.highest:
            return Constant(named, literal.value, literal.column)
        if literal.suffix not in _SUFFIXES:
            raise ExpressionError(f"{literal.value} does not fit in {named.name}", literal.column)
    signed_only = literal.is_decimal and "u" not in literal.suffix
    unsigned_only = "u" in literal.suffix
    for kind in (Kind.I32, Kind.U32, Kind.I64, Kind.U64, Kind.I128, Kind.U128):
        is_signed = kind.integral.is_signed
        if (signed_only and not is_signed and kind is not Kind.U64) or (unsigned_only and is_signed):
            continue
        if literal.value <= kind.integral.highest:
            type_ = type_of(kind, names.language)
            return Constant(type_, literal.value, literal.column, is_literal=not literal.suffix)
    raise ExpressionError(f"{literal.value} does not fit in 128 bits", literal.column)


def real(literal: syntax.Real, names: Names) -> Node:
    """A float, rounded once from the number as it is written."""
    kind = _FLOAT_SUFFIXES[literal.suffix]
    size = kind.bits // 8
    value = decode_float(encode_float(literal.value, size), size)
    type_ = type_of(kind, names.language)
    return Constant(type_, value, literal.column, is_literal=not literal.suffix)


def character(code: int, size: int, column: int) -> Node:
    """A character; one byte is a `char`."""
    if size == 1:
        return Constant(BaseType("char", 1, Encoding.SIGNED_CHAR), code - 256 if code > 127 else code, column)
    return Constant(BaseType("char16_t" if size == 2 else "char32_t", size, Encoding.UTF), code, column)
