"""A decoded source map. Lines and columns count from 0 here, as they do in the map."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from wasmscope.source.model import SourceFile

NO_SOURCE = -1
"""Of a mapping: the code from there on comes from no source."""

NO_NAME = -1


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mappings in the order of their pcs, which are byte offsets in the module: parallel arrays.

    `sources` and `names` are indices, or `NO_SOURCE` and `NO_NAME`; `lines` and `columns` count from 0, columns in
    UTF-16 code units.
    """

    pcs: array[int]
    sources: array[int]
    lines: array[int]
    columns: array[int]
    names: array[int]


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The files of a map, the names in it and its mappings; `problems` says what had to be left out."""

    files: tuple[SourceFile, ...]
    names: tuple[str, ...]
    mappings: Mappings
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoSourceMap:
    """There is none that can be read, and why."""

    reason: str
