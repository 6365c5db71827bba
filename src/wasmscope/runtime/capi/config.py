"""Settings that wasmtime-py has no word for."""

from __future__ import annotations

import wasmtime
from wasmtime import _ffi as ffi


def enable_branch_hinting(config: wasmtime.Config) -> None:
    """Have the compiler heed the branch hints of a module (wasmtime `Config::wasm_branch_hinting`)."""
    ffi.wasmtime_config_wasm_branch_hinting_set(config.ptr(), True)
