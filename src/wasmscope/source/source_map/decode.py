"""A source map from its JSON (ECMA-426, 8 and 10): version 3, plain or with sections. Maps are untrusted."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from wasmscope.source.model import SourceFile
from wasmscope.source.paths import PathMap, is_absolute, join
from wasmscope.source.source_map.model import NoSourceMap, SourceMap
from wasmscope.source.source_map.vlq import MappingsDecoder

LARGEST = 128 << 20
"""Bytes of a map that is read."""

MOST_SECTIONS = 10_000
MOST_SOURCES = 200_000

_GUARD = b")]}"
"""A first line that begins so is not part of the map (ECMA-426, 10.1)."""


class _Offset(msgspec.Struct):
    line: int
    column: int


class _Section(msgspec.Struct):
    offset: _Offset
    map: _Map | None = None
    url: str | None = None


class _Map(msgspec.Struct):
    version: int
    mappings: str | None = None
    sources: list[str | None] = []
    sources_content: list[str | None] | None = msgspec.field(default=None, name="sourcesContent")
    source_root: str | None = msgspec.field(default=None, name="sourceRoot")
    names: list[Any] = []
    sections: list[_Section] | None = None


_DECODER = msgspec.json.Decoder(_Map)


class _Builder:
    """Puts sections together."""

    def __init__(self, size: int, folder: str, path_map: PathMap) -> None:
        self._folder = folder
        self._path_map = path_map
        self._decoder = MappingsDecoder(size)
        self._files: list[SourceFile] = []
        self._names: list[str] = []
        self._problems: list[str] = []

    def add(self, part: _Map, first_pc: int) -> None:
        """A map without sections, whose code begins at `first_pc`."""
        if len(self._files) + len(part.sources) > MOST_SOURCES:
            self._problems.append(f"more than {MOST_SOURCES} sources")
            return
        contents = part.sources_content or []
        if part.sources_content is not None and len(contents) != len(part.sources):
            self._problems.append("the texts of sources are more or fewer than the sources")
        first_source, first_name = len(self._files), len(self._names)
        for index, source in enumerate(part.sources):
            text = contents[index] if index < len(contents) else None
            self._files.append(self._file(source, part.source_root or "", text))
        self._names += [name if isinstance(name, str) else "" for name in part.names]
        self._decoder.section(
            part.mappings or "", first_pc, first_source, len(part.sources), first_name, len(part.names)
        )

    def note(self, problem: str) -> None:
        """Something was left out."""
        self._problems.append(problem)

    def result(self) -> SourceMap:
        """The whole map."""
        mappings = self._decoder.result()
        return SourceMap(tuple(self._files), tuple(self._names), mappings, (*self._problems, *self._decoder.problems))

    def _file(self, source: str | None, root: str, text: str | None) -> SourceFile:
        name = source or ""
        recorded = f"{root.rstrip('/')}/{name}" if root and not is_absolute(name) and "://" not in name else name
        path = unquote(recorded.removeprefix("file://")) if recorded.startswith("file://") else recorded
        # An address of a bundler's own, such as webpack:///a.ts, is no path, and is left as it is.
        resolved = path if "://" in path else join(self._folder, path)
        return SourceFile(name, root, self._path_map.apply(resolved), text=text)


def decode_source_map(
    content: bytes, size: int, folder: str = "", path_map: PathMap | None = None
) -> SourceMap | NoSourceMap:
    """The map in `content`, which is about a module of `size` bytes.

    Relative paths of sources start from `folder`. What is malformed in parts gives a map with `problems`.
    """
    if len(content) > LARGEST:
        return NoSourceMap(f"the source map is larger than {LARGEST >> 20} MiB")
    if content.startswith(_GUARD):
        content = content.partition(b"\n")[2]
    try:
        decoded = _DECODER.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return NoSourceMap(f"the source map is malformed: {error}")
    if decoded.version != 3:
        return NoSourceMap(f"the source map is of version {decoded.version}, not 3")
    builder = _Builder(size, folder, path_map or PathMap())
    if decoded.sections is None:
        builder.add(decoded, 0)
        return builder.result()
    if len(decoded.sections) > MOST_SECTIONS:
        builder.note(f"more than {MOST_SECTIONS} sections: the rest is left out")
    for section in decoded.sections[:MOST_SECTIONS]:
        if section.map is None:
            builder.note("a section is in another file: it is left out")
        elif section.map.sections is not None:
            builder.note("a section has sections itself: it is left out")
        elif section.offset.line or not 0 <= section.offset.column < size:
            builder.note("a section of code that does not exist")
        else:
            builder.add(section.map, section.offset.column)
    return builder.result()
