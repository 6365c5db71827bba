"""Table instructions (spec 4.6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.handlers.protocol import Handler, replace, top
from reference.values import Value

if TYPE_CHECKING:
    from reference.machine import Call


def _table_get(call: Call, stack: list[Value], table: int) -> None:
    stack[-1] = call.instance.tables[table].get(stack[-1])


def _table_set(call: Call, stack: list[Value], table: int) -> None:
    index, value = top(stack, 2)
    call.instance.tables[table].write(index, [value])
    replace(stack, 2)


def _table_size(call: Call, stack: list[Value], table: int) -> None:
    stack.append(len(call.instance.tables[table].elements))


def _table_grow(call: Call, stack: list[Value], table: int) -> None:
    value, delta = top(stack, 2)
    grown = call.instance.tables[table]
    mask = 0xFFFFFFFF if grown.type.address == "i32" else 0xFFFFFFFFFFFFFFFF
    replace(stack, 2, [grown.grow(delta, value) & mask])


def _table_fill(call: Call, stack: list[Value], table: int) -> None:
    index, value, size = top(stack, 3)
    filled = call.instance.tables[table]
    filled.check(index, size)
    filled.write(index, [value] * size)
    replace(stack, 3)


def _table_copy(call: Call, stack: list[Value], immediate: tuple[int, int]) -> None:
    to, source = (call.instance.tables[index] for index in immediate)
    target_index, source_index, size = top(stack, 3)
    to.check(target_index, size)
    source.check(source_index, size)
    to.write(target_index, source.elements[source_index : source_index + size])
    replace(stack, 3)


def _table_init(call: Call, stack: list[Value], immediate: tuple[int, int]) -> None:
    element, table = immediate
    index, offset, size = top(stack, 3)
    call.instance.tables[table].write(index, element_slice(call, element, offset, size))
    replace(stack, 3)


def element_slice(call: Call, element: int, offset: int, size: int) -> list[Value]:
    """Part of an element segment; what leaves it traps."""
    items = call.instance.elements[element]
    if offset + size > len(items):
        raise Trap("TABLE_OUT_OF_BOUNDS")
    return items[offset : offset + size]


def _elem_drop(call: Call, stack: list[Value], element: int) -> None:
    call.instance.elements[element] = []


TABLES: dict[str, Handler] = {
    "table.get": _table_get,
    "table.set": _table_set,
    "table.size": _table_size,
    "table.grow": _table_grow,
    "table.fill": _table_fill,
    "table.copy": _table_copy,
    "table.init": _table_init,
    "elem.drop": _elem_drop,
}
