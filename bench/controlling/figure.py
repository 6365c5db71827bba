"""One figure: processor time first, which others on the machine change least; beside it the clock on the wall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to be."""

    limit: float
    at_least: bool

    def is_kept(self, value: float) -> bool:
        """Whether `value` is as it has to be."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of the rounds."""

    name: str
    unit: str
    processor: float
    """Of processor time."""
    wall: float | None = None
    bar: Bar | None = None
    """For processor time."""
    peer: float | None = None
    """The same of `wasmtime run -g`, driven over its wire in the same run; by the clock on the wall."""
    note: str = ""
    details: dict[str, float] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether the bar is kept; True where there is none."""
        return self.bar is None or self.bar.is_kept(self.processor)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long something took, on both clocks."""

    processor: float
    wall: float


def timed(run: Callable[[], object]) -> Seconds:
    """How long `run` takes."""
    processor, wall = time.process_time(), time.perf_counter()
    run()
    return Seconds(time.process_time() - processor, time.perf_counter() - wall)


def medians(taken: list[Seconds]) -> Seconds:
    """The median of each clock."""
    return Seconds(statistics.median(each.processor for each in taken), statistics.median(each.wall for each in taken))


def rate(name: str, count: int, taken: list[Seconds], bar: Bar | None = None, peer: float | None = None) -> Figure:
    """So many of something, in each round, as how many a second."""
    seconds = medians(taken)
    return Figure(name, "a second", count / seconds.processor, count / seconds.wall, bar, peer)


def at_least(limit: float) -> Bar:
    """The bar of what is to be that or more."""
    return Bar(limit, at_least=True)


def at_most(limit: float) -> Bar:
    """The bar of what is to be that or less."""
    return Bar(limit, at_least=False)
