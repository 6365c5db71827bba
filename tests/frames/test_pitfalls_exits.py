"""Calls, tail calls, exceptions and traps: what a rewriter of guests can get wrong at the ways out of a function."""

from __future__ import annotations

import pytest
import wasmtime

import wasmscope
from frames.by_hand import Guest, Shown, at_calls, everything

_OBSERVE = '(import "host" "observe" (func $observe))'


def _main(body: str, signature: str = "", more: str = "") -> str:
    return f'(module {_OBSERVE} {more} (func $main (export "main") {signature} {body}))'


def _calls(*states: tuple[tuple[object, ...], tuple[object, ...]]) -> list[list[Shown]]:
    """The frames at calls of `observe` by function 1, the only one."""
    return [[Shown(1, "call", locals, stack)] for locals, stack in states]


# -- calls, tail calls, exceptions -------------------------------------------------------------------------------------


def test_tail_calls_replace_the_frame() -> None:
    text = f"""(module {_OBSERVE} (type $t (func (param i32))) (table funcref (elem $last))
      (func $last (param i32) call $observe)
      (func $direct (param i32) (return_call $last (local.get 0)))
      (func $indirect (param i32)
        (call $direct (local.get 0)) (return_call_indirect (type $t) (i32.const 9) (i32.const 0)))
      (func (export "main") i64.const 1 (call $indirect (i32.const 5)) call $observe drop))"""
    outer = Shown(4, "call", (), (1,))
    caller = Shown(4, "call", (), (1, 5))
    assert at_calls(text) == [
        [Shown(1, "call", (5,)), Shown(3, "call", (5,), (5,)), caller],
        [Shown(1, "call", (9,)), caller],
        [outer],
    ]


def test_a_tail_call_that_traps_is_still_in_its_frame() -> None:
    text = f"""(module {_OBSERVE} (type $t (func (param i32))) (table 1 funcref)
      (func $f (param i32) call $observe (return_call_indirect (type $t) (local.get 0) (i32.const 3)))
      (func (export "main") (call $f (i32.const 5))))"""
    frames = Guest(text).trapped("main")
    assert frames == [Shown(1, "return_call_indirect", (5,), (5, 3)), Shown(2, "call", (), (5,))]


def test_a_handler_puts_the_stack_pointer_back() -> None:
    text = f"""(module {_OBSERVE} (tag $t (param i32))
      (func $throws (param i32) (local i64) (local.set 1 (i64.const 4)) (throw $t (local.get 0)))
      (func $between (param i32) i32.const 3 (call $throws (local.get 0)) drop)
      (func $next (param i32) call $observe)
      (func (export "main") (local i32)
        i32.const 1
        (block $h (result i32) (try_table (catch $t $h) (call $between (i32.const 6))) i32.const 0)
        local.tee 0 call $observe call $next call $observe drop))"""
    assert at_calls(text) == [
        [Shown(4, "call", (6,), (1, 6))],
        [Shown(3, "call", (6,)), Shown(4, "call", (6,), (1, 6))],
        [Shown(4, "call", (6,), (1,))],
    ]


def test_a_handler_at_a_loop_header() -> None:
    text = f"""(module {_OBSERVE} (tag $t)
      (func $throws (param i32) (if (local.get 0) (then (throw $t))))
      (func (export "main") (param i32)
        (loop $l
          call $observe
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (try_table (catch $t $l) (call $throws (local.get 0))))
        call $observe))"""
    assert at_calls(text, 2) == [[Shown(2, "call", (n,))] for n in (2, 1, 0)]


def test_locals_in_a_handler_are_those_at_the_throw() -> None:
    text = f"""(module {_OBSERVE} (tag $t) (func $throws (throw $t))
      (func (export "main") (local i32 i32)
        (local.set 0 (i32.const 1))
        (block $h
          (try_table (catch_all $h)
            (local.set 1 (local.get 0)) (local.set 0 (i32.const 2)) call $throws (local.set 0 (i32.const 3))))
        call $observe))"""
    assert at_calls(text) == [[Shown(2, "call", (2, 1))]]


def test_an_uncaught_exception_is_seen_where_it_was_thrown() -> None:
    text = """(module (tag $t (param i32)) (tag $other)
      (func $throws (param i32) i64.const 2 (throw $t (local.get 0)))
      (func (export "main") (try_table (call $throws (i32.const 6)))))"""
    assert Guest(text).trapped("main") == [Shown(0, "throw", (6,), (2, 6)), Shown(1, "call", (), (6,))]


def test_an_exception_thrown_again() -> None:
    text = """(module (tag $t (param i32))
      (func (export "main") (local exnref)
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t (i32.const 3))) unreachable)
        local.set 0 i32.const 1 local.get 0 throw_ref))"""
    (frame,) = Guest(text).trapped("main")
    assert (frame.function, frame.at, frame.stack[0]) == (0, "throw_ref", 1)
    assert frame.locals[0] == frame.stack[1]
    assert [field.value for field in frame.locals[0].fields()] == [3]


# -- traps -------------------------------------------------------------------------------------------------------------

_TRAPS = [
    ("(i32.div_s (i32.const 7) (local.get 0))", "i32.div_s", (7, 0)),
    ("(i32.rem_u (local.get 1) (local.get 0))", "i32.rem_u", (5, 0)),
    ("(i64.trunc_f64_s (f64.const inf))", "i64.trunc_f64_s", (float("inf"),)),
    ("(i32.load (i32.const 65533))", "i32.load", (65533,)),
    ("(i64.load offset=65530 (local.get 1))", "i64.load", (5,)),
    ("(i32.add (local.get 1) (i32.load (i32.const 70000)))", "i32.load", (5, 70000)),
    ("(i64.eqz (i64.load (i32.const 70000)))", "i64.load", (70000,)),
    ("(i32.store (i32.const -1) (local.get 1))", "i32.store", (-1, 5)),
    ("(memory.fill (i32.const 65530) (i32.const 1) (i32.const 8))", "memory.fill", (65530, 1, 8)),
    ("(table.get (i32.const 4))", "table.get", (4,)),
    ("(call_indirect (param i32) (local.get 1) (i32.const 0))", "call_indirect", (5, 0)),
    ("(ref.as_non_null (ref.null any))", "ref.as_non_null", (None,)),
    ("(struct.get $s 0 (ref.null $s))", "struct.get", (None,)),
    ("(throw_ref (ref.null exn))", "throw_ref", (None,)),
    ("(if (i32.eqz (local.get 0)) (then unreachable))", "unreachable", ()),
    ("unreachable", "unreachable", ()),
]


@pytest.mark.parametrize(("body", "at", "operands"), _TRAPS, ids=[trap[0] for trap in _TRAPS])
@pytest.mark.parametrize("level", ["none", "speed"])
def test_a_trap_shows_the_instruction_and_its_operands(
    body: str, at: str, operands: tuple[object, ...], level: str
) -> None:
    config = everything()
    config.cranelift_opt_level = level
    text = f"""(module {_OBSERVE} (memory 1) (table 1 funcref) (type $s (struct (field i32)))
      (func $f (param i32) (local i32 f64) (local.set 1 (i32.const 5)) i64.const 11 {body} unreachable)
      (func (export "main") (local i32)
        call $observe (local.set 0 (i32.const 3)) i32.const 2 (call $f (i32.const 0)) drop))"""
    frames = Guest(text, config=config).trapped("main")
    assert frames == [Shown(1, at, (0, 5, 0.0), (11, *operands)), Shown(2, "call", (3,), (2, 0))]


def test_accesses_that_cannot_trap_hide_no_later_one() -> None:
    """The first access through a base proves less than the later ones need."""
    body = """(local.set 1 (i64.load (local.get 0))) (drop (i32.load offset=4 (local.get 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 4))) (drop (i32.load (local.get 0)))
      (local.set 2 (i32.const 6)) (drop (i64.load (local.get 0)))"""
    guest = Guest(_main(body, "(param i32) (local i64 i32)", "(memory 1)"))
    assert guest.trapped("main", 65528) == [Shown(1, "i64.load", (65532, 0, 6), (65532,))]


def test_a_walk_to_the_end_of_memory() -> None:
    body = """(loop $l (i32.store (local.get 0) (local.get 1)) (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (local.set 0 (i32.add (local.get 0) (i32.const 4))) br $l)"""
    guest = Guest(_main(body, "(param i32 i32)", "(memory 1)"))
    assert guest.trapped("main", 65500, 0) == [Shown(1, "i32.store", (65536, 9), (65536, 9))]


def test_an_address_that_wraps_around() -> None:
    body = (
        "(drop (i32.load (local.get 0))) (drop (i32.load (i32.add (local.get 0) (i32.const 0xfffffff0)))) unreachable"
    )
    guest = Guest(_main(body, "(param i32)", "(memory 1)"))
    assert guest.trapped("main", 4) == [Shown(1, "i32.load", (4,), (-12,))]


def test_memory64_and_several_memories() -> None:
    body = """(i64.store $big (local.get 0) (i64.const 5)) (drop (i32.load $small (i32.const 65532)))
      (i64.load $big offset=8 (local.get 0)) (drop (i32.load $big (i64.const 0x100000000))) drop"""
    guest = Guest(_main(body, "(param i64)", "(memory $small 1) (memory $big i64 2)"))
    assert guest.trapped("main", 65536) == [Shown(1, "i32.load", (65536,), (0, 1 << 32))]


# -- interruptions -----------------------------------------------------------------------------------------------------


def test_an_interrupted_loop_of_a_leaf_function() -> None:
    """It pushes no frame but here, and goes on as if nothing had been."""
    text = f"""(module {_OBSERVE} (memory 1)
      (func $leaf (param i32) (result i32) (local i32 f64) i32.const 9
        (loop $l
          (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.load8_u (local.get 0)))))
          (local.set 2 (f64.convert_i32_s (local.get 1)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br_if $l (local.get 0)))
        local.get 1 i32.add)
      (func (export "main") (result i32) call $observe (call $leaf (i32.const 4)) call $observe)
      (data (i32.const 0) "\\01\\01\\01\\01\\01"))"""
    guest = Guest(text, host={"observe": lambda: guest.store.interrupt() if len(guest.calls) == 1 else None})
    assert guest.call("main") == 9 + 4 + 3 + 2 + 1
    ((event, frames),) = guest.events
    assert isinstance(event, wasmscope.DebugEvent.Interrupted)
    assert frames == [Shown(1, "local.get", (4, 0, 0.0), (9,)), Shown(2, "call", (), (4,))]


def test_an_epoch_that_ends_a_guest() -> None:
    config = everything()
    config.epoch_interruption = True
    text = f"""(module {_OBSERVE} (func (export "main") (param i32)
      call $observe f32.const 3 (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) br $l) drop))"""
    guest = Guest(text, config=config, host={"observe": lambda: guest.engine.increment_epoch()})
    guest.store.set_epoch_deadline(1)
    assert guest.trapped("main", 5) == [Shown(1, "local.get", (5,), (3.0,))]
    event, _ = guest.events[-1]
    assert isinstance(event, wasmscope.DebugEvent.Trap)
    assert event.trap.trap_code is wasmtime.TrapCode.INTERRUPT


def test_fuel_that_runs_out() -> None:
    config = everything()
    config.consume_fuel = True
    text = """(module (func (export "main") (param i32) f32.const 3
      (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) br $l) drop))"""
    guest = Guest(text, config=config, fuel=1000)
    (frame,) = guest.trapped("main", 5)
    turns = frame.locals[0] - 5
    assert frame == Shown(0, "local.get", (5 + turns,), (3.0,))
    assert 1000 // 10 < turns < 1000, "at least an instruction a turn, and no more than there are"
    event, _ = guest.events[-1]
    assert isinstance(event, wasmscope.DebugEvent.Trap)
    assert event.trap.trap_code is wasmtime.TrapCode.OUT_OF_FUEL
