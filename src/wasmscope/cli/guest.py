"""A guest's file, as bytes and as a module; what is wrong with it is said to the user."""

from __future__ import annotations

import codecs
from typing import BinaryIO

import wasmtime

from wasmscope.cli.failure import Failure
from wasmscope.errors import DecodeError, UnsupportedFeature, WasmscopeError
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.module import Module, to_binary
from wasmscope.wasm import module as wasm
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.escape import escaped, escaped_lines
from wasmscope.wasm.opcodes import Feature

LARGEST = 1 << 30
"""Bytes of the largest file that is read: engines take no module that is as large."""

_FIRST = 4096
"""Bytes by which a file is told to be a module at all."""

_PIECE = 1 << 20

_EXPECTED = "expected a WebAssembly module, binary or text"

_MAGIC = b"\0asm"
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
        with open(path, "rb") as file:
            content = _content(file, path)
    except OSError as error:
        raise Failure(f"cannot read {escaped(path)}: {error.strerror}") from None
    try:
        bytecode = to_binary(content)
    except wasmtime.WasmtimeError as error:
        raise Failure(f"{escaped(path)}: syntax error: {_words(error).replace('<anon>', escaped(path))}") from None
    if bytecode.startswith(_COMPONENT):
        raise Failure(f"{escaped(path)} is a component", _COMPONENT_HINT)
    return bytecode


def _content(file: BinaryIO, path: str) -> bytes:
    """All of the file, which may be a device without an end. Raises `Failure` where it cannot be a module."""
    content = bytearray(file.read(_FIRST))
    if not content:
        raise Failure(f"{escaped(path)} is empty", _EXPECTED)
    if not content.startswith(_MAGIC) and not _is_text(content):
        begin = content[: len(_MAGIC)].hex(" ")
        raise Failure(f"{escaped(path)} is not a WebAssembly module (it begins with {begin})", _EXPECTED)
    while piece := file.read(_PIECE):
        content += piece
        if len(content) > LARGEST:
            raise Failure(f"{escaped(path)} is larger than {LARGEST >> 20} MiB, which no module is")
    return bytes(content)


def _is_text(begin: bytes | bytearray) -> bool:
    """Whether a file that begins so can be in the text format (Wasm spec 6.2.1): UTF-8 without control characters."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begin)  # where the last character is cut it does not matter
    except UnicodeDecodeError:
        return False
    return not any((byte < 0x20 and byte not in b"\t\n\r") or byte == 0x7F for byte in begin)


def compile_guest(engine: Engine, bytecode: bytes, path: str) -> Module:
    """The guest, compiled. Raises `Failure`."""
    try:
        return Module(engine, bytecode)
    except UnsupportedFeature as error:
        hint = _HINTS.get(error.proposal, "with --no-debug it runs if the engine knows the proposal")
        raise Failure(f"{escaped(path)} cannot be debugged: {_words(error)}", hint) from None
    except (wasmtime.WasmtimeError, DecodeError) as error:
        hint = _HINTS[Feature.LEGACY_EXCEPTIONS.value] if "legacy_exceptions" in str(error) else ""
        raise Failure(f"{escaped(path)} is not a valid module: {_words(error)}", hint) from None
    except WasmscopeError as error:
        raise _beyond_limits(engine, bytecode, path, error) from None


def _beyond_limits(engine: Engine, bytecode: bytes, path: str, error: WasmscopeError) -> Failure:
    """The guest is valid, but its rewritten form was refused; the guest itself may be, too: what it says decides."""
    try:
        wasmtime.Module(engine.plain, bytearray(bytecode))  # type: ignore[arg-type]  # it takes one
    except wasmtime.WasmtimeError as refusal:
        return Failure(f"{escaped(path)} is valid, but exceeds what the engine takes: {_words(refusal)}")
    sentence, _, _ = str(error).partition(". ")
    return Failure(f"{escaped(path)} cannot be debugged: {escaped(sentence, len(sentence))}", "--no-debug runs it")


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
