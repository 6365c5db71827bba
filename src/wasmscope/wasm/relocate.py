"""Where indices go when imports are appended: what the module defines moves up behind them (Wasm spec 2.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.instructions import Catch, Instruction, MemArg, decode_instruction
from wasmscope.wasm.module import ExternKind, FuncImport, ImportDesc, Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import GlobalType, MemoryType, TableType, TagType

_KIND_OF_DESC: Mapping[type[ImportDesc], ExternKind] = {
    FuncImport: ExternKind.FUNC,
    TableType: ExternKind.TABLE,
    MemoryType: ExternKind.MEMORY,
    GlobalType: ExternKind.GLOBAL,
    TagType: ExternKind.TAG,
}

_KIND_OF_IMMEDIATE: Mapping[Imm, ExternKind] = {
    Imm.FUNC: ExternKind.FUNC,
    Imm.TABLE: ExternKind.TABLE,
    Imm.MEMORY: ExternKind.MEMORY,
    Imm.GLOBAL: ExternKind.GLOBAL,
    Imm.TAG: ExternKind.TAG,
}


@dataclass(frozen=True, slots=True)
class Relocation:
    """Per kind: the first index that moves, and by how much."""

    first: Mapping[ExternKind, int]
    by: Mapping[ExternKind, int]

    @classmethod
    def after_imports(cls, module: Module, appended: Sequence[ImportDesc]) -> Relocation:
        """What appending imports of these types to `module` moves."""
        first = {
            ExternKind.FUNC: module.num_imported_functions,
            ExternKind.TABLE: module.num_imported_tables,
            ExternKind.MEMORY: module.num_imported_memories,
            ExternKind.GLOBAL: module.num_imported_globals,
            ExternKind.TAG: module.num_imported_tags,
        }
        kinds = [_KIND_OF_DESC[type(desc)] for desc in appended]
        return cls(first, {kind: kinds.count(kind) for kind in ExternKind})

    def __bool__(self) -> bool:
        return any(self.by.values())

    def index(self, kind: ExternKind, index: int) -> int:
        """The new index of what had `index`."""
        return index + self.by[kind] if index >= self.first[kind] else index

    def instructions(self, bytecode: bytes, start: int, end: int) -> bytes:
        """The instructions in that range with new indices; one without any keeps its very bytes."""
        reader = Reader(bytecode, start, end)
        parts = []
        while not reader.at_end():
            instruction = decode_instruction(reader)
            parts.append(self.instruction(instruction, bytecode[instruction.offset : reader.offset]))
        return b"".join(parts)

    def instruction(self, instruction: Instruction, written: bytes) -> bytes:
        """The instruction that is `written` so with new indices; one without any keeps its very bytes."""
        immediates = tuple(map(self._immediate, instruction.opcode.immediates, instruction.immediates))
        return written if immediates == instruction.immediates else encode_instruction(instruction.opcode, immediates)

    def _immediate(self, kind: Imm, value: Any) -> Any:
        if kind in _KIND_OF_IMMEDIATE:
            return self.index(_KIND_OF_IMMEDIATE[kind], value)
        if kind is Imm.MEMARG:
            return MemArg(value.align, self.index(ExternKind.MEMORY, value.memory), value.offset)
        if kind is Imm.CATCHES:
            return tuple(self._catch(catch) for catch in value)
        return value

    def _catch(self, catch: Catch) -> Catch:
        return catch if catch.tag is None else replace(catch, tag=self.index(ExternKind.TAG, catch.tag))

    def names(self, names: NameSection, keeps_labels: Callable[[int], bool]) -> NameSection:
        """Names at new indices. Labels go where `keeps_labels` is false for the old index of their function."""

        def moved(kind: ExternKind, name_map: NameMap) -> NameMap:
            return {self.index(kind, index): name for index, name in name_map.items()}

        return replace(
            names,
            functions=moved(ExternKind.FUNC, names.functions),
            locals={self.index(ExternKind.FUNC, index): group for index, group in names.locals.items()},
            labels={
                self.index(ExternKind.FUNC, index): group
                for index, group in names.labels.items()
                if keeps_labels(index)
            },
            tables=moved(ExternKind.TABLE, names.tables),
            memories=moved(ExternKind.MEMORY, names.memories),
            globals=moved(ExternKind.GLOBAL, names.globals),
            tags=moved(ExternKind.TAG, names.tags),
        )
