"""Globals, tables and memories of every type."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._exportable import AsExtern
from wasmtime._extern import get_extern_ptr, wrap_extern
from wasmtime._ffi import wasmtime_val_t
from wasmtime._store import Storelike

from wasmscope.runtime.capi.types import kind_of
from wasmscope.runtime.capi.values import check, unroot, value_from_raw, value_to_raw
from wasmscope.runtime.val import Kind, Val


def global_get(store: Storelike, global_: wasmtime.Global) -> Val:
    """Read a global of any type."""
    raw = wasmtime_val_t()
    ffi.wasmtime_global_get(store._context(), byref(global_._global), byref(raw))
    return value_from_raw(store, raw, owned=True)


def global_set(store: Storelike, global_: wasmtime.Global, value: Any) -> None:
    """Set a global of any type; WasmtimeError where it is immutable or the value does not fit."""
    ty = global_.type(store)  # owns what its content is part of
    kind = kind_of(ffi.wasm_globaltype_content(ty.ptr()))
    raw = value_to_raw(store, kind, value)
    error = ffi.wasmtime_global_set(store._context(), byref(global_._global), byref(raw))
    unroot(raw)
    check(error)


def table_get(store: Storelike, table: wasmtime.Table, index: int) -> Val | None:
    """Read an element of a table of any type; None where there is none."""
    raw = wasmtime_val_t()
    if not ffi.wasmtime_table_get(store._context(), byref(table._table), index, byref(raw)):
        return None
    return value_from_raw(store, raw, owned=True)


def table_set(store: Storelike, table: wasmtime.Table, index: int, value: Any) -> None:
    """Set an element of a table of any type; WasmtimeError out of bounds or where the value does not fit."""
    raw = value_to_raw(store, table_kind(store, table), value)
    error = ffi.wasmtime_table_set(store._context(), byref(table._table), index, byref(raw))
    unroot(raw)
    check(error)


def table_grow(store: Storelike, table: wasmtime.Table, delta: int, value: Any) -> int:
    """Add elements to a table of any type; returns the size before. WasmtimeError where it cannot be."""
    raw, previous = value_to_raw(store, table_kind(store, table), value), ctypes.c_uint64()
    error = ffi.wasmtime_table_grow(store._context(), byref(table._table), delta, byref(raw), byref(previous))
    unroot(raw)
    check(error)
    return previous.value


def table_kind(store: Storelike, table: wasmtime.Table) -> Kind:
    """Return the kind of a table's elements."""
    ty = table.type(store)  # owns what its element is part of
    return kind_of(ffi.wasm_tabletype_element(ty.ptr()))


def memory_data(store: Storelike, memory: wasmtime.Memory) -> tuple[int, int]:
    """Return the address and the size in bytes of a memory; valid until it grows or the store is closed."""
    context = store._context()
    data = ffi.wasmtime_memory_data(context, byref(memory._memory))
    return ctypes.cast(data, ctypes.c_void_p).value or 0, ffi.wasmtime_memory_data_size(context, byref(memory._memory))


def memory_bytes(store: Storelike, memory: wasmtime.Memory | wasmtime.SharedMemory) -> memoryview:
    """Return the bytes of a memory, shared or not; good until it grows or the store is closed."""
    if isinstance(memory, wasmtime.SharedMemory):
        address, size = ctypes.cast(memory.data_ptr(), ctypes.c_void_p).value or 0, memory.data_len()
    else:
        address, size = memory_data(store, memory)
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B") if size else memoryview(b"")


def identity(item: wasmtime.Memory | wasmtime.SharedMemory | wasmtime.Table | wasmtime.Global) -> tuple[int, ...]:
    """What two objects have in common that stand for one memory, table or global; without a shared memory's, the
    first number is that of their store. The structures have padding, which says nothing.
    """
    if isinstance(item, wasmtime.SharedMemory):
        return (-1, ctypes.cast(item.data_ptr(), ctypes.c_void_p).value or 0)
    if isinstance(item, wasmtime.Memory):
        raw: Any = item._memory
    else:
        raw = item._table if isinstance(item, wasmtime.Table) else item._global
    return tuple(_numbers(raw))


def _numbers(raw: Any) -> Iterator[int]:
    for name, _ in raw._fields_:
        member = getattr(raw, name)
        if isinstance(member, ctypes.Structure):
            yield from _numbers(member)
        else:
            yield member


def is_same_function(first: wasmtime.Func, second: wasmtime.Func) -> bool:
    """Whether two objects stand for one function."""
    return bytes(first._func) == bytes(second._func)


def extern_of(item: AsExtern) -> ffi.wasmtime_extern_t:
    """Return an entity as an import; `item` stays its owner."""
    if isinstance(item, wasmtime.SharedMemory):
        # `SharedMemory._as_extern` takes the address of the pointer, which ctypes refuses.
        return ffi.wasmtime_extern_t(
            ffi.WASMTIME_EXTERN_SHAREDMEMORY, ffi.wasmtime_extern_union(sharedmemory=item.ptr())
        )
    return get_extern_ptr(item)


def context_address(store: Storelike) -> int:
    """Where the store's context is: the same for the store and for every caller in it."""
    # Not as a `Caller` of ours gives it, which looks who asks: this is done at every call of a host function.
    context = wasmtime.Caller._context(store) if isinstance(store, wasmtime.Caller) else store._context()
    return ctypes.cast(context, ctypes.c_void_p).value or 0


def export_named(store: Storelike, instance: wasmtime.Instance, name: str) -> AsExtern:
    """The export with this name, which there is. By name, because the engine walks them all to count to a position."""
    encoded, item = name.encode(), ffi.wasmtime_extern_t()
    found = ffi.wasmtime_instance_export_get(
        store._context(),
        byref(instance._instance),
        ctypes.create_string_buffer(encoded),
        len(encoded),
        byref(item),
    )
    assert found
    return wrap_extern(item)


def function_named(store: Storelike, instance: wasmtime.Instance, name: str) -> wasmtime.Func:
    """The exported function with this name, which there is."""
    function = export_named(store, instance, name)
    assert isinstance(function, wasmtime.Func)
    return function
