"""Long comparisons: `python -m stepping.campaign lockstep --count 500 --seed 1 --jobs 2`, from `tests/`.

lockstep    wasmscope and the reference interpreter, every instruction of random programs and compiled ones
wasmtime    the reference interpreter and `wasmtime -g`, compiled programs, the first `--steps` instructions of each
mutation    state changed on the way, in wasmscope and in the reference interpreter
chaos       random programs under a debugger that does whatever it can; `--tier` as in `support/tiers.py`
self        mutation of the reference interpreter against itself: what of that is noticed

The exit code is 1 where something differs.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stepping import by_hand, compiled
from stepping.chaos import differences
from stepping.lockstep import Comparison, lockstep
from stepping.mutation import compare, mutate
from stepping.on_reference import OnReference
from stepping.on_wasmscope import WRITING_ABSENT, OnWasmscope
from stepping.on_wasmtime import OnWasmtime
from stepping.program import Program, random_programs, smith_programs
from support import tiers


@dataclass(frozen=True, slots=True)
class Options:
    """What of the command line the runs need."""

    what: str
    steps: int
    tier: tiers.Tier


def run_seed(options: Options, seed: int) -> tuple[str, Counter[str]]:
    """What differs for the programs of a seed ("": nothing), and what was compared."""
    found: list[str] = []
    counts: Counter[str] = Counter()
    for program in _programs(options.what, seed):
        try:
            difference, seen = _run(options, program, seed)
        except Exception:
            difference, seen = f"{program.name}: {traceback.format_exc()}", Counter()
        counts["programs"] += 1
        counts += seen
        if difference:
            found.append(f"seed {seed}: {difference}")
    return "\n".join(found), counts


def _programs(what: str, seed: int) -> Iterator[Program]:
    if what == "wasmtime":
        yield _compiled()[seed % len(_compiled())]()
        return
    yield from random_programs(seed)
    yield from smith_programs(seed)
    if what == "lockstep" and not compiled.COMPILER_ABSENT:
        yield _compiled()[seed % len(_compiled())]()


def _compiled() -> list[Callable[[], Program]]:
    kernels = [functools.partial(compiled.kernel, n, level) for n in compiled.KERNEL_NAMES for level in compiled.LEVELS]
    small = [functools.partial(compiled.small, n, level) for n in compiled.SMALL_NAMES for level in compiled.LEVELS]
    names = [name for name in by_hand.NAMES if by_hand.by_hand(name).module.start is None]
    return [*kernels, *small, *(functools.partial(by_hand.by_hand, name) for name in names)]


def _run(options: Options, program: Program, seed: int) -> tuple[str, Counter[str]]:
    match options.what:
        case "lockstep":
            shown = OnWasmscope(program, opt_level=("none", "speed")[seed % 2])
            return _counted(lockstep(program, OnReference(program), shown, options.steps))
        case "wasmtime":
            return _counted(lockstep(program, OnReference(program), OnWasmtime(program), options.steps))
        case "chaos":
            different, counts = differences(program, seed, options.tier)
            return "\n".join(different), counts
    mutated = mutate(program, seed)
    difference, counts = _counted(compare(mutated, OnWasmscope if options.what == "mutation" else OnReference))
    counts.update(f"changed: {edit.what} {edit.type}" for edit in mutated.edits)
    counts["noticed"] += mutated.is_noticed
    if difference:
        difference += "\n" + "\n".join(map(str, mutated.edits))
    return difference, counts


def _counted(comparison: Comparison) -> tuple[str, Counter[str]]:
    counts = Counter({f"values: {name}": count for name, count in comparison.counts.items()})
    counts["steps"] += comparison.steps
    counts["values compared"] += comparison.values
    counts.update(f"ended: {each.how}" for each in comparison.endings[:1])
    return comparison.difference, counts


def main() -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(prog="python -m stepping.campaign", description="Compare machines step by step.")
    parser.add_argument("what", choices=("lockstep", "wasmtime", "mutation", "chaos", "self"))
    parser.add_argument("--count", type=int, default=len(_compiled()), help="how many seeds")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, default=3000, help="instructions of each program, at most")
    parser.add_argument("--tier", type=tiers.Tier, default=tiers.Tier.FAST)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    if given.what == "mutation" and WRITING_ABSENT:
        print(WRITING_ABSENT, file=sys.stderr)
        return 2
    began = time.perf_counter()
    options = Options(given.what, given.steps, given.tier)
    total: Counter[str] = Counter()
    failed = 0
    # Forked children would share engines and their threads.
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        seeds = range(given.seed, given.seed + given.count)
        for different, counts in pool.imap_unordered(functools.partial(run_seed, options), seeds):
            total += counts
            failed += bool(different)
            if different:
                print(different, flush=True)
    for name, count in sorted(total.items()):
        print(f"{count:>12,}  {name}")
    print(f"{failed} of {given.count} seeds differ, {time.perf_counter() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
