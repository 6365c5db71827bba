"""A compiled module that looks like the original and runs as the rewritten one."""

from __future__ import annotations

from functools import cached_property
from os import PathLike

import msgspec
import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.pipeline import Instrumented, instrument
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.mirrors.code import ModuleCode
from wasmscope.wasm import module as wasm
from wasmscope.wasm.decode.module import HEADER
from wasmscope.wasm.sections import SectionId

_MAGIC = b"\0wasmscope\x01"
"""Begins what `Module.serialize` gives; wasmtime's own begins as an ELF file."""


class _Serialized(msgspec.Struct, array_like=True, frozen=True):
    bytecode: bytes
    frame_table: bytes
    artifact: bytes


class Module(wasmtime.Module):
    """wasmtime's `Module`, rewritten on the way to the compiler unless the engine has `guest_debug` off."""

    _instrumented: Instrumented | None = None
    _bytecode: bytes | None
    _engine: wasmtime.Engine

    def __init__(self, engine: wasmtime.Engine, wasm: str | bytes) -> None:
        if not isinstance(engine, wasmtime.Engine):
            raise TypeError("expected an Engine")
        bytecode = to_binary(wasm)
        self._bytecode = bytecode
        self._engine = engine
        if not isinstance(engine, Engine) or not engine.guest_debug:
            super().__init__(engine, bytearray(bytecode))  # type: ignore[arg-type]  # it takes one
            return
        try:
            wasmtime.Module.validate(engine.plain, bytecode)
        except wasmtime.WasmtimeError:
            # Fails as it does without us, message and all; text in a bytearray is none to wasmtime-py.
            wasmtime.Module(engine.plain, bytearray(bytecode))  # type: ignore[arg-type]  # it takes one
            raise
        self._instrumented = instrument(bytecode, counts_fuel=engine.consume_fuel)
        try:
            super().__init__(engine, self._instrumented.bytecode)
        except wasmtime.WasmtimeError as error:
            raise WasmscopeError(
                "the guest is valid, but made debuggable it exceeds what the engine takes: it is close to the engine's "
                "limits (locals or length of a function, number of memories or tables). Run it with guest_debug off.\n"
                f"What the engine says of the rewritten guest: {error}"
            ) from error

    @property
    def bytecode(self) -> bytes:
        """The original binary. Raises `WasmscopeError` where only compiled code is there (`deserialize`)."""
        if self._bytecode is None:
            raise WasmscopeError("this module was deserialised from compiled code, which does not hold the original")
        return self._bytecode

    @property
    def engine(self) -> wasmtime.Engine:
        """The engine it was made for."""
        return self._engine

    @property
    def instrumented(self) -> Instrumented | None:
        """The rewritten module and its frame table; None with `guest_debug` off."""
        return self._instrumented

    @property
    def frame_table(self) -> FrameTable:
        """What turns shadow frames of this module into values."""
        assert self._instrumented is not None
        return self._instrumented.frame_table

    @cached_property
    def mirror_code(self) -> ModuleCode:
        """The code by which its functions are stopped in."""
        return ModuleCode(self._engine, self.frame_table)

    @property
    def original(self) -> wasm.Module:
        """The original module, decoded."""
        return self.frame_table.module

    @property
    def imports(self) -> list[wasmtime.ImportType]:
        """As wasmtime's: the original's."""
        imports = super().imports
        return imports[: len(self.original.imports)] if self._instrumented is not None else imports

    @property
    def exports(self) -> list[wasmtime.ExportType]:
        """As wasmtime's: the original's."""
        exports = super().exports
        return exports[: len(self.original.exports)] if self._instrumented is not None else exports

    @classmethod
    def from_file(cls, engine: wasmtime.Engine, path: str | bytes | PathLike[str]) -> Module:
        """As wasmtime's."""
        with open(path, "rb") as file:
            return cls(engine, file.read())

    def serialize(self) -> bytearray:
        """As wasmtime's; with `guest_debug` on the original and the frame table are in it."""
        artifact = super().serialize()
        if self._instrumented is None:
            return artifact
        stored = _Serialized(self.bytecode, self.frame_table.serialize(), bytes(artifact))
        return bytearray(_MAGIC + msgspec.msgpack.encode(stored))

    @classmethod
    def deserialize(cls, engine: wasmtime.Engine, encoded: bytes | bytearray) -> Module:
        """As wasmtime's.

        Raises `WasmtimeError` for what another version, or an engine without debugging, wrote; where only one of the
        two engines counts fuel; and for a module that uses what this engine's settings do not allow.
        """
        if not isinstance(encoded, bytes | bytearray):
            raise TypeError("expected bytes")
        if not isinstance(engine, Engine) or not engine.guest_debug:
            return cls._plain(super().deserialize(engine, encoded), engine)
        if not encoded.startswith(_MAGIC):
            wasmtime.Module.deserialize(engine.plain, encoded)  # says what is wrong with it
            raise wasmtime.WasmtimeError("the module was serialized with guest_debug off")
        try:
            stored = msgspec.msgpack.decode(bytes(encoded[len(_MAGIC) :]), type=_Serialized)
        except msgspec.MsgspecError as error:
            raise wasmtime.WasmtimeError(f"not a serialized module: {error}") from error
        try:
            table = FrameTable.deserialize(stored.frame_table, stored.bytecode)
        except WasmscopeError as error:
            raise wasmtime.WasmtimeError(str(error)) from error
        _check_settings(engine, stored.bytecode, table)
        module = super().deserialize(engine, stored.artifact)
        assert isinstance(module, Module)
        module._bytecode = stored.bytecode
        module._engine = engine
        module._instrumented = Instrumented(b"", table)
        return module

    @classmethod
    def deserialize_file(cls, engine: wasmtime.Engine, path: str) -> Module:
        """As wasmtime's."""
        if not isinstance(engine, Engine) or not engine.guest_debug:
            return cls._plain(super().deserialize_file(engine, path), engine)
        try:
            with open(path, "rb") as file:
                encoded = file.read()
        except OSError:
            encoded = b""
        if not encoded.startswith(_MAGIC):
            wasmtime.Module.deserialize_file(engine.plain, path)  # says what is wrong with it
        return cls.deserialize(engine, encoded)

    @staticmethod
    def _plain(module: wasmtime.Module, engine: wasmtime.Engine) -> Module:
        """A module of compiled code only."""
        assert isinstance(module, Module)
        module._bytecode = None
        module._engine = engine
        return module

    @classmethod
    def validate(cls, engine: wasmtime.Engine, wasm: bytes | bytearray) -> None:
        """As wasmtime's: by the features that the original may use."""
        wasmtime.Module.validate(engine.plain if isinstance(engine, Engine) else engine, wasm)

    def imports_only(self) -> wasmtime.Module:
        """A module that imports what the original imports, and has nothing else."""
        sections = [section for section in self.original.sections if section.id in (SectionId.TYPE, SectionId.IMPORT)]
        parts = [self.bytecode[section.start : section.end] for section in sections]
        return wasmtime.Module(self._engine, b"".join([HEADER, *parts]))

    @cached_property
    def uses_tail_calls(self) -> bool:
        """Whether a function of it may hand its place on the stack to another."""
        return any(token[0] in (0x12, 0x13, 0x15) for token in self.frame_table.plan.instructions)

    @cached_property
    def leaves_functions(self) -> bool:
        """Whether an instance that traps while its segments are written may have put functions into others' tables."""
        imported = self.original.num_imported_tables
        return any(element.table is not None and element.table < imported for element in self._active_elements)

    @cached_property
    def leaves_functions_when_refused(self) -> bool:
        """The same for one that ends otherwise: nothing is written before that, unless objects exhaust the heap."""
        return self.leaves_functions and any(element.expressions is not None for element in self._active_elements)

    @property
    def _active_elements(self) -> list[wasm.Element]:
        return [element for element in self.original.elements if element.mode == "active"]


def _check_settings(engine: Engine, bytecode: bytes, table: FrameTable) -> None:
    """Raise `WasmtimeError` where a serialized module was made by other settings than the engine's.

    Of the rewritten module the engine cannot tell (Wasmtime `engine/serialization.rs`, `check_compatible`): it counts
    fuel by itself, and may use more than the original.
    """
    if table.counts_fuel and not engine.consume_fuel:
        raise wasmtime.WasmtimeError("Module was compiled with fuel support but it is not enabled for the host")
    if engine.consume_fuel and not table.counts_fuel:
        raise wasmtime.WasmtimeError("Module was compiled without fuel support but it is enabled for the host")
    try:
        wasmtime.Module.validate(engine.plain, bytecode)
    except wasmtime.WasmtimeError as error:
        raise wasmtime.WasmtimeError(
            f"the module was compiled with support for what this host has not: {error}"
        ) from error


def to_binary(wasm: str | bytes | bytearray) -> bytes:
    """The binary format of what may be text: as wasmtime-py decides it, by the first byte not being 0."""
    if isinstance(wasm, str | bytes) and len(wasm) > 0 and wasm[0] not in (0, "\0"):
        wasm = bytes(wasmtime.wat2wasm(wasm))
    if not isinstance(wasm, bytes | bytearray):
        raise TypeError("expected wasm bytes")
    return bytes(wasm)
