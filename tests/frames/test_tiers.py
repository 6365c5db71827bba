"""Random modules show the same frames as in the reference interpreter whatever tier their frames are in.

`python -m frames.campaign --tier chaos:1` runs more of them.
"""

from __future__ import annotations

from collections import Counter

import pytest

from frames.campaign import run_case
from frames.corpus import PROGRAMS, Case
from reference.smith import PROFILES
from support import movements
from support.tiers import Choice, Tier
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

CHUNK = 10
CHAOS = [*((PROGRAMS, 5000 + CHUNK * n) for n in range(8)), *((profile, 5000) for profile in PROFILES)]
MIRROR = [(PROGRAMS, 6000), *((profile, 6000) for profile in PROFILES)]


def _compare(profile: str, first: int, tier: Tier) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        result = run_case(Case(profile, seed, Choice(tier, seed if tier is Tier.CHAOS else 0)))
        assert result.failure == "", f"{result.case}\n{result.failure}"
        counts += result.counts
    return counts


@pytest.mark.spread
@pytest.mark.parametrize(("profile", "first"), CHAOS)
def test_frames_that_move_at_random(profile: str, first: int) -> None:
    moved = _compare(profile, first, Tier.CHAOS)
    assert moved[movements.UNWOUND] > 50
    if profile == PROGRAMS:
        assert moved[movements.UNWOUND] > 200
        assert moved[movements.LEFT] > 30
        assert moved[movements.VARIANTS] > 10


@pytest.mark.spread
@pytest.mark.parametrize(("profile", "first"), MIRROR)
def test_frames_that_are_all_in_mirrors(profile: str, first: int) -> None:
    assert _compare(profile, first, Tier.MIRROR)[movements.MIRRORS] > 20
