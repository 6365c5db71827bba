"""The debug information of a module that has no DWARF: its source map, or else the text format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmscope.source.model import DebugInfo
from wasmscope.source.names import ModuleNames
from wasmscope.source.paths import PathMap
from wasmscope.source.source_map.find import find_source_map
from wasmscope.source.source_map.info import SourceMapInfo
from wasmscope.source.source_map.model import NoSourceMap, SourceMap
from wasmscope.source.wat.info import WatInfo
from wasmscope.wasm.module import Module


@dataclass(frozen=True, slots=True)
class WithoutDwarf:
    """`source_map` is None where there is none; `note` says why if the module speaks of one. `wat` is always there."""

    source_map: SourceMapInfo | None
    wat: WatInfo
    note: str = ""

    @property
    def best(self) -> DebugInfo:
        """The one to show first."""
        return self.source_map or self.wat


def without_dwarf(
    module: Module,
    names: ModuleNames,
    label: str = "",
    folders: Sequence[Path] = (),
    path_map: PathMap | None = None,
    source_map: SourceMap | None = None,
) -> WithoutDwarf:
    """What can be said of `module`, which users call `label`.

    A file with a source map is read only if it is in one of `folders`; `source_map` is used instead of any other.
    """
    wat = WatInfo(module, names, label)
    found = source_map or find_source_map(module, folders, path_map)
    if found is None:
        return WithoutDwarf(None, wat)
    if isinstance(found, NoSourceMap):
        return WithoutDwarf(None, wat, found.reason)
    if not found.mappings.pcs:
        return WithoutDwarf(None, wat, "; ".join((*found.problems, "the source map has no mapping")))
    return WithoutDwarf(SourceMapInfo(module, names, found), wat)
