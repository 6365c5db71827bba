"""Imports by name, for modules that have more imports than they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import run_async
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.func import as_ours, host_function, refuse_async, store_of
from wasmscope.runtime.instance import Instance
from wasmscope.runtime.module import Module
from wasmscope.runtime.occupancy import occupied


class Linker(wasmtime.Linker):
    """wasmtime's `Linker`. It looks the original's imports up itself and adds those of the rewrite by position."""

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
        """As wasmtime's for reactors; a command is instantiated anew at each call of one of its functions."""
        if not _is_rewritten(module):
            super().define_module(store, name, module)
            return
        exports = {export.name: export.type for export in module.exports}
        start = exports.get("_start", exports.get(""))
        if isinstance(start, wasmtime.FuncType) and not start.params and not start.results:
            for export, ty in exports.items():
                if isinstance(ty, wasmtime.FuncType):
                    self.define_func(name, export, ty, self._command(store, module, export))
            return
        instance = self.instantiate(store, module)
        initialize = instance.exports(store).get("_initialize")
        if isinstance(initialize, wasmtime.Func):
            initialize(store)
        self.define_instance(store, name, instance)

    def _command(self, store: Any, module: wasmtime.Module, export: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            function = self.instantiate(store, module).exports(store)[export]
            assert isinstance(function, wasmtime.Func)
            return function(store, *args)

        return call

    def instantiate(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        """As wasmtime's."""
        with occupied(store_of(store)):
            return self._instantiate(store, module)

    async def instantiate_async(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        """The same, the start function run as in `Func.call_async` (Wasmtime `Linker::instantiate_async`)."""
        owner = store_of(store)
        if owner is None:
            raise TypeError("expected a wasmscope.Store or a Caller")
        return await run_async(owner, lambda: self.instantiate(store, module))

    def _instantiate(self, store: Any, module: wasmtime.Module) -> wasmtime.Instance:
        if not _is_rewritten(module):
            instance = capi.linker_instantiate(self, store, module)
            if not isinstance(instance, wasmtime.Instance):
                capi.raise_failure(instance)
                raise AssertionError
            ours = Instance._from_raw(instance._instance)
            assert isinstance(ours, Instance)
            if isinstance(module, Module):
                ours.module = module
            return ours
        return Instance(store, module, [self._resolve(store, item) for item in module.imports])

    def _resolve(self, store: Any, item: wasmtime.ImportType) -> Any:
        assert item.name is not None
        try:
            return super().get(store, item.module, item.name)
        except wasmtime.WasmtimeError:
            raise wasmtime.WasmtimeError(f"unknown import: `{item.module}::{item.name}` has not been defined") from None

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
        original: wasmtime.Module = module.imports_only(self.engine) if _is_rewritten(module) else module
        return original

    def instantiate_pre(self, module: wasmtime.Module) -> Any:
        """As wasmtime's."""
        if not _is_rewritten(module):
            return super().instantiate_pre(module)
        return InstancePre(self, module)


class InstancePre:
    """Stands for wasmtime's `InstancePre`, which cannot be told of imports that differ from instance to instance."""

    def __init__(self, linker: Linker, module: wasmtime.Module) -> None:
        self._linker = linker
        self._module = module

    def instantiate(self, store: Any) -> wasmtime.Instance:
        """As wasmtime's."""
        return self._linker.instantiate(store, self._module)

    async def instantiate_async(self, store: Any) -> wasmtime.Instance:
        """See `Linker.instantiate_async`."""
        return await self._linker.instantiate_async(store, self._module)

    @property
    def module(self) -> wasmtime.Module:
        """As wasmtime's."""
        return self._module


def _is_rewritten(module: Any) -> bool:
    return isinstance(module, Module) and module.instrumented is not None
