"""What a source map and the module together say of the code: lines from the map, the rest from the module."""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from pathlib import PurePosixPath

from wasmscope.source.model import (
    Language,
    LineRow,
    PcRange,
    Place,
    Places,
    Scope,
    SourceFile,
    SourceFrame,
    SourceFunction,
    SourceLocation,
    Variable,
)
from wasmscope.source.names import ModuleNames
from wasmscope.source.paths import is_meant
from wasmscope.source.source_map.model import NO_SOURCE, SourceMap
from wasmscope.source.types import Type
from wasmscope.source.wasm_functions import WasmFunctions
from wasmscope.wasm.module import Module

_LANGUAGES = {
    **dict.fromkeys((".c", ".h"), Language.C),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hpp", ".hh"), Language.CPP),
    ".ts": Language.ASSEMBLYSCRIPT,
    ".rs": Language.RUST,
    ".zig": Language.ZIG,
    ".go": Language.GO,
    ".swift": Language.SWIFT,
    ".d": Language.D,
}
"""By the ending of a file's name: a source map does not say."""

MAX_PLACES = 1 << 12
"""Places of one line: functions that are made of it."""


class SourceMapInfo:
    """The `DebugInfo` of a module with a source map.

    A mapping holds from its pc to that of the next, but not beyond the function it is in.
    """

    def __init__(self, module: Module, names: ModuleNames, source_map: SourceMap) -> None:
        self._module = module
        self._map = source_map
        self._mappings = source_map.mappings
        self._functions = WasmFunctions(module, names, self._language, unnamed_are_artificial=True)

    def problems(self) -> tuple[str, ...]:
        """As `DebugInfo` says."""
        unmapped = ["the source map has no mapping"] if not self._mappings.pcs else []
        return (*self._map.problems, *unmapped, *self._functions.problems())

    def files(self) -> tuple[SourceFile, ...]:
        """As `DebugInfo` says."""
        return tuple({file.path: file for file in reversed(self._map.files)}.values())[::-1]

    def location_at(self, pc: int) -> SourceLocation | None:
        """As `DebugInfo` says."""
        row = self.row_at(pc)
        return row.location if row is not None else None

    def row_at(self, pc: int) -> LineRow | None:
        """As `DebugInfo` says."""
        index = self._index_at(pc)
        return self._row(index) if index is not None else None

    def places(self, path: str, line: int) -> Places:
        """As `DebugInfo` says."""
        wanted = frozenset(i for i, file in enumerate(self._map.files) if is_meant(file.path, path))
        found = self._nearest(wanted, max(line, 1) - 1) if wanted else []
        if not found:
            return Places(line, line, ())
        first_of: dict[int | None, int] = {}
        for index in found:
            first_of.setdefault(self._functions.index_at(self._mappings.pcs[index]), index)
        places = map(self._place, islice(first_of.values(), MAX_PLACES))
        return Places(line, self._mappings.lines[found[0]] + 1, tuple(place for place in places if place is not None))

    def entry_place(self, function: SourceFunction) -> Place | None:
        """As `DebugInfo` says: the first instruction that comes from a source."""
        start = function.entry
        code = self._functions.code_at(start) if start is not None else None
        if code is None:
            return None
        pcs = self._mappings.pcs
        for index in range(max(bisect_right(pcs, code.start - 1), 0), len(pcs)):
            if pcs[index] >= code.end:
                return None
            place = self._place(index)
            if place is not None:
                return place
        return None

    def functions_named(self, name: str) -> tuple[SourceFunction, ...]:
        """As `DebugInfo` says."""
        return self._functions.functions_named(name)

    def function_at(self, pc: int) -> SourceFunction | None:
        """As `DebugInfo` says."""
        return self._functions.function_at(pc)

    def frames_at(self, pc: int) -> tuple[SourceFrame, ...]:
        """As `DebugInfo` says: always one, as a source map does not tell of inlined calls."""
        return self._functions.frames_at(pc, self.location_at(pc))

    def scopes_at(self, pc: int, depth: int = 0) -> tuple[Scope, ...]:
        """As `DebugInfo` says."""
        return self._functions.scopes_at(pc, depth)

    def variables_at(self, pc: int, depth: int = 0) -> tuple[Variable, ...]:
        """As `DebugInfo` says: the function's locals."""
        return tuple(variable for scope in self.scopes_at(pc, depth) for variable in scope.variables)

    def statics(self) -> tuple[Variable, ...]:
        """As `DebugInfo` says: the globals."""
        return self._functions.statics()

    def statics_named(self, name: str) -> tuple[Variable, ...]:
        """As `DebugInfo` says."""
        return self._functions.statics_named(name)

    def types_named(self, name: str) -> tuple[Type, ...]:
        """As `DebugInfo` says."""
        return self._functions.types_named(name)

    def ranges_of_line(self, pc: int) -> tuple[PcRange, ...]:
        """As `DebugInfo` says."""
        index = self._index_at(pc)
        code = self._functions.code_at(pc)
        if index is None or code is None:
            return ()
        first = last = index
        pcs = self._mappings.pcs
        while first > 0 and self._is_same_line(first - 1, index) and pcs[first - 1] >= code.start:
            first -= 1
        while last + 1 < len(pcs) and self._is_same_line(last + 1, index) and pcs[last + 1] < code.end:
            last += 1
        return (PcRange(max(pcs[first], code.code_start), self._end(last)),)

    def _index_at(self, pc: int) -> int | None:
        """The mapping that holds at `pc`, if it names a source."""
        code = self._functions.code_at(pc)
        index = bisect_right(self._mappings.pcs, pc) - 1
        if code is None or index < 0 or self._mappings.pcs[index] < code.start:
            return None
        return index if self._mappings.sources[index] != NO_SOURCE else None

    def _end(self, index: int) -> int:
        """Where the mapping ends: those of the same pc are one."""
        pcs = self._mappings.pcs
        code = self._functions.code_at(pcs[index])
        end = code.end if code is not None else pcs[index]
        after = bisect_right(pcs, pcs[index])
        return min(pcs[after], end) if after < len(pcs) else end

    def _row(self, index: int) -> LineRow:
        return LineRow(self._mappings.pcs[index], self._end(index), self._location(index))

    def _location(self, index: int) -> SourceLocation:
        mappings = self._mappings
        file = self._map.files[mappings.sources[index]]
        return SourceLocation(file, mappings.lines[index] + 1, mappings.columns[index] + 1)

    def _is_same_line(self, index: int, other: int) -> bool:
        sources, lines = self._mappings.sources, self._mappings.lines
        return sources[index] == sources[other] and lines[index] == lines[other]

    def _nearest(self, wanted: frozenset[int], line: int) -> list[int]:
        """The mappings to the first line from `line` on that has code, in files that are wanted.

        It is of a function that begins there, or that reaches over the line asked for.
        """
        pcs = self._mappings.pcs
        nearest: list[int] = []
        best = -1
        for index, (source, at) in enumerate(zip(self._mappings.sources, self._mappings.lines, strict=True)):
            if source in wanted and at >= line and (at <= best or not nearest):
                if self._functions.index_at(pcs[index]) is None:
                    continue
                if at != best:
                    nearest, best = [], at
                nearest.append(index)
        return nearest

    def _place(self, index: int) -> Place | None:
        """Where a breakpoint on the mapping goes, if it names a source."""
        pc = self._functions.instruction_from(self._mappings.pcs[index])
        if pc is None or self._mappings.sources[index] == NO_SOURCE:
            return None
        return Place(pc, self._location(index), self._functions.function_at(pc))

    def _language(self, pc: int) -> Language:
        """The language of the file of the first mapping at or behind `pc` that names one."""
        sources = self._mappings.sources
        begin = bisect_right(self._mappings.pcs, pc - 1) if pc else 0
        for index in range(begin, min(begin + _LOOKED_AT, len(sources))):
            if sources[index] != NO_SOURCE:
                ending = PurePosixPath(self._map.files[sources[index]].path).suffix
                return _LANGUAGES.get(ending.lower(), Language.UNKNOWN)
        return Language.UNKNOWN


_LOOKED_AT = 64
"""Mappings that are searched for a file that says what language it is."""
