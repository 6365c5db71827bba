"""Changes values: numbers with exact conversion and a check of their range, structures and arrays byte for byte."""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import InWasm
from wasmscope.source.types import ArrayType, StructType, Type, stripped
from wasmscope.source.values.identity import same_type
from wasmscope.source.values.scalars import Scalar, encode, integral, is_scalar, scalar, value_size
from wasmscope.source.values.value import TypedValue
from wasmscope.source.values.writing import write_bits


def assign(target: TypedValue, value: TypedValue) -> Unavailable | None:
    """Give `target` the value of `value`; the answer is why that cannot be, or None. Then nothing was written."""
    if is_scalar(target.type):
        number = scalar(value)
        if number is None:
            return Unavailable("a number is needed")
        return number if isinstance(number, Unavailable) else assign_number(target, number)
    type_ = stripped(target.type)
    if not isinstance(type_, StructType | ArrayType) or not same_type(target.type, value.type):
        return Unavailable("only a value of the same type can be assigned to it")
    size = target.size
    if size is None:
        return Unavailable("its size is not known")
    data = value.read(size)
    if isinstance(data, Unavailable):
        return data
    return write_bits(target.machine, target.where, target.bit_offset, size * 8, int.from_bytes(data, "little"))


def assign_number(target: TypedValue, number: Scalar) -> Unavailable | None:
    """Give `target`, which is of a scalar type, that number; the answer is why that cannot be, or None."""
    bits = encode(target.type, number, target.bit_size)
    if isinstance(bits, Unavailable):
        return bits
    count = target.bit_size if target.bit_size is not None else (value_size(target.type) or 0) * 8
    if isinstance(target.where, InWasm) and target.bit_offset == 0 and target.bit_size is None:
        return _assign_wasm(target, target.where, bits, count)
    return write_bits(target.machine, target.where, target.bit_offset, count, bits)


def _assign_wasm(target: TypedValue, where: InWasm, bits: int, count: int) -> Unavailable | None:
    """Compiled code takes a small integer in a local as extended to the local's width."""
    width = _width(target, where)
    as_integer = integral(target.type)
    if width is not None and as_integer is not None and count < width:
        bits, count = as_integer.wrapped(bits) & ((1 << width) - 1), width
    return write_bits(target.machine, where, 0, count, bits)


def _width(target: TypedValue, where: InWasm) -> int | None:
    number = target.machine.number(where.space, where.index)
    return None if isinstance(number, Unavailable) or number.is_float else number.size * 8


def fits(type_: Type | None, number: Scalar) -> bool:
    """Whether `number` could be assigned to a value of that type."""
    return not isinstance(encode(type_, number), Unavailable)
