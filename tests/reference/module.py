"""Decoding a module (spec 5.5). The decoder expects a valid module: it checks no more than it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference.binary_types import (
    global_type,
    memory_type,
    recursion_group,
    ref_type,
    table_type,
    tag_type,
    value_type,
)
from reference.compile import Code, compile_code
from reference.errors import DecodeError
from reference.reader import Reader
from reference.state import GlobalType, MemoryType, TableType
from reference.types import FUNCREF, DefinedType, RecursionGroup, RefType, ValueType

KINDS = ("func", "table", "memory", "global", "tag")
ImportType = DefinedType | TableType | MemoryType | GlobalType


@dataclass(frozen=True, slots=True)
class Import:
    """One import; `kind` is one of `KINDS`, a function's or tag's type is a defined type."""

    module: str
    name: str
    kind: str
    type: ImportType


@dataclass(frozen=True, slots=True)
class Export:
    """One export."""

    name: str
    kind: str
    index: int


@dataclass(frozen=True, slots=True)
class Element:
    """An element segment: `mode` is "active", "passive" or "declared"."""

    mode: str
    table: int
    offset: Code | None
    items: list[Code]


@dataclass(frozen=True, slots=True)
class Data:
    """A data segment; without an offset it is passive."""

    memory: int
    offset: Code | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Where a function body is in the module: its locals, then its code."""

    start: int
    end: int


@dataclass(slots=True)
class Module:
    """A decoded module; every index space begins with the imports."""

    binary: bytes
    types: list[DefinedType] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[DefinedType] = field(default_factory=list)
    tables: list[TableType] = field(default_factory=list)
    table_initials: list[Code | None] = field(default_factory=list)
    memories: list[MemoryType] = field(default_factory=list)
    tags: list[DefinedType] = field(default_factory=list)
    globals: list[GlobalType] = field(default_factory=list)
    global_initials: list[Code] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: int | None = None
    elements: list[Element] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    _codes: dict[int, Code] = field(default_factory=dict)

    @staticmethod
    def decode(binary: bytes) -> Module:
        """The module of a binary; function bodies are compiled when they are first called."""
        if binary[:8] != b"\0asm\1\0\0\0":
            raise DecodeError("no core module", 0)
        return _Decoder(Module(binary)).decode()

    def imported(self, kind: str) -> int:
        """How many imports of a kind there are."""
        return sum(each.kind == kind for each in self.imports)

    def code(self, function: int) -> Code:
        """The code of a function, which is no import."""
        if function not in self._codes:
            body = self.bodies[function - self.imported("func")]
            reader = Reader(self.binary, body.start, body.end)
            type = self.functions[function].function
            locals = list(type.params)
            for _ in range(reader.unsigned()):
                count, value = reader.unsigned(), value_type(reader, self.types.__getitem__)
                locals += [value] * count
            self._codes[function] = compile_code(self, reader, locals, type.results)
        return self._codes[function]


class _Decoder:
    """One method a section, by its id."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.resolve = module.types.__getitem__

    def decode(self) -> Module:
        sections = {
            1: self.type,
            2: self.imported,
            3: self.function,
            4: self.table,
            5: self.memory,
            6: self.global_,
            7: self.export,
            8: self.start,
            9: self.element,
            10: self.code,
            11: self.data,
            13: self.tag,
        }
        reader = Reader(self.module.binary, 8)
        while not reader.done():
            section = reader.byte()
            content = reader.part(reader.unsigned())
            if section in sections:
                sections[section](content)
            elif section not in (0, 12):  # custom, data count
                raise DecodeError(f"unknown section {section}", content.position)
        return self.module

    def constant(self, reader: Reader, type: ValueType) -> Code:
        return compile_code(self.module, reader, [], (type,))

    def type(self, reader: Reader) -> None:
        known: dict[RecursionGroup, RecursionGroup] = {}
        for _ in range(reader.unsigned()):
            group = recursion_group(reader, self.module.types)
            # Equal groups of one module become one object: comparing them is then cheap.
            self.module.types += known.setdefault(group, group).members

    def imported(self, reader: Reader) -> None:
        for _ in range(reader.unsigned()):
            module, name, kind = reader.name(), reader.name(), KINDS[reader.byte()]
            self.module.imports.append(Import(module, name, kind, self.import_type(reader, kind)))

    def import_type(self, reader: Reader, kind: str) -> ImportType:
        module = self.module
        match kind:
            case "func":
                module.functions.append(module.types[reader.unsigned()])
                return module.functions[-1]
            case "table":
                module.tables.append(table_type(reader, self.resolve))
                module.table_initials.append(None)
                return module.tables[-1]
            case "memory":
                module.memories.append(memory_type(reader))
                return module.memories[-1]
            case "global":
                module.globals.append(global_type(reader, self.resolve))
                return module.globals[-1]
        module.tags.append(tag_type(reader, module.types))
        return module.tags[-1]

    def function(self, reader: Reader) -> None:
        self.module.functions += [self.module.types[index] for index in reader.vector(reader.unsigned)]

    def table(self, reader: Reader) -> None:
        for _ in range(reader.unsigned()):
            # 0x40 0x00 in front: an initial value follows the type.
            with_initial = reader.data[reader.position] == 0x40
            if with_initial:
                reader.bytes(2)
            type = table_type(reader, self.resolve)
            self.module.tables.append(type)
            self.module.table_initials.append(self.constant(reader, type.element) if with_initial else None)

    def memory(self, reader: Reader) -> None:
        self.module.memories += reader.vector(lambda: memory_type(reader))

    def tag(self, reader: Reader) -> None:
        self.module.tags += reader.vector(lambda: tag_type(reader, self.module.types))

    def global_(self, reader: Reader) -> None:
        for _ in range(reader.unsigned()):
            type = global_type(reader, self.resolve)
            self.module.global_initials.append(self.constant(reader, type.value))
            self.module.globals.append(type)

    def export(self, reader: Reader) -> None:
        self.module.exports += reader.vector(lambda: Export(reader.name(), KINDS[reader.byte()], reader.unsigned()))

    def start(self, reader: Reader) -> None:
        self.module.start = reader.unsigned()

    def element(self, reader: Reader) -> None:
        self.module.elements += reader.vector(lambda: self.element_segment(reader))

    def element_segment(self, reader: Reader) -> Element:
        """Flag 1: not active; 2: declared, or an explicit table; 4: expressions (spec 5.5.12)."""
        flags = reader.unsigned()
        table, offset = 0, None
        if not flags & 1:
            table = reader.unsigned() if flags & 2 else 0
            offset = self.constant(reader, self.module.tables[table].address)
        type: RefType = FUNCREF
        if flags & 3 and flags & 4:
            type = ref_type(reader, self.resolve)
        elif flags & 3:
            reader.byte()  # elemkind: functions
        if flags & 4:
            items = reader.vector(lambda: self.constant(reader, type))
        else:
            items = reader.vector(lambda: self.function_item(reader))
        mode = "active" if not flags & 1 else "declared" if flags & 2 else "passive"
        return Element(mode, table, offset, items)

    def function_item(self, reader: Reader) -> Code:
        """A function index stands for `ref.func` of it."""
        encoded = b"\xd2" + _leb(reader.unsigned()) + b"\x0b"
        return self.constant(Reader(encoded), FUNCREF)

    def code(self, reader: Reader) -> None:
        def body() -> Body:
            part = reader.part(reader.unsigned())
            return Body(part.position, part.end)

        self.module.bodies = reader.vector(body)

    def data(self, reader: Reader) -> None:
        self.module.data = reader.vector(lambda: self.data_segment(reader))

    def data_segment(self, reader: Reader) -> Data:
        """Flag 1: passive; 2: an explicit memory (spec 5.5.14)."""
        flags = reader.unsigned()
        memory = reader.unsigned() if flags == 2 else 0
        offset = None if flags == 1 else self.constant(reader, self.module.memories[memory].address)
        return Data(memory, offset, reader.bytes(reader.unsigned()))


def _leb(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
