"""Watchpoints as a user sets, is told of and removes them."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from wasmscope import BreakpointError, DebugEvent, StaleFrame, Unavailable, Val
from wasmscope.runtime.resumption import EarlyReturn, JumpTo
from watch.guest import Guest

COUNTER = """(module
  (memory (export "memory") 1) (global $g (export "g") (mut i32) (i32.const 0))
  (func $store (export "store") (param $a i32) (param $v i32)
    (i32.store (local.get $a) (local.get $v)))
  (func (export "twice") (param $a i32)
    (call $store (local.get $a) (i32.const 1))
    (call $store (local.get $a) (i32.const 2)))
  (func (export "fill") (param $n i32) (memory.fill (i32.const 0) (i32.const 7) (local.get $n)))
  (func (export "count") (param $n i32) (result i32) (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (global.set $g (local.get $i))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i)))"""


def word(value: int) -> bytes:
    return value.to_bytes(4, "little")


def test_several_that_one_access_hits_are_told_in_the_order_in_which_they_were_set() -> None:
    guest = Guest(COUNTER)
    memory = guest.exports["memory"]
    watches = [guest.watch(memory, 8, 4), guest.watch(memory, 10, 1), guest.watch(memory), guest.watch(memory, 0, 64)]
    guest.watch(memory, 12, 4)
    guest.call("store", 8, 0x04030201)
    assert [event.watch for event in guest.told if isinstance(event, DebugEvent.Watchpoint)] == watches
    assert guest.changes[:3] == [(bytes(4), b"\1\2\3\4"), (b"\0", b"\3"), (bytes(4), b"\1\2\3\4")]
    assert guest.changes[3] == (bytes(64), bytes(8) + b"\1\2\3\4" + bytes(52))


def test_one_that_the_handler_removes_is_not_told_of_the_same_access() -> None:
    guest = Guest(COUNTER)
    guest.watch(guest.exports["memory"], 8, 4)
    second = guest.watch(guest.exports["memory"], 8, 4)
    guest.actions = [lambda _: guest.remove(second)]
    guest.call("store", 8, 1)
    assert len(guest.told) == 1
    assert guest.store.watchpoints() == [guest.told[0].watch]  # type: ignore[attr-defined]


def test_the_frame_is_before_the_instruction_with_its_operands() -> None:
    guest = Guest(COUNTER)
    guest.watch(guest.exports["memory"], 8, 4)
    seen: list[Any] = []

    def look(_: DebugEvent) -> None:
        frame = guest.frame
        seen.append((frame.function_index, [frame.stack(n) for n in range(frame.num_stacks())]))
        caller = frame.parent()
        assert caller is not None
        seen.append((caller.function_index, caller.local(0)))

    guest.actions = [look]
    guest.call("twice", 8)
    assert seen == [(0, [Val.i32(8), Val.i32(1)]), (1, Val.i32(8))]
    assert guest.changes == [(word(0), word(1)), (word(1), word(2))]


def test_removed_ones_are_told_no_more_and_functions_run_by_themselves_again() -> None:
    guest = Guest(COUNTER)
    watch = guest.watch(guest.exports["memory"], 8, 4)
    guest.call("store", 8, 1)
    guest.remove(watch)
    guest.remove(watch)
    guest.call("store", 8, 2)
    assert guest.changes == [(word(0), word(1))]
    assert guest.store.watchpoints() == []
    assert not guest.store.mirrors.routes.everywhere


def test_an_access_that_a_redirection_skips_does_not_happen() -> None:
    guest = Guest(COUNTER)
    guest.watch(guest.exports["memory"], 8, 4)
    guest.actions = [lambda _: guest.store.redirect(EarlyReturn(()))]
    guest.call("twice", 8)
    assert guest.changes == [(word(0), word(1)), (word(0), word(2))]


def test_a_frame_that_is_sent_back_is_told_of_again() -> None:
    guest = Guest(COUNTER)
    guest.watch(guest.exports["memory"], 8, 4)
    start = guest.module.original.codes[0].code_start
    watch_twice = lambda _: guest.store.redirect(JumpTo(start))  # noqa: E731

    def jump(event: DebugEvent) -> None:
        with pytest.raises(BreakpointError):  # there are operands here, none there
            watch_twice(event)

    guest.actions = [jump]
    guest.call("store", 8, 1)
    assert guest.changes == [(word(0), word(1))]


def test_temporary_ones_are_told_once_and_ignored_hits_are_counted() -> None:
    guest = Guest(COUNTER)
    once = guest.watch(guest.exports["g"], temporary=True, ignore_count=2)
    counted = guest.watch(guest.exports["g"], condition=lambda frame: frame.local(1).value % 2)
    guest.call("count", 5)
    told = [(event.watch is once, event.new.value) for event in guest.told if isinstance(event, DebugEvent.Watchpoint)]
    assert told == [(False, 1), (True, 3), (False, 3), (False, 5)]
    assert (once.hits, counted.hits) == (3, 3)
    assert guest.store.watchpoints() == [counted]


def test_a_loop_that_runs_in_optimised_code_is_watched_from_its_next_iteration_on() -> None:
    guest = Guest(COUNTER)

    def begin(_: DebugEvent) -> None:
        guest.watch(guest.exports["g"])

    guest.actions = [begin]
    guest.store.interrupt()
    guest.call("count", 3)
    assert isinstance(guest.told.pop(0), DebugEvent.Interrupted)
    assert guest.changes == [(0, 1), (1, 2), (2, 3)]


def test_thousands_are_told_apart() -> None:
    guest = Guest(COUNTER)
    memory = guest.exports["memory"]
    with guest.edit() as edit:
        watches = [edit.add_watchpoint(memory, 16 * n, 4) for n in range(4000)]
    for n in (0, 1, 77, 3999):
        guest.call("store", 16 * n + 4, 5)
        guest.call("store", 16 * n + 12, 5)
    assert guest.told == []
    for n in (0, 1, 77, 3999):
        guest.call("store", 16 * n + 3, 5)
    hit = [event.watch for event in guest.told if isinstance(event, DebugEvent.Watchpoint)]
    assert hit == [watches[n] for n in (0, 1, 77, 3999)]


def test_values_are_bounded() -> None:
    guest = Guest('(module (memory (export "memory") 40) (func (export "fill") (param $n i32) '
                  "(memory.fill (i32.const 0) (i32.const 7) (local.get $n))))")  # fmt: skip
    guest.watch(guest.exports["memory"])
    guest.call("fill", 5000)
    guest.call("fill", 2 << 20)
    first, second = guest.told
    assert isinstance(first, DebugEvent.Watchpoint)
    assert isinstance(second, DebugEvent.Watchpoint)
    assert (first.old, first.new) == (bytes(5000), b"\7" * 5000)
    assert isinstance(second.old, Unavailable)


def test_memory_that_comes_later_is_watched_too() -> None:
    guest = Guest("""(module (memory (export "memory") 1)
      (func (export "run") (drop (memory.grow (i32.const 1))) (i32.store8 (i32.const 70000) (i32.const 9))))""")
    guest.watch(guest.exports["memory"], 69998, 4)
    guest.call("run")
    assert guest.changes == [(bytes(4), b"\0\0\x09\0")]


def test_one_thing_is_watched_under_all_its_names_in_all_instances() -> None:
    guest = Guest('(module (memory (export "memory") 1) (global (export "g") (mut i32) (i32.const 0)))')
    text = """(module (import "" "m" (memory $a 1)) (import "" "m" (memory $b 1)) (import "" "g" (global $g (mut i32)))
      (func (export "run")
        (i32.store $a (i32.const 4) (i32.const 1)) (i32.store $b (i32.const 4) (i32.const 2))
        (global.set $g (i32.const 3))))"""
    memory, global_ = guest.exports["memory"], guest.exports["g"]
    guest.watch(memory, 4, 4)
    module = wasmscope.Module(guest.engine, text)
    other = wasmscope.Instance(guest.store, module, [memory, memory, global_])
    found = other.debug_global(guest.store, 0)
    assert found is not None
    guest.watch(found)
    exports: Any = other.exports(guest.store)
    exports["run"](guest.store)
    assert guest.changes == [(word(0), word(1)), (word(1), word(2)), (0, 3)]


def test_what_cannot_be_watched_is_refused() -> None:
    guest, other = Guest(COUNTER), Guest(COUNTER)
    memory, global_ = guest.exports["memory"], guest.exports["g"]
    table = wasmtime.Table(guest.store, wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(2, None)), None)
    for target, arguments in (
        *((memory, (-1, 4)), (memory, (0, 0)), (memory, (1 << 64, 1)), (global_, (0, 4)), (table, ())),
        *((table, (2,)), (table, (0, 2)), (other.exports["memory"], (0, 4))),
    ):
        with pytest.raises(BreakpointError):
            guest.watch(target, *arguments)
    for wrong in (lambda: guest.watch("memory"), lambda: guest.watch(memory, 1.5, 4)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match='"r", "w" or "rw"'):
        guest.watch(memory, 0, 4, "x")
    with pytest.raises(ValueError, match="not negative"):
        guest.watch(memory, 0, 4, ignore_count=-1)
    with pytest.raises(BreakpointError, match="no expression"):
        guest.watch(memory, 0, 4, condition="local[0] == 1")
    assert guest.store.watchpoints() == []


def test_a_local_is_watched_in_its_frame_only() -> None:
    guest = Guest("""(module (import "" "pause" (func $pause))
      (func $f (export "f") (param $n i32) (result i32) (local $x i32)
        (if (local.get $n) (then (local.set $x (call $f (i32.sub (local.get $n) (i32.const 1))))))
        (call $pause)
        (local.set $x (i32.add (local.get $x) (i32.const 10)))
        (local.tee $x (i32.add (local.get $x) (i32.const 1)))))""",
        lambda guest: [wasmscope.Func(guest.store, wasmtime.FuncType([], []), lambda: pauses.pop(0)())])  # fmt: skip

    def watch_the_caller() -> None:
        caller = guest.frame.parent()
        assert caller is not None
        guest.watch_local(caller, 1)
        assert len(guest.store.watchpoints()) == 1

    pauses = [watch_the_caller, lambda: None, lambda: None]
    assert guest.call("f", 2) == 33
    assert guest.changes == [(0, 11), (11, 21), (21, 22)]
    assert guest.store.watchpoints() == []


def test_a_local_is_watched_no_more_when_the_next_frame_takes_its_place() -> None:
    guest = Guest("""(module (import "" "pause" (func $pause (param i32)))
      (func $f (param $n i32) (local.set $n (i32.const 5)) (call $pause (local.get $n)) (local.set $n (i32.const 6)))
      (func (export "run") (call $f (i32.const 1)) (call $f (i32.const 2)) (call $f (i32.const 3))))""",
        lambda guest: [wasmscope.Func(guest.store, wasmtime.FuncType([wasmtime.ValType.i32()], []), lambda _: pause())],
    )  # fmt: skip
    frames: list[wasmscope.FrameHandle] = []

    def pause() -> None:
        if not frames:
            frames.append(guest.frame)
            guest.watch_local(frames[0], 0, "rw")

    guest.call("run")
    assert guest.changes == [(5, 6)]
    with pytest.raises(StaleFrame):
        guest.watch_local(frames[0], 0)


def test_reading_a_local_is_told_and_there_is_no_local_beyond_the_last() -> None:
    guest = Guest(COUNTER)
    failures: list[type[BaseException]] = []

    def begin(_: DebugEvent) -> None:
        guest.watch_local(guest.frame, 1, "r")
        with pytest.raises(IndexError) as failure:
            guest.watch_local(guest.frame, 2)
        failures.append(failure.type)

    guest.actions = [begin]
    guest.store.interrupt()
    guest.call("count", 2)
    guest.told.pop(0)
    assert failures == [IndexError]
    assert guest.changes == [(0, 0), (1, 1), (1, 1), (1, 1), (2, 2), (2, 2), (2, 2)]


@pytest.mark.parametrize(
    ("memory", "end"),
    [
        ('(memory (export "m") 1 2)', 2 << 16),
        ('(memory (export "m") 1)', 1 << 32),
        ('(memory (export "m") 1 2 shared)', 2 << 16),
        ('(memory (export "m") i64 1 3)', 3 << 16),
        ('(memory (export "m") i64 1)', 1 << 64),
    ],
)
def test_bytes_that_a_memory_can_never_have_are_not_watched(memory: str, end: int) -> None:
    config = wasmscope.Config()
    config.shared_memory = True
    store = wasmscope.Store(wasmscope.Engine(config))
    instance = wasmscope.Instance(store, wasmscope.Module(store.engine, f"(module {memory})"), [])
    edit = store.edit_breakpoints()
    assert edit is not None
    with edit:
        edit.add_watchpoint(instance.exports(store)["m"], end - 1, 1)
        for address, length in ((end, 1), (end - 1, 2)):
            with pytest.raises(BreakpointError, match="at most"):
                edit.add_watchpoint(instance.exports(store)["m"], address, length)
    assert len(store.watchpoints()) == 1
