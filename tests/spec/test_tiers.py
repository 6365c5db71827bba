"""The official suite passes in every tier: files of each kind here, all of them by `python -m spec.run --tier`."""

from __future__ import annotations

import pytest

from spec import known, suite
from spec.backend import in_tier, spec_config
from spec.runner import Status, run_script
from support import movements
from support.tiers import Choice, Tier

pytestmark = pytest.mark.skipif(suite.missing() is not None, reason=str(suite.missing()))

TIERS = (Choice(Tier.MIRROR), Choice(Tier.CHAOS, 1), Choice(Tier.CHAOS, 2))

#: every way to branch, call, throw and trap, every kind of reference, and the start of instances
SCRIPTS = (
    "array_init_elem.wast", "br_if.wast", "br_on_cast.wast", "br_table.wast", "bulk.wast", "call_ref.wast", "elem.wast",
    "endianness.wast", "extern.wast", "func_ptrs.wast", "global.wast", "i31.wast", "imports.wast", "instance.wast",
    "labels.wast", "left-to-right.wast", "linking.wast", "local_init.wast", "loop.wast", "memory_trap.wast",
    "proposals/threads/atomic.wast", "proposals/wide-arithmetic/wide-arithmetic.wast", "ref_cast.wast", "ref_func.wast",
    "return_call.wast", "return_call_indirect.wast", "return_call_ref.wast", "select.wast", "simd_lane.wast",
    "start.wast", "struct.wast", "switch.wast", "table_grow.wast", "throw.wast", "throw_ref.wast", "traps.wast",
    "try_table.wast", "type-subtyping.wast", "unreachable.wast", "unwind.wast",
)  # fmt: skip


@pytest.mark.spread
@pytest.mark.parametrize("tier", TIERS, ids=str)
def test_scripts(tier: Choice) -> None:
    backend = in_tier(tier)
    engine = backend.api.Engine(spec_config(backend.api))
    entries = known.load(backend.name)
    passed = 0
    with movements.counted() as moved:
        for name in SCRIPTS:
            for result in run_script(backend, engine, suite.load(name)):
                assert result.status is not Status.FAILED or known.reason_for(result, entries) is not None, result
                passed += result.status is Status.PASSED
    engine.close()
    assert passed > 3000
    assert moved[movements.MIRRORS] > 500
    if tier.tier is Tier.CHAOS:
        assert moved[movements.UNWOUND] > 500
        assert moved[movements.LEFT] > 20
