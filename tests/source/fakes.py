"""A guest, its names and its types, made by hand: what values and expressions are tested on without any engine."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import Fixed, InMemory, Located, WasmNumber, WasmSpace
from wasmscope.source.model import Language, Variable, VariableKind
from wasmscope.source.target import GuestFunction
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    Encoding,
    Enumerator,
    EnumType,
    Member,
    PointerKind,
    PointerType,
    StructKind,
    StructType,
    Type,
    TypeRef,
)
from wasmscope.source.values import TypedValue
from wasmscope.wasm.types import F32, F64, I32, I64, V128, FuncType, ValType

SIZES = {I32: 4, I64: 8, F32: 4, F64: 8, V128: 16}

CHAR = BaseType("char", 1, Encoding.SIGNED_CHAR)
UCHAR = BaseType("unsigned char", 1, Encoding.UNSIGNED_CHAR)
SHORT = BaseType("short", 2, Encoding.SIGNED)
USHORT = BaseType("unsigned short", 2, Encoding.UNSIGNED)
INT = BaseType("int", 4, Encoding.SIGNED)
UINT = BaseType("unsigned int", 4, Encoding.UNSIGNED)
LONG = BaseType("long long", 8, Encoding.SIGNED)
ULONG = BaseType("unsigned long long", 8, Encoding.UNSIGNED)
FLOAT = BaseType("float", 4, Encoding.FLOAT)
DOUBLE = BaseType("double", 8, Encoding.FLOAT)
QUAD = BaseType("long double", 16, Encoding.FLOAT)
BOOL = BaseType("bool", 1, Encoding.BOOLEAN)
INT128 = BaseType("__int128", 16, Encoding.SIGNED)
COLOUR = EnumType(
    "colour", "colour", 4, None, False, (Enumerator("RED", 0), Enumerator("GREEN", 1), Enumerator("BLUE", 5))
)
FLAGS = EnumType("flags", "flags", 4, None, False, tuple(Enumerator(n, 1 << i) for i, n in enumerate(("R", "W", "X"))))


def ref(type_: Type | Callable[[], Type]) -> TypeRef:
    return TypeRef(id(type_), (lambda _: type_()) if callable(type_) else (lambda _: type_))


def pointer(type_: Type | Callable[[], Type] | None, kind: PointerKind = PointerKind.POINTER) -> PointerType:
    return PointerType("", 4, None if type_ is None else ref(type_), kind)


def array(type_: Type, *counts: int | None) -> ArrayType:
    return ArrayType("", None, ref(type_), counts, (0,) * len(counts))


def struct_of(name: str, size: int, *members: Member, kind: StructKind = StructKind.STRUCT) -> StructType:
    return StructType(name, name, size, kind, members)


def member(name: str, type_: Type | Callable[[], Type], offset: int) -> Member:
    return Member(name, ref(type_), offset)


def bits(name: str, type_: Type, bit_offset: int, bit_size: int) -> Member:
    return Member(name, ref(type_), bit_offset // 8, bit_size, bit_offset)


def node_type() -> StructType:
    """A list's node, which refers to itself."""
    return struct_of("node", 8, member("value", INT, 0), member("next", pointer(node_type), 4))


NODE = node_type()
POINT = struct_of("point", 12, member("x", INT, 0), member("y", INT, 4), member("tag", CHAR, 8))


def variable(name: str, type_: Type | None, where: Located | int) -> Variable:
    located = InMemory(where) if isinstance(where, int) else where
    reference = None if type_ is None else ref(type_)
    return Variable(name, name, name, reference, VariableKind.LOCAL, False, None, Fixed(located), Language.C)


@dataclass
class FakeMachine:
    """A guest with one memory."""

    memory: bytearray = field(default_factory=lambda: bytearray(0x10000))
    numbers: dict[tuple[WasmSpace, int], tuple[ValType, int]] = field(default_factory=dict)
    functions: dict[int, tuple[str, FuncType, Callable[..., Sequence[WasmNumber] | Unavailable]]] = field(
        default_factory=dict
    )
    table: dict[int, int] = field(default_factory=dict)
    pc: int = 0x100
    reads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, bytes]] = field(default_factory=list)

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        if (space, index) not in self.numbers:
            return Unavailable(f"there is no {space} {index}")
        value_type, value = self.numbers[space, index]
        return WasmNumber(value, SIZES[value_type], value_type in (F32, F64))

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        return Unavailable("not known")

    def read(self, address: int, size: int) -> bytes | Unavailable:
        self.reads.append((address, size))
        if address < 0 or address + size > len(self.memory):
            return Unavailable(f"{address:#x} is outside of memory")
        return bytes(self.memory[address : address + size])

    def write(self, address: int, data: bytes) -> Unavailable | None:
        if address < 0 or address + len(data) > len(self.memory):
            return Unavailable(f"{address:#x} is outside of memory")
        self.writes.append((address, data))
        self.memory[address : address + len(data)] = data
        return None

    def value_type(self, space: WasmSpace, index: int) -> ValType | None:
        return self.numbers[space, index][0] if (space, index) in self.numbers else None

    def set_number(self, space: WasmSpace, index: int, number: WasmNumber) -> Unavailable | None:
        value_type, _ = self.numbers[space, index]
        assert SIZES[value_type] == number.size
        self.numbers[space, index] = value_type, number.bits
        return None

    def reference(self, space: WasmSpace, index: int) -> str | Unavailable:
        return "null"

    def table_function(self, entry: int) -> int | Unavailable:
        return self.table.get(entry, Unavailable(f"the table has no entry {entry}"))

    def function_name(self, function: int) -> str:
        return self.functions[function][0]

    def function_type(self, function: int) -> FuncType | None:
        return self.functions[function][1] if function in self.functions else None

    def call(self, function: int, arguments: Sequence[WasmNumber]) -> tuple[WasmNumber, ...] | Unavailable:
        results = self.functions[function][2](*arguments)
        return results if isinstance(results, Unavailable) else tuple(results)

    def put(self, address: int, layout: str, *values: object) -> None:
        struct.pack_into("<" + layout, self.memory, address, *values)


@dataclass
class FakeNames:
    """What an expression may speak of."""

    machine: FakeMachine
    locals: Sequence[Variable] = ()
    statics: Sequence[Variable] = ()
    types: Mapping[str, Type] = field(default_factory=dict)
    functions: Sequence[GuestFunction] = ()
    methods: Mapping[int, GuestFunction] = field(default_factory=dict)
    wasm: Mapping[str, tuple[WasmSpace, int]] = field(default_factory=dict)
    language: Language = Language.C
    pointer_size: int = 4
    pc: int = 0x100

    def variables(self) -> Sequence[Variable]:
        return self.locals

    def statics_named(self, name: str) -> Sequence[Variable]:
        return [each for each in self.statics if each.name == name]

    def types_named(self, name: str) -> Sequence[Type]:
        return [self.types[name]] if name in self.types else []

    def functions_named(self, name: str) -> Sequence[GuestFunction]:
        return [each for each in self.functions if each.name == name]

    def method(self, key: int, linkage_name: str) -> GuestFunction | None:
        return self.methods.get(key)

    def wasm_names(self) -> Mapping[str, tuple[WasmSpace, int]]:
        return self.wasm

    def wasm_type(self, space: WasmSpace, index: int) -> ValType | None:
        return self.machine.value_type(space, index)


def at(machine: FakeMachine, type_: Type | None, where: Located | int) -> TypedValue:
    return TypedValue(type_, InMemory(where) if isinstance(where, int) else where, machine)
