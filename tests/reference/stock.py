"""One export of a random module, run by the stock engine: the same view as `differential` has of the interpreter.

Arguments, results and globals cross as raw bits, because Python floats would lose NaN payloads.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._func import enter_wasm

from reference.differential import BACKTRACE, GLOBALS, RESOURCES, Ending, HostCall, Outcome, State, digest, show
from reference.floats import F32, F64
from reference.integers import signed
from reference.smith import EXPORTS, IMPORTED_GLOBALS, host_result
from reference.values import Value

# A number of a raw value is read through the integer that shares its place: field and bits by kind.
_FIELDS = ("i32", 32), ("i64", 64), ("i32", 32), ("i64", 64)


def stock_config() -> wasmtime.Config:
    """Everything that the random modules use, and results that do not depend on the machine."""
    config = wasmtime.Config()
    for name in (
        *("tail_call", "multi_memory", "memory64", "exceptions", "function_references", "gc", "wide_arithmetic"),
        *("custom_page_sizes", "relaxed_simd", "relaxed_simd_deterministic"),
    ):
        setattr(config, f"wasm_{name}", True)
    config.cranelift_nan_canonicalization = True
    config.max_wasm_stack = 1 << 20
    return config


def run_stock(module: wasmtime.Module, engine: wasmtime.Engine, export: str) -> Outcome:
    """Run an export in a new instance, with the arguments of `EXPORTS`."""
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=1 << 28, table_elements=1 << 20)
    calls: list[HostCall] = []
    instance: wasmtime.Instance | None = None
    try:
        instance = wasmtime.Instance(store, module, _imports(store, module, calls))
        function = instance.exports(store)[export]
        assert isinstance(function, wasmtime.Func)
        ending = Ending("returned", _call(store, function, EXPORTS[export]))
    except wasmtime.Trap as trap:
        places = tuple((frame.func_index, frame.module_offset) for frame in trap.frames[:BACKTRACE])
        ending = Ending(_how(trap), (), places)
    except wasmtime.WasmtimeError as error:
        # The collector has no trap code for a heap that is full.
        if "GC heap out of memory" not in str(error):
            raise
        ending = Ending("RESOURCES")
    return Outcome(ending, tuple(calls), _state(store, instance) if instance is not None else None)


def _how(trap: wasmtime.Trap) -> str:
    if trap.trap_code is None:
        # An exception that leaves the guest has no code.
        return "UNCAUGHT_EXCEPTION" if "thrown Wasm exception" in str(trap) else str(trap)
    name: str = trap.trap_code.name
    return "RESOURCES" if name in RESOURCES else name


def _state(store: wasmtime.Store, instance: wasmtime.Instance) -> State:
    exports = instance.exports(store)
    memory, table = exports["memory"], exports.get("table")
    assert isinstance(memory, wasmtime.Memory)
    values = []
    for name in GLOBALS:
        variable = exports[name]
        assert isinstance(variable, wasmtime.Global)
        raw = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(store._context(), ctypes.byref(variable._global), ctypes.byref(raw))
        values.append(_from_raw(store, raw))
    nulls: tuple[bool, ...] = ()
    if isinstance(table, wasmtime.Table):
        elements = [table.get(store, index) for index in range(table.size(store))]
        nulls = tuple(not isinstance(each, wasmtime.Func) for each in elements)
    content = bytes(memory.read(store, 0, memory.data_len(store)))
    return State(digest(content), tuple(values), nulls)


def _imports(store: wasmtime.Store, module: wasmtime.Module, calls: list[HostCall]) -> list[Any]:
    counts: Counter[str] = Counter()

    def host(name: str, type: wasmtime.FuncType) -> Callable[..., Any]:
        params = [_kind(each) for each in type.params]
        kinds = [_kind(each) for each in type.results]

        def call(*arguments: Any) -> Any:
            calls.append((name, tuple(map(_from_python, arguments, params))))
            counts[name] += 1
            results = [_to_python(host_result(name, counts[name], kind), kind) for kind in kinds]
            return results if len(results) > 1 else results[0] if results else None

        return call

    imports: list[Any] = []
    for each in module.imports:
        name = each.name or ""
        if isinstance(each.type, wasmtime.FuncType):
            imports.append(wasmtime.Func(store, each.type, host(name, each.type)))
        else:
            assert isinstance(each.type, wasmtime.GlobalType)
            imports.append(wasmtime.Global(store, each.type, wasmtime.Val.i32(IMPORTED_GLOBALS[name])))
    return imports


def _kind(type: wasmtime.ValType) -> str:
    """The package writes externref as the C API of old named it."""
    return "externref" if str(type) == "anyref" else str(type)


def _to_python(value: Value, kind: str) -> Any:
    match kind:
        case "i32" | "i64":
            return signed(value, int(kind[1:]))
        case "f32":
            return F32.unpack(value)
        case "f64":
            return F64.unpack(value)
    return value


def _from_python(value: Any, kind: str) -> Value:
    match kind:
        case "i32" | "i64":
            return value & ((1 << int(kind[1:])) - 1)
        case "f32":
            return F32.pack(value)
        case "f64":
            return F64.pack(value)
    return show(value)


def _from_raw(store: wasmtime.Store, raw: Any) -> Value:
    kind = int(raw.kind)
    if kind < len(_FIELDS):
        field, bits = _FIELDS[kind]
        return getattr(raw.of, field) & ((1 << bits) - 1)
    return show(wasmtime.Val._from_raw(store, raw).value)


def _call(store: wasmtime.Store, function: wasmtime.Func, arguments: Sequence[Value]) -> tuple[Value, ...]:
    type = function.type(store)
    params = (ffi.wasmtime_val_t * len(type.params))()
    for position, (param, argument) in enumerate(zip(type.params, arguments, strict=True)):
        # The arguments hold no NaN.
        params[position] = wasmtime.Val._convert_to_raw(store, param, _to_python(argument, _kind(param)))
    results = (ffi.wasmtime_val_t * len(type.results))()
    context, callee = store._context(), ctypes.byref(function._func)
    with enter_wasm(store) as trap:
        error = ffi.wasmtime_func_call(context, callee, params, len(params), results, len(results), trap)
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
    return tuple(_from_raw(store, raw) for raw in results)
