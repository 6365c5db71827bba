"""What entries are called: their names, with their namespaces and classes, and the language of their unit."""

from __future__ import annotations

from wasmscope.source.dwarf.constants import At, Tag
from wasmscope.source.dwarf.languages import language_of, separator
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.tree import UnitTree
from wasmscope.source.dwarf.units import Unit, Units
from wasmscope.source.model import Language

MAX_ORIGINS = 8
"""How often a name may be that of another entry: an inlined copy's is its function's, whose is its declaration's."""

MAX_DEPTH = 64
"""Namespaces and classes around a name."""

_SPACES = frozenset(
    (
        Tag.NAMESPACE, Tag.MODULE, Tag.STRUCTURE_TYPE, Tag.CLASS_TYPE, Tag.UNION_TYPE, Tag.INTERFACE_TYPE,
        Tag.ENUMERATION_TYPE,
    )
)  # fmt: skip

Node = tuple[Unit, UnitTree, int]
"""An entry, by the tree it is in."""


class Naming:
    """Names entries by their trees alone. What is malformed has no name."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def language(self, unit: Unit) -> Language:
        """The language of a unit."""
        top = self._units.top(unit)
        producer = self.text(unit, top.get(At.PRODUCER))
        return language_of(top.get(At.LANGUAGE, (0, 0))[1], producer)

    def node(self, offset: int) -> Node | None:
        """The entry at an offset of .debug_info."""
        unit = self._units.at(offset)
        if unit is None:
            return None
        tree = self._units.tree(unit)
        index = tree.index_of(offset)
        return (unit, tree, index) if index is not None else None

    def origin(self, node: Node) -> Node | None:
        """The entry that this one is a copy of, or completes."""
        unit, tree, index = node
        values = tree.of(index)
        found = values.get(At.ABSTRACT_ORIGIN) or values.get(At.SPECIFICATION)
        offset = self.target(unit, found) if found is not None else None
        return self.node(offset) if offset is not None else None

    def target(self, unit: Unit, value: tuple[int, int]) -> int | None:
        """The offset in .debug_info that an attribute refers to; None if it is malformed."""
        try:
            return self._units.reference(unit, *value)
        except MalformedDwarf:
            return None

    def root(self, node: Node) -> Node:
        """What all copies of an entry are copies of: the declaration."""
        for _ in range(MAX_ORIGINS):
            origin = self.origin(node)
            if origin is None:
                break
            node = origin
        return node

    def name(self, node: Node) -> str:
        """The name as written; empty if there is none."""
        return self._first(node, (At.NAME,))

    def linkage_name(self, node: Node) -> str:
        """The mangled name; empty if there is none."""
        return self._first(node, (At.LINKAGE_NAME, At.MIPS_LINKAGE_NAME))

    def qualified_name(self, node: Node) -> str:
        """The name with the namespaces and classes it is in."""
        name = self.name(node)
        if not name:
            return ""
        unit, tree, index = self.root(node)
        between = separator(self.language(unit))
        parts = [name]
        index = tree.parents[index]
        for _ in range(MAX_DEPTH):
            if index < 0:
                break
            if tree.tags[index] in _SPACES:
                outer = self.text(unit, tree.of(index).get(At.NAME))
                if outer and parts[-1].startswith(outer + between):
                    break  # Zig's names have it all
                parts.append(outer or "(anonymous namespace)" * (tree.tags[index] == Tag.NAMESPACE))
            index = tree.parents[index]
        return between.join(part for part in reversed(parts) if part)

    def text(self, unit: Unit, value: tuple[int, int] | None) -> str:
        """An attribute that is a string; empty if there is none."""
        if value is None:
            return ""
        try:
            return self._units.string(unit, *value)
        except MalformedDwarf:
            return ""

    def _first(self, node: Node, attributes: tuple[At, ...]) -> str:
        at: Node | None = node
        for _ in range(MAX_ORIGINS):
            if at is None:
                break
            unit, tree, index = at
            values = tree.of(index)
            for attribute in attributes:
                if attribute in values:
                    return self.text(unit, values[attribute])
            at = self.origin(at)
        return ""
