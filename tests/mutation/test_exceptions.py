"""Frames that are changed while an exception is about to be thrown through them."""

from __future__ import annotations

from typing import Any

import pytest

from mutation.guest import Guest
from support.observing import all_frames, plain
from wasmscope import DebugEvent, EarlyReturn, ExnRef, JumpTo, Store, Trap, TrapCode

TIERS = pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])

THROWING = """(tag $e (export "e") (param i32)) (tag $other (export "other") (param i32))
  (func $inner (param i32) (i32.const 50) (throw $e (local.get 0)) (drop))
  (func (export "caught") (param i32) (result i32)
    (i32.const 1000)
    (block $h (result i32) (try_table (catch $e $h) (call $inner (i32.const 7))) (unreachable))
    (i32.add) (i32.add (local.get 0)))
  (func (export "here") (param i32) (result i32)
    (i32.const 1000)
    (block $h (result i32) (try_table (catch $e $h) (throw $e (local.get 0))) (unreachable))
    (i32.add) (i32.add (local.get 0)))
  (func (export "again") (param i32) (result i32) (local $x exnref)
    (block $h (result i32 exnref) (try_table (catch_ref $e $h) (call $inner (i32.const 7))) (unreachable))
    (local.set $x) (drop)
    (block $h2 (result i32) (try_table (catch $e $h2) (throw_ref (local.get $x))) (unreachable))
    (i32.add (local.get 0)))"""


@TIERS
@pytest.mark.parametrize(("name", "result"), [("caught", 2000 + 20 + 30), ("here", 2000 + 20 + 30)])
def test_the_operand_that_was_set_is_what_is_thrown(name: str, result: int, is_mirrored: bool) -> None:
    events: list[Any] = []

    def told(store: Store, event: DebugEvent) -> None:
        assert isinstance(event, DebugEvent.CaughtExceptionThrown)
        frames = all_frames(store)
        events.append([plain(field) for field in event.exception.fields()])
        top = frames[0].writer()
        bottom = frames[-1].writer()
        assert top is not None
        assert bottom is not None
        top.set_stack(frames[0].num_stacks() - 1, 20)
        bottom.set_stack(0, 2000)
        bottom.set_local(0, 30)

    guest = Guest(THROWING, lambda _: None, is_mirrored=is_mirrored, told=told)
    assert guest.call(name, 7) == result
    assert events == [[7]]


@TIERS
def test_an_exception_that_is_put_in_its_place_goes_before_an_operand_that_was_set(is_mirrored: bool) -> None:
    def told(store: Store, _: DebugEvent) -> None:
        frame = all_frames(store)[0]
        writer = frame.writer()
        assert writer is not None
        writer.set_stack(1, 20)
        store.throw_instead(ExnRef(store, guest.exports["e"], [40]))

    guest = Guest(THROWING, lambda _: None, is_mirrored=is_mirrored, told=told)
    assert guest.call("caught", 1) == 1041


@TIERS
def test_an_exception_reference_that_was_set_is_what_is_thrown_again(is_mirrored: bool) -> None:
    def told(store: Store, _: DebugEvent) -> None:
        frame = all_frames(store)[0]
        if len(all_frames(store)) == 1:
            writer = frame.writer()
            assert writer is not None
            writer.set_stack(0, ExnRef(store, guest.exports["e"], [60]))

    guest = Guest(THROWING, lambda _: None, is_mirrored=is_mirrored, told=told)
    assert guest.call("again", 1) == 61


@TIERS
def test_a_null_reference_that_was_set_traps_where_it_would_be_thrown(is_mirrored: bool) -> None:
    def told(store: Store, event: DebugEvent) -> None:
        events.append(type(event).__name__)
        if len(all_frames(store)) == 1 and isinstance(event, DebugEvent.CaughtExceptionThrown):
            writer = all_frames(store)[0].writer()
            assert writer is not None
            writer.set_stack(0, None)

    events: list[str] = []
    guest = Guest(THROWING, lambda _: None, is_mirrored=is_mirrored, told=told)
    with pytest.raises(Trap) as raised:
        guest.call("again", 1)
    assert raised.value.trap_code is TrapCode.NULL_REFERENCE
    assert events == ["CaughtExceptionThrown", "CaughtExceptionThrown", "Trap"]


@TIERS
def test_an_exception_whose_changed_operand_nothing_catches_ends_the_call_without_another_event(
    is_mirrored: bool,
) -> None:
    def told(store: Store, event: DebugEvent) -> None:
        events.append(type(event).__name__)
        writer = all_frames(store)[0].writer()
        assert writer is not None
        writer.set_stack(0, ExnRef(store, guest.exports["other"], [60]))

    events: list[str] = []
    fields = """(tag $e (param i32)) (tag $other (export "other") (param i32))
      (func (export "run") (param exnref) (result i32)
        (block $h (result i32) (try_table (catch $e $h) (throw_ref (local.get 0))) (unreachable)))
      (func (export "make") (result exnref)
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (i32.const 1))) (unreachable)))"""
    guest = Guest(fields, lambda _: None, is_mirrored=is_mirrored)
    exception = guest.call("make")
    guest.tell(told)
    with pytest.raises(Trap):
        guest.call("run", exception)
    assert events == ["CaughtExceptionThrown"]


@TIERS
@pytest.mark.parametrize("is_caught", [True, False])
def test_a_throw_can_be_turned_into_a_return_or_a_jump(is_caught: bool, is_mirrored: bool) -> None:
    fields = """(tag $e) (func $inner (param i32) (result i32) (throw $e) (nop) (unreachable))
      (func (export "true") (result i32) (block $h (try_table (catch_all $h) (return (call $inner (i32.const 1)))))
        (i32.const 2))
      (func (export "false") (result i32) (call $inner (i32.const 1)))
      (func (export "back") (param i32) (result i32) (if (local.get 0) (then (throw $e))) (i32.const 3))"""

    def told(store: Store, event: DebugEvent) -> None:
        events.append(type(event).__name__)
        store.redirect(EarlyReturn([9]))

    events: list[str] = []
    guest = Guest(fields, lambda _: None, is_mirrored=is_mirrored, told=told)
    assert guest.call(str(is_caught).lower()) == 9
    assert events == ["CaughtExceptionThrown" if is_caught else "UncaughtExceptionThrown"]

    def jump(store: Store, _: DebugEvent) -> None:
        store.redirect(JumpTo(guest.pc("i32.const", -1)))

    guest.tell(jump)
    assert guest.call("back", 1) == 3


@TIERS
def test_callers_changed_by_a_host_function_that_passes_an_exception_on_are_what_the_handler_finds(
    is_mirrored: bool,
) -> None:
    fields = """(tag $e (param i32)) (table (export "t") 1 funcref)
      (func $private (param i32) (throw $e (local.get 0)))
      (type $f (func (param i32)))
      (func (export "run") (param i32) (result i32)
        (i32.const 100)
        (block $h (result i32) (try_table (catch $e $h) (call_indirect (type $f) (i32.const 5) (i32.const 0)))
          (unreachable))
        (i32.add) (i32.add (local.get 0)))"""

    def told(store: Store, event: DebugEvent) -> None:
        events.append((type(event).__name__, len(all_frames(store))))
        writer = all_frames(store)[-1].writer()
        assert writer is not None
        writer.set_local(0, 3)
        writer.set_stack(0, 200)

    events: list[Any] = []
    guest = Guest(fields, lambda _: None, is_mirrored=is_mirrored)
    private = guest.instance.debug_function(guest.store, 2)
    guest.exports["t"].set(guest.store, 0, private)
    guest.tell(told)
    assert guest.call("run", 1) == 208
    assert events == [("UncaughtExceptionThrown", 2), ("CaughtExceptionThrown", 1)]
