"""Imports by name, for modules that have more imports than they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import run_async
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.enter import enter
from wasmscope.runtime.func import Caller, as_ours, host_function, refuse_async, store_of
from wasmscope.runtime.instance import Instance
from wasmscope.runtime.module import Module
from wasmscope.runtime.occupancy import run_in

_A_FUNCTION = wasmtime.FuncType([], [])

_TOLERATED = {
    "memory": wasmtime.MemoryType,
    "__indirect_function_table": wasmtime.TableType,
    "table": wasmtime.TableType,
    "__data_end": wasmtime.GlobalType,
    "__heap_base": wasmtime.GlobalType,
    "__dso_handle": wasmtime.GlobalType,
    "__rtti_base": wasmtime.GlobalType,
}
"""What toolchains export of a command beside its functions; it is left out."""


class Linker(wasmtime.Linker):
    """wasmtime's `Linker`. It looks the original's imports up itself and adds those of the rewrite by position."""

    def define(self, store: Any, module: str, name: str, item: Any) -> None:
        """As wasmtime's, for shared memories too."""
        capi.define(self, store, module, name, item)

    def define_func(
        self, module: str, name: str, ty: wasmtime.FuncType, func: Callable[..., Any], access_caller: bool = False
    ) -> None:
        """As wasmtime's, for values of every type."""
        if not isinstance(ty, wasmtime.FuncType):
            raise TypeError("expected a FuncType")
        refuse_async(self.engine, func)
        if isinstance(self.engine, Engine):
            callback, make_caller = host_function(self.engine, func, access_caller)
            capi.define_func(self, module, name, ty, callback, True, make_caller)
        else:
            capi.define_func(self, module, name, ty, func, access_caller)

    def define_instance(self, store: Any, name: str, instance: wasmtime.Instance) -> None:
        """As wasmtime's: the exports that the original has."""
        if not isinstance(instance, wasmtime.Instance):
            raise TypeError("expected an `Instance`")
        if not _is_rewritten(getattr(instance, "module", None)):
            super().define_instance(store, name, instance)
            return
        exports = instance.exports(store)
        for export in exports:
            self.define(store, name, export, exports[export])

    def define_module(self, store: Any, name: str, module: wasmtime.Module) -> None:
        """As wasmtime's: a command is instantiated anew at each call of one of its functions, a reactor once.

        What makes a module one of them: Rust `Linker::module`, `ModuleKind::categorize`.
        """
        if not _is_rewritten(module):
            super().define_module(store, name, module)
            return
        exports = {export.name: export.type for export in module.exports}
        for function in ("_start", "_initialize"):
            if not isinstance(exports.get(function, _A_FUNCTION), wasmtime.FuncType):
                raise wasmtime.WasmtimeError(f"`{function}` must be a function")
        if "_start" in exports and "_initialize" in exports:
            raise wasmtime.WasmtimeError("Program cannot be both a Command and a Reactor")
        if "_start" in exports:
            self._define_command(store, name, module, exports)
            return
        with _traps_as_errors():
            instance = self.instantiate(store, module)
        if "_initialize" in exports:
            with _traps_as_errors("calling the Reactor initialization function"):
                _initialize(store, instance)
        self.define_instance(store, name, instance)

    def _define_command(self, store: Any, name: str, module: wasmtime.Module, exports: dict[str, Any]) -> None:
        for export, ty in exports.items():
            if isinstance(ty, wasmtime.FuncType):
                call = _call_in_new_instance(self.instantiate_pre(module), export)
                self.define_func(name, export, ty, call, access_caller=True)
            elif not isinstance(ty, _TOLERATED.get(export, ())):
                raise wasmtime.WasmtimeError(f"command export '{export}' is not a function")

    def instantiate(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        """As wasmtime's."""
        if isinstance(module, Module) and _is_rewritten(module):
            rewritten = module
            return run_in(store_of(store), lambda: instantiate_from(self, store, rewritten))
        return run_in(store_of(store), lambda: self._instantiate_as_is(store, module))

    async def instantiate_async(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        """The same, the start function run as in `Func.call_async` (Wasmtime `Linker::instantiate_async`)."""
        owner = store_of(store)
        if owner is None:
            raise TypeError("expected a wasmscope.Store or a Caller")
        return await run_async(owner, lambda: self.instantiate(store, module))

    def _instantiate_as_is(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        owner = store_of(store)
        if owner is not None and owner.guest_debug:
            instance = enter(owner, lambda: capi.linker_instantiate(self, store, module))
        else:
            outcome = capi.linker_instantiate(self, store, module)
            if not isinstance(outcome, wasmtime.Instance):
                capi.raise_failure(outcome)
                raise AssertionError
            instance = outcome
        ours = Instance._from_raw(instance._instance)
        assert isinstance(ours, Instance)
        if isinstance(module, Module):
            ours.module = module
        return ours

    def get(self, store: Any, module: str, name: str) -> Any:
        """As wasmtime's."""
        return as_ours(super().get(store, module, name))

    def get_default(self, store: Any, name: str) -> wasmtime.Func:
        """As wasmtime's."""
        function: wasmtime.Func = as_ours(super().get_default(store, name))
        return function

    def define_unknown_imports_as_traps(self, module: wasmtime.Module) -> None:
        """As wasmtime's."""
        super().define_unknown_imports_as_traps(self._original(module))

    def define_unknown_imports_as_default_values(self, store: Any, module: wasmtime.Module) -> None:
        """As wasmtime's."""
        super().define_unknown_imports_as_default_values(store, self._original(module))

    def _original(self, module: Any) -> wasmtime.Module:
        """What has the imports that `module` shows."""
        original: wasmtime.Module = module.imports_only() if _is_rewritten(module) else module
        return original

    def instantiate_pre(self, module: wasmtime.Module) -> wasmtime.InstancePre:
        """As wasmtime's."""
        if not _is_rewritten(module):
            return super().instantiate_pre(module)
        pre = super().instantiate_pre(self._original(module))
        assert isinstance(module, Module)
        return InstancePre.of(pre, capi.clone_linker(self), module)


class InstancePre(wasmtime.InstancePre):
    """wasmtime's `InstancePre`, which cannot be told of imports that differ from instance to instance.

    So what the engine made checks the original's imports, and the linker as it was then provides them.
    """

    _linker: wasmtime.Linker
    _module: Module

    @classmethod
    def of(cls, pre: wasmtime.InstancePre, linker: wasmtime.Linker, module: Module) -> InstancePre:
        """Stand for `pre`, of a module that imports what the original of `module` imports."""
        ours = cls.__new__(cls)
        ours._set_ptr(pre._consume())
        ours._linker = linker
        ours._module = module
        return ours

    def instantiate(self, store: Any) -> wasmtime.Instance:
        """As wasmtime's."""
        self.ptr()  # raises where it was closed
        return run_in(store_of(store), lambda: instantiate_from(self._linker, store, self._module))

    async def instantiate_async(self, store: Any) -> wasmtime.Instance:
        """See `Linker.instantiate_async`."""
        owner = store_of(store)
        if owner is None:
            raise TypeError("expected a wasmscope.Store or a Caller")
        return await run_async(owner, lambda: self.instantiate(store))

    @property
    def module(self) -> wasmtime.Module:
        """As wasmtime's."""
        self.ptr()
        return self._module


def instantiate_from(linker: wasmtime.Linker, store: Any, module: Module) -> wasmtime.Instance:
    """Instantiate a rewritten module with what `linker` has under the names that the original imports."""
    return Instance(store, module, [_resolve(linker, store, item) for item in module.imports])


def _resolve(linker: wasmtime.Linker, store: Any, item: wasmtime.ImportType) -> Any:
    assert item.name is not None
    try:
        return wasmtime.Linker.get(linker, store, item.module, item.name)
    except wasmtime.WasmtimeError:
        raise wasmtime.WasmtimeError(f"unknown import: `{item.module}::{item.name}` has not been defined") from None


def _initialize(store: Any, instance: wasmtime.Instance) -> None:
    initialize = instance.exports(store)["_initialize"]
    assert isinstance(initialize, wasmtime.Func)
    ty = initialize.type(store)
    for what, types in (("parameters", ty.params), ("results", ty.results)):
        if types:
            text = f"type mismatch with {what}\n\nCaused by:\n    expected 0 types, found {len(types)}\n"
            raise wasmtime.WasmtimeError(text)
    initialize(store)


@contextmanager
def _traps_as_errors(doing: str | None = None) -> Iterator[None]:
    """What fails in the engine while it defines a module is an error, of which a trap is only the cause."""
    try:
        yield
    except (wasmtime.Trap, wasmtime.WasmtimeError) as failure:
        text = str(failure)
        if doing is not None:
            outer, _, cause = text.partition("\n\nCaused by:\n    ")
            text = f"{doing}\n\nCaused by:\n    0: {outer}\n    1: {cause}"
        raise wasmtime.WasmtimeError(text) from failure


def _call_in_new_instance(pre: wasmtime.InstancePre, export: str) -> Callable[..., Any]:
    def call(caller: Caller, *args: Any) -> Any:
        function = pre.instantiate(caller.store).exports(caller.store)[export]
        assert isinstance(function, wasmtime.Func)
        return function(caller.store, *args)

    return call


def _is_rewritten(module: Any) -> bool:
    return isinstance(module, Module) and module.instrumented is not None
