"""Companions as the engine has compiled them."""

from __future__ import annotations

from dataclasses import dataclass

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.mirror.companion import CompanionModule, Need


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled companion, and what to give it for its imports."""

    module: wasmtime.Module
    needs: tuple[Need, ...]


def compile_companion(engine: wasmtime.Engine, companion: CompanionModule) -> Compiled:
    """Compile it. Raises `WasmscopeError` where the engine does not take it."""
    try:
        return Compiled(wasmtime.Module(engine, companion.bytecode), companion.needs)
    except wasmtime.WasmtimeError as error:
        message = f"the function cannot be stopped in: the engine does not take its code ({error})"
        raise WasmscopeError(message) from error
