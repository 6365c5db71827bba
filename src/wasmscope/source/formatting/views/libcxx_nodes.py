"""libc++'s containers of nodes (LLVM 15 to 21: `libcxx/include/__tree`, `__hash_table`, `list`).

The type of a node is not that of the pointers to it. It is found among the types of the container's member functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from wasmscope.source.formatting.views.view import MappingView, SequenceView, View, count, find, integer, member
from wasmscope.source.locations import InMemory
from wasmscope.source.types import FunctionType, PointerType, StructType, TypeRef, stripped
from wasmscope.source.values.children import MAX_PAGE
from wasmscope.source.values.value import TypedValue, loaded

_MOST_NODES = 100_000
_MOST_METHODS = 400
_MOST_PARAMETERS = 4
_DEEPEST = 128
"""A red-black tree of 2^64 nodes is not deeper."""

Nodes = Callable[[], Iterator[TypedValue]]


def map_(value: TypedValue, type_: StructType) -> View | None:
    """`map` and `multimap`."""
    return _mapping(value, _tree(value))


def set_(value: TypedValue, type_: StructType) -> View | None:
    """`set` and `multiset`."""
    return _sequence(_tree(value))


def unordered_map(value: TypedValue, type_: StructType) -> View | None:
    """`unordered_map` and `unordered_multimap`."""
    return _mapping(value, _hash_table(value))


def unordered_set(value: TypedValue, type_: StructType) -> View | None:
    """`unordered_set` and `unordered_multiset`."""
    return _sequence(_hash_table(value))


def list_(value: TypedValue, type_: StructType) -> View | None:
    """`list`: a ring that the object itself is a part of."""
    size, end = count(find(value, "__size_", "__size_alloc_")), find(value, "__end_")
    if size is None and (pair := find(value, "__size_alloc_")) is not None:
        size = count(find(pair, "__value_"))
    node = _node_type(value, "__list_node<")
    if size is None or end is None or node is None:
        return None
    return _sequence((size, lambda: _chain(member(end, "__next_"), "__next_", node, size)))


def _sequence(found: tuple[int, Nodes] | None) -> View | None:
    if found is None:
        return None
    size, nodes = found
    return SequenceView(size, lambda start, wanted: tuple(_page(nodes, start, wanted)))


def _mapping(value: TypedValue, found: tuple[int, Nodes] | None) -> View | None:
    if found is None:
        return None
    size, nodes = found

    def page(start: int, wanted: int) -> tuple[tuple[TypedValue, TypedValue], ...]:
        pairs = ((find(entry, "first"), find(entry, "second")) for entry in _page(nodes, start, wanted))
        return tuple((key, value) for key, value in pairs if key is not None and value is not None)

    return MappingView(size, page)


def _page(nodes: Nodes, start: int, wanted: int) -> Iterator[TypedValue]:
    return islice(nodes(), max(start, 0), max(start, 0) + min(wanted, MAX_PAGE))


def _tree(value: TypedValue) -> tuple[int, Nodes] | None:
    tree = member(value, "__tree_")
    if tree is None:
        return None
    size = count(_compressed(tree, "__size_", "__pair3_"))
    end = _compressed(tree, "__end_node_", "__pair1_")
    node = _node_type(tree, "__tree_node<")
    if size is None or end is None or node is None:
        return None
    root = member(end, "__left_")
    return size, lambda: _in_order(root, node, size)


def _hash_table(value: TypedValue) -> tuple[int, Nodes] | None:
    table = member(value, "__table_")
    if table is None:
        return None
    size = count(_compressed(table, "__size_", "__p2_"))
    first = _compressed(table, "__first_node_", "__p1_")
    node = _node_type(table, "__hash_node<")
    if size is None or first is None or node is None:
        return None
    return size, lambda: _chain(member(first, "__next_"), "__next_", node, size)


def _compressed(value: TypedValue, name: str, pair: str) -> TypedValue | None:
    """A member that older versions keep in a pair with an empty object."""
    found = member(value, name)
    if found is not None:
        return found
    inside = member(value, pair)
    return find(inside, "__value_") if inside is not None else None


def _node_type(container: TypedValue, name: str) -> StructType | None:
    type_ = stripped(container.type)
    if not isinstance(type_, StructType):
        return None
    for method in type_.methods[:_MOST_METHODS]:
        function = stripped(method.type.get())
        if isinstance(function, FunctionType):
            for ref in (function.result, *function.parameters[:_MOST_PARAMETERS]):
                found = _pointed(ref)
                if isinstance(found, StructType) and found.name.startswith(name) and not found.is_declaration:
                    return found
    for base in type_.bases[:4]:
        found = _node_type(container.part(base.type.get(), (base.offset or 0) * 8), name)
        if found is not None:
            return found
    return None


def _pointed(ref: TypeRef | None) -> object:
    pointer = stripped(loaded(ref))
    return stripped(loaded(pointer.target)) if isinstance(pointer, PointerType) else None


def _value_of(pointer: TypedValue, node: StructType) -> TypedValue | None:
    address = integer(pointer)
    return find(TypedValue(node, InMemory(address), pointer.machine), "__value_") if address else None


def _chain(first: TypedValue | None, link: str, node: StructType, size: int) -> Iterator[TypedValue]:
    """The values of at most `size` nodes from the one that `first` points to on."""
    pointer = first
    for _ in range(min(size, _MOST_NODES)):
        value = _value_of(pointer, node) if pointer is not None else None
        if pointer is None or value is None:
            return
        yield value
        pointer = find(TypedValue(node, InMemory(integer(pointer) or 0), pointer.machine), link)


def _in_order(root: TypedValue | None, node: StructType, size: int) -> Iterator[TypedValue]:
    """The values of at most `size` nodes of a search tree, in order."""
    pending: list[TypedValue] = []
    pointer, given = root, 0
    while given < min(size, _MOST_NODES):
        while pointer is not None and integer(pointer) and len(pending) < _DEEPEST:
            pending.append(pointer)
            pointer = _link(pointer, node, "__left_")
        if not pending:
            return
        pointer = pending.pop()
        value = _value_of(pointer, node)
        if value is None:
            return
        yield value
        given += 1
        pointer = _link(pointer, node, "__right_")


def _link(pointer: TypedValue, node: StructType, name: str) -> TypedValue | None:
    return find(TypedValue(node, InMemory(integer(pointer) or 0), pointer.machine), name)
