"""Every kind of trap that a core module can end with: its code, and the frame it happened in."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import wasmtime
from wasmtime import TrapCode

import wasmscope
from support.observing import Handler, instantiate, locals_of, stack_of, store_with
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.instructions import decode_instruction
from wasmscope.wasm.reader import Reader

HIGHEST = 0x7FFF_FFFF

CASES: dict[str, tuple[TrapCode, str, str, list[Any]]] = {
    # name: code, instruction, what comes before it, its operands
    "unreachable": (TrapCode.UNREACHABLE, "unreachable", "", []),
    "division by zero": (
        TrapCode.INTEGER_DIVISION_BY_ZERO,
        "i32.div_u",
        "(local.get 0) (i32.const 0)",
        [5, 0],
    ),
    "remainder by zero": (
        TrapCode.INTEGER_DIVISION_BY_ZERO,
        "i64.rem_s",
        "(i64.const 6) (i64.const 0)",
        [6, 0],
    ),
    "division overflow": (
        TrapCode.INTEGER_OVERFLOW,
        "i32.div_s",
        "(i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 6))",
        [-(1 << 31), -1],
    ),
    "conversion overflow": (TrapCode.INTEGER_OVERFLOW, "i32.trunc_f64_s", "(f64.const 3e10)", [3e10]),
    "conversion of an infinity": (TrapCode.INTEGER_OVERFLOW, "i64.trunc_f32_u", "(f32.const inf)", [float("inf")]),
    "load out of bounds": (TrapCode.MEMORY_OUT_OF_BOUNDS, "i32.load", "(i32.const 65533)", [65533]),
    "store out of bounds": (
        TrapCode.MEMORY_OUT_OF_BOUNDS,
        "i64.store",
        "(i32.const 65530) (i64.const 8)",
        [65530, 8],
    ),
    "fill out of bounds": (
        TrapCode.MEMORY_OUT_OF_BOUNDS,
        "memory.fill",
        "(i32.const 65535) (i32.const 1) (i32.const 2)",
        [65535, 1, 2],
    ),
    "misaligned atomic": (TrapCode.HEAP_MISALIGNED, "i32.atomic.load", "(i32.const 3)", [3]),
    "wait on a memory that is not shared": (
        TrapCode.ATOMIC_WAIT_NON_SHARED_MEMORY,
        "memory.atomic.wait32",
        "(i32.const 8) (i32.const 1) (i64.const 0)",
        [8, 1, 0],
    ),
    "table access out of bounds": (TrapCode.TABLE_OUT_OF_BOUNDS, "table.get", "(i32.const 4)", [4]),
    "call through the end of a table": (TrapCode.TABLE_OUT_OF_BOUNDS, "call_indirect", "(i32.const 9)", [9]),
    "call of null": (TrapCode.INDIRECT_CALL_TO_NULL, "call_indirect", "(i32.const 1)", [1]),
    "call of another type": (TrapCode.BAD_SIGNATURE, "call_indirect", "(i32.const 0)", [0]),
    "null function": (TrapCode.NULL_REFERENCE, "call_ref $void", "(ref.null $void)", [None]),
    "null struct": (TrapCode.NULL_REFERENCE, "struct.get $point 0", "(ref.null $point)", [None]),
    "null array": (TrapCode.NULL_REFERENCE, "array.len", "(ref.null $bytes)", [None]),
    "null asserted": (TrapCode.NULL_REFERENCE, "ref.as_non_null", "(ref.null any)", [None]),
    "null thrown": (TrapCode.NULL_REFERENCE, "throw_ref", "(ref.null exn)", [None]),
    "failed cast": (
        TrapCode.CAST_FAILURE,
        "ref.cast (ref $point)",
        "(ref.i31 (i32.const 3))",
        [wasmscope.I31Ref(3)],
    ),
    "too large an array": (
        TrapCode.ALLOCATION_TOO_LARGE,
        "array.new_default $wide",
        f"(i32.const {HIGHEST})",
        [HIGHEST],
    ),
}

MODULE = """(module
  (type $void (func)) (type $point (struct (field i32))) (type $bytes (array (mut i8))) (type $wide (array (mut i64)))
  (memory 1) (table 2 4 funcref) (elem (i32.const 0) func $other)
  (func $other (param i64))
  (func $inner (param i32) (result i32) (local $x f32)
    (local.set $x (f32.const 0.5)) (i64.const 44) (f32.const 2.5)
    {before} {instruction} unreachable)
  (func (export "run") (param i32) (result i32) (i32.add (i32.const 3) (call $inner (local.get 0)))))"""

# BAD_CONVERSION_TO_INTEGER and ARRAY_OUT_OF_BOUNDS have operands that are not compared by value.
SPECIAL = {
    "conversion of a NaN": (TrapCode.BAD_CONVERSION_TO_INTEGER, "i32.trunc_f32_s", "(f32.const nan)", 1),
    "array access out of bounds": (
        TrapCode.ARRAY_OUT_OF_BOUNDS,
        "array.get_u $bytes",
        "(array.new_default $bytes (i32.const 3)) (i32.const 3)",
        2,
    ),
}


def module_of(instruction: str, before: str) -> str:
    return MODULE.format(instruction=instruction, before=before)


def plain_code(wat: str) -> TrapCode | None:
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, wat), [])
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 5)  # type: ignore[operator]
    return raised.value.trap_code


@pytest.mark.parametrize("name", [*CASES, *SPECIAL])
def test_a_trap_is_at_its_instruction_with_every_value(name: str) -> None:
    code, instruction, before, operands = (CASES | SPECIAL)[name]
    wat = module_of(instruction, before)
    binary = bytes(wasmtime.wat2wasm(wat))
    store = store_with()
    instance = instantiate(wasmscope.Module(store.engine, binary), store)

    def look(store: wasmscope.Store, event: wasmscope.DebugEvent) -> Any:
        assert isinstance(event, wasmscope.DebugEvent.Trap)
        frame, caller = store.frames()
        position = frame.wasm_function_index_and_pc()
        assert position is not None
        at = decode_instruction(Reader(binary, position[1])).opcode.name
        return event.trap.trap_code, at, locals_of(frame), stack_of(frame), locals_of(caller), stack_of(caller)

    told = Handler(look)
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 5)
    assert raised.value.trap_code is code
    ((told_code, at, held, stack, outer, outer_stack),) = told.seen
    assert told_code is code
    assert at.partition(" ")[0] == instruction.partition(" ")[0]
    assert (held, outer, outer_stack) == ([5, 0.5], [5], [3, 5])
    assert stack[:2] == [44, 2.5]
    if isinstance(operands, list):
        assert stack[2:] == operands
    else:
        assert len(stack[2:]) == operands
    assert plain_code(wat) is code
    frames = [(frame.func_index, frame.module_offset) for frame in raised.value.frames]
    inner = next(code for code in decode_module(binary).codes[1:2])
    assert [index for index, _ in frames] == [1, 2]
    assert inner.code_start <= frames[0][1] < inner.end


def test_a_stack_overflow_shows_every_frame() -> None:
    store = store_with(max_wasm_stack=128 * 1024)
    instance = instantiate(
        '(module (func $f (export "run") (param i32) (call $f (i32.add (local.get 0) (i32.const 1))) nop))', store
    )
    told = Handler(lambda store, event: (event, [locals_of(frame)[0] for frame in store.frames()]))
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 0)
    assert raised.value.trap_code is TrapCode.STACK_OVERFLOW
    depth = len(told.seen[0][1])
    assert depth > 1000
    assert told.seen[0][1] == [*reversed(range(depth))]


def test_fuel_that_ran_out() -> None:
    store = store_with(consume_fuel=True)
    store.set_fuel(1000)
    instance = instantiate(
        """(module (func (export "run") (param i32)
          (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $l))))""",
        store,
    )
    told = Handler(lambda store, event: (event.trap.trap_code, locals_of(store.frames()[0])[0]))  # type: ignore[attr-defined]
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 0)
    assert raised.value.trap_code is TrapCode.OUT_OF_FUEL
    ((code, count),) = told.seen
    assert code is TrapCode.OUT_OF_FUEL
    assert 100 < count < 300
    assert store.get_fuel() == 0


def test_an_interruption_nobody_handles() -> None:
    store = store_with()
    instance = instantiate('(module (func (export "run") (loop $l (br $l))))', store)
    timer = threading.Timer(0.2, store.interrupt)
    timer.start()
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store)
    timer.join()
    assert raised.value.trap_code is TrapCode.INTERRUPT


def test_a_deadline_that_passed() -> None:
    store = store_with(epoch_interruption=True)
    store.set_epoch_deadline(1)
    instance = instantiate('(module (func (export "run") (param i32) (loop $l (br $l))))', store)
    told = Handler(lambda store, event: (event.trap.trap_code, locals_of(store.frames()[0])))  # type: ignore[attr-defined]
    store.set_debug_handler(told)
    timer = threading.Timer(0.2, store.engine.increment_epoch)
    timer.start()
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 6)
    timer.join()
    assert raised.value.trap_code is TrapCode.INTERRUPT
    assert told.seen == [(TrapCode.INTERRUPT, [6])]


def test_limits_do_not_trap_but_refuse() -> None:
    store = store_with()
    store.set_limits(memory_size=2 << 16, table_elements=5)
    instance = instantiate(
        """(module (memory 1) (table 2 funcref)
          (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))""",
        store,
    )
    exports = instance.exports(store)
    assert [exports["memory"](store, pages) for pages in (1, 1)] == [1, -1]
    assert [exports["table"](store, entries) for entries in (3, 1)] == [2, -1]
