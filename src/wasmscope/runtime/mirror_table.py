"""What runs in place of functions: the table of mirrors of one store, which every rewritten instance imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.runtime import capi

if TYPE_CHECKING:
    from wasmscope.runtime.engine import Engine
    from wasmscope.runtime.store import Store


class MirrorTable:
    """The table; entry 0 stays null, because a word of 0 stands for no mirror."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        exported = wasmtime.Instance(store, engine.mirror_table_module, []).exports(store)[""]
        assert isinstance(exported, wasmtime.Table)
        self.table = exported
        self._end = 1
        """Entries below were given out."""
        self._free: list[int] = []

    def add(self, mirror: wasmtime.Func) -> int:
        """Put a function in; returns its index. It has to be of the very type of the function it is to run for."""
        index = self._free.pop() if self._free else self._next()
        capi.table_set(self._store, self.table, index, mirror)
        return index

    def add_all(self, functions: Sequence[wasmtime.Func]) -> int:
        """Put functions in, one after the other; returns the index of the first."""
        first = self._end
        self._make_room(len(functions))
        self._end += len(functions)
        for index, function in enumerate(functions, first):
            capi.table_set(self._store, self.table, index, function)
        return first

    def replace(self, index: int, function: wasmtime.Func) -> None:
        """Put another function in at `index`."""
        capi.table_set(self._store, self.table, index, function)

    def remove(self, index: int) -> None:
        """Take the function at `index` out, which no word has any more."""
        capi.table_set(self._store, self.table, index, None)
        self._free.append(index)

    def _next(self) -> int:
        self._make_room(1)
        self._end += 1
        return self._end - 1

    def _make_room(self, count: int) -> None:
        size = self.table.size(self._store)
        if self._end + count > size:
            with self._store.without_limits():
                capi.table_grow(self._store, self.table, max(size, self._end + count - size), None)
