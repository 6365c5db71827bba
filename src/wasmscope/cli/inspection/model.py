"""An inspection as plain, frozen values. Encoded by msgspec, they are the JSON of `wasmscope inspect --json`."""

from __future__ import annotations

from typing import Literal

import msgspec

FORMAT = 1
"""Grows when a reader of the JSON form would have to change."""


class SectionEntry(msgspec.Struct, frozen=True):
    """A section: where its payload is, in the file, and how many items it has if it is a vector of them."""

    name: str
    offset: int
    size: int
    count: int | None


class ImportEntry(msgspec.Struct, frozen=True):
    """An import, its type in words."""

    module: str
    name: str
    type: str


class ExportEntry(msgspec.Struct, frozen=True):
    """An export, its type in words."""

    name: str
    type: str


class NameCounts(msgspec.Struct, frozen=True):
    """What the name section names. `functions` of `all_functions`, imported ones counted."""

    module: str | None
    functions: int
    all_functions: int
    functions_with_local_names: int
    notes: tuple[str, ...]


DwarfState = Literal["absent", "usable", "partial", "addresses gone", "no line table", "malformed", "elsewhere"]


class Dwarf(msgspec.Struct, frozen=True):
    """What the debug information is worth.

    Of the line table's `units` those that are `live` have rows for addresses inside the code section.
    """

    state: DwarfState
    sections: dict[str, int]
    units: int
    live_units: int
    note: str


class Producer(msgspec.Struct, frozen=True):
    """A tool or language, from the producers section."""

    field: str
    name: str
    version: str


class Inspection(msgspec.Struct, frozen=True):
    """Everything `inspect` knows of a module."""

    format: int
    file: str
    size: int
    sections: tuple[SectionEntry, ...]
    proposals: tuple[str, ...]
    unsupported: tuple[str, ...]
    imports: tuple[ImportEntry, ...]
    exports: tuple[ExportEntry, ...]
    memories: tuple[str, ...]
    tables: tuple[str, ...]
    functions: int
    start: int | None
    names: NameCounts | None
    dwarf: Dwarf
    source_map: str | None
    producers: tuple[Producer, ...]
    target_features: tuple[str, ...]
    build_id: str | None
    problems: tuple[str, ...]

    def to_json(self) -> bytes:
        """One line of JSON."""
        return msgspec.json.encode(self) + b"\n"
