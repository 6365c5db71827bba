"""A module's DWARF as `wasmscope.source.model.DebugInfo`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from wasmscope.source.dwarf.constants import At, Tag
from wasmscope.source.dwarf.entries import Entries
from wasmscope.source.dwarf.functions import Functions
from wasmscope.source.dwarf.line_tables import LineTables
from wasmscope.source.dwarf.location_lists import LocationLists
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.naming import Naming, Node
from wasmscope.source.dwarf.placing import Placing
from wasmscope.source.dwarf.ranges import Ranges
from wasmscope.source.dwarf.search import Search
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.types import Types
from wasmscope.source.dwarf.units import Units
from wasmscope.source.dwarf.variables import Variables
from wasmscope.source.model import (
    DebugInfo,
    LineRow,
    PcRange,
    Place,
    Places,
    Scope,
    ScopeKind,
    SourceFile,
    SourceFrame,
    SourceFunction,
    SourceLocation,
    Variable,
)
from wasmscope.source.paths import PathMap
from wasmscope.source.types import BrokenType, EnumType, StructType, Type

_TYPES = frozenset(
    (
        Tag.BASE_TYPE, Tag.STRUCTURE_TYPE, Tag.CLASS_TYPE, Tag.UNION_TYPE, Tag.ENUMERATION_TYPE, Tag.TYPEDEF,
        Tag.INTERFACE_TYPE, Tag.UNSPECIFIED_TYPE,
    )
)  # fmt: skip
_KEYWORDS = ("struct ", "class ", "union ", "enum ")

MAX_FOUND = 1 << 12
"""Functions or variables of one name."""


class DwarfInfo(DebugInfo):
    """What a module's DWARF says. Everything is read when it is first asked for; not to be shared among threads."""

    def __init__(self, sections: DwarfSections, path_map: PathMap | None = None) -> None:
        self._sections = sections
        budget = Budget(sections.size)
        self._units = Units(sections, budget)
        self._ranges = Ranges(sections, self._units, budget)
        self._naming = Naming(self._units)
        self._entries = Entries(sections, self._units)
        self._lines = LineTables(sections, self._units, self._naming, budget, path_map or PathMap())
        self._functions = Functions(sections.code, self._units, self._ranges, self._naming, self._entries, self._lines)
        self._types = Types(self._entries, self._naming)
        lists = LocationLists(sections, self._units, self._ranges)
        self._variables = Variables(self._units, self._entries, self._naming, self._functions, self._types, lists)
        self._search = Search(sections, self._units, self._naming)
        self._placing = Placing(sections.code, self._lines, self._functions)
        self._problems: list[str] = []

    def problems(self) -> tuple[str, ...]:
        """As `DebugInfo` says."""
        found = [self._sections.note] if self._sections.note else []
        if not self._sections.get(".debug_info") and not self._sections.get(".debug_line"):
            if not found:
                found.append("the module has no DWARF: compile it with -g, and keep optimisers from stripping it")
        elif self._units.all and not self._functions.has_code():
            found.append(
                "no debug information is about code of this module: an optimiser such as wasm-opt dropped the addresses"
            )
        found += self._units.problems + self._lines.problems + self._functions.problems + self._problems
        return tuple(dict.fromkeys(found))

    def files(self) -> tuple[SourceFile, ...]:
        """As `DebugInfo` says."""
        found: dict[str, SourceFile] = {}
        for program in self._lines.programs():
            for _, file in self._lines.files_of(program):
                found.setdefault(file.path, file)
        return tuple(found.values())

    def row_at(self, pc: int) -> LineRow | None:
        """As `DebugInfo` says."""
        return self._placing.row_at(pc)

    def location_at(self, pc: int) -> SourceLocation | None:
        """As `DebugInfo` says."""
        row = self.row_at(pc)
        return row.location if row is not None and row.location.line else None

    def places(self, path: str, line: int) -> Places:
        """As `DebugInfo` says."""
        return self._placing.places(path, line)

    def entry_place(self, function: SourceFunction) -> Place | None:
        """As `DebugInfo` says."""
        return self._placing.entry_place(function)

    def ranges_of_line(self, pc: int) -> tuple[PcRange, ...]:
        """As `DebugInfo` says."""
        return self._placing.ranges_of_line(pc)

    def functions_named(self, name: str) -> tuple[SourceFunction, ...]:
        """As `DebugInfo` says."""
        found: dict[tuple[int, int], SourceFunction] = {}
        for node in self._search.find(name, frozenset((Tag.SUBPROGRAM,))):
            for copy in self._copies(node):
                if len(found) < MAX_FOUND:
                    key = (copy[0].number, copy[2])
                    if key not in found:
                        found[key] = self._functions.describe(copy)
        return tuple(each for each in found.values() if each.ranges)

    def _copies(self, node: Node) -> Iterator[Node]:
        unit, tree, index = self._naming.root(node)
        offset = tree.offsets[index]
        yield from self._functions.copies(unit, offset)
        for other in self._search.units_referring_to(offset):
            if other is not unit:
                yield from self._functions.copies(other, offset)

    def function_at(self, pc: int) -> SourceFunction | None:
        """As `DebugInfo` says."""
        node = self._functions.at(pc)
        return self._functions.describe(node) if node is not None else None

    def frames_at(self, pc: int) -> tuple[SourceFrame, ...]:
        """As `DebugInfo` says."""
        frames: list[SourceFrame] = []
        location = self.location_at(pc)
        for nodes in _by_call(self._functions.path(pc)):
            frames.append(SourceFrame(len(frames), self._functions.describe(nodes[0]), location))
            location = self._functions.place(nodes[0], "call")
        return tuple(frames)

    def scopes_at(self, pc: int, depth: int = 0) -> tuple[Scope, ...]:
        """As `DebugInfo` says."""
        path = self._functions.path(pc)
        calls = list(_by_call(path))
        if not 0 <= depth < len(calls):
            return ()
        scopes: list[Scope] = []
        for node in reversed(calls[depth]):
            kind = ScopeKind.FUNCTION if node is calls[depth][0] else ScopeKind.BLOCK
            scopes.append(Scope(kind, self._functions.ranges(node), self._variables_in(node, path[0])))
        return tuple(scopes)

    def variables_at(self, pc: int, depth: int = 0) -> tuple[Variable, ...]:
        """As `DebugInfo` says."""
        return tuple(variable for scope in self.scopes_at(pc, depth) for variable in scope.variables)

    def _variables_in(self, node: Node, function: Node) -> tuple[Variable, ...]:
        unit, tree, index = node
        found: list[Variable] = []
        for child in tree.children(index):
            if tree.tags[child] in (Tag.FORMAL_PARAMETER, Tag.VARIABLE):
                if len(found) == MAX_FOUND:
                    self._note(f"a scope has more than {MAX_FOUND} variables")
                    break
                if (variable := self._variable((unit, tree, child), function)) is not None:
                    found.append(variable)
        return (*found, *self._left_out(node, function))

    def _left_out(self, node: Node, function: Node) -> Iterator[Variable]:
        """The variables of a copy's original that the copy does not mention: they are optimised out all over it.

        Without them a name would be taken for that of something further out.
        """
        unit, tree, index = node
        origin = self._naming.origin(node)
        if origin is None or At.ABSTRACT_ORIGIN not in tree.of(index):
            return
        mentioned = {self._naming.origin((unit, tree, child)) for child in tree.children(index)}
        other_unit, other_tree, other = origin
        for child in islice(other_tree.children(other), MAX_FOUND):
            original = (other_unit, other_tree, child)
            is_variable = other_tree.tags[child] in (Tag.FORMAL_PARAMETER, Tag.VARIABLE)
            if is_variable and original not in mentioned:
                variable = self._variable(original, function)
                if variable is not None:
                    yield variable

    def _variable(self, node: Node, function: Node | None) -> Variable | None:
        try:
            return self._variables.of(node, function)
        except MalformedDwarf as error:
            self._note(str(error))
            return None

    def statics(self) -> tuple[Variable, ...]:
        """As `DebugInfo` says."""
        found: list[Variable] = []
        for unit in self._units.all:
            tree = self._units.read_tree(unit)
            for index, values in tree.values.items():
                if tree.tags[index] == Tag.VARIABLE and At.DECLARATION not in values:
                    node = (unit, tree, index)
                    if not _is_in_function(node) and (variable := self._variable(node, None)) is not None:
                        found.append(variable)
        return tuple(found)

    def statics_named(self, name: str) -> tuple[Variable, ...]:
        """As `DebugInfo` says."""
        found: dict[tuple[int, int], Variable] = {}
        for declared in self._search.find(name, frozenset((Tag.VARIABLE, Tag.MEMBER))):
            for unit, tree, index in self._definitions(declared):
                node = (unit, tree, index)
                if len(found) < MAX_FOUND and not _is_in_function(node) and (unit.number, index) not in found:
                    variable = self._variable(node, None)
                    if variable is not None:
                        found[unit.number, index] = variable
        return tuple(found.values())

    def _definitions(self, node: Node) -> Iterator[Node]:
        """The entry if it defines its variable, and those that complete it: a class's variable is defined outside."""
        unit, tree, index = node
        if At.DECLARATION not in tree.of(index):
            yield node
        offset = tree.offsets[index]
        for other, values in tree.values.items():
            if tree.tags[other] == Tag.VARIABLE and At.SPECIFICATION in values:
                root_unit, root_tree, root = self._naming.root((unit, tree, other))
                if root_unit is unit and root_tree.offsets[root] == offset:
                    yield unit, tree, other

    def types_named(self, name: str) -> tuple[Type, ...]:
        """As `DebugInfo` says."""
        bare = name.strip()
        for keyword in _KEYWORDS:
            bare = bare.removeprefix(keyword)
        nodes = self._search.find(bare, _TYPES)[:MAX_FOUND]
        types = [self._types.get(tree.offsets[index]) for _, tree, index in nodes]
        known = [each for each in types if not isinstance(each, BrokenType)]
        return tuple(sorted(known, key=lambda each: isinstance(each, StructType | EnumType) and each.is_declaration))

    def _note(self, problem: str) -> None:
        if len(self._problems) < 100 and problem not in self._problems:
            self._problems.append(problem)


def _by_call(path: list[Node]) -> Iterator[list[Node]]:
    """A path cut before each inlined call, innermost call first."""
    calls: list[list[Node]] = []
    for node in path:
        _, tree, index = node
        if tree.tags[index] in (Tag.SUBPROGRAM, Tag.INLINED_SUBROUTINE):
            calls.append([])
        calls[-1].append(node)
    return reversed(calls)


def _is_in_function(node: Node) -> bool:
    _, tree, index = node
    while (index := tree.parents[index]) >= 0:
        if tree.tags[index] in (Tag.SUBPROGRAM, Tag.INLINED_SUBROUTINE):
            return True
    return False
