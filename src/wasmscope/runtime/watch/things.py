"""The records of what is watched, in the control memory (`instrument/mirror/watching.py`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from wasmscope.analysis.accesses import READ, WRITE, Space
from wasmscope.instrument.layout import WATCH_SPANS
from wasmscope.instrument.mirror.layout import WATCH_RECORDS
from wasmscope.instrument.mirror.watching import (
    RANGE_SIZE,
    READ_COUNT,
    READ_FIRST,
    READ_RANGES,
    THING_SIZE,
    WRITE_COUNT,
    WRITE_FIRST,
    WRITE_RANGES,
)
from wasmscope.instrument.watch_tests import cell_address, cell_number
from wasmscope.runtime.mirrors.control import ControlMemory
from wasmscope.runtime.shadow import Shadow
from wasmscope.runtime.watch.watchpoint import Key

Range = tuple[int, int]

_LAST = (1 << 64) - 1
_BEYOND = 1 << 63


class Room:
    """Room in the control memory that is given back: the memory itself gives it out for good."""

    def __init__(self, control: ControlMemory) -> None:
        self.control = control
        self._free: dict[int, list[int]] = defaultdict(list)

    def take(self, size: int) -> int:
        """So many bytes, `size` being a power of 2. Raises `WasmscopeError` where there are no more."""
        return self._free[size].pop() if self._free[size] else self.control.allocate(size)

    def give_back(self, address: int, size: int) -> None:
        """They are not needed any more."""
        self._free[size].append(address)


class Thing:
    """The record of one memory, table, global or local."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.address = room.take(THING_SIZE)
        self._sizes = {READ_RANGES: 0, WRITE_RANGES: 0}
        self.ranges: dict[int, list[Range]] = {}
        """Of which reads and which writes call the host: sorted and disjoint."""
        self.set((), ())

    def set(self, reads: Iterable[Range], writes: Iterable[Range]) -> None:
        """Have accesses to these ranges, which may overlap, call the host."""
        self.ranges = {READ: merged(reads), WRITE: merged(writes)}
        self._set(READ_COUNT, READ_RANGES, READ_FIRST, self.ranges[READ])
        self._set(WRITE_COUNT, WRITE_RANGES, WRITE_FIRST, self.ranges[WRITE])

    def drop(self) -> None:
        """Nobody watches it any more."""
        self.set((), ())
        for ranges, size in self._sizes.items():
            if size:
                self._room.give_back(self._room.control.word(self.address + ranges), size)
        self._room.give_back(self.address, THING_SIZE)

    def _set(self, count: int, ranges: int, bounds: int, wanted: list[Range]) -> None:
        control, size = self._room.control, self._sizes[ranges]
        needed = RANGE_SIZE * len(wanted)
        if needed > size:
            larger = 1 << (needed - 1).bit_length()
            address = self._room.take(larger)
            if size:
                self._room.give_back(control.word(self.address + ranges), size)
            self._sizes[ranges] = larger
            control.set_word(self.address + ranges, address)
        elif wanted:
            address = control.word(self.address + ranges)
        if wanted:
            control.set_longs(address, [bound for each in wanted for bound in each])
        control.set_word(self.address + count, len(wanted))
        control.set_longs(self.address + bounds, [wanted[0][0], wanted[-1][1]] if wanted else [0, 0])


class Cells:
    """What variants test: the ranges of all memories together, and those of all tables."""

    def __init__(self, shadow: Shadow, room: Room) -> None:
        self._shadow = shadow
        self._records = {space: Thing(room) for space in (Space.MEMORY, Space.TABLE)}
        for position, record in enumerate(self._records.values()):
            room.control.set_word(WATCH_RECORDS + 4 * position, record.address)

    def set(self, things: Mapping[Key, Thing]) -> None:
        """These are the memories, tables, globals and locals that are watched."""
        for space, record in self._records.items():
            watched = [thing for key, thing in things.items() if key[0] is space]
            reads, writes = ([each for thing in watched for each in thing.ranges[mode]] for mode in (READ, WRITE))
            record.set(reads, writes)
            for mode, ranges in record.ranges.items():
                self._set(cell_address(cell_number(space, mode)), ranges)

    def _set(self, address: int, ranges: list[Range]) -> None:
        """No memory has the addresses from `_BEYOND` on: what is accessed there traps."""
        inside = [(start, min(end, _BEYOND)) for start, end in ranges if start < _BEYOND]
        first, last = (inside[0][0], inside[-1][1]) if inside else (0, 0)
        spans = {width: last - first + width - 1 if inside else 0 for width in WATCH_SPANS}
        self._shadow.set_bits(address, 8, first)
        for width, offset in WATCH_SPANS.items():
            self._shadow.set_bits(address + offset, 8, spans[width])


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same addresses in ranges that are sorted and do not touch; none ends behind the last address of all."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], min(end, _LAST)))
        else:
            found.append((start, min(end, _LAST)))
    return found
