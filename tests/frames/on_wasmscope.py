"""One export of a module, run in wasmscope: what its public interface shows of the frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import wasmtime

import wasmscope
from frames.interface import (
    CAUGHT,
    INTERRUPTED,
    NESTED,
    OBSERVED,
    RESOURCE_CODES,
    RESOURCES,
    HostFailure,
    Run,
    arguments,
    wants_caught,
)
from frames.observe import Names, from_wasmscope, handles_of
from reference.integers import signed
from reference.smith import IMPORTED_GLOBALS, host_result
from support import tiers
from wasmscope.runtime import capi
from wasmscope.runtime.val import ExnRef, Kind, Val

PROPOSALS = (
    *("tail_call", "multi_memory", "memory64", "exceptions", "function_references", "gc", "wide_arithmetic"),
    *("custom_page_sizes", "relaxed_simd", "relaxed_simd_deterministic"),
)


def engine_config(opt_level: str, api: Any = wasmscope) -> Any:
    """Everything that random modules use, and results that do not depend on the machine.

    `api` is the package whose `Config` it is: `wasmtime` has the same one.
    """
    config = api.Config()
    for name in PROPOSALS:
        setattr(config, f"wasm_{name}", True)
    config.cranelift_nan_canonicalization = True
    config.cranelift_opt_level = opt_level
    return config


def run_wasmscope(
    engine: wasmscope.Engine,
    module: wasmscope.Module,
    export: str,
    equal_types: Sequence[int],
    tier: tiers.Choice | None = None,
) -> Run:
    """Run an export in a new instance, with a debug handler; `equal_types` as in `Names`, `tier` as in `prepared`."""
    recorder = _Recorder(engine, equal_types, tier)
    try:
        return recorder.invoke(module, export)
    finally:
        recorder.store.close()


class _Recorder:
    """The debug handler, and the host's functions."""

    def __init__(self, engine: wasmscope.Engine, equal_types: Sequence[int], tier: tiers.Choice | None = None) -> None:
        self.run = Run()
        self.store = tiers.prepared(wasmscope.Store(engine), tier)
        self.store.set_limits(memory_size=1 << 28, table_elements=1 << 20)
        self.store.set_debug_handler(self, caught_exceptions=False)
        self.store.withdraw_interrupt()  # that of the handler whose place this takes in the tier "chaos"
        self.instance: wasmscope.Instance | None = None
        self.functions: dict[bytes, int] = {}
        self.names = Names(self.functions, equal_types)
        self.counts: Counter[str] = Counter()

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        match event:
            case wasmscope.DebugEvent.Trap(trap):
                assert trap.trap_code is not None
                self._observe(trap.trap_code.name)
            case wasmscope.DebugEvent.UncaughtExceptionThrown(exception):
                self._observe("exception", exception)
            case wasmscope.DebugEvent.CaughtExceptionThrown(exception):
                self._observe(CAUGHT, exception)
            case wasmscope.DebugEvent.Interrupted():
                self._observe(INTERRUPTED)
            case wasmscope.DebugEvent.HostcallError(HostFailure()):
                self._observe("host error")

    def invoke(self, module: wasmscope.Module, export: str) -> Run:
        try:
            self.instance = wasmscope.Instance(self.store, module, [self._import(item) for item in module.imports])
            self._learn_functions(module)
            function = self.instance.exports(self.store)[export]
            assert isinstance(function, wasmscope.Func)
            self.store.set_debug_handler(self, caught_exceptions=wants_caught(export))
            kinds = [kind_name(param) for param in function.type(self.store).params]
            given = arguments(export, kinds)
            function(self.store, *(to_python(value, kind) for value, kind in zip(given, kinds, strict=True)))
        except wasmtime.Trap as trap:
            code = trap.trap_code.name if trap.trap_code is not None else "exception"
            self.run.ending = RESOURCES if code in RESOURCE_CODES else code
        except wasmtime.WasmtimeError as error:
            # The collector has no trap code for a heap that is full.
            if "GC heap out of memory" not in str(error):
                raise
            self.run.ending = RESOURCES
        except HostFailure:
            self.run.ending = "raised"
        return self.run

    def _learn_functions(self, module: wasmscope.Module) -> None:
        assert self.instance is not None
        exports = self.instance.exports(self.store)
        for export in module.original.exports:
            function = exports[export.name]
            if isinstance(function, wasmscope.Func):
                self.functions[bytes(function._func)] = export.index

    def _import(self, item: wasmtime.ImportType) -> Any:
        name = item.name or ""
        if not isinstance(item.type, wasmtime.FuncType):
            assert isinstance(item.type, wasmtime.GlobalType)
            return wasmtime.Global(self.store, item.type, wasmtime.Val.i32(IMPORTED_GLOBALS[name]))
        kinds = [kind_name(each) for each in item.type.results]

        def call(*given: Any) -> Any:
            self.counts[name] += 1
            if self.counts.total() <= OBSERVED:
                self._observe(f"call {name}")
            if name == "fail" and given[0] == 0:
                raise HostFailure
            if name == "tick" and self.counts.total() <= OBSERVED:
                self.store.interrupt()
            if name == "nest" and self.counts[name] <= NESTED:
                self._nest(given)
            results = [to_python(host_result(name, self.counts[name], kind), kind) for kind in kinds]
            return results if len(results) > 1 else results[0] if results else None

        return wasmscope.Func(self.store, item.type, call)

    def _nest(self, given: Sequence[Any]) -> None:
        assert self.instance is not None
        function = self.instance.exports(self.store)["nested"]
        assert isinstance(function, wasmscope.Func)
        try:
            function(self.store, *given)
        except wasmtime.Trap as trap:
            if trap.trap_code is None:
                capi.take_exception(self.store)
        self._observe("after nested")

    def _observe(self, why: str, thrown: ExnRef | None = None) -> None:
        self.run.observations.append(from_wasmscope(why, handles_of(self.store), self.names, thrown))


def kind_name(type: wasmtime.ValType) -> str:
    """The type's name; the package writes externref as the C API of old named it."""
    return "externref" if str(type) == "anyref" else str(type)


def to_python(value: Any, kind: str) -> Any:
    """A value in the interpreter's form as wasmscope's functions take it."""
    match kind:
        case "i32" | "i64":
            return signed(value, int(kind[1:]))
        case "f32":
            return Val.from_bits(Kind.F32, value)
        case "f64":
            return Val.from_bits(Kind.F64, value)
    return value
