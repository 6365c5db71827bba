"""Rust's strings, slices and collections (`library/alloc`, `library/core`, and hashbrown's `raw/mod.rs`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting.views.view import (
    MappingView,
    SequenceView,
    TextView,
    View,
    contiguous,
    count,
    find,
    integer,
    is_readable,
    member,
    pointed_type,
    text_at,
)
from wasmscope.source.locations import InMemory
from wasmscope.source.types import StructType, Type, size_of, stripped
from wasmscope.source.values.children import MAX_PAGE, members
from wasmscope.source.values.value import TypedValue, loaded

_MOST_BUCKETS = 1 << 24
_CONTROL_BYTES = 4096
"""That are read at once."""


def str_(value: TypedValue, type_: StructType) -> View | None:
    """`&str` and `Box<str>`: a pointer and a length."""
    return text_at(member(value, "data_ptr"), count(member(value, "length")))


def slice_(value: TypedValue, type_: StructType) -> View | None:
    """`&[T]` and `Box<[T]>`."""
    pointer, length = member(value, "data_ptr"), count(member(value, "length"))
    element, address = pointed_type(pointer), integer(pointer)
    return _elements(value, address, element, length)


def string(value: TypedValue, type_: StructType) -> View | None:
    """`String`: a `Vec<u8>`."""
    inner = member(value, "vec")
    address, length = (_address(inner), count(member(inner, "len"))) if inner is not None else (None, None)
    if inner is None or address is None or length is None or not is_readable(inner, address, length):
        return None
    return TextView(TypedValue(inner.type, InMemory(address), value.machine), length)


def vec(value: TypedValue, type_: StructType) -> View | None:
    """`Vec<T>`."""
    return _elements(value, _address(value), _argument(type_), count(member(value, "len")))


def vec_deque(value: TypedValue, type_: StructType) -> View | None:
    """`VecDeque<T>`: a ring of `cap` places."""
    element, address = _argument(type_), _address(value)
    head, length, capacity = count(member(value, "head")), count(member(value, "len")), count(find(value, "cap", "__0"))
    stride = size_of(element)
    if element is None or address is None or head is None or length is None or not capacity or not stride:
        return None
    if head >= capacity or length > capacity or not is_readable(value, address, capacity * stride):
        return None

    def page(start: int, wanted: int) -> tuple[TypedValue, ...]:
        places = range(max(start, 0), min(max(start, 0) + min(wanted, MAX_PAGE), length))
        offsets = ((head + place) % capacity * stride for place in places)
        return tuple(TypedValue(element, InMemory(address + offset), value.machine) for offset in offsets)

    return SequenceView(length, page)


def hash_map(value: TypedValue, type_: StructType) -> View | None:
    """`HashMap<K, V>`: hashbrown's table of pairs."""
    table = _table(value)
    if table is None:
        return None
    items, entries = table

    def page(start: int, wanted: int) -> tuple[tuple[TypedValue, TypedValue], ...]:
        pairs = (
            (member(entry, "__0"), member(entry, "__1"))
            for entry in islice(entries(), max(start, 0), max(start, 0) + min(wanted, MAX_PAGE))
        )
        return tuple((key, value) for key, value in pairs if key is not None and value is not None)

    return MappingView(items, page)


def hash_set(value: TypedValue, type_: StructType) -> View | None:
    """`HashSet<T>`: a map to nothing."""
    table = _table(value)
    if table is None:
        return None
    items, entries = table

    def page(start: int, wanted: int) -> tuple[TypedValue, ...]:
        keys = (
            member(entry, "__0") for entry in islice(entries(), max(start, 0), max(start, 0) + min(wanted, MAX_PAGE))
        )
        return tuple(key for key in keys if key is not None)

    return SequenceView(items, page)


def _table(value: TypedValue) -> tuple[int, Callable[[], Iterator[TypedValue]]] | None:
    table = _named_part(value, "RawTable<")
    inner = stripped(table.type) if table is not None else None
    if table is None or not isinstance(inner, StructType):
        return None
    entry = _argument(inner)
    stride = size_of(entry)
    mask, items = count(find(table, "bucket_mask")), count(find(table, "items"))
    control = find(table, "ctrl")
    control = find(control, "pointer") if control is not None else None
    address = integer(control)
    if entry is None or not stride or mask is None or items is None or address is None:
        return None
    # The number of buckets is a power of two; the control bytes lie behind the entries, which are counted backwards.
    if mask & (mask + 1) or mask >= _MOST_BUCKETS or items > mask + 1:
        return None
    if items and not is_readable(value, address - stride * (mask + 1), stride * (mask + 1) + mask + 1):
        return None

    def entries() -> Iterator[TypedValue]:
        for first in range(0, mask + 1 if items else 0, _CONTROL_BYTES):
            data = value.machine.read(address + first, min(_CONTROL_BYTES, mask + 1 - first))
            if isinstance(data, Unavailable):
                return
            for index, control_byte in enumerate(data, start=first):
                if control_byte < 0x80:
                    yield TypedValue(entry, InMemory(address - (index + 1) * stride), value.machine)

    return items, entries


def _named_part(value: TypedValue, name: str, depth: int = 0) -> TypedValue | None:
    """The member whose type has a name that begins so."""
    type_ = stripped(value.type)
    if isinstance(type_, StructType) and type_.name.startswith(name):
        return value
    if depth > 4:
        return None
    found = (_named_part(child.value, name, depth + 1) for child in members(value, 0, 20))
    return next((part for part in found if part is not None), None)


def _argument(type_: StructType) -> Type | None:
    return next((loaded(each.type) for each in type_.template_arguments if not each.is_value), None)


def _address(vector: TypedValue) -> int | None:
    """Where a vector's elements are; its pointer is inside wrappers that differ from version to version."""
    buffer = member(vector, "buf")
    pointer = find(buffer, "ptr") if buffer is not None else None
    for _ in range(4):
        if pointer is None or integer(pointer) is not None:
            break
        pointer = find(pointer, "pointer")
    return integer(pointer)


def _elements(value: TypedValue, address: int | None, element: Type | None, length: int | None) -> View | None:
    stride = size_of(element)
    if address is None or element is None or length is None or stride is None:
        return None
    return contiguous(value, address, element, stride, length)
