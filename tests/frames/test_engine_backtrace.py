"""At every host call and every trap of the official suite, the frames shown are those of the engine's own backtraces.

Two backtraces are compared with: that of the stock engine, which runs the original modules, and that of the engine that
runs the rewritten ones, mapped back. They end after 20 frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.backtraces import DebuggedHooks, PlainHooks, Point
from spec import suite
from spec.backend import Plain, Wasmscope, spec_config
from spec.runner import run_script

pytestmark = pytest.mark.skipif(suite.missing() is not None, reason=str(suite.missing()))


@dataclass(frozen=True, slots=True)
class Suite:
    """The engines that all scripts run on."""

    plain: wasmtime.Engine
    debugged: wasmscope.Engine

    def stock_points(self, name: str) -> list[Point]:
        """What the stock engine says."""
        hooks = PlainHooks(self.plain)
        for _ in run_script(Plain(), self.plain, suite.load(name), hooks):
            pass
        return hooks.points

    def debugged_points(self, name: str) -> DebuggedHooks:
        """What wasmscope shows, and what the engine below it says."""
        hooks = DebuggedHooks(self.debugged)

        def store(engine: wasmscope.Engine) -> wasmscope.Store:
            made = wasmscope.Store(engine)
            made.set_debug_handler(hooks)
            return made

        api: Any = SimpleNamespace(**{**vars(wasmscope), "Store": store})
        for _ in run_script(Wasmscope(api), self.debugged, suite.load(name), hooks):
            pass
        return hooks


@pytest.fixture(scope="module")
def engines() -> Iterator[Suite]:
    running = Suite(wasmtime.Engine(spec_config(wasmtime)), wasmscope.Engine(spec_config(wasmscope)))
    yield running
    running.plain.close()
    running.debugged.close()


def _whatever_depth(point: Point) -> Point:
    """The two engines' stacks overflow at different depths: functions that call each other may be in another order."""
    if point.why != "STACK_OVERFLOW":
        return point
    return Point(point.why, tuple(sorted(set(point.places[1:]))))


@pytest.mark.parametrize("name", suite.script_names())
def test_script(engines: Suite, name: str) -> None:
    stock, debugged = engines.stock_points(name), engines.debugged_points(name)
    shown = [point.as_the_engine_tells() for point in debugged.shown]
    assert shown == debugged.engines, "other than the engine has them for the rewritten modules"
    assert list(map(_whatever_depth, shown)) == list(map(_whatever_depth, stock)), (
        "other than the engine has them for the original modules"
    )


def test_points_of_all_kinds_are_met(engines: Suite) -> None:
    """Without it the test above would pass where nothing is seen."""
    counts: Counter[str] = Counter()
    for name in ("names.wast", "start.wast", "traps.wast", "throw.wast", "fac.wast", "unreachable.wast"):
        for point in engines.debugged_points(name).shown:
            counts[point.why] += 1
            counts["frames"] += len(point.places)
    assert counts["host call"] >= 5, counts
    assert counts["exception"] > 5, counts
    assert counts["MEMORY_OUT_OF_BOUNDS"] > 10, counts
    assert counts["UNREACHABLE"] > 10, counts
    assert counts["STACK_OVERFLOW"] > 0, counts
    assert counts["frames"] > 1000, counts
