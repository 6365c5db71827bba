"""Structures and arrays (spec 4.6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.handlers.memories import data_slice, unsigned_bytes
from reference.handlers.protocol import Handler, replace, top
from reference.handlers.references import non_null
from reference.handlers.tables import element_slice
from reference.integers import signed
from reference.types import DefinedType, ValueType, default_value
from reference.values import ArrayObject, StructObject, Value

if TYPE_CHECKING:
    from reference.machine import Call

_SIZES: dict[ValueType, int] = {"i8": 1, "i16": 2, "i32": 4, "f32": 4, "i64": 8, "f64": 8, "v128": 16}


def _pack(value: Value, storage: ValueType) -> Value:
    return value & ((1 << 8 * _SIZES[storage]) - 1) if storage in ("i8", "i16") else value


def _sign_extend(value: int, storage: ValueType) -> int:
    return signed(value, 8 * _SIZES[storage]) & 0xFFFFFFFF


def _decode(data: bytes, storage: ValueType) -> list[Value]:
    size = _SIZES[storage]
    parts = (data[start : start + size] for start in range(0, len(data), size))
    return list(parts) if storage == "v128" else [unsigned_bytes(part) for part in parts]


def _allocate(call: Call, type: DefinedType, count: int) -> None:
    if count > call.instance.limits.array_elements:
        raise Trap("ALLOCATION_TOO_LARGE")


def _element(array: ArrayObject | None, index: int, size: int = 1) -> list[Value]:
    """The elements of an array, where `size` of them from `index` are inside it."""
    elements: list[Value] = non_null(array).elements
    if index + size > len(elements):
        raise Trap("ARRAY_OUT_OF_BOUNDS")
    return elements


def _struct_new(call: Call, stack: list[Value], type: DefinedType) -> None:
    values = top(stack, len(type.fields))
    fields = [_pack(value, field.storage) for value, field in zip(values, type.fields, strict=True)]
    replace(stack, len(fields), [StructObject(type, fields)])


def _struct_new_default(call: Call, stack: list[Value], type: DefinedType) -> None:
    stack.append(StructObject(type, [default_value(field.storage) for field in type.fields]))


def _struct_get(call: Call, stack: list[Value], immediate: tuple[int, ValueType]) -> None:
    stack[-1] = non_null(stack[-1]).fields[immediate[0]]


def _struct_get_s(call: Call, stack: list[Value], immediate: tuple[int, ValueType]) -> None:
    field, storage = immediate
    stack[-1] = _sign_extend(non_null(stack[-1]).fields[field], storage)


def _struct_set(call: Call, stack: list[Value], immediate: tuple[int, ValueType]) -> None:
    field, storage = immediate
    target, value = top(stack, 2)
    non_null(target).fields[field] = _pack(value, storage)
    replace(stack, 2)


def _array_new(call: Call, stack: list[Value], type: DefinedType) -> None:
    value, count = top(stack, 2)
    _allocate(call, type, count)
    replace(stack, 2, [ArrayObject(type, [_pack(value, type.element.storage)] * count)])


def _array_new_default(call: Call, stack: list[Value], type: DefinedType) -> None:
    _allocate(call, type, stack[-1])
    stack[-1] = ArrayObject(type, [default_value(type.element.storage)] * stack[-1])


def _array_new_fixed(call: Call, stack: list[Value], immediate: tuple[DefinedType, int]) -> None:
    type, count = immediate
    elements = [_pack(value, type.element.storage) for value in top(stack, count)]
    replace(stack, count, [ArrayObject(type, elements)])


def _array_new_data(call: Call, stack: list[Value], immediate: tuple[DefinedType, int]) -> None:
    type, data = immediate
    offset, count = top(stack, 2)
    storage = type.element.storage
    content = data_slice(call, data, offset, count * _SIZES[storage])
    replace(stack, 2, [ArrayObject(type, _decode(content, storage))])


def _array_new_elem(call: Call, stack: list[Value], immediate: tuple[DefinedType, int]) -> None:
    type, element = immediate
    offset, count = top(stack, 2)
    replace(stack, 2, [ArrayObject(type, element_slice(call, element, offset, count))])


def _array_get(call: Call, stack: list[Value], storage: ValueType) -> None:
    array, index = top(stack, 2)
    replace(stack, 2, [_element(array, index)[index]])


def _array_get_s(call: Call, stack: list[Value], storage: ValueType) -> None:
    array, index = top(stack, 2)
    replace(stack, 2, [_sign_extend(_element(array, index)[index], storage)])


def _array_set(call: Call, stack: list[Value], storage: ValueType) -> None:
    array, index, value = top(stack, 3)
    _element(array, index)[index] = _pack(value, storage)
    replace(stack, 3)


def _array_len(call: Call, stack: list[Value], _: object) -> None:
    stack[-1] = len(non_null(stack[-1]).elements)


def _array_fill(call: Call, stack: list[Value], storage: ValueType) -> None:
    array, index, value, size = top(stack, 4)
    _element(array, index, size)[index : index + size] = [_pack(value, storage)] * size
    replace(stack, 4)


def _array_copy(call: Call, stack: list[Value], _: object) -> None:
    target, target_index, source, source_index, size = top(stack, 5)
    non_null(source)
    elements = _element(target, target_index, size)
    elements[target_index : target_index + size] = _element(source, source_index, size)[
        source_index : source_index + size
    ]
    replace(stack, 5)


def _array_init_data(call: Call, stack: list[Value], immediate: tuple[ValueType, int]) -> None:
    storage, data = immediate
    array, index, offset, size = top(stack, 4)
    elements = _element(array, index, size)
    elements[index : index + size] = _decode(data_slice(call, data, offset, size * _SIZES[storage]), storage)
    replace(stack, 4)


def _array_init_elem(call: Call, stack: list[Value], immediate: tuple[ValueType, int]) -> None:
    _, element = immediate
    array, index, offset, size = top(stack, 4)
    elements = _element(array, index, size)
    elements[index : index + size] = element_slice(call, element, offset, size)
    replace(stack, 4)


GC: dict[str, Handler] = {
    "struct.new": _struct_new,
    "struct.new_default": _struct_new_default,
    "struct.get": _struct_get,
    "struct.get_s": _struct_get_s,
    "struct.get_u": _struct_get,
    "struct.set": _struct_set,
    "array.new": _array_new,
    "array.new_default": _array_new_default,
    "array.new_fixed": _array_new_fixed,
    "array.new_data": _array_new_data,
    "array.new_elem": _array_new_elem,
    "array.get": _array_get,
    "array.get_s": _array_get_s,
    "array.get_u": _array_get,
    "array.set": _array_set,
    "array.len": _array_len,
    "array.fill": _array_fill,
    "array.copy": _array_copy,
    "array.init_data": _array_init_data,
    "array.init_elem": _array_init_elem,
}
