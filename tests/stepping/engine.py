"""A program in the engine, plain or debuggable: `api` is the module `wasmtime`, or `wasmscope` in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wasmtime

from frames.interface import RESOURCE_CODES
from frames.on_wasmscope import engine_config, kind_name, to_python
from reference.floats import F32, F64
from stepping.host import IMPORTED_GLOBALS, Host, HostFailure, without_payload
from stepping.program import Program
from stepping.step import WIDTHS, Ending, digest
from wasmscope.runtime import capi

Api = Any


def new_engine(api: Api, opt_level: str = "none") -> Any:
    """An engine with everything that random modules use."""
    return api.Engine(engine_config(opt_level, api))


class EngineRun:
    """One run in a store of its own, made and changed at will before `run`."""

    def __init__(self, api: Api, engine: Any, program: Program) -> None:
        self.api, self.program = api, program
        self.store = api.Store(engine)
        self.store.set_limits(memory_size=1 << 28, table_elements=1 << 20)
        self.module = api.Module(engine, program.bytecode)
        self.instance: Any = None
        self.host = Host(self._nested)

    def run(self, *enough: type[BaseException]) -> Ending:
        """Instantiate and call; an exception of the types `enough` ends it as "stopped"."""
        results = None
        try:
            imports = [self._import(item) for item in self.module.imports]
            self.instance = self.api.Instance(self.store, self.module, imports)
            for export in self.program.setup:
                self._invoke(export, ())
            results = self._invoke(self.program.export, self.program.given)
            how = "returned"
        except enough:
            how = "stopped"
        except HostFailure:
            how = "raised"
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            how = self._how(error)
        return Ending(how, results, tuple(self.host.calls), self._state())

    def _invoke(self, export: str, given: Sequence[Any]) -> tuple[Any, ...]:
        function = self.instance.exports(self.store)[export]
        type = function.type(self.store)
        kinds = [kind_name(each) for each in type.params]
        returned = function(self.store, *(_given(value, kind) for value, kind in zip(given, kinds, strict=True)))
        values = returned if len(type.results) > 1 else [returned] * len(type.results)
        return tuple(_taken(value, kind_name(each)) for value, each in zip(values, type.results, strict=True))

    def _nested(self, argument: Any) -> str:
        try:
            return str(self._invoke("nested", (argument,)))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return self._how(error)

    def _how(self, error: BaseException) -> str:
        if isinstance(error, wasmtime.Trap):
            if error.trap_code is not None:
                return "resources" if error.trap_code.name in RESOURCE_CODES else error.trap_code.name
            # The engine keeps it with the store until somebody takes it.
            capi.take_exception(self.store)
            return "exception"
        # The collector has no trap code for a heap that is full.
        if "GC heap out of memory" in str(error):
            return "resources"
        raise error

    def _import(self, item: wasmtime.ImportType) -> Any:
        name = item.name or ""
        if not isinstance(item.type, wasmtime.FuncType):
            assert isinstance(item.type, wasmtime.GlobalType)
            return wasmtime.Global(self.store, item.type, wasmtime.Val.i32(IMPORTED_GLOBALS[name]))
        params = [kind_name(each) for each in item.type.params]
        kinds = [kind_name(each) for each in item.type.results]

        def call(*given: Any) -> Any:
            values = self.host.call(name, params, kinds, list(map(_taken, given, params)))
            results = list(map(_given, values, kinds))
            return results if len(results) > 1 else results[0] if results else None

        return self.api.Func(self.store, item.type, call)

    def _state(self) -> dict[str, Any] | None:
        if self.instance is None:
            return None
        found: dict[str, Any] = {}
        for name, export in self.instance.exports(self.store).items():
            match export:
                case wasmtime.Memory():
                    found[name] = digest(bytes(export.read(self.store, 0, export.data_len(self.store))))
                case wasmtime.Global():
                    value = capi.global_get(self.store, export)
                    if str(value.kind) in WIDTHS:
                        found[name] = value.bits
        return found


def _given(value: Any, kind: str) -> Any:
    """A value as both packages take it."""
    match kind:
        case "f32":
            return F32.unpack(value)
        case "f64":
            return F64.unpack(value)
    return to_python(value, kind)


def _taken(value: Any, kind: str) -> Any:
    """A value in the reference interpreter's form."""
    match kind:
        case "i32" | "i64":
            return value & ((1 << WIDTHS[kind]) - 1)
        case "f32":
            return without_payload(F32.pack(value), kind)
        case "f64":
            return without_payload(F64.pack(value), kind)
    return without_payload(value, kind)
