"""A small module made beside a rewritten one: it has the same types and imports what it uses of an instance.

Its types are the original's, copied whole, so that recursion groups stay the same types; behind them come those that
its own code needs. Where types are plain (`Plan.has_plain_types`), it has only those that it uses: the compiler makes
something for each of them. Every import is a `Need`, which the host satisfies when it instantiates the companion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import Any

from wasmscope.analysis.signatures import composite_func
from wasmscope.instrument.layout import SHADOW_PAGES
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.plan import Plan, reference_table_type
from wasmscope.wasm import writer
from wasmscope.wasm.decode.module import HEADER
from wasmscope.wasm.encode.code import encode_code, encode_locals
from wasmscope.wasm.encode.custom import encode_custom
from wasmscope.wasm.encode.exports import encode_export
from wasmscope.wasm.encode.imports import encode_import
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.encode.names import encode_names
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.encode.types import encode_rec_group
from wasmscope.wasm.instructions import BlockType, Catch, Instruction, MemArg
from wasmscope.wasm.module import ExternKind, FuncImport, ImportDesc
from wasmscope.wasm.names import NAME_SECTION, NameSection
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.sections import SectionId
from wasmscope.wasm.types import (
    FUNCREF,
    I32,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    SubType,
    TableType,
    TagType,
    ValType,
)


class CompanionKind(StrEnum):
    """What a companion is for."""

    PAGE = "page"
    RUNNER = "runner"
    STUBS = "stubs"
    CONDITION = "condition"
    ENTRANCE = "entrance"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CompanionName:
    """What the module name of a companion says, by which backtraces show it."""

    mark: str
    """The module that it was made beside (`mark.py`)."""
    kind: CompanionKind
    function: int = 0
    """For a runner, the index of its function among the defined ones."""

    def __str__(self) -> str:
        return f"{self.mark} {self.kind} {self.function}"


def parse_name(name: str) -> CompanionName:
    """Read a module name; of one that is no companion's the mark is of no module."""
    mark, _, rest = name.partition(" ")
    kind, _, function = rest.partition(" ")
    known = next((each for each in CompanionKind if each.value == kind), CompanionKind.OTHER)
    if not function.isascii() or not function.isdecimal() or len(function) > 9:
        return CompanionName(mark, CompanionKind.OTHER)
    return CompanionName(mark, known, int(function))


class Source(Enum):
    """Where an import comes from."""

    EXPORT = auto()
    """The instance, by the name of one of its hidden exports."""
    SHADOW = auto()
    """The store: its shadow memory,"""
    CONTROL = auto()
    """its control memory,"""
    MIRRORS = auto()
    """the table of what runs in place of functions,"""
    REFERENCES = auto()
    """the shadow table for a kind of references,"""
    ATTENTION = auto()
    THROW = auto()
    STOP = auto()
    """and the functions that call the host."""
    MAKE = auto()
    BLOCK = auto()
    """The mirror: the address of its block, an immutable global."""
    FUNCTIONS = auto()
    """The instance: the address of its words."""
    IDENTITY = auto()
    """The instance: its number."""
    VARIANT = auto()
    """The function of a variant (`variant.py`)."""
    TARGETS = auto()
    """The instance: the address of an i32 for each of its functions, where in the table of mirrors variants call it."""
    TOUCHED = auto()
    """What variants call where an access may be to what is watched (`watching.py`),"""
    ACCESSED = auto()
    """and the function that calls the host where it is."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an import of a companion stands for; `name` is that of an export or of a kind of references."""

    source: Source
    name: str = ""


@dataclass(frozen=True, slots=True)
class CompanionModule:
    """A finished companion: its bytes, and what to give it for its imports, in their order."""

    bytecode: bytes
    needs: tuple[Need, ...]


class Companion:
    """A companion while its code is made. All functions are imported before the first index of an own one is asked."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self.module = plan.module
        self.own_instructions = {own.token: own for own in plan.own_instructions}
        """What only the instance can run, by the instruction's token."""
        self._name = name
        self._imports: list[tuple[Need, ImportDesc]] = []
        self._indices: dict[Need, int] = {}
        self._counts = dict.fromkeys(ExternKind, 0)
        self._types: dict[FuncType, int] = {}
        self._copied = [] if plan.has_plain_types else self.module.rec_groups
        self._first_type = 0 if plan.has_plain_types else len(self.module.types)
        self._functions: list[tuple[int, bytes]] = []
        self._exports: list[tuple[str, int]] = []

    # -- types and imports ---------------------------------------------------------------------------------------

    def type_index(self, func_type: FuncType) -> int:
        """An own type that is this."""
        return self._types.setdefault(func_type, self._first_type + len(self._types))

    def original_type(self, index: int) -> int:
        """The index here of a type of the original's."""
        return self.type_index(composite_func(self.module, index)) if self.plan.has_plain_types else index

    def block_type(self, results: Sequence[ValType], params: Sequence[ValType] = ()) -> bytes:
        """The type of a block (Wasm spec 5.4.1)."""
        if params or len(results) > 1:
            return writer.signed(self.type_index(FuncType(tuple(params), tuple(results))))
        return results[0].encoding if results else b"\x40"

    def _import(self, kind: ExternKind, need: Need, desc: ImportDesc) -> int:
        if need not in self._indices:
            assert kind is not ExternKind.FUNC or not self._functions, "own functions come behind imported ones"
            self._indices[need] = self._counts[kind]
            self._counts[kind] += 1
            self._imports.append((need, desc))
        return self._indices[need]

    def host_function(self, source: Source, func_type: FuncType) -> bytes:
        """The index of a function that the host gives, as an immediate."""
        return unsigned(self._import(ExternKind.FUNC, Need(source), FuncImport(self.type_index(func_type))))

    def exported_function(self, export: str, type_index: int) -> bytes:
        """The index of a function that the instance exports, as an immediate."""
        return unsigned(self._import(ExternKind.FUNC, Need(Source.EXPORT, export), FuncImport(type_index)))

    def shadow(self) -> int:
        """The index of the shadow memory."""
        return self._memory_of(Source.SHADOW)

    def control(self) -> int:
        """The index of the control memory."""
        return self._memory_of(Source.CONTROL)

    def _memory_of(self, source: Source) -> int:
        return self._import(ExternKind.MEMORY, Need(source), MemoryType(Limits(SHADOW_PAGES, SHADOW_PAGES)))

    def mirrors(self) -> bytes:
        """The index of the table of mirrors, as an immediate."""
        return unsigned(self._import(ExternKind.TABLE, Need(Source.MIRRORS), TableType(FUNCREF, Limits(0))))

    def references(self, kind: str) -> bytes:
        """The index of the shadow table for references of `kind`, as an immediate."""
        need = Need(Source.REFERENCES, kind)
        return unsigned(self._import(ExternKind.TABLE, need, reference_table_type(kind)))

    def number(self, source: Source) -> bytes:
        """The index of an immutable i32 that the host gives, as an immediate."""
        return unsigned(self._import(ExternKind.GLOBAL, Need(source), GlobalType(I32, False)))

    def entity(self, kind: ExternKind, index: int) -> int:
        """The index here of what is at `index` in the instance; not for functions, which may not be exported."""
        return self._import(kind, Need(Source.EXPORT, self.plan.private.name(kind, index)), self._desc(kind, index))

    def _desc(self, kind: ExternKind, index: int) -> ImportDesc:
        match kind:
            case ExternKind.TABLE:
                return self.module.all_tables[index]
            case ExternKind.MEMORY:
                return self.module.all_memories[index]
            case ExternKind.GLOBAL:
                return self.module.all_globals[index]
            case ExternKind.TAG:
                return TagType(self.original_type(self.module.all_tags[index]))
            case ExternKind.FUNC:
                raise AssertionError("functions are reached as `PrivateEntities` says")

    # -- code ----------------------------------------------------------------------------------------------------

    def instruction(self, instruction: Instruction) -> bytes:
        """An instruction of the original, with the indices that things have here."""
        immediates = tuple(map(self._immediate, instruction.opcode.immediates, instruction.immediates))
        return encode_instruction(instruction.opcode, immediates)

    def _immediate(self, kind: Imm, value: Any) -> Any:
        match kind:
            case Imm.TABLE:
                return self.entity(ExternKind.TABLE, value)
            case Imm.MEMORY:
                return self.entity(ExternKind.MEMORY, value)
            case Imm.GLOBAL:
                return self.entity(ExternKind.GLOBAL, value)
            case Imm.TAG:
                return self.entity(ExternKind.TAG, value)
            case Imm.TYPE:
                return self.original_type(value)
            case Imm.BLOCK_TYPE if value.type_index is not None:
                return BlockType(type_index=self.original_type(value.type_index))
            case Imm.MEMARG:
                return MemArg(value.align, self.entity(ExternKind.MEMORY, value.memory), value.offset)
            case _:
                return value

    @property
    def memories(self) -> tuple[Need, ...]:
        """What the memories are, by their indices here."""
        return tuple(need for need, desc in self._imports if isinstance(desc, MemoryType))

    def clause(self, clause: Catch, label: int) -> Catch:
        """A clause of a `try_table` with the tag's index here and another label."""
        tag = None if clause.tag is None else self.entity(ExternKind.TAG, clause.tag)
        return replace(clause, tag=tag, label=label)

    def add_function(self, type_index: int, locals_: Sequence[tuple[int, ValType]], code: bytes, export: str) -> int:
        """Add a function of its own, whose `code` ends without `end`; returns its index."""
        self._functions.append((type_index, encode_locals(locals_) + code + b"\x0b"))
        index = self._counts[ExternKind.FUNC] + len(self._functions) - 1
        self._exports.append((export, index))
        return index

    def finish(self) -> CompanionModule:
        """The module."""
        module = self.module
        groups = [encode_rec_group(module.types[first : first + count]) for first, count in self._copied]
        groups += [encode_rec_group([SubType(func_type)]) for func_type in self._types]
        imports = [encode_import("", str(n), desc) for n, (_, desc) in enumerate(self._imports)]
        sections = [
            (SectionId.TYPE, groups),
            (SectionId.IMPORT, imports),
            (SectionId.FUNCTION, [unsigned(type_index) for type_index, _ in self._functions]),
            (SectionId.EXPORT, [encode_export(name, ExternKind.FUNC, index) for name, index in self._exports]),
            (SectionId.CODE, [encode_code(body) for _, body in self._functions]),
        ]
        bytecode = HEADER + b"".join(encode_section(section, writer.vector(items)) for section, items in sections)
        names = NameSection(module=self._name, functions={index: name for name, index in self._exports})
        bytecode += encode_custom(NAME_SECTION, encode_names(names))
        return CompanionModule(bytecode, tuple(need for need, _ in self._imports))
