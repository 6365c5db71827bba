"""A local or operand changed on the way: all that follows is the same on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from stepping.edits import Editing, Recorded
from stepping.lockstep import lockstep
from stepping.mutation import LIMIT, compare, mutate
from stepping.on_reference import OnReference
from stepping.on_wasmscope import WRITING_ABSENT, OnWasmscope
from stepping.program import Program, random_programs, smith_programs
from stepping.step import Stepper
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def compare_some(seeds: range, machine: Callable[[Program, Editing], Stepper]) -> Counter[str]:
    """Compare the programs of some seeds; what was done and seen."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        for program in (*random_programs(seed), *smith_programs(seed)):
            mutated = mutate(program, seed)
            comparison = compare(mutated, machine)
            assert comparison.difference == "", "\n".join(map(str, mutated.edits))
            counts["programs"] += 1
            counts["noticed"] += mutated.is_noticed
            counts["values"] += comparison.values
            counts[f"ended: {mutated.ending.how}"] += 1
            for edit in mutated.edits:
                counts[f"{edit.what} {edit.type}"] += 1
                counts["in callers"] += edit.frame > 0
    return counts


def test_the_reference_changed_twice_in_the_same_way_does_the_same() -> None:
    counts = compare_some(range(2), OnReference)
    assert {f"{what} {type}" for what in ("local", "stack") for type in ("i32", "i64", "f64")} <= set(counts)
    assert counts["in callers"] > 10
    assert counts["noticed"] > counts["programs"] // 4, counts
    assert counts["values"] > 10_000


def test_a_change_that_one_of_two_makes_is_found() -> None:
    found = 0
    for program in random_programs(1):
        mutated = mutate(program, 1)
        if not mutated.edits:
            continue
        expected = OnReference(program, Recorded(mutated.edits))
        assert lockstep(program, expected, OnReference(program), LIMIT).difference
        assert lockstep(program, expected, OnReference(program, Recorded(mutated.edits[:-1])), LIMIT).difference
        found += 1
    assert found > 0


@pytest.mark.spread
@pytest.mark.skipif(bool(WRITING_ABSENT), reason=WRITING_ABSENT)
@pytest.mark.parametrize("first", range(0, 8, 2))
def test_wasmscope_goes_on_with_what_was_written(first: int) -> None:
    counts = compare_some(range(first, first + 2), OnWasmscope)
    assert counts["local i32"] > 5
    assert counts["stack i32"] > 5
    assert counts["noticed"] > 0
