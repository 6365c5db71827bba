"""Guests called while another stands still: their events nest, and what is below stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from mutation.guest import Guest
from support.observing import all_frames, plain, stack_of
from wasmscope import DebugEvent, Store, Trap

TIERS = pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])

FIELDS = """(tag $e (export "e") (param i32)) (memory (export "m") 1) (type $t (struct (field i32)))
  (func $inner (param i32) (result i32) (local $x (ref null $t))
    (local.set $x (struct.new $t (local.get 0)))
    (i32.const 10) (nop) (drop) (nop)
    (i32.add (local.get 0) (struct.get $t 0 (local.get $x))))
  (func (export "run") (param i32) (result i32)
    (i32.const 100) (call $inner (local.get 0)) (i32.add))
  (func (export "other") (param i32) (result i32) (i32.const 7) (drop) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "trap") (param i32 i32 i32) (i32.const 3) (unreachable))
  (func (export "throw") (param i32) (throw $e (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
      (else (call $look) (i32.const 5))))"""


def shape(store: Store) -> list[Any]:
    """What there is to see of all frames."""
    return [
        (
            frame.activation(),
            frame.wasm_function_index_and_pc(),
            [repr(plain(frame.local(n))) for n in range(frame.num_locals())],
            stack_of(frame),
        )
        for frame in all_frames(store)
    ]


def set_breakpoint(guest: Guest, opcode: str, nth: int = 0, function: int | None = None) -> None:
    edit = guest.store.edit_breakpoints()
    assert edit is not None
    with edit:
        edit.add_breakpoint(guest.module, guest.pc(opcode, nth, function))


@TIERS
def test_a_guest_called_in_a_handler_leaves_the_frames_below_as_they_were(is_mirrored: bool) -> None:
    calls: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        if len(store.activations) > 1:
            return
        before = shape(store)
        calls.append(guest.call("other", 4))
        assert shape(store) == before
        with pytest.raises(Trap):
            guest.call("trap", 1, 2, 3)
        assert shape(store) == before
        with pytest.raises(Trap):
            guest.call("throw", 5)
        assert shape(store) == before
        calls.append(guest.call("deep", 300))
        assert shape(store) == before
        store.gc()
        assert shape(store) == before

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 3) == 106
    assert calls == [8, 5]


@TIERS
def test_breakpoints_in_an_injected_call_are_told_with_both_activations(is_mirrored: bool) -> None:
    depths: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        assert isinstance(event, DebugEvent.Breakpoint)
        depths.append([(frame.activation(), plain(frame.local(0))) for frame in all_frames(store)])
        if len(depths) < 4:
            assert guest.call("run", len(depths) + 1) == 100 + 2 * (len(depths) + 1) or len(depths) > 1
            depths.append("back")

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 1) == 102
    one, two, three, four = (
        [(0, 1), (0, 1)],
        [(0, 2), (0, 2), (1, 1), (1, 1)],
        [(0, 3), (0, 3), (1, 2), (1, 2), (2, 1), (2, 1)],
        [(0, 4), (0, 4), (1, 3), (1, 3), (2, 2), (2, 2), (3, 1), (3, 1)],
    )
    assert depths == [one, two, three, four, "back", "back", "back"]


@TIERS
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_step_asked_for_around_an_injected_call_is_the_outer_guests(order: str, is_mirrored: bool) -> None:
    told_of: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        told_of.append(
            (type(event).__name__, len(store.activations), all_frames(store)[0].wasm_function_index_and_pc())
        )
        if len(told_of) == 1:
            if order == "before":
                store.request_step("over")
            assert guest.call("other", 4) == 8
            if order == "after":
                store.request_step("over")

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 1) == 102
    assert told_of == [("Breakpoint", 1, (0, guest.pc("nop"))), ("Step", 1, (0, guest.pc("drop")))]


@TIERS
def test_a_step_is_still_asked_for_when_something_was_told_in_an_injected_call(is_mirrored: bool) -> None:
    told_of: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        told_of.append((type(event).__name__, len(store.activations)))
        if len(told_of) == 1:
            store.request_step("over")
            assert guest.call("run", 4) == 108
            with pytest.raises(Trap):
                guest.call("trap", 1, 2, 3)

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 1) == 102
    assert told_of == [("Breakpoint", 1), ("Breakpoint", 2), ("Trap", 2), ("Step", 1)]


@TIERS
def test_a_step_out_of_an_injected_call_does_not_stop_the_guest_outside(is_mirrored: bool) -> None:
    told_of: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        told_of.append((type(event).__name__, len(store.activations)))
        if len(told_of) == 1:
            assert guest.call("run", 4) == 108
        else:
            store.request_step("out")

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 1) == 102
    assert told_of == [("Breakpoint", 1), ("Breakpoint", 2), ("Step", 2)]


@TIERS
def test_frames_changed_before_an_injected_call_are_still_changed_behind_it(is_mirrored: bool) -> None:
    nesting: list[int] = []

    def act(store: Store) -> None:
        nesting.append(1)
        if len(nesting) > 1:
            return
        writer = all_frames(store)[-1].writer()
        assert writer is not None
        writer.set_local(0, 50)
        assert guest.call("deep", 20) == 5
        assert plain(all_frames(store)[-1].local(0)) == 50
        with pytest.raises(Trap):
            guest.call("trap", 1, 2, 3)
        assert plain(all_frames(store)[-1].local(0)) == 50

    fields = (
        FIELDS + """ (func (export "start") (param i32) (result i32) (drop (call $deep (i32.const 3))) (local.get 0))"""
    )
    guest = Guest(fields, act, is_mirrored=is_mirrored)
    assert guest.call("start", 1) == 50


@TIERS
def test_frames_of_every_activation_can_be_changed_at_once(is_mirrored: bool) -> None:
    depth: list[int] = []

    def act(store: Store) -> int:
        depth.append(1)
        if len(depth) < 4:
            return guest.call("nest", len(depth)) + 1
        for number, frame in enumerate(all_frames(store)):
            writer = frame.writer()
            assert writer is not None
            writer.set_local(0, 1000 * 10**number)
        return 0

    fields = """(func (export "nest") (param i32) (result i32) (i32.add (call $look) (local.get 0)))"""
    guest = Guest(fields, act, is_mirrored=is_mirrored, look="(result i32)")
    assert guest.call("nest", 0) == 1_111_000 + 3


@TIERS
def test_calls_nest_deeply(is_mirrored: bool) -> None:
    depths: list[int] = []

    def told(store: Store, _: DebugEvent) -> None:
        depths.append(len(store.activations))
        if len(depths) < 40:
            guest.call("run", 1)
            assert len(all_frames(store)) == 2 * len(store.activations)

    guest = Guest(FIELDS, lambda _: None, is_mirrored=is_mirrored, told=told)
    set_breakpoint(guest, "nop", 0)
    assert guest.call("run", 3) == 106
    assert depths == list(range(1, 41))
