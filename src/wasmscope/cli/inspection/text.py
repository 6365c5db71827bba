"""An inspection as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmscope.cli.inspection.model import Dwarf, Inspection, NameCounts


def format_inspection(found: Inspection) -> Iterator[str]:
    """The lines, one thing after the other, what matters for debugging first."""
    yield f"{found.file}: {found.size} bytes, {found.functions} function{'s' * (found.functions != 1)}"
    yield ""
    yield "Debug information"
    yield f"  names       {_names(found.names)}"
    yield from (f"              {note}" for note in (found.names.notes if found.names is not None else ()))
    yield f"  DWARF       {_dwarf(found.dwarf)}"
    if found.dwarf.note:
        yield f"              {found.dwarf.note}"
    if found.source_map is not None:
        yield f"  source map  {found.source_map}"
    if found.build_id is not None:
        yield f"  build id    {found.build_id}"
    yield from _list("Proposals needed", found.proposals or ["none: the first version of WebAssembly will do"])
    yield from _list("Not supported", found.unsupported)
    yield from _list("Memories and tables", [*found.memories, *found.tables])
    yield from _list("Imports", [f"{item.module}::{item.name}  {item.type}" for item in found.imports])
    start = [f"(start function)  function {found.start}"] if found.start is not None else []
    yield from _list("Exports", [*(f"{item.name}  {item.type}" for item in found.exports), *start])
    yield from _list("Sections", _sections(found))
    yield from _list("Producers", [f"{item.field}: {item.name} {item.version}".strip() for item in found.producers])
    yield from _list("Target features", [" ".join(found.target_features)] if found.target_features else [])
    yield from _list("Problems", found.problems)


def _names(names: NameCounts | None) -> str:
    if names is None:
        return "none: functions will be shown by index"
    module = f"module {names.module}, " if names.module is not None else ""
    functions = f"{names.functions} of {names.all_functions} functions"
    return f"{module}{functions}, locals of {names.functions_with_local_names}"


def _dwarf(dwarf: Dwarf) -> str:
    if not dwarf.sections:
        return dwarf.state
    size = sum(dwarf.sections.values())
    units = f", line tables of {dwarf.live_units} of {dwarf.units} units lead to code" if dwarf.units else ""
    return f"{dwarf.state}: {size} bytes in {len(dwarf.sections)} sections{units}"


def _sections(found: Inspection) -> list[str]:
    width = max((len(item.name) for item in found.sections), default=0)
    return [
        f"{item.name:<{width}}  {item.size:>10} bytes at {item.offset:#010x}"
        + (f"  {item.count} item{'s' * (item.count != 1)}" if item.count is not None else "")
        for item in found.sections
    ]


def _list(heading: str, lines: Sequence[str]) -> Iterator[str]:
    """A heading with its lines; nothing where there are none."""
    if lines:
        yield ""
        yield heading
        yield from (f"  {line}" for line in lines)
