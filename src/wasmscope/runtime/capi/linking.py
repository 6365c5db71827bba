"""Linkers: definitions of every kind, and copies that stay as they were."""

from __future__ import annotations

import ctypes
from ctypes import byref

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._exportable import AsExtern
from wasmtime._store import Storelike

from wasmscope.runtime.capi.entities import extern_of
from wasmscope.runtime.capi.values import check


def define(linker: wasmtime.Linker, store: Storelike, module: str, name: str, item: AsExtern) -> None:
    """Define an entity of any kind in a linker; wasmtime-py fails to make an import of a shared memory."""
    raw, module_bytes, name_bytes = extern_of(item), module.encode(), name.encode()
    error = ffi.wasmtime_linker_define(
        linker.ptr(),
        store._context(),
        ctypes.create_string_buffer(module_bytes),
        len(module_bytes),
        ctypes.create_string_buffer(name_bytes),
        len(name_bytes),
        byref(raw),
    )
    check(error)


def clone_linker(linker: wasmtime.Linker) -> wasmtime.Linker:
    """A linker of wasmtime's own with the definitions that `linker` has now."""
    clone = wasmtime.Linker.__new__(wasmtime.Linker)
    clone._set_ptr(ffi.wasmtime_linker_clone(linker.ptr()))
    clone.engine = linker.engine
    return clone
