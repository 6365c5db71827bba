"""libc++'s strings and containers of neighbours (LLVM 15 to 21: `libcxx/include/string`, `vector`, `optional`)."""

from __future__ import annotations

from wasmscope.source.formatting.views.view import (
    EmptyView,
    SequenceView,
    TextView,
    View,
    WrappedView,
    contiguous,
    count,
    find,
    integer,
    is_readable,
    member,
    pointed_type,
    text_at,
)
from wasmscope.source.types import ArrayType, BaseType, Encoding, PointerType, StructType, size_of, stripped
from wasmscope.source.values.children import dereference, element_count, elements
from wasmscope.source.values.scalars import is_bool
from wasmscope.source.values.value import TypedValue, loaded, of_number

_BOOL = BaseType("bool", 1, Encoding.BOOLEAN)


def string(value: TypedValue, type_: StructType) -> View | None:
    """`basic_string`: a short one is in the object itself, a long one behind a pointer."""
    short, long = find(value, "__s"), find(value, "__l")
    if short is None or long is None:
        return None
    data = find(short, "__data_")
    array = stripped(data.type) if data is not None else None
    is_long, size = integer(find(short, "__is_long_")), count(find(short, "__size_"))
    if data is None or size is None or is_long is None or not isinstance(array, ArrayType):
        return None
    width = size_of(array.element.get()) or 0
    if width not in (1, 2, 4):
        return None
    if is_long:
        capacity, long_size = count(find(long, "__cap_")), count(find(long, "__size_"))
        if capacity is None or long_size is None:
            return None
        return text_at(find(long, "__data_"), long_size, width)
    room = element_count(data)
    return TextView(data, size, width) if room is not None and size < max(room, 1) else None


def string_view(value: TypedValue, type_: StructType) -> View | None:
    """`basic_string_view`."""
    data = find(value, "__data_", "__data")
    width = size_of(pointed_type(data)) or 0
    return text_at(data, count(find(value, "__size_", "__size")), width) if width in (1, 2, 4) else None


def vector(value: TypedValue, type_: StructType) -> View | None:
    """`vector`: between two pointers."""
    begin, end = find(value, "__begin_"), find(value, "__end_")
    first, last = integer(begin), integer(end)
    element = pointed_type(begin)
    stride = size_of(element)
    if begin is None or element is None or not stride or first is None or last is None:
        return None
    if last < first or (last - first) % stride:
        return None
    return contiguous(begin, first, element, stride, (last - first) // stride)


def bool_vector(value: TypedValue, type_: StructType) -> View | None:
    """`vector<bool>`: one bit each."""
    begin, size = find(value, "__begin_"), count(find(value, "__size_"))
    first = integer(begin)
    if begin is None or first is None or size is None or not is_readable(begin, first, -(-size // 8)):
        return None
    word = dereference(begin).as_type(_BOOL)

    def page(start: int, wanted: int) -> tuple[TypedValue, ...]:
        bits = (word.part(_BOOL, index, 1).bits() for index in range(max(start, 0), min(start + wanted, size)))
        return tuple(of_number(_BOOL, bit, value.machine) for bit in bits if isinstance(bit, int))

    return SequenceView(size, page)


def array(value: TypedValue, type_: StructType) -> View | None:
    """`array`."""
    inner = member(value, "__elems_")
    total = element_count(inner) if inner is not None else None
    if inner is None or total is None:
        return None
    return SequenceView(total, lambda start, wanted: elements(inner, start, wanted))


def optional(value: TypedValue, type_: StructType) -> View | None:
    """`optional`."""
    engaged = find(value, "__engaged_")
    inner = find(value, "__val_")
    flag = integer(engaged)
    if engaged is None or not is_bool(engaged.type) or inner is None or flag not in (0, 1):
        return None
    return WrappedView("", inner) if flag else EmptyView("nullopt")


def smart_pointer(value: TypedValue, type_: StructType) -> View | None:
    """`unique_ptr`, `shared_ptr`, `weak_ptr`: the pointer in it."""
    pointer = find(value, "__ptr_")
    while pointer is not None and isinstance(stripped(pointer.type), StructType):
        pointer = find(pointer, "__value_")
    inner = stripped(pointer.type) if pointer is not None else None
    if pointer is None or not isinstance(inner, PointerType) or loaded(inner.target) is None:
        return None
    return WrappedView("", pointer)
