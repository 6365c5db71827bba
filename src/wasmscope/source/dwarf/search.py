"""Entries by name, without an index of all names.

A name is in .debug_str once, so its offset there is looked for first, then that offset, as bytes, in .debug_info: only
units with a match are read. For Ruby, 18 MB of DWARF in 423 units, a name that is not there takes 10 ms, one that is in
65 of the units a second or less; to read all of them takes some seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from wasmscope.source.dwarf.constants import At
from wasmscope.source.dwarf.languages import separator
from wasmscope.source.dwarf.naming import Naming, Node
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.tree import Values
from wasmscope.source.dwarf.units import Unit, Units

MAX_OFFSETS = 48
"""Strings that end in a name. If there are more, to read every unit takes less time than to look for each."""

MAX_MATCHES = 1 << 16
"""Places where such an offset may be."""


class Search:
    """Looks for names."""

    def __init__(self, sections: DwarfSections, units: Units, naming: Naming) -> None:
        self._sections = sections
        self._units = units
        self._naming = naming

    def find(self, name: str, tags: frozenset[int]) -> list[Node]:
        """Every entry of these tags that has `name` itself, as its name, qualified name or linkage name.

        A qualified name may lack its first parts; a template's name may lack its arguments.
        """
        wanted = name.strip()
        last = last_part(wanted)
        if not last:
            return []
        found: list[Node] = []
        for unit in self._units_with({wanted, last}):
            tree = self._units.read_tree(unit)
            ours = [(index, values) for index, values in tree.values.items() if tree.tags[index] in tags]
            keys = [index for index, values in ours if self._is_named(unit, values.get(At.NAME), last)]
            links = [index for index, values in ours if self._has_linkage_name(unit, values, wanted)]
            if keys or links:
                self._units.keep(unit, tree)
                found += ((unit, tree, index) for index in links)
                found += (
                    (unit, tree, index)
                    for index in keys
                    if index not in links and self._is_meant((unit, tree, index), wanted, last)
                )
        return found

    def units_referring_to(self, offset: int) -> list[Unit]:
        """The units that may refer to an entry of another one: a link-time optimiser makes such."""
        positions = self._positions(self._sections.get(".debug_info"), offset.to_bytes(4, "little"))
        units = {unit.number: unit for unit in self._units_at(positions)}
        return [unit for unit in units.values() if self._units.refers_outside(unit)]

    def _is_named(self, unit: Unit, value: tuple[int, int] | None, last: str) -> bool:
        text = self._naming.text(unit, value)
        return text == last or (text.startswith(last) and text[len(last)] == "<")

    def _has_linkage_name(self, unit: Unit, values: Values, wanted: str) -> bool:
        return any(
            self._naming.text(unit, values[at]) == wanted
            for at in (At.LINKAGE_NAME, At.MIPS_LINKAGE_NAME)
            if at in values
        )

    def _is_meant(self, node: Node, wanted: str, last: str) -> bool:
        if wanted == last:
            return True
        between = separator(self._naming.language(node[0]))
        qualified = self._naming.qualified_name(node)
        name = self._naming.name(node)
        if name != last:  # a template's
            qualified = qualified.removesuffix(name) + last
        return qualified == wanted or qualified.endswith(between + wanted)

    def _units_with(self, names: set[str]) -> list[Unit]:
        """The units that may have one of these names, in their order."""
        strings, info = self._sections.get(".debug_str"), self._sections.get(".debug_info")
        offsets: list[int] = []
        found: set[int] = set()
        for name in names:
            encoded = name.encode(errors="replace")
            for end in (b"\0", b"<"):
                offsets += self._positions(strings, encoded + end)
                found.update(unit.number for unit in self._units_at(self._positions(info, encoded + end)))
            if len(offsets) > MAX_OFFSETS:
                return list(self._units.all)
        for offset in offsets:
            pattern = offset.to_bytes(4, "little")
            found.update(unit.number for unit in self._units_at(self._positions(info, pattern)))
            found.update(self._units_with_indexed(pattern))
        return [self._units.all[number] for number in sorted(found)]

    def _units_with_indexed(self, pattern: bytes) -> Iterator[int]:
        """Those with a string's offset in their part of .debug_str_offsets."""
        table = self._sections.get(".debug_str_offsets")
        if not table:
            return
        bases = sorted(
            (self._units.top(unit).get(At.STR_OFFSETS_BASE, (0, 8))[1], unit.number) for unit in self._units.all
        )
        starts = [base for base, _ in bases]
        for position in self._positions(table, pattern):
            last = bisect_right(starts, position) - 1
            first = bisect_left(starts, starts[last]) if last >= 0 else 0
            yield from (number for _, number in bases[first : last + 1])

    def _units_at(self, positions: list[int]) -> Iterator[Unit]:
        for position in positions:
            if (unit := self._units.at(position)) is not None:
                yield unit

    def _positions(self, section: bytes, pattern: bytes) -> list[int]:
        found: list[int] = []
        position = section.find(pattern)
        while position >= 0 and len(found) < MAX_MATCHES:
            found.append(position)
            position = section.find(pattern, position + 1)
        return found


def last_part(name: str) -> str:
    """A name without the namespaces in front of it, whatever joins them; what is in brackets does not count."""
    depth = 0
    for position in range(len(name) - 1, -1, -1):
        match name[position]:
            case ">" | ")" | "}":
                depth += 1
            case "<" | "(" | "{":
                depth -= 1
            case ":" | "." if depth == 0:
                return name[position + 1 :]
    return name
