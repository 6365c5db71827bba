"""Where a trap happened and what the frame held, when memory changes before or while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from wasmscope import DebugEvent
from wasmscope.analysis.tokenizer import tokenize

Look = Callable[[wasmscope.Store, DebugEvent], None]


class Handler:
    def __init__(self, look: Look) -> None:
        self.look = look

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        self.look(store, event)


def run_to_trap(wat: str, look: Look, *arguments: Any, before: Look | None = None) -> None:
    store = wasmscope.Store()
    module = wasmscope.Module(store.engine, wat)
    imports = [wasmscope.Func(store, item.type, lambda *_: None) for item in module.imports]
    store.set_debug_handler(Handler(look))

    def run() -> None:
        exports = wasmscope.Instance(store, module, imports).exports(store)
        if before is not None:
            before(store, DebugEvent())
        exports["run"](store, *arguments)

    with pytest.raises(wasmtime.Trap):
        run()


def test_a_write_between_clears_the_earlier_load() -> None:
    wat = """(module (memory 1) (func (export "run")
      (drop (i32.load (i32.load (i32.const 0))))
      (i32.store (i32.const 0) (i32.const 0x7ffffff0))
      (drop (i32.load (i32.const 70000)))))"""
    stacks: list[Any] = []

    def look(store: wasmscope.Store, event: DebugEvent) -> None:
        frame = store.frames()[0]
        stacks.append([frame.stack(index).value for index in range(frame.num_stacks())])

    run_to_trap(wat, look)
    assert stacks == [[70000]]


def test_the_start_function_traps_at_its_second_load() -> None:
    wat = """(module (memory 1)
      (func $s (param i32 i32) (drop (i32.load (local.get 0))) (drop (i32.load (local.get 1))))
      (func $t (call $s (i32.const 8) (i32.const 70000))) (start $t))"""
    stacks: list[Any] = []
    run_to_trap(wat, lambda store, _: stacks.append(store.frames()[0].stack(0).value))
    assert stacks == [70000]


def test_a_long_chain_of_instructions_is_no_recursion() -> None:
    chain = "(i32.eqz " * 2000 + "(local.get 0)" + ")" * 2000
    wat = f'(module (func (export "run") (param i32) (local i32) (local.set 1 {chain}) unreachable))'
    values: list[Any] = []
    run_to_trap(wat, lambda store, _: values.append(store.frames()[0].local(1).value), 5)
    assert values == [1]


def test_what_the_handler_of_an_interruption_writes_was_not_loaded_before() -> None:
    wat = """(module (memory (export "m") 1) (data (i32.const 4) "\\07")
      (func (export "run") (param i32) (local i32 i32)
      (local.set 1 (i32.load (local.get 0)))
      (loop $l (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if $l (i32.lt_u (local.get 2) (i32.const 5))))
      unreachable))"""
    seen: list[Any] = []

    def look(store: wasmscope.Store, event: DebugEvent) -> None:
        frame = store.frames()[0]
        memory = frame.instance().debug_memory(store, 0)  # type: ignore[union-attr]
        assert memory is not None
        memory.write(store, b"\x63", 4)
        seen.append((type(event).__name__, frame.local(1).value, store.frames()[0].local(1).value))

    run_to_trap(wat, look, 4, before=lambda store, _: store.interrupt())
    assert seen == [("Interrupted", 7, 7), ("Trap", 7, 7)]


def test_what_the_handler_of_a_trap_calls_leaves_the_trapped_frame_alone() -> None:
    wat = """(module (import "" "h" (func $h))
      (func (export "run") (param externref externref) (local externref)
        (local.set 2 (local.get 0)) (local.set 0 (local.get 1)) unreachable)
      (func (export "other") (param externref) (local externref)
        (local.set 1 (local.get 0)) (local.set 0 (ref.null extern)) call $h))"""
    seen: list[Any] = []

    def look(store: wasmscope.Store, event: DebugEvent) -> None:
        frame = store.frames()[0]
        exports = frame.instance().exports(store)  # type: ignore[union-attr]
        exports["other"](store, "OTHER")
        seen.append([store.frames()[0].local(index).value for index in range(3)])

    run_to_trap(wat, look, "AAA", "BBB")
    assert seen == [["BBB", "BBB", "AAA"]]


def test_instructions_the_pattern_does_not_know_cost_no_more_than_others() -> None:
    # A padded alignment: 60,000 of them took hours when each copied what was left.
    body = b"\x41\x00\x28\x82\x00\x00\x1a" * 60_000 + b"\x0b"
    tokens = tokenize(body, 0, len(body))
    assert b"".join(tokens) == body
    assert len(tokens) == 180_001
