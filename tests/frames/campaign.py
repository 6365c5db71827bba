"""Compares many random modules: `python -m frames.campaign --modules 20000 --seed 1 --jobs 2`.

From `tests/`, with wasmscope importable. What fails is kept, and made smaller, under `.cache/failures`. Profile "all"
is the generated programs and every profile of smith in turn; smith's own profile of that name is "smith-all". `--tier
mirror` and `--tier chaos:SEED` are those of `support/tiers.py`; what is random follows for each module from both seeds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from frames.compare import compare
from frames.corpus import PROFILE_NAMES, PROGRAMS, Case
from frames.shrink import shrink
from support import movements, tiers

SEEDS = 1_000_000
"""The chaos of two seeds of the command line has nothing in common for so many modules."""

PROGRESS = 100
"""After so many modules a line says so."""

FAILURES = Path(__file__).resolve().parents[2] / ".cache" / "failures"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one module: what was compared, and what is wrong ("": nothing)."""

    case: Case
    counts: Counter[str] = field(default_factory=Counter)
    failure: str = ""


def run_case(case: Case) -> Result:
    """Compare one module; whatever is raised is a failure too."""
    try:
        with movements.counted() as moved:
            differences, counts = compare(case.bytecode(), case.opt_level, case.tier)
    except Exception:
        return Result(case, failure=traceback.format_exc())
    return Result(case, counts + moved, "\n".join(map(str, differences)))


def run_cases(cases: Iterable[Case], jobs: int) -> Iterator[Result]:
    """Compare modules in so many processes, in any order."""
    if jobs == 1:
        yield from map(run_case, cases)
        return
    # Forked children would share engines and their threads.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run_case, cases, chunksize=8)


def cases_of(profile: str, first: int, count: int, tier: tiers.Choice) -> list[Case]:
    """The modules of a profile, or of all of them in turn: every second a generated program."""
    if profile != "all":
        return [_case(profile.removeprefix("smith-"), seed, tier) for seed in range(first, first + count)]
    others = [name for name in PROFILE_NAMES if name != PROGRAMS]
    return [
        _case(PROGRAMS if number % 2 == 0 else others[number // 2 % len(others)], first + number // 2, tier)
        for number in range(count)
    ]


def _case(profile: str, seed: int, tier: tiers.Choice) -> Case:
    return Case(profile, seed, tiers.Choice(tier.tier, tier.seed * SEEDS + seed))


def keep(result: Result) -> Path:
    """Save a module that failed, with what is wrong, and make it smaller."""
    FAILURES.mkdir(parents=True, exist_ok=True)
    file = FAILURES / f"{result.case}.wasm"
    file.write_bytes(result.case.bytecode())
    file.with_suffix(".txt").write_text(result.failure)
    return shrink(file, result.case.opt_level, result.case.tier or tiers.configured())


def main() -> int:
    """Run a campaign; the exit code is 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m frames.campaign", description="Compare many random modules.")
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--profile", choices=("all", "smith-all", *PROFILE_NAMES), default="all")
    parser.add_argument("--tier", type=tiers.Choice.parse, default=tiers.configured(), help="fast, mirror, chaos:SEED")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-shrink", action="store_true", help="only say what failed")
    options = parser.parse_args()
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    failed: list[Result] = []
    cases = cases_of(options.profile, options.seed, options.modules, options.tier)
    for number, result in enumerate(run_cases(cases, options.jobs), 1):
        counts += result.counts
        if number % PROGRESS == 0:
            print(f"{number} modules, {len(failed)} failed, {time.perf_counter() - started:.0f} s", flush=True)
        if result.failure:
            failed.append(result)
            print(f"{result.case}: {result.failure.strip().splitlines()[-1][:300]}", flush=True)
    for name, count in sorted(counts.items()):
        print(f"{count:>12,}  {name}")
    print(f"{len(failed)} failed, {time.perf_counter() - started:.0f} s")
    for result in failed if not options.no_shrink else ():
        print(keep(result))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
