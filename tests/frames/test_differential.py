"""Random modules show the same frames in wasmscope as in the reference interpreter, everywhere they can be looked at.

At every host call, trap and throw, caught or not: all frames of all activations with pc, every local, every operand,
types and exact bits. `python -m frames.campaign` runs more of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from frames.campaign import Result, run_case
from frames.corpus import PROGRAMS, Case
from reference.smith import PROFILES
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

#: modules in all, a test each for so many
PROGRAM_COUNT, SMITH_COUNT, CHUNK = 1400, 100, 50


def _chunks() -> Iterator[tuple[str, int]]:
    for start in range(0, PROGRAM_COUNT, CHUNK):
        yield PROGRAMS, start
    for profile in PROFILES:
        for start in range(0, SMITH_COUNT, CHUNK):
            yield profile, start


@pytest.mark.spread
@pytest.mark.parametrize(("profile", "first"), list(_chunks()))
def test_random_modules(profile: str, first: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        result = run_case(Case(profile, seed))
        assert result.failure == "", str(result.case)
        counts += result.counts
    _assert_substantial(profile, counts)


def _assert_substantial(profile: str, counts: Counter[str]) -> None:
    """A comparison that sees nothing would find nothing."""
    values = counts["locals"] + counts["operands"]
    endings = sum(count for name, count in counts.items() if name.startswith("at: "))
    assert counts["modules"] == CHUNK
    assert endings > 5, counts
    if profile == PROGRAMS:
        assert counts["host calls"] > 20 * CHUNK, counts
        assert counts["frames"] > 40 * CHUNK, counts
        assert values > 500 * CHUNK, counts
        assert counts["operands"] > 100 * CHUNK, counts
        assert counts["at: interrupted"] > CHUNK // 2, counts
        assert counts["at: caught exception"] > CHUNK // 10, counts
    else:
        assert values > 20 * CHUNK, counts


def test_every_class_of_values_is_generated() -> None:
    counts: Counter[str] = Counter()
    for seed in range(30):
        counts += run_case(Case(PROGRAMS, seed)).counts
    classes = {name.removeprefix("values: ") for name in counts if name.startswith("values: ")}
    wanted = {"i32", "i64", "f32", "f64", "v128", "null", "function", "struct", "array", "i31", "exception", "unset"}
    assert wanted <= classes


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself can fail: with one bit of one local changed it does."""
    from wasmscope.runtime.frame import FrameHandle
    from wasmscope.runtime.val import Kind, Val

    genuine = FrameHandle.local

    def wrong(handle: FrameHandle, index: int) -> object:
        value = genuine(handle, index)
        return (
            Val.from_bits(Kind.I32, (value.bits or 0) ^ 1)
            if isinstance(value, Val) and value.kind is Kind.I32
            else value
        )

    monkeypatch.setattr(FrameHandle, "local", wrong)
    result: Result = run_case(Case(PROGRAMS, 0))
    assert "local" in result.failure
