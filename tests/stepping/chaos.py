"""A program under a debugger that does whatever it can at random, against the same program in the plain engine."""

from __future__ import annotations

import random
from collections import Counter

import wasmtime

import wasmscope
from stepping.engine import EngineRun, new_engine
from stepping.program import Program
from stepping.step import Ending
from support import tiers
from support.chaos import Controller


def differences(program: Program, seed: int, tier: tiers.Tier = tiers.Tier.FAST) -> tuple[list[str], Counter[str]]:
    """What differs in how the program ends and what it leaves, and what the debugger did meanwhile.

    In the tier "chaos" frames move between the tiers at random, too; in "fast" only as the debugger's doings need it.
    """
    plain = EngineRun(wasmtime, new_engine(wasmtime), program).run()
    controlled, counts = _controlled(program, seed, tier)
    counts[f"ended: {plain.how}"] += 1
    return [f"{program.name}, seed {seed}: {each}" for each in plain.differences(controlled)], counts


def _controlled(program: Program, seed: int, tier: tiers.Tier) -> tuple[Ending, Counter[str]]:
    rng = random.Random(f"chaos {seed} {program.name}")
    run = EngineRun(wasmscope, new_engine(wasmscope, rng.choice(("none", "speed"))), program)
    controller = Controller(rng)
    try:
        tiers.prepared(run.store, tiers.Choice(tier, seed))
        # Its own, in the place of the one that the tier may have brought along.
        controller.take(run.store)
        ending = run.run()
    finally:
        run.store.close()
    return ending, controller.counts
