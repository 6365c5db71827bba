"""The shadow tables of one store: the slots of references, which keep what they refer to alive as long as its frame."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.layout import REFERENCE_KINDS, REFERENCE_LIMITS
from wasmscope.runtime import capi
from wasmscope.runtime.val import Val

if TYPE_CHECKING:
    from wasmscope.runtime.engine import Engine
    from wasmscope.runtime.store import Store

_LIMITS = struct.Struct(f"<{len(REFERENCE_KINDS)}I")
_LIMIT = struct.Struct("<I")

_SPARE_GROWTH = 1024

RESERVED = 1 << 18
"""Entries for each kind in a store whose tables are limited: more than recursion gets to before the stack is full."""


@dataclass(frozen=True, slots=True)
class _ShadowTable:
    table: wasmtime.Table
    clear: capi.IntegerCall
    copy: capi.IntegerCall
    grow: capi.IntegerCall


class ReferenceTables:
    """One table for each hierarchy of heap types, made when a module first needs it.

    Guests raise a table's limit, a word of the shadow memory, before they write entries up to there; so whatever is at
    or above the limit is null, and what lies between the frames that are left and the limit is all there is to clear.
    """

    def __init__(self, store: Store, engine: Engine, memory: memoryview) -> None:
        self._store = store
        self._engine = engine
        self._memory = memory
        self._tables: dict[str, _ShadowTable] = {}

    def close(self) -> None:
        """The store is gone."""
        self._tables.clear()

    def table(self, kind: str) -> wasmtime.Table:
        """The table for references of `kind`."""
        return self._table(kind).table

    def __len__(self) -> int:
        return len(self._tables)

    def make_all(self) -> None:
        """Make all the tables that the engine's features allow, so that no more come later."""
        for kind in REFERENCE_KINDS:
            with suppress(wasmtime.WasmtimeError):
                self._table(kind)

    def reserve(self) -> None:
        """Grow every table while it may."""
        for table in self._tables.values():
            missing = RESERVED - table.table.size(self._store)
            if missing > 0:
                table.grow(self._store, missing)

    def get(self, kind: str, index: int) -> Val | None:
        """The reference at `index` of the table for `kind`; None where the table is not that long."""
        return capi.table_get(self._store, self.table(kind), index)

    def set(self, kind: str, index: int, value: Val | None) -> None:
        """Set the entry at `index`, which is below what was reserved."""
        capi.table_set(self._store, self.table(kind), index, value)

    def copy(self, kind: str, target: int, source: int) -> None:
        """Copy an entry; both are below what was reserved."""
        copied = self._table(kind).copy(self._store, target, source)
        assert copied, "both are in the table"

    def reserve_up_to(self, end: int, kinds: Iterable[str]) -> None:
        """Make room for a frame's references of these kinds below entry `end`."""
        for kind in kinds:
            table, position = self._table(kind), REFERENCE_LIMITS + 4 * REFERENCE_KINDS.index(kind)
            if _LIMIT.unpack_from(self._memory, position)[0] < end:
                missing = end - table.table.size(self._store)
                if missing > 0 and not table.grow(self._store, missing + _SPARE_GROWTH):
                    raise WasmscopeError("there is no room for the references of another frame")
                _LIMIT.pack_into(self._memory, position, end)

    def clear(self, start: int) -> None:
        """Let go of all references from entry `start` on: no frame that is left has its slots there."""
        if not self._tables:
            return
        limits = _LIMITS.unpack_from(self._memory, REFERENCE_LIMITS)
        if max(limits) <= start:
            return
        for number, (kind, limit) in enumerate(zip(REFERENCE_KINDS, limits, strict=True)):
            # It fails where the host was called with no native stack left: then the limit stays, for the next time.
            if limit > start and self._tables[kind].clear(self._store, start, limit - start):
                _LIMIT.pack_into(self._memory, REFERENCE_LIMITS + 4 * number, start)

    def _table(self, kind: str) -> _ShadowTable:
        if kind not in self._tables:
            exports = wasmtime.Instance(self._store, self._engine.shadow_table_module(kind), []).exports(self._store)
            table, clear, grow, copy = (exports[name] for name in ("table", "clear", "grow", "copy"))
            assert isinstance(table, wasmtime.Table)
            assert isinstance(clear, wasmtime.Func)
            assert isinstance(grow, wasmtime.Func)
            assert isinstance(copy, wasmtime.Func)
            self._tables[kind] = _ShadowTable(
                table, capi.IntegerCall(clear, 2), capi.IntegerCall(copy, 2), capi.IntegerCall(grow, 1)
            )
        return self._tables[kind]
