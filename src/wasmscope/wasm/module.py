"""A decoded module: frozen values with their byte ranges, counted from the start of the module (Wasm spec 2.5, 5.5).

Function bodies, data and constant expressions stay bytes; their values here say where these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal, TypeVar

from wasmscope.wasm.types import FuncType, GlobalType, MemoryType, SubType, TableType, TagType, ValType


@dataclass(frozen=True, slots=True)
class Section:
    """A section (Wasm spec 5.5.2): `bytecode[start:end]`, from its id to its last byte.

    `name` is that of a custom section, whose payload starts after the name.
    """

    id: int
    name: str
    start: int
    payload_start: int
    end: int


class ExternKind(StrEnum):
    """What can be imported and exported (Wasm spec 2.5.10); the order is that of the codes in the binary."""

    FUNC = "func"
    TABLE = "table"
    MEMORY = "memory"
    GLOBAL = "global"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class ConstExpr:
    """A constant expression: `bytecode[start:end]`, with its final `end` (Wasm spec 5.4.9)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FuncImport:
    """The type of an imported function."""

    type_index: int


ImportDesc = FuncImport | TableType | MemoryType | GlobalType | TagType


@dataclass(frozen=True, slots=True)
class Import:
    """An import. In a compact group, `start` and `end` cover what the group does not share."""

    module: str
    name: str
    desc: ImportDesc
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table the module defines; `init` is given where the elements are not null at first."""

    type: TableType
    init: ConstExpr | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Global:
    """A global the module defines."""

    type: GlobalType
    init: ConstExpr
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Export:
    """An export."""

    name: str
    kind: ExternKind
    index: int
    start: int
    end: int


ElementMode = Literal["active", "passive", "declared"]


@dataclass(frozen=True, slots=True)
class Element:
    """An element segment: function indices or expressions, one of the two (Wasm spec 5.5.12)."""

    start: int
    end: int
    mode: ElementMode
    table: int | None
    offset: ConstExpr | None
    element_type: ValType
    functions: tuple[int, ...] | None
    expressions: tuple[ConstExpr, ...] | None


@dataclass(frozen=True, slots=True)
class Data:
    """A data segment; its bytes are `bytecode[init_start:init_end]` (Wasm spec 5.5.14)."""

    start: int
    end: int
    mode: Literal["active", "passive"]
    memory: int | None
    offset: ConstExpr | None
    init_start: int
    init_end: int


@dataclass(frozen=True, slots=True)
class Code:
    """A function body (Wasm spec 5.5.13).

    `start` is where its size stands, `body_start` the vector of locals, `code_start` the first instruction. `locals`
    are the groups of locals as the binary has them; parameters come before them and are not among them.
    """

    start: int
    body_start: int
    code_start: int
    end: int
    locals: tuple[tuple[int, ValType], ...]


_Desc = TypeVar("_Desc", FuncImport, TableType, MemoryType, GlobalType, TagType)


# No slots: the cached properties below need an instance dictionary, and there is one object a module.
@dataclass(frozen=True, eq=False)
class Module:
    """A decoded, not yet validated module. Index spaces with the imports in them are `all_...` and `func_type`.

    `types` are all types in order, `rec_groups` the first index and the count of each recursion group. `functions` are
    the type indices of the functions the module defines, `tags` those of its tags.
    """

    bytecode: bytes
    sections: tuple[Section, ...] = ()
    types: tuple[SubType, ...] = ()
    rec_groups: tuple[tuple[int, int], ...] = ()
    imports: tuple[Import, ...] = ()
    functions: tuple[int, ...] = ()
    tables: tuple[Table, ...] = ()
    memories: tuple[MemoryType, ...] = ()
    tags: tuple[int, ...] = ()
    globals: tuple[Global, ...] = ()
    exports: tuple[Export, ...] = ()
    start: int | None = None
    elements: tuple[Element, ...] = ()
    codes: tuple[Code, ...] = ()
    data: tuple[Data, ...] = ()
    data_count: int | None = None

    def _imported(self, kind: type[_Desc]) -> Iterator[_Desc]:
        return (item.desc for item in self.imports if isinstance(item.desc, kind))

    @cached_property
    def function_types_indices(self) -> tuple[int, ...]:
        """The type index of every function, imports first."""
        return (*(desc.type_index for desc in self._imported(FuncImport)), *self.functions)

    def func_type_index(self, function: int) -> int:
        """The index of the type of `function`, which counts imports too."""
        return self.function_types_indices[function]

    def func_type(self, function: int) -> FuncType:
        """The type of `function`, which counts imports too; raises `LookupError` where there is none."""
        composite = self.types[self.function_types_indices[function]].composite
        if not isinstance(composite, FuncType):
            raise LookupError(f"type {self.function_types_indices[function]} is no function type")
        return composite

    def count(self, kind: ExternKind) -> int:
        """How many functions, tables, memories, globals or tags there are, imports counted."""
        match kind:
            case ExternKind.FUNC:
                return len(self.function_types_indices)
            case ExternKind.TABLE:
                return len(self.all_tables)
            case ExternKind.MEMORY:
                return len(self.all_memories)
            case ExternKind.GLOBAL:
                return len(self.all_globals)
            case ExternKind.TAG:
                return len(self.all_tags)

    @cached_property
    def num_imported_functions(self) -> int:
        """How many functions are imported; the first defined one has this index."""
        return len(self.function_types_indices) - len(self.functions)

    @cached_property
    def num_imported_tables(self) -> int:
        """How many tables are imported."""
        return len(self.all_tables) - len(self.tables)

    @cached_property
    def num_imported_memories(self) -> int:
        """How many memories are imported."""
        return len(self.all_memories) - len(self.memories)

    @cached_property
    def num_imported_globals(self) -> int:
        """How many globals are imported."""
        return len(self.all_globals) - len(self.globals)

    @cached_property
    def num_imported_tags(self) -> int:
        """How many tags are imported."""
        return len(self.all_tags) - len(self.tags)

    @cached_property
    def all_tables(self) -> tuple[TableType, ...]:
        """The type of every table, imports first."""
        return (*self._imported(TableType), *(table.type for table in self.tables))

    @cached_property
    def all_memories(self) -> tuple[MemoryType, ...]:
        """The type of every memory, imports first."""
        return (*self._imported(MemoryType), *self.memories)

    @cached_property
    def all_globals(self) -> tuple[GlobalType, ...]:
        """The type of every global, imports first."""
        return (*self._imported(GlobalType), *(item.type for item in self.globals))

    @cached_property
    def all_tags(self) -> tuple[int, ...]:
        """The type index of every tag, imports first."""
        return (*(desc.type_index for desc in self._imported(TagType)), *self.tags)
