"""Settings that wasmtime-py has no word for."""

from __future__ import annotations

import wasmtime
from wasmtime import _ffi as ffi


def enable_branch_hinting(config: wasmtime.Config) -> None:
    """Have the compiler heed the branch hints of a module (wasmtime `Config::wasm_branch_hinting`)."""
    ffi.wasmtime_config_wasm_branch_hinting_set(config.ptr(), True)


def set_max_wasm_stack(config: wasmtime.Config, size: int) -> None:
    """Set `max_wasm_stack` in bytes, also beyond the size of an asynchronous stack, which bounds it."""
    ffi.wasmtime_config_async_stack_size_set(config.ptr(), max(2 << 20, size + (1 << 16)))
    ffi.wasmtime_config_max_wasm_stack_set(config.ptr(), size)
