"""Where a guest's imports come from: WASI preview 1, preloaded modules, stand-ins; and what is left over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import wasmtime

from wasmscope.cli.describe import describe_import
from wasmscope.cli.failure import Failure
from wasmscope.cli.switches import Switches
from wasmscope.runtime.linker import Linker
from wasmscope.runtime.module import Module
from wasmscope.runtime.store import Store
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import FuncImport, Import
from wasmscope.wasm.module import Module as Decoded

WASI = "wasi_snapshot_preview1"

_GLUE = {
    "wasi_unstable": f"this is the preview 0 of WASI; rebuild for preview 1 ({WASI})",
    "wbg": "made by wasm-bindgen for JavaScript; it needs that glue code",
    "__wbindgen_placeholder__": "a wasm-bindgen module that was not finished; run wasm-bindgen on it",
    "gojs": "made by Go for JavaScript; build with GOOS=wasip1 GOARCH=wasm",
    "go": "made by Go for JavaScript; build with GOOS=wasip1 GOARCH=wasm",
    "a": "looks like Emscripten's output for JavaScript; build with -sSTANDALONE_WASM",
}
"""Modules of imports by which a toolchain is known -> what to do."""


class UnknownImportCalled(Exception):
    """The guest called an import that nothing provides (`-W unknown-imports-trap`)."""


def provide_imports(linker: Linker, store: Store, module: Module, decoded: Decoded, path: str, how: Switches) -> None:
    """See that everything the module imports is there. Raises `Failure` naming all that is not."""
    unknown: list[Import] = []
    for position, item in enumerate(decoded.imports):
        if _is_defined(linker, store, item.module, item.name):
            continue
        import_type = module.imports[position].type if isinstance(item.desc, FuncImport) else None
        if isinstance(import_type, wasmtime.FuncType) and how.unknown_imports_trap:
            linker.define_func(item.module, item.name, import_type, _trapping(item))
        elif isinstance(import_type, wasmtime.FuncType) and how.unknown_imports_default:
            linker.define_func(item.module, item.name, import_type, _returning_defaults(import_type))
        else:
            unknown.append(item)
    if unknown:
        raise _unknown_imports(unknown, decoded, path)


def _is_defined(linker: Linker, store: Store, module: str, name: str) -> bool:
    try:
        linker.get(store, module, name)
    except wasmtime.WasmtimeError:
        return False
    return True


def _trapping(item: Import) -> Callable[..., NoReturn]:
    def stand_in(*_: object) -> NoReturn:
        raise UnknownImportCalled(f"the guest called {_name(item)}, which nothing provides")

    return stand_in


def _returning_defaults(function_type: wasmtime.FuncType) -> Callable[..., object]:
    defaults: dict[str, object] = {"i32": 0, "i64": 0, "f32": 0.0, "f64": 0.0, "v128": bytes(16)}
    results = [defaults.get(str(result)) for result in function_type.results]

    def stand_in(*_: object) -> object:
        if not results:
            return None
        return results[0] if len(results) == 1 else results

    return stand_in


def _unknown_imports(unknown: Sequence[Import], decoded: Decoded, path: str) -> Failure:
    lines = [f"{_name(item)}: {describe_import(item, decoded)}" for item in unknown]
    message = f"{escaped(path)} imports what nothing here provides:\n" + "\n".join(lines)
    modules = dict.fromkeys(item.module for item in unknown)
    hints = [f"{name}: {_GLUE[name]}" for name in modules if name in _GLUE]
    if WASI in modules:
        hints.append(f"{WASI} is provided, but has no function of that name")
    hints.append("--preload NAME=FILE provides a module's exports under NAME")
    if any(isinstance(item.desc, FuncImport) for item in unknown):
        hints.append("-W unknown-imports-trap lets the guest run until it calls one of these functions")
    return Failure(message, "\n".join(hints))


def _name(item: Import) -> str:
    return f"{escaped(item.module)}::{escaped(item.name)}"
