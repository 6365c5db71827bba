"""Which function's code a pc is in, and which inlined calls and blocks of it are around the pc."""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.source.dwarf.constants import At, Tag
from wasmscope.source.dwarf.entries import Entries
from wasmscope.source.dwarf.line_tables import LineTables
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.naming import MAX_ORIGINS, Naming, Node
from wasmscope.source.dwarf.ranges import Ranges
from wasmscope.source.dwarf.sections import CodeMap
from wasmscope.source.dwarf.tree import UnitTree
from wasmscope.source.dwarf.units import MAX_PROBLEMS, Unit, Units
from wasmscope.source.intervals import IntervalMap
from wasmscope.source.model import PcRange, SourceFunction, SourceLocation

MAX_NESTING = 256
"""Blocks and inlined calls in one another."""

_BLOCKS = (Tag.LEXICAL_BLOCK, Tag.TRY_BLOCK, Tag.CATCH_BLOCK)
_AROUND = (*_BLOCKS, Tag.INLINED_SUBROUTINE)


class Functions:
    """The functions of all units, each unit's found when it is first asked about."""

    def __init__(
        self, code: CodeMap, units: Units, ranges: Ranges, naming: Naming, entries: Entries, lines: LineTables
    ) -> None:
        self._code = code
        self._units = units
        self._ranges = ranges
        self._naming = naming
        self._entries = entries
        self._lines = lines
        self.problems: list[str] = []
        """What is malformed or about other code."""
        self._by_pc: IntervalMap[Unit] | None = None
        self._functions: dict[int, IntervalMap[int]] = {}
        self._references: dict[int, dict[int, list[int]]] = {}

    def units_at(self, pc: int) -> Iterator[Unit]:
        """The units that have code at `pc`."""
        return self._units_by_pc().at(pc)

    def has_code(self) -> bool:
        """Whether any unit has code in the module."""
        return len(self._units_by_pc()) > 0

    def at(self, pc: int) -> Node | None:
        """The function whose code `pc` is in, none that is inlined."""
        for unit in self.units_at(pc):
            for index in self._functions_of(unit).at(pc):
                return unit, self._units.tree(unit), index
        return None

    def path(self, pc: int) -> list[Node]:
        """The function at `pc`, then its blocks and inlined calls around `pc`, from the outside in."""
        function = self.at(pc)
        path: list[Node] = []
        further = [function] if function is not None else []
        while further and len(path) < MAX_NESTING:
            path += further
            further = self._inside(path[-1], pc)
        return path

    def _inside(self, node: Node, pc: int) -> list[Node]:
        """What is around `pc` next; several where only the innermost says so."""
        unit, tree, index = node
        broken: list[int] = []
        bare: list[int] = []
        for child in tree.children(index):
            if tree.tags[child] not in _AROUND:
                continue
            ranges = self.ranges((unit, tree, child))
            if any(pc in each for each in ranges):
                return [(unit, tree, child)]
            if not ranges and At.LOW_PC in tree.of(child):
                broken.append(child)
            if tree.tags[child] in _BLOCKS and not _has_code(tree, child):
                bare.append(child)
        for child in broken:
            if found := self._inside_broken(node, child, pc):
                return found
        # A block that says nothing of its code is where the one around it is.
        return [(unit, tree, child) for child in bare[:1]]

    def _inside_broken(self, node: Node, child: int, pc: int) -> list[Node]:
        """Likewise for an entry that has a start but no end, as Binaryen leaves some: its parts tell where it is."""
        unit, tree, index = node
        for part in range(child + 1, tree.ends[child]):
            if tree.tags[part] in _AROUND and any(pc in each for each in self.ranges((unit, tree, part))):
                found: list[Node] = []
                while part != index and len(found) < MAX_NESTING:
                    if tree.tags[part] in _AROUND:
                        found.append((unit, tree, part))
                    part = tree.parents[part]
                return found[::-1]
        return []

    def ranges(self, node: Node) -> tuple[PcRange, ...]:
        """The code of an entry."""
        unit, tree, index = node
        try:
            return self._ranges.of(unit, tree.of(index))
        except MalformedDwarf as error:
            self._note(str(error))
            return ()

    def copies(self, unit: Unit, key: int) -> list[Node]:
        """The functions and inlined copies in a unit, those with code, of which the entry at `key` is the origin."""
        tree, references = self._units.tree(unit), self._references_of(unit)
        at = tree.index_of(key)
        found = [at] if at is not None and _has_code(tree, at) else []
        level = [key]
        for _ in range(MAX_ORIGINS):
            copies = [index for offset in level for index in references.get(offset, ())]
            found += (index for index in copies if _has_code(tree, index))
            level = [tree.offsets[index] for index in copies]
        return [(unit, tree, index) for index in dict.fromkeys(found)]

    def describe(self, node: Node) -> SourceFunction:
        """The function of an entry, with the code of this copy."""
        _, tree, index = node
        root_unit, root_tree, root = self._naming.root(node)
        return SourceFunction(
            name=self._naming.name(node),
            qualified_name=self._naming.qualified_name(node),
            linkage_name=self._naming.linkage_name(node),
            declaration=self.declaration(node),
            ranges=self.ranges(node),
            is_inlined=tree.tags[index] == Tag.INLINED_SUBROUTINE,
            language=self._naming.language(root_unit),
            key=root_tree.offsets[root],
        )

    def declaration(self, node: Node) -> SourceLocation | None:
        """Where an entry, or what it is a copy of, is in the source."""
        at: Node | None = node
        for _ in range(8):
            if at is None:
                break
            found = self.place(at, "decl")
            if found is not None:
                return found
            at = self._naming.origin(at)
        return None

    def place(self, node: Node, kind: str) -> SourceLocation | None:
        """What the attributes `DW_AT_<kind>_file`, `_line` and `_column` say; kind is `decl` or `call`."""
        unit, tree, index = node
        program = self._lines.program_of(unit)
        try:
            entry = self._entries.of(unit, tree, index)
        except MalformedDwarf as error:
            self._note(str(error))
            return None
        file, line = entry.number(f"DW_AT_{kind}_file"), entry.number(f"DW_AT_{kind}_line")
        if program is None or file is None or line is None:
            return None
        return self._lines.location(program, file, line, entry.number(f"DW_AT_{kind}_column") or 0)

    def _units_by_pc(self) -> IntervalMap[Unit]:
        if self._by_pc is None:
            found: list[tuple[PcRange, Unit]] = []
            astray = 0
            for unit in self._units.all:
                top = self._units.top(unit)
                try:
                    ranges = self._ranges.of(unit, top)
                except MalformedDwarf as error:
                    self._note(f"unit {unit.start:#x}: {error}")
                    ranges = ()
                if not ranges and At.LOW_PC not in top and At.RANGES not in top:
                    ranges = self._ranges_by_lines(unit)
                astray += sum(not self._code.is_entry(each.start) for each in ranges)
                found += ((each, unit) for each in ranges)
            if astray * 2 > len(found):
                self._note(f"{astray} of {len(found)} ranges of code begin where no function does: {_STALE}")
            self._by_pc = IntervalMap(found)
        return self._by_pc

    def _ranges_by_lines(self, unit: Unit) -> tuple[PcRange, ...]:
        """The code that a unit has lines for: for one that does not say where its code is."""
        program = self._lines.program_of(unit)
        table = self._lines.table(program) if program is not None else None
        return tuple(table.sequences()) if table is not None else ()

    def _functions_of(self, unit: Unit) -> IntervalMap[int]:
        found = self._functions.get(unit.number)
        if found is None:
            tree = self._units.tree(unit)
            items: list[tuple[PcRange, int]] = []
            astray = 0
            for index in (each for each in tree.values if tree.tags[each] == Tag.SUBPROGRAM):
                ranges = self.ranges((unit, tree, index))
                # A function's code is one body of the module, and begins where that does.
                if any(self._code.is_entry(each.start) for each in ranges):
                    items += ((each, index) for each in ranges)
                elif ranges:
                    astray += 1
            if astray:
                self._note(f"unit {unit.start:#x}: {astray} functions begin where none does: {_STALE}")
            found = self._functions[unit.number] = IntervalMap(items)
        return found

    def _references_of(self, unit: Unit) -> dict[int, list[int]]:
        """The functions and inlined copies of a unit by what each is a copy of, or completes."""
        found = self._references.get(unit.number)
        if found is None:
            tree = self._units.tree(unit)
            found = self._references[unit.number] = {}
            for index, values in tree.values.items():
                if tree.tags[index] in (Tag.SUBPROGRAM, Tag.INLINED_SUBROUTINE):
                    origin = values.get(At.ABSTRACT_ORIGIN) or values.get(At.SPECIFICATION)
                    if origin is not None and (offset := self._naming.target(unit, origin)) is not None:
                        found.setdefault(offset, []).append(index)
        return found

    def _note(self, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)


_STALE = "the debug information is of other code than this, as an optimiser such as wasm-opt leaves it"


def _has_code(tree: UnitTree, index: int) -> bool:
    values = tree.of(index)
    return At.LOW_PC in values or At.RANGES in values
