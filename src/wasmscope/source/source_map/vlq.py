"""The `mappings` of a source map: base64 VLQ numbers, each the difference to the one before (ECMA-426, 9.2)."""

from __future__ import annotations

import re
from array import array

from wasmscope.source.source_map.model import NO_NAME, NO_SOURCE, Mappings

MOST_SEGMENTS = 8_000_000
"""Of a whole map. CPython's interpreter has less than a million instructions that come from a source."""

_KNOWN = 1 << 16
"""How many different segments are remembered: nearly all of a map are among few."""

_DIGITS = {ord(c): i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_LARGEST = 1 << 31
_SEGMENT = re.compile("[^,]+")


class MalformedMappings(Exception):
    """The string is not made of segments."""


def decode_segment(text: str) -> tuple[int, ...]:
    """The numbers in one segment: 1, 4 or 5."""
    numbers: list[int] = []
    value = shift = 0
    for character in text:
        digit = _DIGITS.get(ord(character))
        if digit is None:
            raise MalformedMappings(f"{character!a} is no base64 digit")
        value |= (digit & 31) << shift
        if digit & 32:
            shift += 5
            if shift > 30:
                raise MalformedMappings("a number is too large")
            continue
        numbers.append(-(value >> 1) if value & 1 else value >> 1)
        value = shift = 0
    if shift:
        raise MalformedMappings("a number has no end")
    if len(numbers) not in (1, 4, 5):
        raise MalformedMappings(f"a segment has {len(numbers)} numbers")
    return tuple(numbers)


class MappingsDecoder:
    """Collects the mappings of a map, or of its sections one after the other. `problems` says what was left out."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pcs = array("I")
        self._sources = array("i")
        self._lines = array("i")
        self._columns = array("i")
        self._names = array("i")
        self.problems: list[str] = []

    def section(
        self, text: str, first_pc: int, first_source: int, num_sources: int, first_name: int, num_names: int
    ) -> None:
        """Adds the mappings of a section that begins at `first_pc`, of whose lists the indices begin where said."""
        text, semicolon, beyond = text.partition(";")
        if semicolon and beyond.strip(";"):
            self.problems.append("mappings of lines but the first: a module has one line")
        pc = source = line = column = name = 0
        known: dict[str, tuple[int, ...]] = {}
        left_out = 0
        for match in _SEGMENT.finditer(text):
            segment = match[0]
            numbers = known.get(segment)
            if numbers is None:
                try:
                    numbers = decode_segment(segment)
                except MalformedMappings as error:
                    self.problems.append(f"malformed mappings, of which {len(self._pcs)} were read: {error}")
                    break
                if len(known) < _KNOWN:
                    known[segment] = numbers
            if len(self._pcs) >= MOST_SEGMENTS:
                self.problems.append(f"more than {MOST_SEGMENTS} mappings: the rest is left out")
                break
            pc += numbers[0]
            is_named = False
            if len(numbers) > 1:
                source += numbers[1]
                line += numbers[2]
                column += numbers[3]
                if len(numbers) == 5:
                    name += numbers[4]
                    is_named = 0 <= name < num_names
            if not 0 <= first_pc + pc < self._size:
                left_out += 1
                continue
            is_mapped = len(numbers) > 1
            if is_mapped and not (0 <= source < num_sources and 0 <= line < _LARGEST and 0 <= column < _LARGEST):
                left_out += 1
                is_mapped = False
            self._pcs.append(first_pc + pc)
            self._sources.append(first_source + source if is_mapped else NO_SOURCE)
            self._lines.append(line if is_mapped else 0)
            self._columns.append(column if is_mapped else 0)
            self._names.append(first_name + name if is_mapped and is_named else NO_NAME)
        if left_out:
            self.problems.append(f"{left_out} mappings of code or sources that do not exist")

    def result(self) -> Mappings:
        """All of them, sorted."""
        pcs = self._pcs
        arrays = (pcs, self._sources, self._lines, self._columns, self._names)
        if any(pcs[i] > pcs[i + 1] for i in range(len(pcs) - 1)):
            order = sorted(range(len(pcs)), key=pcs.__getitem__)
            arrays = tuple(array(each.typecode, map(each.__getitem__, order)) for each in arrays)  # type: ignore[assignment]
        return Mappings(*arrays)
