"""A guest's file, as bytes and as a module; what is wrong with it is said to the user."""

from __future__ import annotations

from pathlib import Path

import wasmtime

from wasmscope.cli.failure import Failure
from wasmscope.errors import UnsupportedFeature, WasmscopeError
from wasmscope.report.escape import escaped, escaped_lines
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.module import Module, to_binary
from wasmscope.wasm import module as wasm
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.opcodes import Feature

_COMPONENT = b"\0asm\x0d\0\x01\0"
_COMPONENT_HINT = (
    "only core modules are supported; `wasm-tools component unbundle` gives those a component is made of, "
    "and toolchains make them for the target wasm32-wasip1"
)
_HINTS = {
    Feature.COMPONENT_MODEL.value: _COMPONENT_HINT,
    Feature.LEGACY_EXCEPTIONS.value: "Binaryen's `wasm-opt --translate-to-exnref` turns these into standard exceptions",
}


def read_guest(path: str) -> bytes:
    """The binary in the file at `path`, which may also be in the text format. Raises `Failure`."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {escaped(path)}: {error.strerror}") from None
    if not content:
        raise Failure(f"{escaped(path)} is empty", "expected a WebAssembly module, binary or text")
    if content.startswith(_COMPONENT):
        raise Failure(f"{escaped(path)} is a component", _COMPONENT_HINT)
    try:
        return to_binary(content)
    except wasmtime.WasmtimeError as error:
        message = f"{escaped(path)} is neither a binary module nor one in the text format: {_words(error)}"
        raise Failure(message) from None


def compile_guest(engine: Engine, bytecode: bytes, path: str) -> Module:
    """The guest, compiled. Raises `Failure`."""
    try:
        return Module(engine, bytecode)
    except UnsupportedFeature as error:
        hint = _HINTS.get(error.proposal, "with --no-debug it runs if the engine knows the proposal")
        raise Failure(f"{escaped(path)} cannot be debugged: {_words(error)}", hint) from None
    except (wasmtime.WasmtimeError, WasmscopeError) as error:
        hint = _HINTS[Feature.LEGACY_EXCEPTIONS.value] if "legacy_exceptions" in str(error) else ""
        raise Failure(f"{escaped(path)} is not a valid module: {_words(error)}", hint) from None


def decode_guest(bytecode: bytes, path: str) -> wasm.Module:
    """The guest, decoded only. Raises `Failure`."""
    try:
        return decode_module(bytecode)
    except UnsupportedFeature as error:
        raise Failure(f"{escaped(path)} cannot be read: {error}", _HINTS.get(error.proposal, "")) from None
    except WasmscopeError as error:
        raise Failure(f"{escaped(path)} is not a module: {error}") from None


def _words(error: Exception) -> str:
    return escaped_lines(str(error)).strip()
