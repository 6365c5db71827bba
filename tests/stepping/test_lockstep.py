"""Machines side by side show the same before every instruction: pc, depth of the call stack, locals, operands.

Short runs; `python -m stepping.campaign` makes long ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from stepping import by_hand, compiled
from stepping.lockstep import Comparison, lockstep, record
from stepping.on_reference import OnReference
from stepping.on_wasmscope import OnWasmscope
from stepping.on_wasmtime import WASMTIME_ABSENT, OnWasmtime
from stepping.program import Program, random_programs, smith_programs
from stepping.step import Ending, Step, Visit
from stepping.wrong import with_wrong
from support.wasmtools import WASM_TOOLS_ABSENT

needs_wasmtime = pytest.mark.skipif(bool(WASMTIME_ABSENT), reason=WASMTIME_ABSENT)
needs_compiler = pytest.mark.skipif(bool(compiled.COMPILER_ABSENT), reason=compiled.COMPILER_ABSENT)
pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

#: instructions of a test: over the wire each takes some milliseconds
FEW, MANY = 250, 5000


def assert_equal(comparison: Comparison, steps: int, values_a_step: float) -> None:
    """Nothing differs, and much was looked at."""
    assert comparison.difference == ""
    ended = all(each.how != "stopped" for each in comparison.endings)
    assert comparison.steps == steps or (ended and comparison.steps > 0)
    assert comparison.values >= values_a_step * comparison.steps, comparison.counts


# -- the reference interpreter and `wasmtime -g`: neither is this project's ------------------------------------------


@pytest.mark.spread
@needs_wasmtime
@needs_compiler
@pytest.mark.parametrize("level", compiled.LEVELS)
@pytest.mark.parametrize("name", compiled.KERNEL_NAMES)
def test_reference_and_wasmtime_agree_on_kernels(name: str, level: str) -> None:
    program = compiled.kernel(name, level)
    assert_equal(lockstep(program, OnReference(program), OnWasmtime(program), FEW), FEW, 3)


@pytest.mark.spread
@needs_wasmtime
@needs_compiler
@pytest.mark.parametrize("level", compiled.LEVELS)
@pytest.mark.parametrize("name", compiled.SMALL_NAMES)
def test_reference_and_wasmtime_agree_on_small_programs(name: str, level: str) -> None:
    program = compiled.small(name, level)
    assert_equal(lockstep(program, OnReference(program), OnWasmtime(program), FEW), FEW, 1)


@pytest.mark.spread
@needs_wasmtime
@pytest.mark.parametrize("name", by_hand.NAMES)
def test_reference_and_wasmtime_agree_on_programs_by_hand(name: str) -> None:
    program = by_hand.by_hand(name)
    if program.module.start is not None:
        pytest.skip("wasmtime -g panics in start functions")
    comparison = lockstep(program, OnReference(program), OnWasmtime(program), FEW)
    # Of a frame with certain references the stub shows little.
    assert_equal(comparison, FEW, 0.3 if "references" in name else 1)
    assert {each.how for each in comparison.endings} != {"stopped"}


# -- the comparison itself -------------------------------------------------------------------------------------------


@needs_wasmtime
@needs_compiler
def test_a_wrong_instruction_is_found_against_wasmtime() -> None:
    program = compiled.small("wide", "O0")
    steps, _ = record(OnReference(program), FEW)
    number, wrong = _first_wrong(program, steps, 60)
    comparison = lockstep(program, OnReference(wrong), OnWasmtime(program), FEW)
    assert comparison.steps == number + 1
    assert ">>" in comparison.difference


@needs_compiler
@pytest.mark.parametrize("level", compiled.LEVELS)
def test_wrong_instructions_are_found_at_the_step_behind_them(level: str) -> None:
    tried: Counter[str] = Counter()
    for name in compiled.SMALL_NAMES:
        program = compiled.small(name, level)
        steps, _ = record(OnReference(program), 400)
        first_of = {(each.function, each.pc): number for number, each in reversed(list(enumerate(steps)))}
        for number in sorted(first_of.values())[:-1:4]:
            wrong = with_wrong(program, steps[number])
            if wrong is not None:
                comparison = lockstep(program, OnReference(program), OnReference(wrong), number + 2)
                tried["at once" if comparison.difference else "later"] += 1
                assert comparison.steps >= number + 1, "found before it happened"
    # What is wrong gives the same result for some operands: a branch is lost that would not have been taken.
    assert tried["at once"] > 30, tried
    assert tried["at once"] > 3 * tried["later"], tried


@needs_compiler
def test_a_run_that_ends_early_is_found() -> None:
    program = compiled.small("pointers", "O2")
    early = EndsEarly(OnReference(program), 20)
    assert "ended before it" in lockstep(program, OnReference(program), early, MANY).difference
    assert "it ended: returned, stopped" in lockstep(program, early, OnReference(program), MANY).difference


@dataclass(frozen=True, slots=True)
class EndsEarly:
    """A machine that says it is done after so many instructions."""

    machine: OnReference
    after: int
    name = "one that ends early"

    def run(self, visit: Visit) -> Ending:
        left = iter(range(self.after))
        self.machine.run(lambda step: next(left, None) is not None and visit(step))
        return Ending("returned")


def _first_wrong(program: Program, steps: Sequence[Step], after: int) -> tuple[int, Program]:
    """A wrong instruction that shows at once, the first time that it runs."""
    for number in range(after, len(steps)):
        places = [(each.function, each.pc) for each in steps[:number]]
        wrong = with_wrong(program, steps[number]) if (steps[number].function, steps[number].pc) not in places else None
        if wrong is not None:
            comparison = lockstep(program, OnReference(program), OnReference(wrong), number + 2)
            if comparison.steps == number + 1:
                return number, wrong
    raise AssertionError("nothing could be made wrong")


# -- wasmscope -------------------------------------------------------------------------------------------------------


@pytest.mark.spread
@needs_compiler
@pytest.mark.parametrize("level", compiled.LEVELS)
@pytest.mark.parametrize("name", [*compiled.KERNEL_NAMES, *compiled.SMALL_NAMES])
def test_wasmscope_steps_exactly_through_compiled_programs(name: str, level: str) -> None:
    program = compiled.kernel(name, level) if name in compiled.KERNEL_NAMES else compiled.small(name, level)
    comparison = lockstep(program, OnReference(program), OnWasmscope(program), 600)
    assert_equal(comparison, 600, 1)
    assert not [each for each in comparison.counts if each.startswith("not compared")]


@pytest.mark.parametrize("name", by_hand.NAMES)
def test_wasmscope_steps_exactly_through_programs_by_hand(name: str) -> None:
    program = by_hand.by_hand(name)
    for level in ("none", "speed"):
        assert_equal(lockstep(program, OnReference(program), OnWasmscope(program, opt_level=level), MANY), MANY, 1)


@pytest.mark.spread
@pytest.mark.parametrize("seed", range(6))
def test_wasmscope_steps_exactly_through_random_programs(seed: int) -> None:
    compared = Counter[str]()
    for program in (*random_programs(seed), *smith_programs(seed)):
        comparison = lockstep(program, OnReference(program), OnWasmscope(program), 800)
        assert comparison.difference == ""
        compared["steps"] += comparison.steps
        compared["values"] += comparison.values
    assert compared["steps"] > 200
    assert compared["values"] > compared["steps"]
