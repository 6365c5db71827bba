"""The `spectest` module that the suite imports from, as in the reference interpreter's `host/spectest.ml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ENTITIES = """
(module
  (global (export "global_i32") i32 (i32.const 666))
  (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6))
  (global (export "global_f64") f64 (f64.const 666.6))
  (table (export "table") 10 20 funcref)
  (table (export "table64") i64 10 20 funcref)
  (memory (export "memory") 1 2)
  (memory (export "shared_memory") 1 2 shared))
"""

_FUNCTIONS = {
    "print": (),
    "print_i32": ("i32",),
    "print_i64": ("i64",),
    "print_f32": ("f32",),
    "print_f64": ("f64",),
    "print_i32_f32": ("i32", "f32"),
    "print_f64_f64": ("f64", "f64"),
}


def spectest(api: Any, store: Any, on_host_call: Callable[[Any], None]) -> dict[str, Any]:
    """Make the module's exports in a store; every call of a function is reported, and prints nothing."""
    module = api.Module(store.engine, _ENTITIES)
    exports: dict[str, Any] = dict(api.Instance(store, module, []).exports(store))

    def called(caller: Any, *_: Any) -> None:
        on_host_call(caller)

    for name, params in _FUNCTIONS.items():
        functype = api.FuncType([getattr(api.ValType, param)() for param in params], [])
        exports[name] = api.Func(store, functype, called, access_caller=True)
    return exports
