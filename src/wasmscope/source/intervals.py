"""Things that are at ranges of pcs, found by a pc."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from wasmscope.source.model import PcRange

_Thing = TypeVar("_Thing")

MAX_LOOKED_AT = 64
"""Ranges that begin before a pc and are looked at: of honest ones few overlap."""


class IntervalMap(Generic[_Thing]):
    """Made once of ranges and things; ranges may overlap."""

    def __init__(self, items: Iterable[tuple[PcRange, _Thing]]) -> None:
        self._items = sorted(items, key=lambda item: (item[0].start, -item[0].end))
        self._starts = [range_.start for range_, _ in self._items]
        self._highest: list[int] = []
        highest = 0
        for range_, _ in self._items:
            highest = max(highest, range_.end)
            self._highest.append(highest)

    def at(self, pc: int) -> Iterator[_Thing]:
        """Everything whose range has `pc` in it, what begins last first."""
        index = bisect_right(self._starts, pc) - 1
        for _ in range(MAX_LOOKED_AT):
            if index < 0 or self._highest[index] <= pc:
                return
            range_, thing = self._items[index]
            if pc in range_:
                yield thing
            index -= 1

    def __len__(self) -> int:
        return len(self._items)
