"""The name section (Wasm spec A.4.1, and the extended-name-section proposal), read with tolerance.

Names are for people: what is malformed leaves a note instead of an error, and what could be read before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.module import Module
from wasmscope.wasm.reader import Reader

NAME_SECTION = "name"

NameMap = Mapping[int, str]
IndirectNameMap = Mapping[int, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class NameSection:
    """Names by index. `locals`, `labels` and `fields` are by function or type first.

    `notes` says what was malformed.
    """

    module: str | None = None
    functions: NameMap = field(default_factory=dict)
    locals: IndirectNameMap = field(default_factory=dict)
    labels: IndirectNameMap = field(default_factory=dict)
    types: NameMap = field(default_factory=dict)
    tables: NameMap = field(default_factory=dict)
    memories: NameMap = field(default_factory=dict)
    globals: NameMap = field(default_factory=dict)
    elements: NameMap = field(default_factory=dict)
    data: NameMap = field(default_factory=dict)
    fields: IndirectNameMap = field(default_factory=dict)
    tags: NameMap = field(default_factory=dict)
    notes: tuple[str, ...] = ()


MODULE_SUBSECTION = 0

NAME_MAPS: Mapping[int, str] = {
    1: "functions",
    4: "types",
    5: "tables",
    6: "memories",
    7: "globals",
    8: "elements",
    9: "data",
    11: "tags",
}
"""Subsection id -> the field of `NameSection` with its names."""

INDIRECT_NAME_MAPS: Mapping[int, str] = {2: "locals", 3: "labels", 10: "fields"}
"""The same for the subsections whose names have two indices."""


def decode_names(module: Module) -> NameSection:
    """The names of `module`; never fails."""
    decoder = _NamesDecoder()
    for section in module.sections:
        if section.id == 0 and section.name == NAME_SECTION:
            decoder.section(Reader(module.bytecode, section.payload_start, section.end))
    return decoder.result()


class _NamesDecoder:
    def __init__(self) -> None:
        self._module: str | None = None
        self._maps: dict[str, dict[int, str]] = {}
        self._indirect_maps: dict[str, dict[int, dict[int, str]]] = {}
        self._notes: list[str] = []
        self._names_left = limits.NAMES

    def result(self) -> NameSection:
        fields: dict[str, Any] = {**self._maps, **self._indirect_maps}
        return NameSection(module=self._module, notes=tuple(self._notes), **fields)

    def section(self, reader: Reader) -> None:
        while not reader.at_end():
            try:
                subsection_id = reader.u8()
                size = reader.u32()
                start = reader.skip(size)
            except DecodeError as error:
                self._notes.append(f"name section: {error}")
                return
            try:
                self._subsection(subsection_id, Reader(reader.bytecode, start, reader.offset))
            except DecodeError as error:
                self._notes.append(f"name subsection {subsection_id}: {error}")

    def _subsection(self, subsection_id: int, reader: Reader) -> None:
        if subsection_id == MODULE_SUBSECTION:
            self._module = _text(reader)
        elif subsection_id in NAME_MAPS:
            names = self._maps.setdefault(NAME_MAPS[subsection_id], {})
            for index in self._indices(reader):
                names[index] = _text(reader)
        elif subsection_id in INDIRECT_NAME_MAPS:
            groups = self._indirect_maps.setdefault(INDIRECT_NAME_MAPS[subsection_id], {})
            for outer in self._indices(reader):
                names = groups.setdefault(outer, {})
                for index in self._indices(reader):
                    names[index] = _text(reader)

    def _indices(self, reader: Reader) -> Iterator[int]:
        """The index of each entry of a vector; whoever asks reads what follows it."""
        for _ in range(reader.count(self._names_left, "names")):
            self._names_left -= 1
            if self._names_left < 0:
                raise DecodeError("too many names", reader.offset)
            yield reader.u32()


def _text(reader: Reader) -> str:
    return reader.bytes(reader.u32()).decode(errors="replace")
