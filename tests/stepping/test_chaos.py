"""A guest does not notice its debugger, whatever that does and whenever: outcome, host calls, memories, globals."""

from __future__ import annotations

from collections import Counter

import pytest

import wasmscope
from stepping import by_hand
from stepping.chaos import differences
from stepping.engine import EngineRun, new_engine
from stepping.program import random_programs, smith_programs
from support import tiers
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def run_some(seeds: range, tier: tiers.Tier) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in seeds:
        for program in (*random_programs(seed), *smith_programs(seed)):
            found, seen = differences(program, seed, tier)
            assert found == []
            counts += seen
    return counts


@pytest.mark.spread
@pytest.mark.parametrize("first", range(0, 4, 2))
def test_random_programs_do_not_notice(first: int) -> None:
    counts = run_some(range(first, first + 2), tiers.Tier.FAST)
    assert counts["event Interrupted"] > 50
    assert counts["values read"] > 100
    assert counts["event Step"] > 100
    assert counts["event Breakpoint"] > 10
    assert counts["breakpoints removed"] > 10


@pytest.mark.spread
@pytest.mark.parametrize("tier", [tiers.Tier.MIRROR, tiers.Tier.CHAOS])
@pytest.mark.parametrize("first", range(100, 104, 2))
def test_random_programs_do_not_notice_their_tier(first: int, tier: tiers.Tier) -> None:
    run_some(range(first, first + 2), tier)


@pytest.mark.parametrize("name", by_hand.NAMES)
def test_programs_by_hand_do_not_notice(name: str) -> None:
    for seed in range(3):
        assert differences(by_hand.by_hand(name), seed)[0] == []


def test_the_environment_chooses_the_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tiers.VARIABLE, raising=False)
    assert tiers.configured() == tiers.Choice(tiers.Tier.FAST)
    monkeypatch.setenv(tiers.VARIABLE, "chaos:7")
    assert tiers.configured() == tiers.Choice(tiers.Tier.CHAOS, 7)
    for wrong in ("slow", "mirror:3", "chaos:x"):
        with pytest.raises(ValueError, match=r"slow|seed|invalid"):
            tiers.Choice.parse(wrong)


def test_a_tier_asks_wasmscope_for_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Tiers:
        def force_mirror(self) -> None:
            asked.append("mirror")

        def chaos(self, rng: object) -> None:
            asked.append(rng)

    monkeypatch.setattr(wasmscope.Store, "tiers", Tiers(), raising=False)
    store = wasmscope.Store(wasmscope.Engine())
    for text in ("fast", "mirror", "chaos:1"):
        assert tiers.prepared(store, tiers.Choice.parse(text)) is store
    assert asked[0] == "mirror"
    assert len(asked) == 2
    assert store.debug_handler is not None
    store.close()


def test_every_function_that_runs_is_in_the_mirror_tier_when_forced() -> None:
    program = by_hand.by_hand("tail calls")
    run = EngineRun(wasmscope, new_engine(wasmscope), program)
    tiers.prepared(run.store, tiers.Choice(tiers.Tier.MIRROR))
    assert run.run().how == "returned"
    made = run.store.mirrors_made
    assert made is not None
    assert {mirror.function for mirror in made} == set(range(len(program.module.bodies)))
    run.store.close()
