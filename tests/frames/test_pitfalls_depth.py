"""Deep stacks, what is shown when they overflow, and the interface to frames: handles, ranges, names."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.by_hand import Guest, Shown, everything, exported, shown
from frames.observe import handles_of
from wasmscope import FrameHandle, Unavailable

_OBSERVE = '(import "host" "observe" (func $observe))'


def _idle(store: wasmscope.Store) -> bool:
    cursor = store.debug_frames()
    assert cursor is not None
    return cursor.done() and store.debug_exit_frames() == []


# -- depth -------------------------------------------------------------------------------------------------------------

_DEEP = f"""(module {_OBSERVE} (func $f (export "main") (param i32) (local i64)
  (local.set 1 (i64.extend_i32_u (local.get 0))) local.get 0
  (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else call $observe)) drop))"""


def test_ten_thousand_frames() -> None:
    guest = Guest(_DEEP)
    guest.call("main", 9_999)
    (frames,) = guest.calls
    assert len(frames) == 10_000
    assert frames[0] == Shown(1, "call", (0, 0), (0,))
    assert frames[1:] == [Shown(1, "call", (n, n), (n, n - 1)) for n in range(1, 10_000)]


def test_recursion_is_at_least_as_deep_as_without_wasmscope() -> None:
    text = """(module (global $depth (export "depth") (mut i32) (i32.const 0)) (memory 1)
      (func $f (export "main") (param i32) (result i32) (global.set $depth (local.get 0))
        (i32.add
          (i32.load (i32.and (local.get 0) (i32.const 1023)))
          (call $f (i32.add (local.get 0) (i32.const 1))))))"""
    assert _depth(wasmscope, text) >= _depth(wasmtime, text)


def _depth(api: Any, text: str) -> int:
    store = api.Store(api.Engine(api.Config()))
    exports = api.Instance(store, api.Module(store.engine, text), []).exports(store)
    with pytest.raises(wasmtime.Trap) as caught:
        exports["main"](store, 0)
    assert caught.value.trap_code is wasmtime.TrapCode.STACK_OVERFLOW
    depth: int = exports["depth"].value(store)
    return depth


def test_a_stack_overflow_shows_the_arguments_of_the_call_that_failed() -> None:
    text = """(module (func $f (export "main") (param i32 i64) (local i32)
      (call $f (i32.add (local.get 0) (i32.const 1)) (i64.const 3))))"""
    guest = Guest(text)
    innermost, *callers = guest.trapped("main", 0, 3)
    depth = len(callers)
    assert innermost.locals == (depth, 3, 0)
    assert innermost.stack == ()
    assert callers == [Shown(0, "call", (n, 3, 0), (n + 1, 3)) for n in reversed(range(depth))]


def test_a_stack_overflow_behind_a_tail_call_admits_what_it_does_not_know() -> None:
    text = """(module (func $f (export "main") (param i32) (call $g (local.get 0)))
      (func $g (param i32) (return_call $h (i32.add (local.get 0) (i32.const 1))))
      (func $h (param i32) (call $f (local.get 0)) (call $f (local.get 0))))"""
    innermost, *_ = Guest(text).trapped("main", 0)
    (argument,) = innermost.locals
    assert isinstance(argument, Unavailable | int)
    if isinstance(argument, Unavailable):
        assert "tail call" in argument.reason


# -- the interface -----------------------------------------------------------------------------------------------------


def test_frames_are_stale_once_the_guest_went_on() -> None:
    taken: list[FrameHandle] = []
    guest = Guest(f'(module {_OBSERVE} (func (export "main") (param i32) call $observe call $observe))')

    def look() -> None:
        assert [handle.is_valid() for handle in taken] == [False] * len(taken)
        taken.append(handles_of(guest.store)[0])
        assert taken[-1].is_valid()

    guest.host["observe"] = look
    guest.call("main", 1)
    assert len(taken) == 2
    for handle in taken:
        assert not handle.is_valid()
        for read in (
            handle.instance,
            handle.module,
            handle.num_locals,
            handle.num_stacks,
            handle.parent,
            handle.activation,
        ):
            with pytest.raises(wasmscope.StaleFrame):
                read()
        for index in (handle.local, handle.stack):
            with pytest.raises(wasmscope.StaleFrame):
                index(0)


def test_frames_are_stale_when_a_guest_ran_inside_the_host_call() -> None:
    guest = Guest(f'(module {_OBSERVE} (func (export "main") (param i32) call $observe) (func (export "other")))')

    def look() -> None:
        handle = handles_of(guest.store)[0]
        guest.call("other")
        assert not handle.is_valid()
        assert guest.frames() == [Shown(1, "call", (1,))]
        done.append(True)

    done: list[bool] = []
    guest.host["observe"] = look
    guest.call("main", 1)
    assert done == [True]


def test_parents_stay_within_their_activation() -> None:
    guest = Guest(_DEEP)
    chains: list[list[Shown]] = []

    def look() -> None:
        handle: FrameHandle | None = handles_of(guest.store)[0]
        chain = []
        while handle is not None:
            chain.append(shown(handle))
            handle = handle.parent()
        chains.append(chain)
        if len(chains) == 1:
            guest.call("main", 1)

    guest.host["observe"] = look
    guest.call("main", 2)
    assert [len(chain) for chain in chains] == [3, 2]
    assert len(guest.calls[1]) == 5


def test_indices_out_of_range() -> None:
    guest = Guest(f'(module {_OBSERVE} (func (export "main") (param i32) i32.const 1 call $observe drop))')
    raised: list[bool] = []

    def look() -> None:
        frame = handles_of(guest.store)[0]
        for read, index in ((frame.local, 1), (frame.local, -1), (frame.stack, 1), (frame.stack, -1)):
            with pytest.raises(IndexError):
                read(index)
            raised.append(True)

    guest.host["observe"] = look
    guest.call("main", 1)
    assert len(raised) == 4


def test_an_idle_store_has_no_frames() -> None:
    guest = Guest(f'(module {_OBSERVE} (func (export "main") call $observe))')
    assert _idle(guest.store)
    guest.call("main")
    assert _idle(guest.store)


def test_nothing_is_there_with_guest_debug_off() -> None:
    config = everything()
    config.guest_debug = False
    engine = wasmscope.Engine(config)
    store = wasmscope.Store(engine)
    seen: list[Any] = []
    observe = wasmscope.Func(
        store,
        wasmtime.FuncType([], []),
        lambda caller: seen.append((caller.debug_frames(), store.debug_frames(), caller.debug_exit_frames())),
        access_caller=True,
    )
    module = wasmscope.Module(engine, f'(module {_OBSERVE} (func (export "main") call $observe))')
    exported(store, wasmscope.Instance(store, module, [observe]), "main")(store)
    assert seen == [(None, None, [])]


def test_the_original_is_all_that_shows() -> None:
    text = """(module $guest (func $inner (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
      (func $outer (export "main") (call $inner (i32.const 0))))"""
    guest = Guest(text)
    with pytest.raises(wasmtime.Trap) as caught:
        guest.call("main")
    (_, frames), trap = guest.events[0], caught.value
    assert [frame.func_name for frame in trap.frames] == ["inner", "outer"]
    assert [frame.module_name for frame in trap.frames] == ["guest", "guest"]
    assert [frame.func_index for frame in trap.frames] == [frame.function for frame in frames] == [0, 1]
    assert "wasmscope" not in str(trap)
    assert guest.module.frame_table.names.functions[0] == "inner"


def test_a_stack_overflow_shows_only_the_original() -> None:
    with pytest.raises(wasmtime.Trap) as caught:
        Guest('(module $guest (func $f (export "main") call $f))').call("main")
    assert {frame.module_name for frame in caught.value.frames} == {"guest"}
    assert "wasmscope" not in str(caught.value)


def test_code_offset_and_return_pc() -> None:
    guest = Guest(f'(module {_OBSERVE} (func (export "main") (param i32) nop call $observe nop))')
    seen: list[tuple[int, int | None, int]] = []

    def look() -> None:
        frame = handles_of(guest.store)[0]
        place = frame.wasm_function_index_and_pc()
        assert place is not None
        seen.append((place[1], frame.return_pc, frame.code_offset))

    guest.host["observe"] = look
    guest.call("main", 1)
    ((pc, return_pc, code_offset),) = seen
    assert guest.module.bytecode[pc - 1 : pc + 3] == bytes([0x01, 0x10, 0x00, 0x01])
    assert return_pc == pc + 2
    section = next(each for each in guest.module.original.sections if each.id == 10)
    assert code_offset == pc - section.payload_start
