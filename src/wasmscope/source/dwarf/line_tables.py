"""The line tables of all units, each decoded when it is first needed, and the files they name."""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.errors import DecodeError
from wasmscope.source.dwarf.constants import At
from wasmscope.source.dwarf.line_header import LineHeader, read_line_header
from wasmscope.source.dwarf.lines import Flag, LineTable, read_lines
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.naming import Naming
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.units import MAX_PROBLEMS, MAX_UNITS, Unit, Units, unit_length
from wasmscope.source.model import LineRow, SourceFile, SourceLocation
from wasmscope.source.paths import PathMap, join
from wasmscope.wasm.reader import Reader


class LineTables:
    """The line number programs of a module. A program is named by its offset in .debug_line."""

    def __init__(
        self, sections: DwarfSections, units: Units, naming: Naming, budget: Budget, path_map: PathMap
    ) -> None:
        self._sections = sections
        self._units = units
        self._naming = naming
        self._budget = budget
        self._path_map = path_map
        self.problems: list[str] = []
        """What is malformed."""
        self._programs: dict[int, Unit | None] | None = None
        self._headers: dict[int, LineHeader | None] = {}
        self._tables: dict[int, LineTable] = {}
        self._files: dict[tuple[int, int], SourceFile | None] = {}

    def programs(self) -> tuple[int, ...]:
        """Every program that a unit has, or, without units, that is there."""
        if self._programs is None:
            self._programs = {}
            for unit in self._units.all:
                if (at := self.program_of(unit)) is not None:
                    self._programs.setdefault(at, unit)
            if not self._units.all:
                self._programs = dict.fromkeys(self._all_programs())
        return tuple(self._programs)

    def program_of(self, unit: Unit) -> int | None:
        """The program of a unit."""
        found = self._units.top(unit).get(At.STMT_LIST)
        return found[1] if found is not None else None

    def header(self, program: int) -> LineHeader | None:
        """A program's header; None: it is malformed."""
        if program not in self._headers:
            try:
                self._headers[program] = read_line_header(self._sections, program, self._budget)
            except MalformedDwarf as error:
                self._note(str(error))
                self._headers[program] = None
        return self._headers[program]

    def table(self, program: int) -> LineTable | None:
        """A program's rows; None: it is malformed."""
        found = self._tables.get(program)
        if found is None:
            header = self.header(program)
            if header is None:
                return None
            try:
                self._budget.spend(header.end - header.program)
            except MalformedDwarf as error:
                self._note(f".debug_line: {error}")
                return None
            found = self._tables[program] = read_lines(self._sections.get(".debug_line"), header, self._sections.code)
            if found.problem:
                self._note(found.problem)
        return found

    def file(self, program: int, index: int) -> SourceFile | None:
        """The file with that number in a program."""
        key = (program, index)
        if key not in self._files:
            header = self.header(program)
            entry = header.file(index) if header is not None else None
            if header is None or entry is None:
                self._files[key] = None
            else:
                directory = header.directory(entry.directory)
                first = header.directory(0) if header.version >= 5 else ""
                path = join(self._compilation_directory(program), first, directory, entry.name)
                self._files[key] = SourceFile(
                    entry.name, directory or first, self._path_map.apply(path), entry.md5, entry.text
                )
        return self._files[key]

    def files_of(self, program: int) -> Iterator[tuple[int, SourceFile]]:
        """Every file of a program by its number."""
        header = self.header(program)
        if header is not None:
            first = int(header.version < 5)
            for index in range(first, first + len(header.files)):
                if (file := self.file(program, index)) is not None:
                    yield index, file

    def location(self, program: int, file: int, line: int, column: int) -> SourceLocation | None:
        """A place; None for line 0 and for a file that is not there."""
        found = self.file(program, file)
        return SourceLocation(found, line, column) if found is not None and line else None

    def row(self, program: int, table: LineTable, index: int) -> LineRow | None:
        """A row of a table; None if its file is not there. Its line may be 0."""
        file = self.file(program, table.files[index])
        if file is None:
            return None
        flags = table.flags[index]
        return LineRow(
            pc=table.pcs[index],
            end=table.end_of(index),
            location=SourceLocation(file, table.lines[index], table.columns[index]),
            is_stmt=bool(flags & Flag.IS_STMT),
            prologue_end=bool(flags & Flag.PROLOGUE_END),
            epilogue_begin=bool(flags & Flag.EPILOGUE_BEGIN),
            discriminator=table.discriminators[index],
        )

    def _compilation_directory(self, program: int) -> str:
        self.programs()
        unit = self._programs.get(program) if self._programs else None
        return self._naming.text(unit, self._units.top(unit).get(At.COMP_DIR)) if unit is not None else ""

    def _all_programs(self) -> list[int]:
        reader = Reader(self._sections.get(".debug_line"))
        found: list[int] = []
        try:
            while not reader.at_end() and len(found) < MAX_UNITS:
                found.append(reader.offset)
                reader.offset = unit_length(reader)[1]
        except DecodeError as error:
            self._note(f".debug_line: {error}")
        return found

    def _note(self, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
