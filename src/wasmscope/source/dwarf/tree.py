"""A unit's entries as a tree (DWARF 5, 2.3), without what is in them but for a few attributes of a few kinds.

LLVM writes no `DW_AT_sibling`, so to find one function of a unit all its entries have to be gone over. pyelftools takes
some 30 µs for an entry, most of it for values that nobody looks at; this takes some 2 µs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wasmscope.source.dwarf.abbreviations import Abbreviation, Abbreviations, Plan, Sizes, Step, step_of
from wasmscope.source.dwarf.leb128 import signed, unsigned
from wasmscope.source.dwarf.malformed import MalformedDwarf

MAX_ENTRIES = 1 << 21
"""Of one unit. One byte of the file may be an entry, which takes 30 bytes, or 300 with attributes that are wanted."""

Values = Mapping[int, tuple[int, int]]
"""By attribute: its form and its value as it is in the entry."""

_NO_VALUES: Values = {}


@dataclass(frozen=True, slots=True, eq=False)
class UnitTree:
    """The entries of a unit in their order; an entry is named by its index.

    `offsets` count from the start of .debug_info, `parents` are -1 for the top entry, `ends` are the index behind the
    last descendant. `problem` is set where the rest of the unit could not be read.
    """

    offsets: array[int]
    tags: array[int]
    parents: array[int]
    ends: array[int]
    values: Mapping[int, Values]
    problem: str = ""

    def children(self, index: int) -> Iterator[int]:
        """The entries directly below."""
        child, end = index + 1, self.ends[index]
        while child < end:
            yield child
            child = self.ends[child]

    def index_of(self, offset: int) -> int | None:
        """The entry that starts at an offset of .debug_info; None: none does."""
        index = bisect_left(self.offsets, offset)
        return index if index < len(self.offsets) and self.offsets[index] == offset else None

    def of(self, index: int) -> Values:
        """The attributes that were wanted of an entry."""
        return self.values.get(index, _NO_VALUES)


def read_tree(
    data: bytes, start: int, end: int, abbreviations: Abbreviations, sizes: Sizes, most: int | None = None
) -> UnitTree:
    """The entries in `data[start:end]`; what is malformed ends the tree early. With `most`, that many at most."""
    offsets, tags, parents, ends = array("Q"), array("H"), array("q"), array("Q")
    values: dict[int, Values] = {}
    # One list an entry that is open: a loop, not a recursion, as nothing bounds the depth.
    stack: list[int] = []
    position, parent, problem = start, -1, ""
    kinds: dict[int, Abbreviation] = {}
    try:
        while position < end:
            offset = position
            code = data[position]
            position += 1
            if code >= 0x80:
                code, position = unsigned(data, offset)
            if code == 0:
                if parent < 0:
                    continue  # padding
                ends[parent] = len(offsets)
                stack.pop()
                parent = stack[-1] if stack else -1
                continue
            kind = kinds.get(code)
            if kind is None:
                kind = kinds[code] = abbreviations.get(code)
            if parent < 0 and offsets:
                raise MalformedDwarf(f"entry {offset:#x} is a second top entry")
            index = len(offsets)
            if index == MAX_ENTRIES:
                raise MalformedDwarf(f"more than {MAX_ENTRIES} entries")
            offsets.append(offset)
            tags.append(kind.tag)
            parents.append(parent)
            ends.append(index + 1)
            if kind.size >= 0:
                position += kind.size
            else:
                position, found = _attributes(data, position, kind.plan, sizes)
                if found:
                    values[index] = found
            if position > end:
                raise MalformedDwarf(f"entry {offset:#x} goes on beyond its unit")
            if kind.has_children:
                stack.append(index)
                parent = index
            if most is not None and len(offsets) >= most:
                break
    except MalformedDwarf as error:
        problem = str(error)
    except (IndexError, ValueError):
        problem = f"entry {offset:#x} goes on beyond the section"
    for index in stack:
        ends[index] = len(offsets)
    return UnitTree(offsets, tags, parents, ends, values, problem)


def _attributes(data: bytes, position: int, plan: Plan, sizes: Sizes) -> tuple[int, dict[int, tuple[int, int]]]:
    """The position behind an entry's attributes, and those that are wanted; of one given twice, the last."""
    found: dict[int, tuple[int, int]] = {}
    for step, argument, attribute, form in plan:
        if step is _SKIP:
            position += argument
        elif step is _FIXED:
            start, position = position, position + argument
            found[attribute] = form, int.from_bytes(data[start:position], "little")
        elif step is _LEB128:
            while data[position] & 0x80:
                position += 1
            position += 1
        elif step is _BLOCK_LEB128:
            size, position = unsigned(data, position)
            position += size
        else:
            position, value = _other(data, position, step, argument, sizes)
            if value is not None:
                found[attribute] = form, value
    return position, found


_SKIP, _FIXED, _LEB128, _BLOCK_LEB128 = Step.SKIP, Step.FIXED, Step.LEB128, Step.BLOCK_LEB128
"""As globals: an attribute of an enumeration takes as long as the rest of a step."""


def _other(data: bytes, position: int, step: Step, argument: int, sizes: Sizes) -> tuple[int, int | None]:
    """The position behind an attribute and, if it is wanted, its value. Raises `IndexError` or `ValueError`."""
    if step is Step.CONSTANT:
        return position, argument
    if step is Step.STRING:
        return data.index(0, position) + 1, None
    if step is Step.OFFSET:
        return data.index(0, position) + 1, position
    if step is Step.UNSIGNED:
        value, position = unsigned(data, position)
        return position, value
    if step is Step.SIGNED:
        value, position = signed(data, position)
        return position, value
    if step is Step.BLOCK:
        end = position + argument
        return end + int.from_bytes(data[position:end], "little"), None
    return _indirect(data, position, sizes), None


def _indirect(data: bytes, position: int, sizes: Sizes) -> int:
    """Behind an attribute whose form is in front of it (DWARF 5, 7.5.3); nobody writes them, so none is wanted."""
    form, position = unsigned(data, position)
    step, argument = step_of(form, sizes, is_wanted=False)
    if step is Step.INDIRECT:
        raise MalformedDwarf("an attribute's form is indirect twice")
    if step is Step.SKIP:
        return position + argument
    if step is Step.LEB128:
        return unsigned(data, position)[1]
    if step is Step.BLOCK_LEB128:
        size, position = unsigned(data, position)
        return position + size
    return _other(data, position, step, argument, sizes)[0]
