"""One export of a random module, run by the stock engine and by the interpreter: what can be seen of both from outside.

Values cross into the engine as raw bits, because Python floats would lose NaN payloads.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from reference.errors import Trap, WasmException
from reference.floats import F32, F64
from reference.instance import Instance
from reference.integers import signed
from reference.machine import Store
from reference.module import Module
from reference.smith import EXPORTS, IMPORTED_GLOBALS, host_result
from reference.state import Extern, Global, GlobalType, HostFunc, Limits, Memory, Table
from reference.types import DefinedType, FuncType, type_name
from reference.values import Value

_GLOBALS = ("g0", "g1", "g2", "g3")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended and what it left behind.

    `ending` is "returned", a trap code, "UNCAUGHT_EXCEPTION", or "RESOURCES" where the two may differ by their limits.
    References are shown by `_show`, floats as bit patterns.
    """

    ending: str
    results: tuple[Value, ...]
    host_calls: tuple[tuple[str, tuple[Value, ...]], ...]
    memory: str
    globals: tuple[int, ...]
    table: tuple[bool, ...]


def _show(value: Value) -> Value:
    """Numbers and host objects as they are; of other references only whether they are null.

    The engine's Python package gives None for an externref that was a guest object, so that is all there is to see.
    """
    return value if isinstance(value, int | str) else None


def _as_host_sees(value: Value, kind: str) -> Value:
    """A NaN shows as the canonical one: a host function in Python gets no payload."""
    if kind in ("f32", "f64"):
        format = F32 if kind == "f32" else F64
        return format.nan if format.is_nan(value) else value
    return _show(value)


def _digest(data: bytes | bytearray) -> str:
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:16]}"


def run_reference(module: Module, export: str, on_step: Callable[[Any], None] | None = None) -> Outcome:
    """Run with the interpreter."""
    counts: Counter[str] = Counter()
    calls: list[tuple[str, tuple[Value, ...]]] = []

    def host(name: str, type: FuncType) -> Callable[..., list[Value]]:
        params = [type_name(each, ()) for each in type.params]
        results = [type_name(each, ()) for each in type.results]

        def call(*arguments: Value) -> list[Value]:
            calls.append((name, tuple(map(_as_host_sees, arguments, params))))
            counts[name] += 1
            return [host_result(name, counts[name], result) for result in results]

        return call

    imports: dict[tuple[str, str], Extern] = {}
    for each in module.imports:
        if each.kind == "func":
            assert isinstance(each.type, DefinedType)
            imports[each.module, each.name] = HostFunc(each.type, host(each.name, each.type.function))
        else:
            imports[each.module, each.name] = Global(GlobalType("i32", False), IMPORTED_GLOBALS[each.name])
    results: list[Value] = []
    instance: Instance | None = None
    try:
        instance = Instance(Store(on_step), module, imports, Limits(call_depth=1000))
        results = instance.invoke(export, EXPORTS[export])
        ending = "returned"
    except Trap as trap:
        ending = "RESOURCES" if trap.code in ("ALLOCATION_TOO_LARGE", "STACK_OVERFLOW") else trap.code
    except WasmException:
        ending = "UNCAUGHT_EXCEPTION"
    if instance is None:
        return Outcome(ending, (), tuple(calls), "", (), ())
    return _reference_outcome(instance, ending, results, calls)


def _reference_outcome(instance: Instance, ending: str, results: list[Value], calls: list[Any]) -> Outcome:
    memory, table = instance.exports["memory"], instance.exports.get("table")
    assert isinstance(memory, Memory)
    values = []
    for name in _GLOBALS:
        variable = instance.exports[name]
        assert isinstance(variable, Global)
        values.append(variable.value)
    elements = [each is None for each in table.elements] if isinstance(table, Table) else []
    shown = tuple(_show(each) for each in results)
    return Outcome(ending, shown, tuple(calls), _digest(memory.data), tuple(values), tuple(elements))


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


def run_stock(engine: wasmtime.Engine, module: wasmtime.Module, export: str) -> Outcome:
    """Run with the stock engine."""
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=1 << 28, table_elements=1 << 20)
    calls: list[tuple[str, tuple[Value, ...]]] = []
    instance: wasmtime.Instance | None = None
    results: tuple[Value, ...] = ()
    try:
        instance = wasmtime.Instance(store, module, _stock_imports(store, module, calls))
        function = instance.exports(store)[export]
        assert isinstance(function, wasmtime.Func)
        results = _call_raw(store, function, EXPORTS[export])
        ending = "returned"
    except wasmtime.Trap as trap:
        code = trap.trap_code
        ending = code.name if code is not None else str(trap)
        ending = "RESOURCES" if ending in ("ALLOCATION_TOO_LARGE", "STACK_OVERFLOW") else ending
    except wasmtime.WasmtimeError as error:
        ending = _ending_of(error)
    if instance is None:
        return Outcome(ending, (), tuple(calls), "", (), ())
    return _stock_outcome(store, instance, ending, results, calls)


def _ending_of(error: wasmtime.WasmtimeError) -> str:
    """Neither a full heap of the collector nor an exception that left the guest is a trap in the C API."""
    text = str(error)
    if "GC heap out of memory" in text:
        return "RESOURCES"
    if "thrown Wasm exception" in text:
        return "UNCAUGHT_EXCEPTION"
    raise error


def _stock_outcome(
    store: wasmtime.Store, instance: wasmtime.Instance, ending: str, results: tuple[Value, ...], calls: list[Any]
) -> Outcome:
    exports = instance.exports(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    values = []
    for name in _GLOBALS:
        variable = exports[name]
        assert isinstance(variable, wasmtime.Global)
        raw = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(store._context(), ctypes.byref(variable._global), ctypes.byref(raw))
        values.append(_from_raw(raw))
    elements: list[bool] = []
    table = exports.get("table")
    if isinstance(table, wasmtime.Table):
        elements = [not isinstance(table.get(store, index), wasmtime.Func) for index in range(table.size(store))]
    content = bytes(memory.read(store, 0, memory.data_len(store)))
    return Outcome(ending, results, tuple(calls), _digest(content), tuple(values), tuple(elements))


def _stock_imports(store: wasmtime.Store, module: wasmtime.Module, calls: list[Any]) -> list[Any]:
    counts: Counter[str] = Counter()

    def host(name: str, type: wasmtime.FuncType) -> Callable[..., Any]:
        kinds = [_kind(each) for each in type.results]
        params = [_kind(each) for each in type.params]

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
    return _show(value)


_FIELDS = {0: ("i32", 32), 1: ("i64", 64), 2: ("i32", 32), 3: ("i64", 64)}


def _from_raw(raw: Any) -> Value:
    """A float is read through the integer that shares its place."""
    kind = int(raw.kind)
    if kind in _FIELDS:
        field, bits = _FIELDS[kind]
        return getattr(raw.of, field) & ((1 << bits) - 1)
    return None


def _call_raw(store: wasmtime.Store, function: wasmtime.Func, arguments: Sequence[Value]) -> tuple[Value, ...]:
    type = function.type(store)
    params, results = type.params, type.results
    raw_params = (ffi.wasmtime_val_t * len(params))()
    for position, (param, argument) in enumerate(zip(params, arguments, strict=True)):
        python = _to_python(argument, _kind(param))
        raw_params[position] = wasmtime.Val._convert_to_raw(store, param, python)
    raw_results = (ffi.wasmtime_val_t * len(results))()
    trap = ctypes.POINTER(ffi.wasm_trap_t)()
    error = ffi.wasmtime_func_call(
        store._context(),
        ctypes.byref(function._func),
        raw_params,
        len(params),
        raw_results,
        len(results),
        ctypes.byref(trap),
    )
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
    if trap:
        raise wasmtime.Trap._from_ptr(trap)
    shown: list[Value] = []
    for raw in raw_results:
        is_number = int(raw.kind) in _FIELDS
        shown.append(_from_raw(raw) if is_number else _show(wasmtime.Val._from_raw(store, raw).value))
    return tuple(shown)
