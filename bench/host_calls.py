"""What calls of the host cost: `python bench/host_calls.py [--calls N] [--rounds N] [--frames N]`.

First the time of a host call whose frames nobody reads, beside plain wasmtime-py in the same process, a round of each
in turn: without a result, with one, with a `Caller`, and with a reference. Then very many host calls, at each of which
every frame is read, and what the process holds before and after: it must not grow. Needs: pip install rich
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import wasmtime
from rich.console import Console
from rich.table import Table

import wasmscope

MOST_RATIO = 1.3
MOST_GROWTH = 4 << 20
"""Bytes: what an allocator may keep of what it was given back."""

GUEST = """(module
  (import "" "nothing" (func $nothing (param i32)))
  (import "" "number" (func $number (param i32) (result i32)))
  (import "" "caller" (func $caller (param i32) (result i32)))
  (import "" "reference" (func $reference (param externref)))
  (import "" "look" (func $look (param i32)))
  (func $inner (param i32 externref) (local f64)
    (local.set 2 (f64.convert_i32_u (local.get 0))) (local.get 1) (call $look (local.get 0)) drop)
  (func (export "look") (param i32 externref)
    (loop $l (call $inner (local.get 0) (local.get 1))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "nothing") (param i32 externref)
    (loop $l (call $nothing (local.get 0))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "number") (param i32 externref) (local i32)
    (loop $l (local.set 2 (i32.add (local.get 2) (call $number (local.get 0))))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "caller") (param i32 externref) (local i32)
    (loop $l (local.set 2 (i32.add (local.get 2) (call $caller (local.get 0))))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "reference") (param i32 externref)
    (loop $l (call $reference (local.get 1))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""

Run = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds of one host call, the medians of the rounds."""

    name: str
    plain: float
    debugged: float

    @property
    def ratio(self) -> float:
        """With debugging to without."""
        return self.debugged / self.plain


@dataclass(frozen=True, slots=True)
class Observation:
    """Host calls at which every frame was read."""

    calls: int
    seconds: float
    before: int
    after: int
    """Bytes resident before and after."""

    @property
    def growth(self) -> int:
        """What the process holds more, in bytes."""
        return self.after - self.before


def guest(api: Any, look: Callable[..., Any]) -> dict[str, Run]:
    """The guest's exports by name, made with `wasmtime` or what stands for it."""
    store = api.Store(api.Engine())
    i32, externref = wasmtime.ValType.i32(), wasmtime.ValType.externref()
    number = wasmtime.FuncType([i32], [i32])
    imports = [
        api.Func(store, wasmtime.FuncType([i32], []), lambda value: None),
        api.Func(store, number, lambda value: value),
        api.Func(store, number, lambda caller, value: value, access_caller=True),
        api.Func(store, wasmtime.FuncType([externref], []), lambda thing: None),
        api.Func(store, wasmtime.FuncType([i32], []), look, access_caller=True),
    ]
    exports = api.Instance(store, api.Module(store.engine, GUEST), imports).exports(store)
    thing = object()
    return {name: lambda count, name=name: exports[name](store, count, thing) for name in exports}


def compare(name: str, plain: Run, debugged: Run, calls: int, rounds: int) -> Comparison:
    """Time both in turn, so that a machine that slows down slows both."""
    times: dict[Run, list[float]] = {plain: [], debugged: []}
    for run in times:
        run(calls // 10)
    for _ in range(rounds):
        for run, taken in times.items():
            started = time.process_time()
            run(calls)
            taken.append((time.process_time() - started) / calls)
    return Comparison(name, statistics.median(times[plain]), statistics.median(times[debugged]))


def read_frames(caller: wasmscope.Caller, _: int) -> None:
    """Look at everything there is."""
    cursor = caller.debug_frames()
    assert cursor is not None
    while not cursor.done():
        for index in range(cursor.num_locals()):
            cursor.local(index)
        for index in range(cursor.num_stacks()):
            cursor.stack(index)
        cursor.move_to_parent()


def observe(calls: int) -> Observation:
    """Read all frames at each of so many host calls."""
    run = guest(wasmscope, read_frames)["look"]
    run(calls // 100)
    before, started = resident(), time.perf_counter()
    run(calls)
    return Observation(calls, time.perf_counter() - started, before, resident())


def resident() -> int:
    """Bytes of memory that the process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def table_of(comparisons: Sequence[Comparison], rounds: int) -> Table:
    """Microseconds and ratios."""
    table = Table(title=f"one host call, frames not read: microseconds, median of {rounds}")
    for heading in ("", "wasmtime", "wasmscope", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    for item in comparisons:
        mark = "" if item.ratio <= MOST_RATIO else f" (above {MOST_RATIO})"
        table.add_row(item.name, f"{item.plain * 1e6:.2f}", f"{item.debugged * 1e6:.2f}", f"{item.ratio:.2f}{mark}")
    return table


def main() -> None:
    """Measure and print; the exit code says whether both bars are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000, help="host calls a round (default 20,000)")
    parser.add_argument("--rounds", type=int, default=7, help="how many rounds the medians are of (default 7)")
    parser.add_argument("--frames", type=int, default=1_000_000, help="host calls with frames read (default 1,000,000)")
    options = parser.parse_args()
    console = Console()
    plain, debugged = guest(wasmtime, lambda *_: None), guest(wasmscope, lambda *_: None)
    comparisons = [
        compare(name, plain[name], debugged[name], options.calls, options.rounds)
        for name in ("nothing", "number", "caller", "reference")
    ]
    console.print(table_of(comparisons, options.rounds))
    observation = observe(options.frames)
    console.print(
        f"{observation.calls:,} host calls with two frames read at each: "
        f"{observation.seconds / observation.calls * 1e6:.1f} microseconds each, "
        f"{observation.before >> 10:,} KiB resident before, {observation.after >> 10:,} KiB after"
    )
    kept = all(item.ratio <= MOST_RATIO for item in comparisons) and observation.growth <= MOST_GROWTH
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
