"""Instances of rewritten modules, showing only what the original has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.enter import enter
from wasmscope.runtime.func import as_ours
from wasmscope.runtime.module import Module
from wasmscope.runtime.store import Store
from wasmscope.wasm.module import ExternKind


class Instance(wasmtime.Instance):
    """wasmtime's `Instance`."""

    module: Module
    """The module it was made of."""

    def __init__(self, store: wasmtime.Store, module: wasmtime.Module, imports: Sequence[Any]) -> None:
        self._exports = None
        if not isinstance(module, Module) or module.instrumented is None or not isinstance(store, Store):
            super().__init__(store, module, imports)
            if isinstance(module, Module):
                self.module = module
            return
        self.module = module
        expected = len(module.original.imports)
        if len(imports) != expected:
            raise wasmtime.WasmtimeError(f"expected {expected} imports, found {len(imports)}")
        self.id = store.instances.add(self)
        appended = store.shadow.imports(tuple(module.frame_table.plan.reference_tables), self.id)
        self._tags: dict[int, wasmtime.Tag] = {}
        raw = enter(store, lambda: capi.instantiate(store, module, [*imports, *appended]))
        self._instance = raw._instance
        if module.original.start is not None:
            start = self._hidden(store, ExternKind.FUNC, module.original.start)
            assert isinstance(start, wasmtime.Func)
            enter(store, lambda: capi.call_func(store, start, capi.Signature((), ()), ()))

    def debug_memory(self, store: Any, index: int) -> wasmtime.Memory | None:
        """A memory by its index, exported or not (Wasmtime `Instance::debug_memory`).

        None: no such index, a shared memory, or debugging is off.
        """
        memory = self._memory(store, index)
        return memory if isinstance(memory, wasmtime.Memory) else None

    def debug_shared_memory(self, store: Any, index: int) -> wasmtime.SharedMemory | None:
        """The same for a shared memory."""
        memory = self._memory(store, index)
        return memory if isinstance(memory, wasmtime.SharedMemory) else None

    def memory_size(self, store: Any, index: int) -> int | None:
        """The size of a memory in bytes; None of an instance that could not be made."""
        memory = self._memory(store, index)
        if isinstance(memory, wasmtime.SharedMemory):
            return memory.data_len()
        return int(memory.data_len(store)) if memory is not None else None

    def debug_tag(self, store: Any, index: int) -> wasmtime.Tag | None:
        """An exception tag by its index, exported or not (Wasmtime `Instance::debug_tag`).

        None: no such index, or debugging is off.
        """
        if index not in getattr(self, "_tags", ()):
            tag = self._hidden(store, ExternKind.TAG, index)
            if not isinstance(tag, wasmtime.Tag):
                return None
            self._tags[index] = tag
        return self._tags[index]

    def _memory(self, store: Any, index: int) -> Any:
        return self._hidden(store, ExternKind.MEMORY, index)

    def _hidden(self, store: Any, kind: ExternKind, index: int) -> Any:
        """What the rewritten module exports in addition; None: no such index, or the instance could not be made."""
        module = getattr(self, "module", None)
        if module is None or module.instrumented is None or not hasattr(self, "_instance"):
            return None
        position = module.hidden_exports.get((kind, index))
        return capi.export_at(store, self, position) if position is not None else None

    def exports(self, store: Any) -> capi.InstanceExports:
        """As wasmtime's: the original's exports."""
        if self._exports is None:
            module = getattr(self, "module", None)
            count = len(module.original.exports) if module is not None and module.instrumented is not None else None
            self._exports = InstanceExports(store, self, count)
        return self._exports


class InstanceExports(capi.InstanceExports):
    """wasmtime's `InstanceExports`."""

    def __init__(self, store: Any, instance: wasmtime.Instance, count: int | None) -> None:
        if count is None:
            super().__init__(store, instance)
            named = list(zip(self._extern_map, self._extern_seq, strict=True))
        else:
            named = capi.visible_exports(store, instance, count)
        ours = [(name, as_ours(item)) for name, item in named]
        self._extern_map = dict(ours)
        self._extern_seq = tuple(item for _, item in ours)
