"""From lines to pcs and back: where breakpoints go, and what a step over a line goes through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from wasmscope.source.dwarf.constants import Tag
from wasmscope.source.dwarf.functions import Functions
from wasmscope.source.dwarf.line_tables import LineTables
from wasmscope.source.dwarf.lines import Flag, LineTable
from wasmscope.source.dwarf.sections import CodeMap
from wasmscope.source.intervals import IntervalMap
from wasmscope.source.model import LineRow, PcRange, Place, Places, SourceFunction
from wasmscope.source.paths import is_meant

MAX_PLACES = 1 << 12
"""Places of one line: a line of a header that is inlined everywhere."""

MAX_ROWS = 1 << 16
"""Rows that a step goes over, or of a line."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row by where it is."""

    program: int
    table: LineTable
    index: int

    @property
    def pc(self) -> int:
        return self.table.pcs[self.index]


class Placing:
    """Answers with the line tables and the functions."""

    def __init__(self, code: CodeMap, lines: LineTables, functions: Functions) -> None:
        self._code = code
        self._lines = lines
        self._functions = functions
        self._unowned: IntervalMap[int] | None = None

    def row_at(self, pc: int) -> LineRow | None:
        """The row that covers `pc`."""
        found = self._find(pc)
        return self._lines.row(found.program, found.table, found.index) if found is not None else None

    def places(self, path: str, line: int) -> Places:
        """As `DebugInfo` says."""
        rows = list(self._rows_of(path, line))
        if not rows:
            return Places(line, line, ())
        found = min(each.table.lines[each.index] for each in rows)
        exact = [each for each in rows if each.table.lines[each.index] == found]
        # What is recommended for breakpoints, if any of it is.
        recommended = [each for each in exact if each.table.flags[each.index] & Flag.IS_STMT] or exact
        chosen: dict[tuple[int, int], _Row] = {}
        for each in sorted(recommended, key=lambda row: row.pc):
            chosen.setdefault(self._copy(each.pc), each)
        places = {place.pc: place for each in chosen.values() if (place := self._place(each)) is not None}
        return Places(line, found, tuple(places.values())[:MAX_PLACES])

    def _rows_of(self, path: str, line: int) -> Iterator[_Row]:
        """The rows of the first line from `line` on, of each program the first that it has."""
        for program in self._lines.programs():
            wanted = frozenset(index for index, file in self._lines.files_of(program) if is_meant(file.path, path))
            table = self._lines.table(program) if wanted else None
            if table is None:
                continue
            nearest: list[int] = []
            best = 0
            for index, (file, at) in enumerate(zip(table.files, table.lines, strict=True)):
                if file in wanted and at >= line and not table.flags[index] & Flag.END_SEQUENCE:
                    if not nearest or at < best:
                        nearest, best = [index], at
                    elif at == best and len(nearest) < MAX_ROWS:
                        nearest.append(index)
            yield from (_Row(program, table, index) for index in nearest)

    def _copy(self, pc: int) -> tuple[int, int]:
        """The function or inlined copy that `pc` is in; without one, the body of code."""
        for unit, tree, index in reversed(self._functions.path(pc)):
            if tree.tags[index] in (Tag.SUBPROGRAM, Tag.INLINED_SUBROUTINE):
                return unit.number, index
        code = self._code.code_at(pc)
        return -1, code.start if code is not None else pc

    def _place(self, row: _Row) -> Place | None:
        function: SourceFunction | None = None
        for node in reversed(self._functions.path(row.pc)):
            if node[1].tags[node[2]] in (Tag.SUBPROGRAM, Tag.INLINED_SUBROUTINE):
                function = self._functions.describe(node)
                break
        if function is not None and not function.is_inlined and self._code.is_entry(row.pc):
            # The line that opens a function: behind the prologue, as for the function itself.
            place = self.entry_place(function)
            if place is not None:
                return place
        found = self._lines.row(row.program, row.table, row.index)
        return Place(self._code.instruction_at(row.pc), found.location, function) if found is not None else None

    def entry_place(self, function: SourceFunction) -> Place | None:
        """As `DebugInfo` says."""
        start = function.entry
        if start is None:
            return None
        end = next(each.end for each in function.ranges if each.start == start)
        chosen = self._find(start)
        if chosen is None or not function.is_inlined:
            chosen = self._behind_prologue(start, end) or chosen
        row = self._lines.row(chosen.program, chosen.table, chosen.index) if chosen is not None else None
        if row is None:
            return None
        return Place(self._code.instruction_at(max(row.pc, start)), row.location, function)

    def _behind_prologue(self, start: int, end: int) -> _Row | None:
        """The row where the prologue of a function that is there ends."""
        for program, table in self._tables_at(start):
            rows = [each for each in islice(table.rows_between(start, end), MAX_ROWS) if table.lines[each]]
            marked = [each for each in rows if table.flags[each] & Flag.PROLOGUE_END]
            # Without a mark the prologue ends with the second row (GDB, `skip_prologue_using_sal`).
            second = [each for each in rows if table.pcs[each] > start]
            for each in (*marked[:1], *second[:1], *rows[:1]):
                return _Row(program, table, each)
        return None

    def ranges_of_line(self, pc: int) -> tuple[PcRange, ...]:
        """As `DebugInfo` says."""
        at = self._find(pc)
        if at is None:
            return ()
        table = at.table
        place = (table.files[at.index], table.lines[at.index])

        def is_same(index: int) -> bool:
            """Code of line 0 belongs to what is around it."""
            return (table.files[index], table.lines[index]) == place or table.lines[index] == 0

        body = self._code.code_at(pc)
        low, high = (body.start, body.end) if body is not None else (pc, pc + 1)
        first = last = at.index
        while first > 0 and table.pcs[first - 1] >= low and is_same(first - 1) and at.index - first < MAX_ROWS:
            if table.flags[first - 1] & Flag.END_SEQUENCE:
                break
            first -= 1
        while last + 1 < len(table.pcs) and table.pcs[last + 1] < high and is_same(last + 1):
            if table.flags[last + 1] & Flag.END_SEQUENCE or last - at.index >= MAX_ROWS:
                break
            last += 1
        end = min(table.end_of(last), high)
        return (PcRange(table.pcs[first], end),) if table.pcs[first] < end else ()

    def _find(self, pc: int) -> _Row | None:
        for program, table in self._tables_at(pc):
            if (index := table.row_of(pc)) is not None:
                return _Row(program, table, index)
        return None

    def _tables_at(self, pc: int) -> Iterator[tuple[int, LineTable]]:
        """The line tables of the units with code at `pc`."""
        programs = [self._lines.program_of(unit) for unit in self._functions.units_at(pc)]
        programs += self._programs_without_units().at(pc)
        for program in dict.fromkeys(programs):
            table = self._lines.table(program) if program is not None else None
            if program is not None and table is not None:
                yield program, table

    def _programs_without_units(self) -> IntervalMap[int]:
        """What the line tables cover where no unit says what it covers: there are no units at all."""
        if self._unowned is None:
            found: list[tuple[PcRange, int]] = []
            if not self._functions.has_code():
                for program in self._lines.programs():
                    table = self._lines.table(program)
                    if table is not None:
                        found += ((each, program) for each in table.sequences())
            self._unowned = IntervalMap(found)
        return self._unowned
