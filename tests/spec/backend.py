"""What the suite runs on: the plain `wasmtime` package, or wasmscope through the same public names."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import wasmtime

from support import tiers
from wasmscope.errors import WasmscopeError
from wasmscope.runtime import capi
from wasmscope.runtime.capi import Failed, Failure, Outcome, Raised, Returned, Trapped
from wasmscope.runtime.val import Kind, Val


class Backend(Protocol):
    """The few things in which the two differ; everything else goes through `api`."""

    name: str
    api: Any
    exact_f32: bool  # whether a result keeps the payload of a signalling NaN

    def instantiate(self, store: Any, module: Any, imports: Sequence[Any]) -> Any | Failure:
        """Make an instance, which runs its start function."""
        ...

    def invoke(self, store: Any, func: Any, args: Sequence[Val]) -> Outcome:
        """Call a function."""
        ...


#: what a module that is not valid is refused with
REJECTIONS = (wasmtime.WasmtimeError, WasmscopeError)


class Plain:
    """The stock engine; through the C API, because wasmtime-py knows six types only."""

    name = "plain"
    api: Any = wasmtime
    exact_f32 = True

    def instantiate(self, store: Any, module: Any, imports: Sequence[Any]) -> Any | Failure:
        return capi.instantiate(store, module, imports)

    def invoke(self, store: Any, func: Any, args: Sequence[Val]) -> Outcome:
        return capi.call_func(store, func, capi.signature(func.type(store)), args)


class Wasmscope:
    """wasmscope, used as its users do."""

    name: str = "wasmscope"
    exact_f32 = False

    def __init__(self, api: ModuleType | SimpleNamespace) -> None:
        self.api: Any = api

    def instantiate(self, store: Any, module: Any, imports: Sequence[Any]) -> Any | Failure:
        return _outcome_of(lambda: self.api.Instance(store, module, imports))

    def invoke(self, store: Any, func: Any, args: Sequence[Val]) -> Outcome:
        kinds = capi.signature(func.type(store)).results
        returned = _outcome_of(lambda: func(store, *args))
        if isinstance(returned, Trapped | Failed | Raised):
            return returned
        values = returned if len(kinds) > 1 else [returned] * len(kinds)
        return Returned(tuple(_typed(kind, value) for kind, value in zip(kinds, values, strict=True)))


def _outcome_of(call: Any) -> Any | Failure:
    try:
        return call()
    except wasmtime.Trap as trap:
        return Trapped(trap, thrown=trap.trap_code is None)
    except wasmtime.WasmtimeError as error:
        return Failed(error)


def _typed(kind: Kind, value: Any) -> Val:
    match kind:
        case Kind.F32:
            return Val.f32(value)
        case Kind.F64:
            return Val.f64(value)
        case _:
            return Val(kind, value)


def wasmscope_backend() -> Wasmscope | None:
    """The wasmscope backend, where the package has its engine layer."""
    if importlib.util.find_spec("wasmscope") is None:
        return None
    import wasmscope

    return Wasmscope(wasmscope) if hasattr(wasmscope, "Engine") else None


def in_tier(choice: tiers.Choice) -> Wasmscope:
    """wasmscope with guests in a tier, whatever the environment says."""
    import wasmscope

    def store(engine: Any) -> Any:
        return tiers.prepared(wasmscope.Store(engine), choice)

    backend = Wasmscope(SimpleNamespace(**{**vars(wasmscope), "Store": store}))
    backend.name = str(choice)
    return backend


#: every proposal that the engine implements; stack switching is none of the suite's
FEATURES = (
    "tail_call", "reference_types", "simd", "bulk_memory", "multi_value", "multi_memory", "memory64", "threads",
    "relaxed_simd", "exceptions", "function_references", "gc", "wide_arithmetic", "custom_page_sizes",
)  # fmt: skip


def spec_config(api: Any) -> Any:
    """Configure an engine for the suite."""
    config = api.Config()
    for feature in FEATURES:
        setattr(config, f"wasm_{feature}", True)
    config.shared_memory = True
    config.cranelift_opt_level = "none"  # thousands of small modules, each run for an instant
    return config
