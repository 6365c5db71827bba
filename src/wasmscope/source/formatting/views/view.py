"""What a value can be taken for, and helpers to find it in a structure of a library's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import InMemory
from wasmscope.source.types import PointerType, StructType, Type, stripped
from wasmscope.source.values.children import MAX_PAGE, dereference, members
from wasmscope.source.values.scalars import scalar
from wasmscope.source.values.value import TypedValue, loaded

MAX_COUNT = 1 << 32
"""More elements, or bytes, than an address space of 32 bits has are not plausible."""
_MOST_VISITED = 400
_DEEPEST_ANONYMOUS = 3


@dataclass(frozen=True, slots=True)
class TextView:
    """A string: `length` code units of `width` bytes that begin at `start`."""

    start: TypedValue
    length: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class SequenceView:
    """`count` elements; `page(start, count)` gives some, and fewer where the guest's memory does not hold them."""

    count: int
    page: Callable[[int, int], tuple[TypedValue, ...]]


@dataclass(frozen=True, slots=True)
class MappingView:
    """`count` pairs of a key and a value; `page` as that of a sequence."""

    count: int
    page: Callable[[int, int], tuple[tuple[TypedValue, TypedValue], ...]]


@dataclass(frozen=True, slots=True)
class WrappedView:
    """A value in something that could be without one; `label` is written before it."""

    label: str
    value: TypedValue


@dataclass(frozen=True, slots=True)
class EmptyView:
    """Nothing is in it, which is written as `text`."""

    text: str


View = TextView | SequenceView | MappingView | WrappedView | EmptyView


def find(value: TypedValue, *names: str) -> TypedValue | None:
    """The member of one of these names that is nearest: a library moves its members from one structure to another."""
    pending, visited = deque([value]), 0
    while pending and visited < _MOST_VISITED:
        for child in members(pending.popleft(), 0, 100):
            visited += 1
            if child.name in names:
                return child.value
            if isinstance(stripped(child.value.type), StructType):
                pending.append(child.value)
    return None


def member(value: TypedValue, *path: str) -> TypedValue | None:
    """The member at the end of a path of member names; anonymous structures on the way do not count."""
    found: TypedValue | None = value
    for name in path:
        found = _own_member(found, name, 0) if found is not None else None
    return found


def _own_member(value: TypedValue, name: str, depth: int) -> TypedValue | None:
    children = members(value, 0, 100)
    for child in children:
        if child.name == name:
            return child.value
    for child in children if depth < _DEEPEST_ANONYMOUS else ():
        if not child.name and (found := _own_member(child.value, name, depth + 1)) is not None:
            return found
    return None


def integer(value: TypedValue | None) -> int | None:
    """The integer or address that it is; None: it cannot be had."""
    number = scalar(value) if value is not None else None
    return number if isinstance(number, int) else None


def count(value: TypedValue | None) -> int | None:
    """A number of elements, if it is plausible."""
    number = integer(value)
    return number if number is not None and 0 <= number < MAX_COUNT else None


def pointed_type(value: TypedValue | None) -> Type | None:
    """What a pointer points to."""
    type_ = stripped(value.type) if value is not None else None
    return loaded(type_.target) if isinstance(type_, PointerType) else None


def is_readable(machine_of: TypedValue, address: int, size: int) -> bool:
    """Whether these bytes are in the guest's memory: its first and its last."""
    if size == 0:
        return True
    machine = machine_of.machine
    edges = machine.read(address, 1), machine.read(address + size - 1, 1)
    return not any(isinstance(edge, Unavailable) for edge in edges)


def contiguous(value: TypedValue, address: int, type_: Type, stride: int, total: int) -> SequenceView | None:
    """`total` elements that lie side by side in memory from `address` on; None if they are not in it."""
    if not is_readable(value, address, total * stride):
        return None

    def page(start: int, wanted: int) -> tuple[TypedValue, ...]:
        stop = min(max(start, 0) + min(wanted, MAX_PAGE), total)
        return tuple(
            TypedValue(type_, InMemory(address + index * stride), value.machine) for index in range(max(start, 0), stop)
        )

    return SequenceView(total, page)


def text_at(pointer: TypedValue | None, length: int | None, width: int = 1) -> TextView | None:
    """A string that a pointer points to; None if it is not in memory."""
    address = integer(pointer)
    if pointer is None or address is None or length is None or not is_readable(pointer, address, length * width):
        return None
    start = dereference(pointer)
    return TextView(TypedValue(start.type, InMemory(address), pointer.machine), length, width)
