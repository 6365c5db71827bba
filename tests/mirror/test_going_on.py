"""A trap is not the end: a handler has the guest go on from it, in either tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime
from wasmtime import TrapCode

import wasmscope
from support.observing import Handler, instantiate, locals_of, stack_of, store_with
from support.tiers import Choice, Tier, prepared
from wasmscope import DebugEvent, EarlyReturn, ExnRef, JumpTo, ThrowException

TIERS = [Choice(Tier.FAST), Choice(Tier.MIRROR)]
both_tiers = pytest.mark.parametrize("choice", TIERS, ids=[choice.tier for choice in TIERS])

WAT = """(module $m (memory 1) (tag $tag (export "tag") (param i32))
  (func $leaf (param $p i32) (result i32) (local $x i32)
    (local.set $x (i32.const 40))
    (i32.add (local.get $x) (i32.load (local.get $p))))
  (func $calls (param $p i32) (result i32) (i32.add (i32.const 1000) (call $leaf (local.get $p))))
  (func (export "run") (param $p i32) (result i32) (i32.add (i32.const 1) (call $calls (local.get $p))))
  (func (export "catches") (param $p i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $tag $caught) (drop (call $calls (local.get $p))))
      (i32.const -1))))"""


def run(
    choice: Choice, name: str, redirect: Callable[[wasmscope.Store], None], *, wat: str = WAT, **settings: Any
) -> Any:
    """What the function gives, with `redirect` called at every trap."""
    store = prepared(store_with(**settings), choice)

    def look(store: wasmscope.Store, event: DebugEvent) -> Any:
        if isinstance(event, DebugEvent.Trap):
            redirect(store)
        return type(event).__name__

    handler = Handler(look)
    store.set_debug_handler(handler)
    instance = instantiate(wat, store)
    return instance.exports(store)[name](store, 70_000), handler.seen


def backtrace(frames: list[wasmtime.Frame]) -> list[Any]:
    return [(f.func_index, f.func_name, f.module_name, f.module_offset, f.func_offset) for f in frames]


@both_tiers
def test_the_function_that_trapped_returns(choice: Choice) -> None:
    result, seen = run(choice, "run", lambda store: store.redirect(EarlyReturn([7])))
    assert (result, seen) == (1008, ["Trap"])


@both_tiers
def test_the_function_that_trapped_begins_anew(choice: Choice) -> None:
    def again(store: wasmscope.Store) -> None:
        frame = store.frames()[0]
        assert (locals_of(frame), stack_of(frame)) == ([70_000, 40], [40, 70_000])
        memory = frame.instance().debug_memory(store, 0)  # type: ignore[union-attr]
        assert memory is not None
        memory.grow(store, 1)
        memory.write(store, b"\x02", 70_000)
        located = frame.wasm_function_index_and_pc()
        assert located is not None
        store.redirect(JumpTo(located[1]))

    result, seen = run(choice, "run", again)
    assert (result, seen) == (1043, ["Trap"])


@both_tiers
def test_an_exception_is_thrown_from_where_the_trap_was(choice: Choice) -> None:
    def throw(store: wasmscope.Store) -> None:
        tag: Any = store.debug_all_instances()[0].exports(store)["tag"]
        store.redirect(ThrowException(ExnRef(store, tag, [77])))

    result, seen = run(choice, "catches", throw)
    assert (result, seen) == (77, ["Trap"])


@both_tiers
def test_an_exception_thrown_so_that_nothing_catches_ends_the_call_with_the_frames_there_were(choice: Choice) -> None:
    def throw(store: wasmscope.Store) -> None:
        tag: Any = store.debug_all_instances()[0].exports(store)["tag"]
        store.redirect(ThrowException(ExnRef(store, tag, [77])))

    with pytest.raises(wasmtime.Trap) as raised:
        run(choice, "run", throw)
    assert raised.value.trap_code is None
    assert [frame.func_name for frame in raised.value.frames] == ["leaf", "calls", None]
    assert raised.value.message.count("m!") == 3


@both_tiers
def test_a_guest_may_trap_again_and_its_backtrace_is_whole(choice: Choice) -> None:
    traps: list[Any] = []

    def again(store: wasmscope.Store) -> None:
        traps.append([frame.function_index for frame in store.frames()])
        if len(traps) < 3:
            located = store.frames()[0].wasm_function_index_and_pc()
            assert located is not None
            store.redirect(JumpTo(located[1]))

    with pytest.raises(wasmtime.Trap) as raised:
        run(choice, "run", again)
    assert traps == [[0, 1, 2]] * 3
    assert raised.value.trap_code is TrapCode.MEMORY_OUT_OF_BOUNDS
    store = wasmtime.Store()
    exports: Any = wasmtime.Instance(store, wasmtime.Module(store.engine, WAT), []).exports(store)
    with pytest.raises(wasmtime.Trap) as stock:
        exports["run"](store, 70_000)
    assert [
        (f.func_index, f.func_name, f.module_name, f.module_offset, f.func_offset) for f in raised.value.frames
    ] == [(f.func_index, f.func_name, f.module_name, f.module_offset, f.func_offset) for f in stock.value.frames]
    assert raised.value.message.partition("Caused by:")[0] == stock.value.message.partition("Caused by:")[0]


@both_tiers
def test_fuel_that_ran_out_is_filled_up(choice: Choice) -> None:
    wat = """(module (func (export "run") (param i32) (result i32) (local i32)
      (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
      (local.get 1)))"""
    store = prepared(store_with(consume_fuel=True), choice)
    store.set_fuel(100_000)

    def look(store: wasmscope.Store, event: DebugEvent) -> Any:
        located = store.frames()[0].wasm_function_index_and_pc()
        assert located is not None
        store.set_fuel(100_000)
        store.redirect(JumpTo(located[1]))

    handler = Handler(look)
    store.set_debug_handler(handler)
    run: Any = instantiate(wat, store).exports(store)["run"]
    assert run(store, 70_000) == 70_000
    assert len(handler.seen) > 2


@both_tiers
def test_a_stack_that_overflowed_is_left_from_the_top(choice: Choice) -> None:
    wat = """(module (func $deep (export "run") (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (local.get 0)))))"""
    depths: list[int] = []

    def leave(store: wasmscope.Store) -> None:
        depths.append(len(store.frames()))
        pc = store.frames()[1].wasm_function_index_and_pc()
        with pytest.raises(wasmscope.BreakpointError):
            store.redirect(JumpTo(0))
        assert pc is not None
        store.redirect(EarlyReturn([0]))

    result, seen = run(choice, "run", leave, wat=wat, max_wasm_stack=64 * 1024)
    assert seen == ["Trap"]
    assert result == depths[0] - 1


@both_tiers
def test_a_handler_that_fails_has_redirected_nothing(choice: Choice) -> None:
    store = prepared(store_with(), choice)

    def look(store: wasmscope.Store, event: DebugEvent) -> Any:
        store.redirect(EarlyReturn([7]))
        raise KeyError("the handler's own")

    store.set_debug_handler(Handler(look))
    exports: Any = instantiate(WAT, store).exports(store)
    with pytest.raises(KeyError):
        exports["run"](store, 70_000)
    store.clear_debug_handler()
    assert exports["run"](store, 0) == 1041
    with pytest.raises(wasmtime.Trap):
        exports["run"](store, 70_000)


@both_tiers
def test_an_uncaught_exception_is_replaced_by_a_return(choice: Choice) -> None:
    wat = """(module (tag $tag) (func $throws (result i32) (throw $tag))
      (func (export "run") (param i32) (result i32) (i32.add (i32.const 5) (call $throws))))"""
    store = prepared(store_with(), choice)

    def look(store: wasmscope.Store, event: DebugEvent) -> Any:
        assert isinstance(event, DebugEvent.UncaughtExceptionThrown)
        store.redirect(EarlyReturn([7]))

    store.set_debug_handler(Handler(look), caught_exceptions=False)
    run: Any = instantiate(wat, store).exports(store)["run"]
    assert run(store, 0) == 12
