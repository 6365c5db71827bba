"""Guests that go on other than by their next instruction: from every kind of pause, in both tiers."""

from __future__ import annotations

from typing import Any

import pytest

import wasmscope
from mutation.guest import PAUSES, PRELUDE, TYPES, Guest, Run, all_same
from support.observing import all_frames, locals_of, plain
from wasmscope import BreakpointError, DebugEvent, EarlyReturn, ExnRef, JumpTo, Store, ThrowException, Trap

pytestmark = pytest.mark.spread

TIERS = pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])


# -- early return ------------------------------------------------------------------------------------------------


@TIERS
@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("value_type", TYPES)
def test_a_function_returns_early_what_it_is_given(value_type: str, pause: str, is_mirrored: bool) -> None:
    run = Run(value_type, pause, is_mirrored, lambda store: store.redirect(EarlyReturn([values[1], values[2]])))
    values = [run.value(n) for n in (1, 2, 3)]
    assert all_same(run.run(values[0]), [values[0], values[1], values[2], values[0]])


@TIERS
def test_the_only_frame_of_an_activation_returns_early_to_the_host(is_mirrored: bool) -> None:
    depths: list[int] = []

    def act(store: Store) -> Any:
        depths.append(all_frames(store)[0].activation() + len(store.activations))
        if len(depths) == 1:
            found = guest.call("inner")
            return found + 1
        store.redirect(EarlyReturn([40]))
        return None

    fields = """(func (export "run") (result i32) (i32.add (i32.const 1000) (call $look)))
      (func (export "inner") (result i32) (i32.add (i32.const 7) (call $look)))"""
    guest = Guest(fields, act, is_mirrored=is_mirrored, look="(result i32)")
    assert guest.call("run") == 1041
    assert depths == [1, 2]
    assert all_frames(guest.store) == []


def test_a_function_cannot_return_values_of_other_types_or_another_number_of_them() -> None:
    errors: list[str] = []

    def act(store: Store) -> None:
        for values in ([], [1, 2, 3], [1.5, 1], [1, 2], [Val.i64(1), 1.0], ["text", None]):
            with pytest.raises(BreakpointError) as raised:
                store.redirect(EarlyReturn(values))
            errors.append(str(raised.value))

    Val = wasmscope.Val  # a class
    guest = Guest('(func (export "run") (result i32 f64) (call $look) (i32.const 4) (f64.const 5))', act)
    assert guest.call("run") == [4, 5.0]
    assert errors == [
        "the function returns 2 values, not 0",
        "the function returns 2 values, not 3",
        "the function cannot return this: result 0 is of type i32: 1.5 is none",
        "the function cannot return this: result 1 is of type f64: 2 is none",
        "the function cannot return this: result 0 is of type i32, not i64",
        "the function cannot return this: result 0 is of type i32: 'text' is none",
    ]


@TIERS
def test_what_was_set_in_a_frame_that_returns_early_is_not_seen_in_later_frames(is_mirrored: bool) -> None:
    shown: list[Any] = []

    def act(store: Store) -> None:
        shown.append(locals_of(all_frames(store)[0]))
        writer = all_frames(store)[0].writer()
        assert writer is not None
        if len(shown) == 1:
            writer.set_local(0, 99)
            store.redirect(EarlyReturn([5]))

    fields = """(func $inner (param i32) (result i32) (call $look) (local.get 0))
      (func (export "run") (result i32) (i32.add (call $inner (i32.const 1)) (call $inner (i32.const 2))))"""
    guest = Guest(fields, act, is_mirrored=is_mirrored)
    assert guest.call("run") == 7
    assert shown == [[1], [2]]


# -- throwing ----------------------------------------------------------------------------------------------------

CATCHING = """(tag $e (export "e") (param i32)) (tag $other (export "other") (param i32))
  (func $throwing (param i32) (result i32) (call $look) (i32.const 1))
  (func $same (export "same") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $e $h) (call $look)) (i32.const 2))
    (i32.add (local.get 0)))
  (func (export "caller") (param i32) (result i32)
    (i32.const 1000)
    (block $h (result i32) (try_table (catch $other $h) (drop (call $throwing (i32.const 5)))) (i32.const 3))
    (i32.add) (i32.add (local.get 0)))
  (func (export "all") (param i32) (result i32)
    (block $h (try_table (catch_all $h) (drop (call $same (i32.const 5)))) (return (i32.const 4)))
    (local.get 0))
  (func (export "ref") (param i32) (result i32) (local exnref)
    (block $h (result i32 exnref) (try_table (catch_ref $e $h) (drop (call $throwing (i32.const 5)))) (unreachable))
    (local.set 1) (i32.add (local.get 0))
    (if (ref.is_null (local.get 1)) (then (unreachable))))
  (func (export "whole") (param i32) (result i32)
    (try_table (catch $e 0) (drop (call $throwing (i32.const 5))))
    (i32.const 6))
  (func (export "none") (param i32) (result i32) (call $throwing (local.get 0)))"""

CAUGHT = [
    *(("same", "e", 77 + 1), ("caller", "other", 1000 + 77 + 1), ("all", "other", 1), ("all", "e", 5 + 77)),
    *(("ref", "e", 77 + 1), ("whole", "e", 77), ("none", "e", None), ("same", "other", None), ("caller", "e", None)),
]


@TIERS
@pytest.mark.parametrize("kind", ["call", "interrupt", "fail"])
@pytest.mark.parametrize(("function", "tag", "result"), CAUGHT)
def test_an_exception_is_thrown_where_the_frame_stands(
    function: str, tag: str, result: int | None, kind: str, is_mirrored: bool
) -> None:
    events: list[DebugEvent] = []

    def throw(store: Store) -> None:
        store.redirect(ThrowException(ExnRef(store, guest.exports[tag], [77])))

    def act(store: Store) -> None:
        if kind == "fail":
            raise ValueError
        throw(store)

    def told(store: Store, event: DebugEvent) -> None:
        events.append(event)
        throw(store)

    fields = CATCHING.replace("(call $look)", "(call $interrupt) (loop)") if kind == "interrupt" else CATCHING
    guest = Guest(fields, act, is_mirrored=is_mirrored, told=told)
    # `all` gives 4 where `same` caught it
    expected = 4 if (function, tag) == ("all", "e") else result
    if expected is None:
        with pytest.raises(Trap):
            guest.call(function, 1)
        exception = wasmscope.runtime.capi.take_exception(guest.store)
        assert exception is not None
        assert plain(exception.field(0)) == 77
    else:
        assert guest.call(function, 1) == expected
    names = {"call": [], "interrupt": ["Interrupted"], "fail": ["HostcallError"]}[kind]
    assert [type(event).__name__ for event in events] == names
    assert all_frames(guest.store) == []


def test_an_exception_of_another_store_is_refused() -> None:
    elsewhere = Guest(CATCHING, lambda _: None)
    exception = ExnRef(elsewhere.store, elsewhere.exports["e"], [1])

    def act(store: Store) -> None:
        with pytest.raises(BreakpointError, match="belongs to another store"):
            store.redirect(ThrowException(exception))
        with pytest.raises(TypeError, match="expected an ExnRef"):
            store.redirect(ThrowException(5))  # type: ignore[arg-type]

    guest = Guest(CATCHING, act)
    assert guest.call("same", 1) == 3


@TIERS
def test_an_exception_out_of_a_nested_activation_goes_on_through_the_host(is_mirrored: bool) -> None:
    depth: list[int] = []

    def act(store: Store) -> None:
        depth.append(1)
        if len(depth) == 1:
            with pytest.raises(Trap):
                guest.call("none", 1)
            exception = wasmscope.runtime.capi.take_exception(store)
            assert exception is not None
            store.redirect(ThrowException(exception))
        else:
            store.redirect(ThrowException(ExnRef(store, guest.exports["e"], [8])))

    guest = Guest(CATCHING, act, is_mirrored=is_mirrored)
    assert guest.call("same", 1) == 9


# -- jumps -------------------------------------------------------------------------------------------------------


@TIERS
def test_a_frame_goes_on_at_another_instruction_with_its_operands(is_mirrored: bool) -> None:
    fields = """(func (export "run") (param i32) (result i32)
      (i32.const 100) (call $look) (drop) (i32.const 7) (nop) (i32.add (local.get 0)))"""
    jumps: list[int] = []

    def act(store: Store) -> None:
        jumps.append(1)
        store.redirect(JumpTo(guest.pc("nop")))

    guest = Guest(fields, act, is_mirrored=is_mirrored)
    assert guest.call("run", 1) == 101
    assert jumps == [1]


@TIERS
def test_a_jump_back_runs_the_call_again_with_the_arguments_that_were_set(is_mirrored: bool) -> None:
    seen: list[int] = []

    def act(store: Store) -> int:
        frame = all_frames(store)[0]
        seen.append(plain(frame.stack(0)))
        if len(seen) == 1:
            writer = frame.writer()
            assert writer is not None
            writer.set_stack(0, 6)
            store.redirect(JumpTo(guest.pc("call", function=0)))
        return 10 * seen[-1]

    guest = Guest(
        '(func (export "run") (result i32) (call $look (i32.const 5)))',
        act,
        is_mirrored=is_mirrored,
        look="(param i32) (result i32)",
    )
    assert guest.call("run") == 60
    assert seen == [5, 6]


@TIERS
def test_a_jump_into_and_out_of_a_try_block_changes_what_catches(is_mirrored: bool) -> None:
    fields = """(tag $e) (func (export "run") (param i32) (result i32)
      (block $h
        (try_table (catch_all $h) (call $look) (nop) (throw $e))
        (unreachable))
      (return (i32.const 1))
      )
    (func (export "into") (result i32)
      (call $look) (drop (i32.const 0)) (block $h (try_table (catch_all $h) (nop) (throw $e))) (i32.const 2))"""
    target: list[int] = []
    guest = Guest(fields, lambda store: store.redirect(JumpTo(target[0])), is_mirrored=is_mirrored)
    target.append(guest.pc("i32.const"))
    assert guest.call("run", 0) == 1
    target[:] = [guest.pc("nop", 1)]
    assert guest.call("into") == 2


REFUSED_JUMPS = [
    (lambda guest: guest.pc("nop") + 1000, "is no instruction of the function"),
    (lambda guest: guest.pc("f64.const") + 1, "is no instruction of the function"),
    (lambda guest: guest.pc("f64.const"), "the operand stack holds nothing there, i32 here"),
    (lambda guest: guest.pc("f64.neg"), "the operand stack holds f64 there, i32 here"),
    (lambda guest: guest.pc("i64.const"), "cannot be reached"),
    (lambda guest: guest.pc("nop"), "is no instruction of the function"),
]


@pytest.mark.parametrize("number", range(len(REFUSED_JUMPS)))
def test_a_jump_is_refused_where_the_code_expects_something_else(number: int) -> None:
    where, message = REFUSED_JUMPS[number]

    def act(store: Store) -> None:
        with pytest.raises(BreakpointError, match=message):
            store.redirect(JumpTo(where(guest)))

    fields = """(func (nop)) (func (export "run") (result i32)
      (i32.const 3) (call $look) (drop)
      (f64.const 1) (f64.neg) (drop) (return (i32.const 4)) (drop (i64.const 1)))"""
    guest = Guest(fields, act)
    assert guest.call("run") == 4


SUBTYPES = [
    ("(ref $more)", "(ref null $pair)", True),
    ("(ref $pair)", "structref", True),
    ("(ref null $pair)", "(ref $pair)", False),
    ("(ref $pair)", "(ref $more)", False),
    ("(ref i31)", "eqref", True),
    ("nullref", "(ref null $list)", True),
    ("nullfuncref", "(ref null $number)", True),
    ("nullref", "(ref null extern)", False),
    ("(ref $number)", "funcref", True),
    ("(ref $list)", "anyref", True),
    ("eqref", "anyref", True),
    ("anyref", "eqref", False),
]
MAKERS = {
    "(ref $more)": "(struct.new $more (i32.const 1) (i32.const 2))",
    "(ref $pair)": "(struct.new $pair (i32.const 1))",
    "(ref null $pair)": "(ref.null $pair)",
    "(ref i31)": "(ref.i31 (i32.const 1))",
    "nullref": "(ref.null none)",
    "nullfuncref": "(ref.null nofunc)",
    "(ref $number)": "(ref.func $one)",
    "(ref $list)": "(array.new $list (i32.const 1) (i32.const 1))",
    "eqref": "(ref.null eq)",
    "anyref": "(ref.null any)",
    "structref": "(ref.null struct)",
    "(ref null $list)": "(ref.null $list)",
    "(ref null $number)": "(ref.null $number)",
    "(ref null extern)": "(ref.null extern)",
    "funcref": "(ref.null func)",
}


@TIERS
@pytest.mark.parametrize(("found", "expected", "is_allowed"), SUBTYPES)
def test_a_jump_takes_operands_of_subtypes_along(
    found: str, expected: str, is_allowed: bool, is_mirrored: bool
) -> None:
    def act(store: Store) -> None:
        jump = JumpTo(guest.pc("nop"))
        if is_allowed:
            store.redirect(jump)
        else:
            with pytest.raises(BreakpointError, match="the operand stack holds"):
                store.redirect(jump)

    fields = f"""{PRELUDE} (func (export "run") (result i32)
      {MAKERS[found]} (call $look) (drop)
      (if (i32.const 1) (then (return (i32.const 1))))
      (block (result {expected}) {MAKERS[expected]}) (nop) (drop) (i32.const 2))"""
    guest = Guest(fields, act, is_mirrored=is_mirrored)
    assert guest.call("run") == (2 if is_allowed else 1)


@TIERS
def test_a_jump_to_code_that_reads_a_local_which_is_not_set_is_refused(is_mirrored: bool) -> None:
    fields = """(type $t (struct)) (func (export "run") (param i32) (result i32) (local $x (ref $t))
      (if (local.get 0) (then (local.set $x (struct.new $t))))
      (call $look)
      (if (i32.const 0) (then (local.set $x (struct.new $t)) (nop) (drop (local.get $x)) (return (i32.const 2))))
      (i32.const 1))"""
    refused: list[bool] = []

    def act(store: Store) -> None:
        try:
            store.redirect(JumpTo(guest.pc("nop")))
        except BreakpointError as error:
            refused.append("local 1 would be set there, and is not" in str(error))
        else:
            refused.append(False)

    guest = Guest(fields, act, is_mirrored=is_mirrored)
    assert guest.call("run", 0) == 1
    assert guest.call("run", 1) == 2
    assert refused == [True, False]


# -- what else ---------------------------------------------------------------------------------------------------


@TIERS
def test_the_last_redirection_counts(is_mirrored: bool) -> None:
    def act(store: Store) -> None:
        store.redirect(JumpTo(guest.pc("nop")))
        store.redirect(EarlyReturn([3]))

    guest = Guest('(func (export "run") (result i32) (call $look) (nop) (i32.const 1))', act, is_mirrored=is_mirrored)
    assert guest.call("run") == 3


def test_what_a_host_function_asked_for_before_it_failed_is_not_done() -> None:
    def act(store: Store) -> None:
        store.redirect(EarlyReturn([3]))
        raise ValueError("after all")

    seen: list[DebugEvent] = []
    fields = '(func (export "run") (result i32) (call $look) (i32.const 1))'
    guest = Guest(fields, act, told=lambda _, event: seen.append(event))
    with pytest.raises(ValueError, match="after all"):
        guest.call("run")
    assert [type(event).__name__ for event in seen] == ["HostcallError"]
    guest = Guest(fields, lambda _: None)
    assert guest.call("run") == 1


@TIERS
def test_what_a_host_function_returns_is_not_used_where_it_redirects(is_mirrored: bool) -> None:
    def act(store: Store) -> Any:
        store.redirect(EarlyReturn([3]))
        return "no number"

    fields = '(func (export "run") (result i32) (call $look))'
    guest = Guest(fields, act, look="(result i32)", is_mirrored=is_mirrored)
    assert guest.call("run") == 3


@TIERS
def test_a_wrong_result_of_a_host_function_fails_as_ever_where_frames_were_written(is_mirrored: bool) -> None:
    def act(store: Store) -> Any:
        writer = all_frames(store)[0].writer()
        assert writer is not None
        writer.set_local(0, 5)
        return "no number"

    seen: list[DebugEvent] = []
    fields = '(func (export "run") (param i32) (result i32) (call $look))'
    guest = Guest(fields, act, look="(result i32)", is_mirrored=is_mirrored, told=lambda _, event: seen.append(event))
    with pytest.raises(TypeError):
        guest.call("run", 1)
    assert [type(event).__name__ for event in seen] == ["HostcallError"]
