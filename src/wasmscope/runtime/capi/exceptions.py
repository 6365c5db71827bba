"""Traps and exceptions, as the guest's own code makes them."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._ffi import wasmtime_val_t
from wasmtime._store import Storelike

from wasmscope.runtime.capi.types import signature
from wasmscope.runtime.capi.values import check, store_id, unroot, value_from_raw, value_to_raw
from wasmscope.runtime.val import ExnRef, Kind


def new_trap(code: wasmtime.TrapCode) -> wasmtime.Trap:
    """Make a trap with a code, as the guest's own have; wasmtime-py makes them with a message only."""
    return wasmtime.Trap._from_ptr(ffi.wasmtime_trap_new_code(code.value))


def new_exception(store: Storelike, tag: wasmtime.Tag, fields: Sequence[Any]) -> ExnRef:
    """Make an exception; errors are those of `ExnRef`."""
    if tag._tag._anon_1.store_id != store_id(store):  # a struct that has no name in the header
        raise ValueError("the tag belongs to another store")
    kinds = signature(tag.type(store).functype).params
    if len(fields) != len(kinds):
        raise wasmtime.WasmtimeError(f"the tag takes {len(kinds)} values, not {len(fields)}")
    raw_fields = (wasmtime_val_t * len(kinds))()
    raw = wasmtime_val_t(kind=Kind.EXNREF)
    try:
        for i, kind in enumerate(kinds):
            raw_fields[i] = value_to_raw(store, kind, fields[i])
        check(ffi.wasmtime_exnref_new(store._context(), byref(tag._tag), raw_fields, len(kinds), byref(raw.of.exnref)))
    finally:
        for raw_field in raw_fields:
            unroot(raw_field)
    exception: ExnRef = value_from_raw(store, raw, owned=True).value
    return exception


def has_exception(store: Storelike) -> bool:
    """Tell whether an exception is pending: thrown by the guest and caught by nothing."""
    return ffi.wasmtime_context_has_exception(store._context())


def take_exception(store: Storelike) -> ExnRef | None:
    """Take the pending exception off the store.

    The C API does so without a scope for its own reference, so the exception stays alive until the outermost call into
    the store is over, or the store itself where there is none: for where it is shown, not for every call.
    """
    raw = wasmtime_val_t(kind=Kind.EXNREF)
    if not ffi.wasmtime_context_take_exception(store._context(), byref(raw.of.exnref)):
        return None
    exception: ExnRef = value_from_raw(store, raw, owned=True).value
    return exception


def set_exception(store: Storelike, exception: ExnRef) -> None:
    """Make an exception the pending one, as `take_exception` found it."""
    raw = value_to_raw(store, Kind.EXNREF, exception)
    # The trap that comes with it is for host functions that throw.
    wasmtime.Trap._from_ptr(ffi.wasmtime_context_set_exception(store._context(), byref(raw.of.exnref)))
    unroot(raw)
