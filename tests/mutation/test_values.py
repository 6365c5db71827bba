"""Every type of value set in frames of both tiers, innermost and callers', at every kind of pause."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from mutation.guest import PAUSES, TYPES, Run, all_same, shown
from support.observing import all_frames
from wasmscope import Store

pytestmark = pytest.mark.spread

TIERS = (False, True)


@pytest.mark.parametrize("is_mirrored", TIERS, ids=("fast", "mirror"))
@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("value_type", TYPES)
def test_what_is_set_is_shown_and_what_the_guest_goes_on_with(value_type: str, pause: str, is_mirrored: bool) -> None:
    looks: list[Any] = []
    before: list[Any] = []

    def paused(store: Store) -> None:
        taken = all_frames(store)
        inner, outer = all_frames(store)
        before.extend(map(shown, (inner, outer)))
        for frame, local, operand in ((inner, 1, 0), (outer, 0, 0)):
            writer = frame.writer()
            assert writer is not None
            writer.set_local(local, new[frame is inner, "local"])
            writer.set_stack(operand, new[frame is inner, "stack"])
        assert all(frame.is_valid() for frame in taken)
        looks.extend(tuple(map(shown, frames)) for frames in ((inner, outer), taken, all_frames(store), store.frames()))
        references.extend((place, index) for place, index, _ in inner.gc_refs())

    references: list[Any] = []
    run = Run(value_type, pause, is_mirrored, paused)
    first, *others = [run.value(n) for n in (1, 2, 3, 4, 5)]
    new = dict(zip(product((True, False), ("local", "stack")), others, strict=True))
    inner_local, inner_operand, outer_local, outer_operand = others
    results = run.run(first)
    assert all_same(results, [outer_operand, inner_operand, inner_local, outer_local])
    assert all_same([*before[0][0], *before[0][1]], [first] * 3)
    assert all_same([*before[1][0], *before[1][1]], [first] * 3)
    assert len(looks) == 4
    for inner, outer in looks:
        assert all_same([*inner[0], *inner[1]], [first, inner_local, inner_operand])
        assert all_same([*outer[0], *outer[1]], [outer_local, outer_operand, first])
    is_collected = "ref" in value_type and "func" not in value_type and "number" not in value_type
    assert references == ([("local", 0), ("local", 1), ("stack", 0)] if is_collected else [])
