"""Compiled conditions on the state of real frames: values of every type, private globals, several memories."""

from __future__ import annotations

from typing import Any

import pytest

import wasmscope

TEXT = """(module
  (type $point (struct (field i32)))
  (memory $small 1) (memory $wide i64 1)
  (data (memory $small) (i32.const 65532) "\\01\\02\\03\\04")
  (data (memory $wide) (i64.const 8) "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\7f")
  (global $count (mut i64) (i64.const -3))
  (global $ratio f32 (f32.const 0.5))
  (global $nothing externref (ref.null extern))
  (func $all (export "all") (param $a i32) (param $object externref) (result i32)
    (local $b i64) (local $c f32) (local $d f64) (local $v v128) (local $point (ref null $point))
    (local $later (ref $point))
    (local.set $b (i64.const -2))
    (local.set $c (f32.const 0.1))
    (local.set $d (f64.const -2.5))
    (local.set $v (v128.const i32x4 1 -2 3 4))
    (local.set $point (struct.new $point (i32.const 3)))
    (local.get $a) (local.get $b) (local.get $c) (local.get $d) (local.get $v) (local.get $point) (local.get $object)
    nop
    drop drop drop drop drop drop))"""

HOLD = [
    "$a == 7 && $b == -2 && $c == 0.1 && $d == -2.5",
    "i32x4($v)[1] == -2 && i32x4(stack[4])[3] == 4",
    "$point != null && $object == null && stack[5] != null && stack[-1] == null",
    "$later == null",
    "$count == -3 && $ratio == 0.5 && $nothing == null",
    "u32[65532] == 0x04030201 && memory[0].u8[65535] == 4",
    "memory.wide.i64[8] == 0x7fffffffffffffff",
    "stack[0] == 7 && stack[1] == -2 && stack[2] == 0.1 && stack[3] == -2.5",
]
FAIL = [
    "$a == 8",
    "$b > 0",
    "$point == null",
    "$object != null",
    "i32x4($v)[0] != 1",
    "memory.small.u8[65532] == 2",
    "$count > 0 || $ratio > 1",
]
FAULTS = [
    ("u32[65533] == 1", "u32 out of bounds of memory 0 (at column 1)"),
    ("memory.wide.u64[0xffffffffffffffff] == 1", "u64 out of bounds of memory 1 (at column 1)"),
    ("$a % ($b + 2) == 1", "division by zero (at column 4)"),
]


def stops(condition: str) -> tuple[bool, str]:
    """Whether the guest stops, and the fault; at its second call, when the mirror is there."""
    store, told = wasmscope.Store(wasmscope.Engine()), []

    class Handler:
        def handle(self, store: wasmscope.Store, event: Any) -> None:
            told.append(event)

    store.set_debug_handler(Handler())
    module = wasmscope.Module(store.engine, TEXT)
    function = wasmscope.Instance(store, module, []).exports(store)["all"]
    typed = module.frame_table.typed(0)
    pc = next(each.pc for each in typed.instructions if each.instruction.opcode.name == "nop")
    with store.edit_breakpoints() as edit:
        breakpoint_ = edit.add_breakpoint(module, pc, condition)
    assert function(store, 7, None) == 7
    assert len(told) == breakpoint_.hits
    with store.edit_breakpoints() as edit:
        edit.remove(breakpoint_)
        again = edit.add_breakpoint(module, pc, condition)
    assert function(store, 7, None) == 7
    assert (again.hits, again.fault) == (breakpoint_.hits, breakpoint_.fault)
    return bool(breakpoint_.hits), breakpoint_.fault


@pytest.mark.parametrize("condition", HOLD)
def test_it_holds(condition: str) -> None:
    assert stops(condition) == (True, "")


@pytest.mark.parametrize("condition", FAIL)
def test_it_does_not_hold(condition: str) -> None:
    assert stops(condition) == (False, "")


@pytest.mark.parametrize(("condition", "fault"), FAULTS)
def test_it_cannot_be_worked_out(condition: str, fault: str) -> None:
    assert stops(condition) == (True, fault)


def test_instances_share_the_compiled_code() -> None:
    store = wasmscope.Store(wasmscope.Engine())
    module = wasmscope.Module(store.engine, TEXT)
    instances = [wasmscope.Instance(store, module, []) for _ in range(3)]
    with store.edit_breakpoints() as edit:
        breakpoint_ = edit.add_breakpoint(module, module.original.codes[0].code_start, "$a == 1")
    code = module.mirror_code.mirror(0)
    assert code.condition(0, "$a == 1") is code.condition(0, "$a == 1")
    for instance in instances:
        instance.exports(store)["all"](store, 1, None)
    assert breakpoint_.hits == 3


def test_a_false_condition_does_not_call_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    store = wasmscope.Store(wasmscope.Engine())
    module = wasmscope.Module(store.engine, TEXT)
    function = wasmscope.Instance(store, module, []).exports(store)["all"]
    called: list[int] = []
    stopped = store.stops.mirrors._stop

    def counting(*arguments: Any) -> int:
        called.append(arguments[2])
        return stopped(*arguments)

    monkeypatch.setattr(store.stops.mirrors, "_stop", counting)
    with store.edit_breakpoints() as edit:
        edit.add_breakpoint(module, module.original.codes[0].code_start, "$a == 1")
    for value in range(5):
        function(store, value, None)
    assert called == [0]
