"""What a module has besides functions with bodies, in the text format, one item a line (Wasm spec 6.6)."""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.source.wat.parts import (
    PLAIN_STRING_BYTES,
    const_expr,
    folded,
    global_type,
    identifier,
    limits,
    reference,
    signature,
    storage_type,
    string,
    table_type,
    type_use,
)
from wasmscope.wasm.decode.elements import EXPLICIT
from wasmscope.wasm.module import Data, Element, ExternKind, FuncImport, Import, Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.text import TextFormatter, format_name
from wasmscope.wasm.types import ArrayType, FuncType, GlobalType, MemoryType, StructType, SubType, TableType


class ItemsText:
    """The items of `module`; `names` may lack names. `most` limits how many elements or bytes of a segment are shown.

    The methods raise `DecodeError` or `UnsupportedFeature` where a constant expression is not made of instructions.
    """

    def __init__(self, module: Module, names: NameSection, most: int | None = None) -> None:
        self._module = module
        self._names = names
        self._most = most
        self._formatter = TextFormatter(module, names)

    def before_functions(self) -> Iterator[str]:
        """Everything that comes before the functions, which is not data, in the order of the sections."""
        yield from self._types()
        yield from self._imports()
        yield from self._definitions()
        for export in self._module.exports:
            yield f"(export {_name(export.name)} ({export.kind} {self._extern(export.kind, export.index)}))"
        if self._module.start is not None:
            yield f"(start {reference(self._names.functions, self._module.start)})"
        for index, element in enumerate(self._module.elements):
            yield self._element(index, element)

    def after_functions(self) -> Iterator[str]:
        """The data segments."""
        for index, data in enumerate(self._module.data):
            yield self._data(index, data)

    def _types(self) -> Iterator[str]:
        for first, count in self._module.rec_groups:
            lines = [self._type(index) for index in range(first, first + count)]
            if count == 1:
                yield lines[0]
            else:
                yield from ["(rec", *(f"  {line}" for line in lines), ")"]

    def _type(self, index: int) -> str:
        sub_type = self._module.types[index]
        return f"(type {identifier(self._names.types, index)} {self._sub_type(index, sub_type)})"

    def _sub_type(self, index: int, sub_type: SubType) -> str:
        composite = self._composite_type(index, sub_type)
        if sub_type.final and not sub_type.supertypes:
            return composite
        supertypes = [reference(self._names.types, each) for each in sub_type.supertypes]
        return f"({' '.join(['sub', *(['final'] if sub_type.final else []), *supertypes, composite])})"

    def _composite_type(self, index: int, sub_type: SubType) -> str:
        match sub_type.composite:
            case FuncType() as func_type:
                return f"({' '.join(filter(None, ['func', signature(func_type, {}, self._formatter)]))})"
            case StructType(fields):
                names = self._names.fields.get(index, {})
                types = [storage_type(each.storage, each.mutable, self._formatter) for each in fields]
                named = (f"{format_name(names[i])} {text}" if i in names else text for i, text in enumerate(types))
                return f"({' '.join(['struct', *(f'(field {text})' for text in named)])})"
            case ArrayType(element):
                return f"(array {storage_type(element.storage, element.mutable, self._formatter)})"

    def _imports(self) -> Iterator[str]:
        counts = dict.fromkeys(ExternKind, 0)
        for item in self._module.imports:
            kind = _kind(item)
            index = counts[kind]
            counts[kind] += 1
            described = f"({kind} {identifier(self._space(kind), index)} {self._desc(item, index)})"
            yield f"(import {_name(item.module)} {_name(item.name)} {described})"

    def _desc(self, item: Import, index: int) -> str:
        match item.desc:
            case FuncImport(type_index):
                return type_use(self._module, self._names, type_index, index)
            case TableType() as table:
                return table_type(table, self._formatter)
            case MemoryType(bounds):
                return limits(bounds)
            case GlobalType() as global_:
                return global_type(global_, self._formatter)
            case tag:
                return type_use(self._module, self._names, tag.type_index)

    def _definitions(self) -> Iterator[str]:
        module, names = self._module, self._names
        for index, table in enumerate(module.tables, module.num_imported_tables):
            init = f" {const_expr(module, table.init, self._formatter)}" if table.init else ""
            yield f"(table {identifier(names.tables, index)} {table_type(table.type, self._formatter)}{init})"
        for index, memory in enumerate(module.memories, module.num_imported_memories):
            yield f"(memory {identifier(names.memories, index)} {limits(memory.limits)})"
        for index, type_index in enumerate(module.tags, module.num_imported_tags):
            yield f"(tag {identifier(names.tags, index)} {type_use(module, names, type_index)})"
        for index, item in enumerate(module.globals, module.num_imported_globals):
            written = f"{global_type(item.type, self._formatter)} {const_expr(module, item.init, self._formatter)}"
            yield f"(global {identifier(names.globals, index)} {written})"

    def _element(self, index: int, element: Element) -> str:
        parts = ["elem", identifier(self._names.elements, index)]
        if element.mode == "declared":
            parts.append("declare")
        if element.offset is not None:
            if self._module.bytecode[element.start] & EXPLICIT:
                parts.append(f"(table {reference(self._names.tables, element.table or 0)})")
            parts.append(folded("offset", self._module, element.offset, self._formatter))
        if element.functions is not None:
            parts.append("func")
            parts += [reference(self._names.functions, each) for each in element.functions[: self._most]]
            count = len(element.functions)
        else:
            expressions = element.expressions or ()
            parts.append(self._formatter.value_type(element.element_type))
            parts += [folded("item", self._module, each, self._formatter) for each in expressions[: self._most]]
            count = len(expressions)
        return f"({' '.join([*parts, *self._cut(count, 'elements')])})"

    def _data(self, index: int, data: Data) -> str:
        parts = ["data", identifier(self._names.data, index)]
        if data.offset is not None:
            if data.memory:
                parts.append(f"(memory {reference(self._names.memories, data.memory)})")
            parts.append(folded("offset", self._module, data.offset, self._formatter))
        size = data.init_end - data.init_start
        shown = size if self._most is None else min(size, self._most)
        parts.append(string(self._module.bytecode[data.init_start : data.init_start + shown]))
        return f"({' '.join([*parts, *self._cut(size, 'bytes')])})"

    def _cut(self, count: int, what: str) -> list[str]:
        """A comment that says so where something is left out."""
        left_out = count - self._most if self._most is not None else 0
        return [f"(;{left_out} more {what};)"] if left_out > 0 else []

    def _extern(self, kind: ExternKind, index: int) -> str:
        return reference(self._space(kind), index)

    def _space(self, kind: ExternKind) -> NameMap:
        match kind:
            case ExternKind.FUNC:
                return self._names.functions
            case ExternKind.TABLE:
                return self._names.tables
            case ExternKind.MEMORY:
                return self._names.memories
            case ExternKind.GLOBAL:
                return self._names.globals
            case ExternKind.TAG:
                return self._names.tags


def _name(name: str) -> str:
    """A name as a string (Wasm spec 6.3.4), safe to print."""
    characters = (each if ord(each) in PLAIN_STRING_BYTES else f"\\u{{{ord(each):x}}}" for each in name)
    return f'"{"".join(characters)}"'


def _kind(item: Import) -> ExternKind:
    match item.desc:
        case FuncImport():
            return ExternKind.FUNC
        case TableType():
            return ExternKind.TABLE
        case MemoryType():
            return ExternKind.MEMORY
        case GlobalType():
            return ExternKind.GLOBAL
        case _:
            return ExternKind.TAG
