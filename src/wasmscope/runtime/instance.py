"""Instances of rewritten modules, showing only what the original has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import run_async
from wasmscope.runtime.enter import enter
from wasmscope.runtime.func import as_ours, store_of
from wasmscope.runtime.module import Module
from wasmscope.runtime.occupancy import run_in
from wasmscope.runtime.private_func import PrivateFunc, PrivateTable
from wasmscope.runtime.store import Store
from wasmscope.wasm.module import ExternKind

if TYPE_CHECKING:
    from wasmscope.instrument.private_entities import PrivateEntities


class Instance(wasmtime.Instance):
    """wasmtime's `Instance`."""

    module: Module
    """The module it was made of."""

    def __init__(self, store: wasmtime.Store, module: wasmtime.Module, imports: Sequence[Any]) -> None:
        self._exports = None
        owner = store_of(store)
        if isinstance(module, Module) and module.instrumented is not None and owner is not None:
            maker, rewritten = owner, module
            run_in(owner, lambda: self._make(maker, rewritten, imports))
            return
        run_in(owner, lambda: wasmtime.Instance.__init__(self, store, module, imports))
        if isinstance(module, Module):
            self.module = module

    def _make(self, store: Store, module: Module, imports: Sequence[Any]) -> None:
        self.module = module
        expected = len(module.original.imports)
        for item in imports:
            capi.extern_of(item)  # raises TypeError
        if len(imports) != expected:
            raise wasmtime.WasmtimeError(f"expected {expected} imports, found {len(imports)}")
        self._functions: dict[int, wasmtime.Func] = {}
        self._found: dict[bytes, wasmtime.Func] = {}
        self.id = store.instances.add(self)
        self._tags: dict[int, wasmtime.Tag] = {}
        try:
            kinds = tuple(module.frame_table.plan.reference_tables)
            appended = store.shadow.imports(kinds, self.id, len(module.original.functions))
            raw = enter(store, lambda: capi.instantiate(store, module, [*imports, *appended]))
        except wasmtime.WasmtimeError:
            if not module.leaves_functions_when_refused:
                store.instances.drop(self)
                store.shadow.drop_imports(self.id)
            raise
        self._instance = raw._instance
        store.instance_made(self)
        self._start(store)

    def _start(self, store: Store) -> None:
        """Run the start function, which the rewritten module leaves to us: it finds the instance made."""
        start = self.module.original.start
        if start is not None:
            name = self._private.name(ExternKind.FUNC, start)
            function = capi.export_named(store, self, name)
            assert isinstance(function, wasmtime.Func)
            enter(
                store,
                lambda: capi.call_func(store, function, capi.Signature((), ()), ()),
                complete=lambda returned: returned,
                # As the engine has it where it runs the start function itself.
                as_thrown=lambda trap: wasmtime.WasmtimeError(trap.message),
            )

    @property
    def is_made(self) -> bool:
        """Whether the engine has made it; it refuses to where imports do not fit or a segment does not."""
        return hasattr(self, "_instance")

    @property
    def may_run(self) -> bool:
        """Whether its functions can be called: one that could not be made may have left some in others' tables."""
        return self.is_made or self.module.leaves_functions

    # -- what it keeps to itself ---------------------------------------------------------------------------------

    def debug_global(self, store: Any, index: int) -> wasmtime.Global | None:
        """A global by its index, imports counted, exported or not (Wasmtime `Instance::debug_global`).

        None: no such index, or debugging is off.
        """
        item = self._entity(store, ExternKind.GLOBAL, index)
        return item if isinstance(item, wasmtime.Global) else None

    @classmethod
    async def create_async(cls, store: Any, module: wasmtime.Module, imports: Sequence[Any]) -> Self:
        """Make an instance whose start function runs as in `Func.call_async` (Wasmtime `Instance::new_async`).

        Raises what making one does, and `TypeError` for what is neither a store nor a caller of wasmscope's.
        """
        owner = store_of(store)
        if owner is None:
            raise TypeError("expected a wasmscope.Store or a Caller")
        return await run_async(owner, lambda: cls(store, module, imports))

    def debug_memory(self, store: Any, index: int) -> wasmtime.Memory | None:
        """A memory by its index (Wasmtime `Instance::debug_memory`).

        None: no such index, a shared memory, or debugging is off.
        """
        item = self._entity(store, ExternKind.MEMORY, index)
        return item if isinstance(item, wasmtime.Memory) else None

    def debug_shared_memory(self, store: Any, index: int) -> wasmtime.SharedMemory | None:
        """A shared memory by its index among all memories (Wasmtime `Instance::debug_shared_memory`).

        None: no such index, a memory that is not shared, or debugging is off.
        """
        item = self._entity(store, ExternKind.MEMORY, index)
        return item if isinstance(item, wasmtime.SharedMemory) else None

    def debug_table(self, store: Any, index: int) -> wasmtime.Table | None:
        """A table by its index (Wasmtime `Instance::debug_table`).

        None: no such index, or debugging is off. Functions in it that only the instance itself could call are
        stood for by host functions (`debug_function`). A table of such functions cannot be given to another instance.
        """
        item = self._entity(store, ExternKind.TABLE, index)
        if not isinstance(item, wasmtime.Table):
            return None
        return PrivateTable(item, self) if self._private.tables_are_private else item

    def debug_function(self, store: Any, index: int) -> wasmtime.Func | None:
        """A function by its index (Wasmtime `Instance::debug_function`).

        None: no such index, or debugging is off. A function that nothing outside the instance could call is stood for
        by a host function of its type where it is handed to a guest: between that guest's frames and its own there is
        a change of activation.
        """
        if not self._has(ExternKind.FUNC, index):
            return None
        if index not in self._functions:
            self._functions[index] = self._function(store, index)
        return self._functions[index]

    def debug_tag(self, store: Any, index: int) -> wasmtime.Tag | None:
        """An exception tag by its index (Wasmtime `Instance::debug_tag`).

        None: no such index, or debugging is off.
        """
        if index not in getattr(self, "_tags", ()):
            item = self._entity(store, ExternKind.TAG, index)
            if not isinstance(item, wasmtime.Tag):
                return None
            self._tags[index] = item  # every throw that is told asks for some
        return self._tags[index]

    def memory_size(self, store: Any, index: int) -> int | None:
        """The size of a memory in bytes; None if the instance could not be made."""
        memory = self._entity(store, ExternKind.MEMORY, index)
        if isinstance(memory, wasmtime.SharedMemory):
            return memory.data_len()
        return int(memory.data_len(store)) if memory is not None else None

    @property
    def _private(self) -> PrivateEntities:
        return self.module.frame_table.plan.private

    def _has(self, kind: ExternKind, index: int) -> bool:
        module: Module | None = getattr(self, "module", None)
        if module is None or module.instrumented is None or not self.is_made:
            return False
        return 0 <= index < module.original.count(kind)

    def _entity(self, store: Any, kind: ExternKind, index: int) -> Any:
        if not self._has(kind, index):
            return None
        return as_ours(capi.export_named(store, self, self._private.name(kind, index)))

    def _function(self, store: Any, index: int) -> wasmtime.Func:
        private = self._private
        if index in private.exported:
            function: wasmtime.Func = self._entity(store, ExternKind.FUNC, index)
            return function
        entry = private.entries[index]
        target = capi.export_named(store, self, entry.export)
        assert isinstance(target, wasmtime.Func)
        owner = store_of(store)
        assert owner is not None
        return PrivateFunc(owner, self, target, entry.number, index - self.module.original.num_imported_functions)

    def standing_for(self, store: Any, function: wasmtime.Func) -> wasmtime.Func:
        """What stands for a function that was found in a table private to this instance."""
        key = bytes(function._func)
        if key not in self._found:
            owner = store_of(store)
            assert owner is not None
            self._found[key] = PrivateFunc(owner, self, function)
        return self._found[key]

    def exports(self, store: Any) -> capi.InstanceExports:
        """As wasmtime's: the original's exports."""
        if self._exports is None:
            module = getattr(self, "module", None)
            names = None
            if module is not None and module.instrumented is not None:
                names = [export.name for export in module.original.exports]
            self._exports = InstanceExports(store, self, names)
        return self._exports


class InstanceExports(capi.InstanceExports):
    """wasmtime's `InstanceExports`."""

    def __init__(self, store: Any, instance: wasmtime.Instance, names: Sequence[str] | None) -> None:
        if names is None:
            super().__init__(store, instance)
            named = list(zip(self._extern_map, self._extern_seq, strict=True))
        else:
            named = [(name, capi.export_named(store, instance, name)) for name in names]
        ours = [(name, as_ours(item)) for name, item in named]
        self._extern_map = dict(ours)
        self._extern_seq = tuple(item for _, item in ours)
