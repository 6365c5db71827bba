"""The identity rewrite, and what a rewrite overrides in it.

A module is taken apart into sections and items and put together again from the items' own bytes: nothing that stays the
same is encoded anew, so `reencode(Reencoder(module))` gives the input back byte for byte, overlong integers and all.
Imports that are appended move the indices of what the module defines; every reference outside function bodies follows,
and those inside them too, unless `body` gives a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.decode.memories import decode_memory_type
from wasmscope.wasm.decode.module import HEADER
from wasmscope.wasm.encode.code import encode_code
from wasmscope.wasm.encode.custom import encode_custom
from wasmscope.wasm.encode.data import encode_data
from wasmscope.wasm.encode.elements import encode_element
from wasmscope.wasm.encode.exports import encode_export
from wasmscope.wasm.encode.globals_ import encode_global
from wasmscope.wasm.encode.imports import encode_import
from wasmscope.wasm.encode.memories import encode_memory_type
from wasmscope.wasm.encode.names import encode_names
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.encode.tables import encode_table
from wasmscope.wasm.encode.types import encode_rec_group
from wasmscope.wasm.module import (
    Code,
    ConstExpr,
    Data,
    Element,
    Export,
    ExternKind,
    Global,
    ImportDesc,
    Module,
    Section,
    Table,
)
from wasmscope.wasm.names import NAME_SECTION, decode_names
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.relocate import Relocation
from wasmscope.wasm.sections import ORDER, SectionId
from wasmscope.wasm.types import GlobalType, MemoryType, SubType, TableType

_GLOBAL_GET = b"\x23"
_REF_FUNC = b"\xd2"


class Reencoder:
    """The identity; a subclass overrides a method for each thing it changes.

    Methods for items give the item's new bytes, or None to leave it as it is. Indices they are handed are those of the
    original module, indices in what they give back are those of the rewritten one (`relocation` translates). The
    `new_...` give what is appended behind what there is; they are asked more than once.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.relocation = Relocation.after_imports(module, [desc for _, _, desc in self.new_imports()])

    def new_types(self) -> Sequence[Sequence[SubType]]:
        """Recursion groups of types to append."""
        return ()

    def new_imports(self) -> Sequence[tuple[str, str, ImportDesc]]:
        """Imports to append: module, name, type."""
        return ()

    def new_functions(self) -> Sequence[tuple[int, bytes]]:
        """Functions to append: type index and body (locals and instructions)."""
        return ()

    def new_tables(self) -> Sequence[tuple[TableType, bytes | None]]:
        """Tables to append: type, and the expression of an initial value."""
        return ()

    def new_memories(self) -> Sequence[MemoryType]:
        """Memories to append."""
        return ()

    def new_globals(self) -> Sequence[tuple[GlobalType, bytes]]:
        """Globals to append: type and initial expression."""
        return ()

    def new_exports(self) -> Sequence[tuple[str, ExternKind, int]]:
        """Exports to append: name, kind, index."""
        return ()

    def new_custom_sections(self) -> Sequence[tuple[str, bytes]]:
        """Custom sections to put at the end: name and payload."""
        return ()

    def const_expr(self, expression: ConstExpr) -> bytes:
        """A constant expression."""
        written = self.module.bytecode[expression.start : expression.end]
        # Only these constant instructions name what can move (Wasm spec 3.4.17), and most expressions have neither.
        if _GLOBAL_GET not in written and _REF_FUNC not in written:
            return written
        return self.relocation.instructions(self.module.bytecode, expression.start, expression.end)

    def table(self, index: int, table: Table) -> bytes | None:
        """Table `index`, which counts imports."""
        if table.init is None:
            return None
        return encode_table(table.type, self.const_expr(table.init)) if self.relocation else None

    def memory(self, index: int, memory: MemoryType) -> bytes | None:
        """Memory `index`, which counts imports."""
        return None

    def global_(self, index: int, global_: Global) -> bytes | None:
        """Global `index`, which counts imports."""
        return encode_global(global_.type, self.const_expr(global_.init)) if self.relocation else None

    def export(self, export: Export) -> bytes | None:
        """An export."""
        index = self.relocation.index(export.kind, export.index)
        return None if index == export.index else encode_export(export.name, export.kind, index)

    def start(self, function: int) -> int | None:
        """The start function; None: the module has none any more."""
        return self.relocation.index(ExternKind.FUNC, function)

    def element(self, index: int, element: Element) -> bytes | None:
        """Element segment `index`."""
        if not self.relocation:
            return None
        table, offset, functions, expressions = element.table, element.offset, element.functions, element.expressions
        return encode_element(
            element.mode,
            None if table is None else self.relocation.index(ExternKind.TABLE, table),
            None if offset is None else self.const_expr(offset),
            element.element_type,
            None if functions is None else [self.relocation.index(ExternKind.FUNC, item) for item in functions],
            None if expressions is None else [self.const_expr(item) for item in expressions],
        )

    def data(self, index: int, data: Data) -> bytes | None:
        """Data segment `index`."""
        if data.memory is None or data.offset is None or not self.relocation:
            return None
        init = self.module.bytecode[data.init_start : data.init_end]
        return encode_data(self.relocation.index(ExternKind.MEMORY, data.memory), self.const_expr(data.offset), init)

    def body(self, index: int, code: Code) -> bytes | None:
        """The body (locals and instructions) of function `index`, which counts imports."""
        if not self.relocation:
            return None
        bytecode = self.module.bytecode
        instructions = self.relocation.instructions(bytecode, code.code_start, code.end)
        return bytecode[code.body_start : code.code_start] + instructions

    def keeps_custom(self, section: Section) -> bool:
        """Whether a custom section stays."""
        return True

    def custom(self, section: Section) -> bytes | None:
        """The payload of a custom section that stays."""
        return None

    def keeps_labels(self, function: int) -> bool:
        """Whether the blocks of `function` are still numbered as they were, so that their names hold."""
        return True

    def names(self, section: Section) -> bytes | None:
        """The payload of the name section."""
        if not self.relocation:
            return None
        return encode_names(self.relocation.names(decode_names(self.module), self.keeps_labels))


def reencode(reencoder: Reencoder) -> bytes:
    """The rewritten module."""
    module = reencoder.module
    present = {section.id: section for section in module.sections}
    waiting = [(section_id, _section(reencoder, section_id, present.get(section_id))) for section_id in ORDER]
    waiting.reverse()
    last = max((section.start for section in module.sections if section.id != SectionId.CUSTOM), default=-1)
    parts = [HEADER]
    for section in module.sections:
        if section.id == SectionId.CUSTOM:
            parts.append(_custom(reencoder, section))
            continue
        # A section the module did not have comes before the first that has to follow it, or behind the last.
        while waiting and (section.start == last or ORDER.index(waiting[-1][0]) <= ORDER.index(SectionId(section.id))):
            parts.append(waiting.pop()[1])
    parts += [content for _, content in reversed(waiting)]
    parts += [encode_custom(name, payload) for name, payload in reencoder.new_custom_sections()]
    return b"".join(parts)


def _custom(reencoder: Reencoder, section: Section) -> bytes:
    if not reencoder.keeps_custom(section):
        return b""
    payload = reencoder.names(section) if section.name == NAME_SECTION else reencoder.custom(section)
    if payload is None:
        return reencoder.module.bytecode[section.start : section.end]
    return encode_custom(section.name, payload)


def _section(reencoder: Reencoder, section_id: SectionId, section: Section | None) -> bytes:
    appended = _appended(reencoder, section_id)
    if section is None:
        return encode_section(section_id, writer.vector(appended)) if appended else b""
    start = reencoder.module.start
    if section_id == SectionId.START and start is not None and reencoder.start(start) is None:
        return b""
    bytecode = reencoder.module.bytecode
    replaced = [(start, end, new) for start, end, new in _items(reencoder, section) if new is not None]
    if not replaced and not appended:
        return bytecode[section.start : section.end]
    parts = []
    reader = Reader(bytecode, section.payload_start, section.end)
    if appended:
        parts.append(writer.unsigned(reader.u32() + len(appended)))
    offset = reader.offset
    for start, end, new in replaced:
        parts += (bytecode[offset:start], new)
        offset = end
    parts.append(bytecode[offset : section.end])
    return encode_section(section_id, b"".join(parts + appended))


def _items(reencoder: Reencoder, section: Section) -> Iterator[tuple[int, int, bytes | None]]:
    """Start and end of each item that can be replaced, and its new bytes."""
    module = reencoder.module
    match SectionId(section.id):
        case SectionId.TABLE:
            for index, table in enumerate(module.tables, module.num_imported_tables):
                yield table.start, table.end, reencoder.table(index, table)
        case SectionId.MEMORY:
            reader = Reader(module.bytecode, section.payload_start, section.end)
            reader.u32()
            for index, memory in enumerate(module.memories, module.num_imported_memories):
                start = reader.offset
                decode_memory_type(reader)
                yield start, reader.offset, reencoder.memory(index, memory)
        case SectionId.GLOBAL:
            for index, global_ in enumerate(module.globals, module.num_imported_globals):
                yield global_.start, global_.end, reencoder.global_(index, global_)
        case SectionId.EXPORT:
            for export in module.exports:
                yield export.start, export.end, reencoder.export(export)
        case SectionId.START if module.start is not None:
            function = reencoder.start(module.start)
            new = None if function == module.start or function is None else writer.unsigned(function)
            yield section.payload_start, section.end, new
        case SectionId.ELEMENT:
            for index, element in enumerate(module.elements):
                yield element.start, element.end, reencoder.element(index, element)
        case SectionId.CODE:
            for index, code in enumerate(module.codes, module.num_imported_functions):
                body = reencoder.body(index, code)
                yield code.start, code.end, None if body is None else encode_code(body)
        case SectionId.DATA:
            for index, data in enumerate(module.data):
                yield data.start, data.end, reencoder.data(index, data)
        case _:
            return  # of types, imports, functions and tags there are only new ones


def _appended(reencoder: Reencoder, section_id: SectionId) -> list[bytes]:
    match section_id:
        case SectionId.TYPE:
            return [encode_rec_group(group) for group in reencoder.new_types()]
        case SectionId.IMPORT:
            return [encode_import(*item) for item in reencoder.new_imports()]
        case SectionId.FUNCTION:
            return [writer.unsigned(type_index) for type_index, _ in reencoder.new_functions()]
        case SectionId.TABLE:
            return [encode_table(table, init) for table, init in reencoder.new_tables()]
        case SectionId.MEMORY:
            return [encode_memory_type(memory) for memory in reencoder.new_memories()]
        case SectionId.GLOBAL:
            return [encode_global(global_type, init) for global_type, init in reencoder.new_globals()]
        case SectionId.EXPORT:
            return [encode_export(*item) for item in reencoder.new_exports()]
        case SectionId.CODE:
            return [encode_code(body) for _, body in reencoder.new_functions()]
        case _:
            return []
