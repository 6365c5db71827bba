"""Frames of several activations, instances and modules; what becomes of them when a guest ends in some other way."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.by_hand import Guest, Shown, everything, shown
from frames.observe import handles_of
from wasmscope.runtime.frame import FrameHandle, Unavailable

_OBSERVE = '(import "host" "observe" (func $observe))'


def _idle(store: wasmscope.Store) -> bool:
    cursor = store.debug_frames()
    assert cursor is not None
    return cursor.done() and store.debug_exit_frames() == []


# -- activations -------------------------------------------------------------------------------------------------------

_RECURSIVE = """(module (import "host" "again" (func $again (param i32) (result i32)))
  (func (export "main") (param i32) (result i32) (local i64) i32.const 1 local.get 0 (local.set 1 (i64.const 5))
    (call $again (i32.sub (local.get 0) (i32.const 1))) i32.add i32.add)
  (func (export "divide") (param i32 i32) (result i32) f32.const 2 (i32.div_u (local.get 0) (local.get 1)) return))"""


def _frame(n: int) -> Shown:
    return Shown(1, "call", (n, 5), (1, n, n - 1))


def test_all_activations_are_shown() -> None:
    def again(n: int) -> Any:
        numbers.append([handle.activation() for handle in handles_of(guest.store)])
        exits.append([shown(handle) for handle in guest.store.debug_exit_frames()])
        return guest.call("main", n) if n else 0

    numbers: list[list[int]] = []
    exits: list[list[Shown]] = []
    guest = Guest(_RECURSIVE, host={"again": again})
    assert guest.call("main", 3) == 1 * 3 + 3 + 2 + 1
    assert guest.calls == [[_frame(n) for n in range(low, 4)] for low in (3, 2, 1)]
    assert exits == guest.calls
    assert numbers == [[0], [0, 1], [0, 1, 2]]
    assert _idle(guest.store)


def test_a_trap_in_an_inner_activation_shows_the_outer_ones_and_leaves_them_whole() -> None:
    def again(n: int) -> int:
        with pytest.raises(wasmtime.Trap):
            guest.call("divide", 7, 0)
        after.append(guest.frames())
        return n

    after: list[list[Shown]] = []
    guest = Guest(_RECURSIVE, host={"again": again})
    guest.call("main", 3)
    ((event, frames),) = guest.events
    assert isinstance(event, wasmscope.DebugEvent.Trap)
    assert frames == [Shown(2, "i32.div_u", (7, 0), (2.0, 7, 0)), _frame(3)]
    assert after == [[_frame(3)]]


def test_a_host_function_that_raises() -> None:
    class Refused(Exception):
        pass

    def again(n: int) -> Any:
        if n == 0:
            raise Refused
        return guest.call("main", n)

    guest = Guest(_RECURSIVE, host={"again": again})
    with pytest.raises(Refused):
        guest.call("main", 2)
    # Each host function that the error passes is told, while its own guest's frames are there.
    assert [type(event) for event, _ in guest.events] == [wasmscope.DebugEvent.HostcallError] * 2
    assert [frames for _, frames in guest.events] == [[_frame(1), _frame(2)], [_frame(2)]]
    assert _idle(guest.store)
    guest.calls.clear()
    with pytest.raises(Refused):
        guest.call("main", 1)
    assert guest.calls == [[_frame(1)]], "the stack pointer was put back"


def test_a_start_function_that_traps() -> None:
    engine = wasmscope.Engine(everything())
    store = wasmscope.Store(engine)
    module = wasmscope.Module(engine, '(module (start 0) (func (local i32) (local.set 0 (i32.const 2)) i64.const 9 unreachable))')
    seen: list[Shown] = []

    class Handler:
        def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
            seen.extend(shown(handle) for handle in handles_of(store))

    store.set_debug_handler(Handler())
    with pytest.raises(wasmtime.Trap):
        wasmscope.Instance(store, module, [])
    assert seen == [Shown(0, "unreachable", (2,), (9,))]
    assert _idle(store)


# -- instances and modules ---------------------------------------------------------------------------------------------


def test_two_instances_of_one_module_are_told_apart() -> None:
    guest = Guest(f"""(module {_OBSERVE} (func $inner (param i32) call $observe)
      (func (export "main") (param i32) (call $inner (local.get 0))))""")
    owners: list[list[bool]] = []
    other = wasmscope.Instance(guest.store, guest.module, [wasmscope.Func(
        guest.store, wasmtime.FuncType([], []),
        lambda: owners.append([handle.instance() is other for handle in handles_of(guest.store)]),
    )])
    other.exports(guest.store)["main"](guest.store, 5)
    assert owners == [[True, True]]
    guest.host["observe"] = lambda: owners.append([handle.instance() is guest.instance for handle in handles_of(guest.store)])
    guest.call("main", 6)
    assert owners[1:] == [[True, True]]


def test_two_modules_that_call_each_other() -> None:
    outer = Guest(f"""(module {_OBSERVE} (import "host" "next" (func $next (param i64)))
      (func (export "main") (param i32) f64.const 1 (call $next (i64.extend_i32_u (local.get 0))) drop))""")
    inner = wasmscope.Module(outer.engine, f"""(module {_OBSERVE}
      (func $deep (param i64) (local i32) (local.set 1 (i32.const 3)) call $observe)
      (func (export "next") (param i64) (call $deep (local.get 0))))""")
    places: list[list[tuple[Any, Shown]]] = []

    def look() -> None:
        places.append([(handle.module(), shown(handle)) for handle in handles_of(outer.store)])

    observe = wasmscope.Func(outer.store, wasmtime.FuncType([], []), look)
    second = wasmscope.Instance(outer.store, inner, [observe])
    first = wasmscope.Instance(outer.store, outer.module, [observe, second.exports(outer.store)["next"]])
    first.exports(outer.store)["main"](outer.store, 4)
    assert places == [[
        (inner, Shown(1, "call", (4, 3))),
        (inner, Shown(2, "call", (4,), (4,))),
        (outer.module, Shown(2, "call", (4,), (1.0, 4))),
    ]]


@pytest.mark.parametrize("tail", ["", "return_"])
def test_a_table_shared_between_instances(tail: str) -> None:
    guest = Guest(f"""(module {_OBSERVE} (table (export "table") 2 funcref) (elem (i32.const 0) $mine)
      (func $mine (param i32) (local.set 0 (i32.add (local.get 0) (i32.const 1))) call $observe)
      (func (export "main")))""")
    user = wasmscope.Module(guest.engine, f"""(module (import "a" "table" (table 2 funcref)) (type $t (func (param i32)))
      (func $through (param i32) ({tail}call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func (export "run") (param i32) (call $through (local.get 0))))""")
    owners: list[list[bool]] = []
    guest.host["observe"] = lambda: owners.append([handle.instance() is guest.instance for handle in handles_of(guest.store)])
    second = wasmscope.Instance(guest.store, user, [guest.instance.exports(guest.store)["table"]])
    second.exports(guest.store)["run"](guest.store, 7)
    between = [] if tail else [Shown(0, "call_indirect", (7,), (7, 0))]
    assert guest.calls == [[Shown(1, "call", (8,)), *between, Shown(1, "call", (7,), (7,))]]
    assert owners == [[True] + [False] * (len(between) + 1)]


def test_stores_do_not_see_each_other() -> None:
    first, second = (Guest(f'(module {_OBSERVE} (func (export "main") (param i32) call $observe))') for _ in range(2))
    first.host["observe"] = lambda: second.call("main", 2)
    second.host["observe"] = lambda: seen.append((len(handles_of(first.store)), len(handles_of(second.store))))
    seen: list[tuple[int, int]] = []
    first.call("main", 1)
    assert seen == [(1, 1)]
    assert second.calls == [[Shown(1, "call", (2,))]]


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
        (i32.add (i32.load (i32.and (local.get 0) (i32.const 1023))) (call $f (i32.add (local.get 0) (i32.const 1))))))"""
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
        for read in (handle.instance, handle.module, handle.num_locals, handle.num_stacks, handle.parent, handle.activation):
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
        store, wasmtime.FuncType([], []),
        lambda caller: seen.append((caller.debug_frames(), store.debug_frames(), caller.debug_exit_frames())),
        access_caller=True,
    )
    module = wasmscope.Module(engine, f'(module {_OBSERVE} (func (export "main") call $observe))')
    wasmscope.Instance(store, module, [observe]).exports(store)["main"](store)
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
