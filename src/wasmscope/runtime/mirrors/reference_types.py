"""Whether references are of a module's own types: the engine is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.val import Val
from wasmscope.wasm.types import HeapType, ValType

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store

_EVERYTHING = frozenset({"func", "extern", "any", "exn"})
_NOTHING = frozenset({"nofunc", "noextern", "none", "noexn"})


class ReferenceTypes:
    """What one store's references are checked by: a global for each type that was asked for (Wasm spec 3.3.3)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._globals: dict[tuple[int, HeapType], wasmtime.Global] = {}

    def fits(self, instance: Instance, value_type: ValType, value: Val) -> bool:
        """Whether a reference of the right hierarchy is of `value_type`, as `instance` has it.

        Raises `WasmscopeError` where the engine takes no such type.
        """
        heap = value_type.heap
        assert heap is not None
        if value.value is None:
            return value_type.nullable
        if heap in _EVERYTHING or heap in _NOTHING:
            return heap in _EVERYTHING
        cell = self._global(instance.module, heap)
        try:
            capi.global_set(self._store, cell, value)
        except wasmtime.WasmtimeError:
            return False
        capi.global_set(self._store, cell, None)  # it is not to keep the object alive
        return True

    def _global(self, module: Module, heap: HeapType) -> wasmtime.Global:
        key = (id(module), heap)  # a module lives as long as its instance does, and that as long as the store
        if key not in self._globals:
            store = self._store
            store.shadow.companions += 1
            compiled = module.mirror_code.reference_type(heap)
            with store.without_limits():
                made = capi.instantiate(store, compiled, [])
            if not isinstance(made, wasmtime.Instance):
                capi.raise_failure(made)
                raise AssertionError
            cell = capi.export_named(store, made, "")
            assert isinstance(cell, wasmtime.Global)
            self._globals[key] = cell
        return self._globals[key]
