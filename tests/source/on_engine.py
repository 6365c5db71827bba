"""The programs of tests/source/programs paused at a line, and their variables as plain Python values."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

import wasmscope as wasmtime
from source.programs import FOLDER, info_of
from wasmscope import Debuggee, FrameHandle, Val
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.locations import (
    FrameValues,
    ImplicitPointer,
    InMemory,
    InWasm,
    Known,
    Located,
    Pieces,
    WasmNumber,
    WasmSpace,
)
from wasmscope.source.model import Variable
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    BrokenType,
    Encoding,
    EnumType,
    FunctionType,
    Member,
    MemberPointerType,
    PointerType,
    QualifiedType,
    StructType,
    Type,
    TypedefType,
    UnspecifiedType,
    WasmType,
    size_of,
    stripped,
)


@dataclass(frozen=True, slots=True)
class EngineValues:
    """`FrameValues` of a paused frame."""

    store: wasmtime.Store
    frame: FrameHandle

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        if space is WasmSpace.GLOBAL:
            found = self.frame.instance().debug_global(self.store, index)
            if found is None:
                return Unavailable(f"there is no global {index}")
            return WasmNumber(found.value(self.store) & 0xFFFFFFFF, 4)
        read = self.frame.local if space is WasmSpace.LOCAL else self.frame.stack
        try:
            value = read(index)
        except IndexError:
            return Unavailable(f"there is no {space} {index}")
        return value if isinstance(value, Unavailable) else _number(value)

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        return Unavailable("not kept")

    def read(self, address: int, size: int) -> bytes | Unavailable:
        memory = self.frame.instance().debug_memory(self.store, 0)
        if memory is None or address + size > memory.data_len(self.store):
            return Unavailable(f"there is no memory at {address:#x}")
        return bytes(memory.read(self.store, address, address + size))


def _number(value: Val) -> WasmNumber | Unavailable:
    match str(value.type):
        case "i32" | "f32" as name:
            return WasmNumber(value.bits if name == "f32" else value.value & 0xFFFFFFFF, 4, name == "f32")
        case "i64" | "f64" as name:
            return WasmNumber(value.bits if name == "f64" else value.value & (1 << 64) - 1, 8, name == "f64")
    return Unavailable("no number")


@dataclass(frozen=True, slots=True)
class Paused:
    """A program that stands at a breakpoint."""

    info: DwarfInfo
    values: EngineValues
    pc: int

    def variable(self, name: str, depth: int = 0) -> Variable:
        return next(each for each in self.info.variables_at(self.pc, depth) if each.name == name)

    def value(self, name: str, depth: int = 0) -> object:
        """A variable of the frame, or a static one."""
        found = [each for each in self.info.variables_at(self.pc, depth) if each.name == name]
        return self.of(found[0] if found else self.info.statics_named(name)[0])

    def of(self, variable: Variable) -> object:
        located = variable.locator.locate(self.pc, self.values)
        assert variable.type is not None
        return python_value(variable.type.get(), located, self.values)


@contextmanager
def paused(name: str, line: int, hits: int = 1, argument: int = 4) -> Iterator[Paused]:
    """`run(argument)` of a program, stopped when the line is come to for the `hits`-th time."""
    info = info_of(name)
    places = info.places(".".join([name.partition("_")[0], "cpp" if name.startswith("classes") else "c"]), line).places
    assert places, f"line {line} has no code"
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = wasmtime.Linker(engine)
    linker.define_func("env", "emit", wasmtime.FuncType([wasmtime.ValType.i32()], []), lambda value: None)
    module = wasmtime.Module(engine, (FOLDER / name).read_bytes())
    exports = linker.instantiate(store, module).exports(store)
    with Debuggee(store) as debuggee:
        edit = store.edit_breakpoints()
        assert edit is not None
        with edit:
            for place in places:
                edit.add_breakpoint(module, place.pc)
        debuggee.launch(exports["run"], argument)
        for _ in range(hits):
            debuggee.resume()
        frame = debuggee.frames()[0]
        at = frame.wasm_function_index_and_pc()
        assert at is not None
        yield Paused(info, EngineValues(store, frame), at[1])


def python_value(type_: Type | None, located: Located, values: FrameValues) -> object:
    """Numbers, strings for enumerators, lists, and dicts for structures; a pointer is its address."""
    size = size_of(type_) or 0
    content = content_of(located, size, values)
    return content if isinstance(content, Unavailable) else decoded(stripped(type_), content, values)


def content_of(located: Located, size: int, values: FrameValues) -> bytes | Unavailable:
    match located:
        case InMemory(address):
            return values.read(address, size)
        case InWasm(space, index):
            number = values.number(space, index)
            return number if isinstance(number, Unavailable) else number.to_bytes()[:size]
        case Known(value):
            return value[:size]
        case Pieces(pieces):
            content = b""
            for piece in pieces:
                part = content_of(piece.where, piece.size_bits // 8, values)
                if isinstance(part, Unavailable):
                    return part
                content += part
            return content
        case ImplicitPointer():
            return Unavailable("an implicit pointer")
        case Unavailable():
            return located
    assert_never(located)


def decoded(type_: Type | None, content: bytes, values: FrameValues) -> object:
    match type_:
        case BaseType(encoding=Encoding.FLOAT):
            return struct.unpack("<f" if type_.size == 4 else "<d", content)[0]
        case BaseType():
            is_signed = type_.encoding in (Encoding.SIGNED, Encoding.SIGNED_CHAR)
            number = int.from_bytes(content, "little", signed=is_signed)
            return bool(number) if type_.encoding is Encoding.BOOLEAN else number
        case EnumType():
            number = int.from_bytes(content, "little", signed=type_.is_signed)
            return next((each.name for each in type_.enumerators if each.value == number), number)
        case ArrayType():
            return _array(type_.element.get(), list(type_.counts), content, values)
        case StructType():
            found: dict[str, object] = {}
            for base in type_.bases:
                if base.offset is not None:
                    inner = base.type.get()
                    part = content[base.offset : base.offset + (size_of(inner) or 0)]
                    found[getattr(inner, "name", "")] = decoded(stripped(inner), part, values)
            return found | {each.name: _member(each, content, values) for each in type_.members}
        case PointerType() | MemberPointerType():
            return int.from_bytes(content, "little")
        case None | FunctionType() | UnspecifiedType() | WasmType() | BrokenType() | TypedefType() | QualifiedType():
            return type_
    assert_never(type_)


def _array(element: Type, counts: list[int | None], content: bytes, values: FrameValues) -> object:
    count, rest = counts[0], counts[1:]
    assert count is not None
    size = len(content) // count
    parts = [content[index * size : (index + 1) * size] for index in range(count)]
    return [_array(element, rest, part, values) if rest else decoded(stripped(element), part, values) for part in parts]


def _member(member: Member, content: bytes, values: FrameValues) -> object:
    assert member.type is not None
    type_ = stripped(member.type.get())
    if member.bit_size is not None:
        bits = int.from_bytes(content, "little") >> member.bit_offset & ((1 << member.bit_size) - 1)
        if isinstance(type_, BaseType) and type_.encoding is Encoding.SIGNED and bits >> (member.bit_size - 1):
            bits -= 1 << member.bit_size
        return bits
    return decoded(type_, content[member.offset : member.offset + (size_of(type_) or 0)], values)
