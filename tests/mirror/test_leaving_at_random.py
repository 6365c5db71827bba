"""Random programs whose frames change tiers at random show the same frames as in the reference interpreter."""

from __future__ import annotations

import random

import pytest

import wasmscope
from frames import on_wasmscope
from frames.campaign import run_case
from frames.corpus import PROGRAMS, Case
from reference.smith import PROFILES
from support.wasmtools import WASM_TOOLS_ABSENT
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.mirrors.variant import Variant

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

CHUNK = 20


@pytest.mark.spread
@pytest.mark.parametrize(
    ("profile", "first"),
    [*((PROGRAMS, 5000 + CHUNK * n) for n in range(8)), *((profile, 5000) for profile in PROFILES)],
)
def test_random_modules_that_leave_mirrors_at_random(profile: str, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Variant] = []
    make = Mirrors._make_variant

    def count(mirrors: Mirrors, *arguments: object) -> Variant:
        made.append(make(mirrors, *arguments))
        return made[-1]

    monkeypatch.setattr(Mirrors, "_make_variant", count)
    for seed in range(first, first + CHUNK):
        rng = random.Random(seed)

        def prepared(store: wasmscope.Store, rng: random.Random = rng) -> wasmscope.Store:
            store.tiers.chaos(rng)
            return store

        monkeypatch.setattr(on_wasmscope.tiers, "prepared", prepared)
        result = run_case(Case(profile, seed))
        assert result.failure == "", f"{result.case}\n{result.failure}"
    assert made or profile != PROGRAMS
