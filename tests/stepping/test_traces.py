"""What traces say was run is what the reference interpreter runs, and what single steps show."""

from __future__ import annotations

from collections import Counter

import pytest

from stepping import by_hand
from stepping.lockstep import record
from stepping.on_reference import OnReference
from stepping.on_wasmscope import OnWasmscope
from stepping.program import Program, random_programs, smith_programs
from stepping.traces import Traced, traced
from support import tiers
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

LIMIT = 2000


def compared(program: Program, seed: int, tier: tiers.Tier) -> Traced:
    """The traces, which say what the reference interpreter ran."""
    steps, ending = record(OnReference(program), LIMIT)
    expected = [(step.function, step.pc) for step in steps]
    found = traced(program, LIMIT, seed, tier)
    if "resources" not in (ending.how, found.ending.how):
        assert found.places[:LIMIT] == expected
    return found


@pytest.mark.parametrize("tier", list(tiers.Tier))
@pytest.mark.parametrize("name", by_hand.NAMES)
def test_programs_by_hand_are_traced_exactly(name: str, tier: tiers.Tier) -> None:
    for seed in range(2):
        compared(by_hand.by_hand(name), seed, tier)


@pytest.mark.spread
@pytest.mark.parametrize("tier", list(tiers.Tier))
@pytest.mark.parametrize("seed", range(300, 303))
def test_random_programs_are_traced_exactly(seed: int, tier: tiers.Tier) -> None:
    events = Counter[str]()
    instructions = 0
    for program in (*random_programs(seed), *smith_programs(seed)):
        found = compared(program, seed, tier)
        events += found.events
        instructions += len(found.places)
    assert instructions > 1000
    assert events["Step"] > 20
    assert events["Breakpoint"] > 5


@pytest.mark.parametrize("name", by_hand.NAMES)
def test_a_trace_has_the_places_that_single_steps_show(name: str) -> None:
    program = by_hand.by_hand(name)
    steps, _ = record(OnWasmscope(program), LIMIT)
    assert traced(program, LIMIT, 7).places[:LIMIT] == [(step.function, step.pc) for step in steps]
