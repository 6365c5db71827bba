"""A module in wasmscope and in the reference interpreter: where what they show differs, and how much was compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import reference
import wasmscope
from frames.interface import RESOURCES, Run
from frames.observe import Observation, Seen, SeenFrame
from frames.on_reference import exported_functions, run_reference
from frames.on_wasmscope import engine_config, run_wasmscope
from support import tiers


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that differs in the run of an export."""

    kind: str
    """"ending", "observations", "why", "places", "thrown", "local" or "operand"."""
    export: str
    where: str
    expected: object
    shown: object

    def __str__(self) -> str:
        return f"{self.export}, {self.where}: expected {self.expected}, shown {self.shown}"


@cache
def engine(opt_level: str) -> wasmscope.Engine:
    """The engine of a level of optimisation, one a process."""
    return wasmscope.Engine(engine_config(opt_level))


def compare(bytecode: bytes, opt_level: str, tier: tiers.Choice | None = None) -> tuple[list[Difference], Counter[str]]:
    """Run every export whose name begins with `run` on both sides; `tier` as in `tiers.prepared`."""
    decoded = reference.Module.decode(bytecode)
    module = wasmscope.Module(engine(opt_level), bytecode)
    equal_types = [decoded.types.index(each) for each in decoded.types]
    differences: list[Difference] = []
    counts: Counter[str] = Counter(modules=1)
    for export in sorted(exported_functions(decoded)):
        if not export.startswith("run"):
            continue
        shown = run_wasmscope(engine(opt_level), module, export, equal_types, tier)
        expected = run_reference(decoded, export, shown.stops())
        difference = next(_differences(export, expected, shown), None)
        if difference is not None:
            differences.append(difference)
        _count(counts, shown)
    return differences, counts


def _differences(export: str, expected: Run, shown: Run) -> Iterator[Difference]:
    for number, (left, right) in enumerate(zip(expected.observations, shown.observations, strict=False)):
        if RESOURCES in (expected.ending, shown.ending) and left.why != right.why:
            return
        yield from _in_observation(export, f"observation {number}", left, right)
    if RESOURCES in (expected.ending, shown.ending):
        return
    if expected.ending != shown.ending:
        yield Difference("ending", export, "ending", expected.ending, shown.ending)
    if len(expected.observations) != len(shown.observations):
        whys = [[each.why for each in run.observations] for run in (expected, shown)]
        yield Difference("observations", export, "observations", *whys)


def _in_observation(export: str, where: str, expected: Observation, shown: Observation) -> Iterator[Difference]:
    if expected.why != shown.why:
        yield Difference("why", export, where, expected.why, shown.why)
    where = f"{where} ({expected.why})"
    places = [[(each.activation, each.function, hex(each.pc)) for each in side.frames] for side in (expected, shown)]
    if places[0] != places[1]:
        yield Difference("places", export, where, *places)
    if expected.thrown != shown.thrown:
        yield Difference("thrown", export, where, expected.thrown, shown.thrown)
    for number, (left, right) in enumerate(zip(expected.frames, shown.frames, strict=False)):
        if left != right:
            place = f"function {left.function} at {left.pc:#x}"
            yield from _in_frame(export, f"{where}, frame {number} ({place})", left, right)


def _in_frame(export: str, where: str, expected: SeenFrame, shown: SeenFrame) -> Iterator[Difference]:
    for what, left, right in (("local", expected.locals, shown.locals), ("operand", expected.stack, shown.stack)):
        if len(left) != len(right):
            yield Difference(what, export, f"{where}, {what}s", left, right)
        for index, (wanted, found) in enumerate(zip(left, right, strict=False)):
            if wanted != found:
                yield Difference(what, export, f"{where}, {what} {index}", wanted, found)


def _count(counts: Counter[str], run: Run) -> None:
    counts[f"ended: {run.ending}"] += 1
    for observation in run.observations:
        counts["observations"] += 1
        counts["host calls" if observation.why.startswith("call ") else f"at: {observation.why}"] += 1
        counts["frames"] += len(observation.frames)
        for frame in observation.frames:
            counts["locals"] += len(frame.locals)
            counts["operands"] += len(frame.stack)
            counts.update(f"values: {_class_of(value)}" for value in (*frame.locals, *frame.stack))


def _class_of(value: Seen) -> str:
    if isinstance(value.content, int):
        return value.type
    if value.content is None:
        return "null"
    return value.content[0] if isinstance(value.content, tuple) else str(value.content)[:6]
