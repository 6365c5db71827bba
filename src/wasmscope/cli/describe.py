"""Types of imports and exports in words."""

from __future__ import annotations

from wasmscope.wasm.module import Export, ExternKind, FuncImport, Import, Module
from wasmscope.wasm.types import FuncType, GlobalType, Limits, MemoryType, TableType, TagType


def describe_import(item: Import, module: Module) -> str:
    """What is imported: `func (i32) -> (i64)`, `memory of 1 page or more`, ..."""
    match item.desc:
        case FuncImport(type_index):
            return f"func {_signature(module, type_index)}"
        case TableType() | MemoryType() | GlobalType() | TagType() as desc:
            return _describe(desc, module)


def describe_export(item: Export, module: Module) -> str:
    """What is exported, in the same words. Raises `LookupError` where the module exports what it does not have."""
    match item.kind:
        case ExternKind.FUNC:
            return f"func {_signature(module, module.func_type_index(item.index))}"
        case ExternKind.TABLE:
            return _describe(module.all_tables[item.index], module)
        case ExternKind.MEMORY:
            return _describe(module.all_memories[item.index], module)
        case ExternKind.GLOBAL:
            return _describe(module.all_globals[item.index], module)
        case ExternKind.TAG:
            return f"tag {_signature(module, module.all_tags[item.index])}"


def describe_memory(memory: MemoryType) -> str:
    """A memory: its size in pages, and what is unusual about it."""
    limits = memory.limits
    page = 1 << limits.page_size_log2
    unusual = [f"pages of {page} bytes"] if limits.page_size_log2 != 16 else []
    unusual += ["64-bit addresses"] * limits.is64 + ["shared"] * limits.shared
    return ", ".join([f"memory of {_range(limits, 'page')}", *unusual])


def describe_table(table: TableType) -> str:
    """A table: its elements, and how many."""
    unusual = ["64-bit indices"] * table.limits.is64 + ["shared"] * table.limits.shared
    return ", ".join([f"table of {_range(table.limits, 'element')}, {table.element}", *unusual])


def _describe(desc: TableType | MemoryType | GlobalType | TagType, module: Module) -> str:
    match desc:
        case TableType():
            return describe_table(desc)
        case MemoryType():
            return describe_memory(desc)
        case GlobalType(value, mutable):
            return f"global {'mut ' if mutable else ''}{value}"
        case TagType(type_index):
            return f"tag {_signature(module, type_index)}"


def _signature(module: Module, type_index: int) -> str:
    composite = module.types[type_index].composite
    if not isinstance(composite, FuncType):
        raise LookupError(f"type {type_index} is no function type")
    params, results = (" ".join(map(str, types)) for types in (composite.params, composite.results))
    return f"({params}) -> ({results})"


def _range(limits: Limits, unit: str) -> str:
    if limits.maximum is None:
        return f"{_count(limits.minimum, unit)} or more"
    if limits.minimum == limits.maximum:
        return _count(limits.minimum, unit)
    return f"{limits.minimum} to {_count(limits.maximum, unit)}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' * (number != 1)}"
