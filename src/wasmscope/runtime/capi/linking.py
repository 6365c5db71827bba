"""Linkers that stay as they were."""

from __future__ import annotations

import wasmtime
from wasmtime import _ffi as ffi


def clone_linker(linker: wasmtime.Linker) -> wasmtime.Linker:
    """A linker of wasmtime's own with the definitions that `linker` has now."""
    clone = wasmtime.Linker.__new__(wasmtime.Linker)
    clone._set_ptr(ffi.wasmtime_linker_clone(linker.ptr()))
    clone.engine = linker.engine
    return clone
