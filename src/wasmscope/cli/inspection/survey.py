"""A whole module, looked at from all sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from wasmscope.cli.describe import describe_export, describe_import, describe_memory, describe_table
from wasmscope.cli.inspection.dwarf import inspect_dwarf
from wasmscope.cli.inspection.model import (
    FORMAT,
    ExportEntry,
    ImportEntry,
    Inspection,
    NameCounts,
    SectionEntry,
)
from wasmscope.cli.inspection.proposals import proposals_of
from wasmscope.cli.inspection.tools import CustomSections
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import Export, Import, Module, Section
from wasmscope.wasm.names import NAME_SECTION, decode_names
from wasmscope.wasm.sections import SectionId


def survey(module: Module, file: str) -> Inspection:
    """Everything about `module`, which came from `file`."""
    custom = CustomSections(module)
    proposals, unsupported, problems = proposals_of(module)
    dwarf = inspect_dwarf(module, custom.url("external_debug_info"))
    source_map, build_id = custom.url("sourceMappingURL"), custom.build_id()
    producers, target_features = custom.producers(), custom.target_features()
    return Inspection(
        format=FORMAT,
        file=escaped(file),
        size=len(module.bytecode),
        sections=tuple(_section(item, module) for item in module.sections),
        proposals=tuple(proposals),
        unsupported=tuple(unsupported),
        imports=tuple(_import(item, module) for item in module.imports),
        exports=tuple(_export(item, module) for item in module.exports),
        memories=tuple(map(describe_memory, module.all_memories)),
        tables=tuple(map(describe_table, module.all_tables)),
        functions=len(module.functions),
        start=module.start,
        names=_names(module),
        dwarf=dwarf,
        source_map=source_map,
        producers=producers,
        target_features=target_features,
        build_id=build_id,
        problems=(*problems, *custom.problems),
    )


def _section(section: Section, module: Module) -> SectionEntry:
    name = escaped(section.name) if section.id == SectionId.CUSTOM else SectionId(section.id).name.lower()
    items = _ITEMS.get(section.id)
    count = len(items(module)) if items is not None else None
    return SectionEntry(name, section.payload_start, section.end - section.payload_start, count)


_ITEMS: Mapping[int, Callable[[Module], Sequence[object]]] = {
    SectionId.TYPE: lambda module: module.types,
    SectionId.IMPORT: lambda module: module.imports,
    SectionId.FUNCTION: lambda module: module.functions,
    SectionId.TABLE: lambda module: module.tables,
    SectionId.MEMORY: lambda module: module.memories,
    SectionId.GLOBAL: lambda module: module.globals,
    SectionId.EXPORT: lambda module: module.exports,
    SectionId.ELEMENT: lambda module: module.elements,
    SectionId.CODE: lambda module: module.codes,
    SectionId.DATA: lambda module: module.data,
    SectionId.TAG: lambda module: module.tags,
}
"""What the sections are vectors of."""


def _import(item: Import, module: Module) -> ImportEntry:
    try:
        words = describe_import(item, module)
    except LookupError:
        words = _INVALID
    return ImportEntry(escaped(item.module), escaped(item.name), words)


def _export(item: Export, module: Module) -> ExportEntry:
    try:
        words = describe_export(item, module)
    except LookupError:
        words = _INVALID
    return ExportEntry(escaped(item.name), words)


_INVALID = "invalid: its index is of nothing"


def _names(module: Module) -> NameCounts | None:
    if not any(item.id == SectionId.CUSTOM and item.name == NAME_SECTION for item in module.sections):
        return None
    names = decode_names(module)
    functions = module.num_imported_functions + len(module.functions)
    nowhere = sum(index >= functions for index in names.functions)
    empty = sum(not name for index, name in names.functions.items() if index < functions)
    notes = [f"{nowhere} of functions that do not exist"] * (nowhere > 0) + [f"{empty} empty"] * (empty > 0)
    return NameCounts(
        module=escaped(names.module) if names.module is not None else None,
        functions=len(names.functions) - nowhere - empty,
        all_functions=functions,
        functions_with_local_names=sum(
            any(local_names.values()) for index, local_names in names.locals.items() if index < functions
        ),
        notes=(*names.notes, *(f"names that are of no use: {note}" for note in notes)),
    )
