"""Traps in the mirror tier: events, frames, values and backtraces are those of the fast tier."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime
from wasmtime import TrapCode

import wasmscope
from runtime import test_traps
from support.observing import instantiate, locals_of, stack_of, store_with
from support.tiers import Choice, Tier, prepared
from wasmscope import DebugEvent

MIRROR, FAST = Choice(Tier.MIRROR), Choice(Tier.FAST)


class Told:
    """A handler that keeps what is to be seen of traps and exceptions."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        match event:
            case DebugEvent.Trap(trap):
                self.seen.append(
                    (trap.trap_code, [seen_of(frame) for frame in store.frames()[:40]], len(store.frames()))
                )
            case _:
                self.seen.append((type(event).__name__, [seen_of(frame) for frame in store.frames()]))


def seen_of(frame: wasmscope.FrameHandle) -> Any:
    place = (frame.activation(), frame.function_index, frame.wasm_function_index_and_pc())
    return (*place, *map(_comparable, locals_of(frame)), "stack", *map(_comparable, stack_of(frame)))


def _comparable(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)  # NaN is not itself
    return value if isinstance(value, int | str | bytes | wasmscope.Unavailable | None) else type(value)


def backtrace(frames: list[wasmtime.Frame]) -> list[Any]:
    return [(f.func_index, f.func_name, f.module_name, f.module_offset, f.func_offset) for f in frames]


def run_to_trap(wat: str, choice: Choice, *arguments: Any, told: bool = True, **settings: Any) -> Any:
    """All that is to be seen of how `run` ends."""
    store = prepared(store_with(**settings), choice)
    handler = Told()
    if told:
        store.set_debug_handler(handler)
    instance = instantiate(wat, store)
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, *arguments)
    return handler.seen, raised.value.trap_code, backtrace(raised.value.frames), raised.value.message


def same_in_both_tiers(wat: str, *arguments: Any, **settings: Any) -> Any:
    fast = run_to_trap(wat, FAST, *arguments, **settings)
    mirror = run_to_trap(wat, MIRROR, *arguments, **settings)
    assert mirror == fast
    assert run_to_trap(wat, MIRROR, *arguments, told=False, **settings)[1:] == fast[1:]
    return mirror


@pytest.mark.parametrize("name", [*test_traps.CASES, *test_traps.SPECIAL])
def test_an_instruction_traps_as_in_the_fast_tier(name: str) -> None:
    code, instruction, before, _ = (test_traps.CASES | test_traps.SPECIAL)[name]
    _, trap_code, frames, _ = same_in_both_tiers(test_traps.module_of(instruction, before), 5)
    assert trap_code is code
    assert [frame[0] for frame in frames] == [1, 2]


OWN = {
    "memory.init": "(memory.init $d (local.get 0) (i32.const 0) (i32.const 9))",
    "table.init": "(table.init $e (i32.const 0) (local.get 0) (i32.const 9))",
    "array.new_data": "(drop (array.new_data $bytes $d (local.get 0) (i32.const 9)))",
    "array.new_elem": "(drop (array.new_elem $functions $e (local.get 0) (i32.const 9)))",
    "array.init_data": (
        "(array.init_data $bytes $d (array.new_default $bytes (i32.const 2)) (local.get 0) (i32.const 0) (i32.const 1))"
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_an_instruction_that_the_instance_has_run_traps_in_its_function(name: str) -> None:
    seen = same_in_both_tiers(
        f"""(module $m (type $bytes (array (mut i8))) (type $functions (array (mut funcref)))
          (memory 1) (data $d "abc") (table 2 funcref) (elem $e func $first)
          (func $first (param i32) {OWN[name]})
          (func (export "run") (param i32) (call $first (local.get 0)) nop))""",
        70_000,
    )
    assert [frame[0] for frame in seen[2]] == [0, 1]


GONE = {
    "end of the table": (
        "return_call_indirect (type $type)",
        "(local.get 0) (i32.const 9)",
        TrapCode.TABLE_OUT_OF_BOUNDS,
    ),
    "null": ("return_call_indirect (type $type)", "(local.get 0) (i32.const 1)", TrapCode.INDIRECT_CALL_TO_NULL),
    "another type": ("return_call_indirect (type $type)", "(local.get 0) (i32.const 0)", TrapCode.BAD_SIGNATURE),
    "null reference": ("return_call_ref $type", "(local.get 0) (ref.null $type)", TrapCode.NULL_REFERENCE),
}


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("references", ["", "(local externref)"], ids=["numbers", "references"])
def test_a_tail_call_that_traps_is_of_the_frame_that_was_to_go(name: str, references: str) -> None:
    instruction, operands, code = GONE[name]
    _, trap_code, frames, _ = same_in_both_tiers(
        f"""(module (type $type (func (param i32) (result i32))) (table 2 4 funcref) (elem (i32.const 0) func $other)
          (func $other) (func $first (type $type) {references} (i32.const 44) {operands} {instruction})
          (func (export "run") (type $type) (i32.add (call $first (local.get 0)) (i32.const 1))))""",
        7,
    )
    assert (trap_code, [frame[0] for frame in frames]) == (code, [1, 2])


RECURSION = """(module $m (func $first (export "run") (param i32) (result i32) {locals}
  {before} (call $first (i32.add (local.get 0) (i32.const 1))) {after}))"""


def overflowed(wat: str, choice: Choice, **settings: Any) -> Any:
    (told,), code, frames, message = run_to_trap(wat, choice, 0, **settings)
    assert (code, told[0]) == (TrapCode.STACK_OVERFLOW, TrapCode.STACK_OVERFLOW)
    assert message.endswith("Caused by:\n    wasm trap: call stack exhausted\n")
    assert len(frames) == 20
    return told[1], told[2], frames, message


@pytest.mark.parametrize("frame", [16, 2400])
def test_a_stack_that_overflows_shows_every_frame(frame: int) -> None:
    """Small frames overflow the engine's stack, large ones that of the shadow frames."""
    locals_ = "(local i64)" * (frame // 8)
    wat = RECURSION.format(locals=locals_, before="", after="(drop) (local.get 0)")
    shown, depth, frames, message = overflowed(wat, MIRROR, max_wasm_stack=128 * 1024)
    assert depth > 100
    assert [each[3] for each in shown] == [*range(depth - 1, depth - 1 - len(shown), -1)]
    fast = overflowed(wat, FAST, max_wasm_stack=128 * 1024)
    assert frames == fast[2]
    assert message == fast[3]


def test_a_shadow_stack_that_is_full_is_an_overflow() -> None:
    locals_ = "(local i64)" * 40_000
    wat = RECURSION.format(locals=locals_, before="", after="")
    shown, depth, frames, _ = overflowed(wat, MIRROR)
    assert 500 < depth < 1000
    assert [each[3] for each in shown] == [*range(depth - 1, depth - 1 - len(shown), -1)]
    assert frames[0][3] == 2**64 - 1


def test_a_stack_that_overflows_between_pages_is_at_the_instruction_between() -> None:
    before = "(local.set 0 (i32.add (local.get 0) (i32.const 0)))" * 100
    locals_ = "(local i64 f64)"
    wat = RECURSION.format(locals=locals_, before=before, after="")
    for size in range(65_536, 65_536 + 2048, 128):
        shown, depth, _, _ = overflowed(wat, MIRROR, max_wasm_stack=size)
        assert [each[3] for each in shown] == [*range(depth - 1, depth - 1 - len(shown), -1)]


PRIVATE = """(module $m (func $first (param i32) (result i32) (call $second (i32.add (local.get 0) (i32.const 1))) nop)
  (func $second (param i32) (result i32) (call $third (i32.add (local.get 0) (i32.const 1))) nop)
  (func $third (param i32) (result i32) (call $first (i32.add (local.get 0) (i32.const 1))) nop)
  (func (export "run") (param i32) (result i32) (call $first (local.get 0)) nop))"""


@pytest.mark.parametrize("size", range(65_536, 65_536 + 1024, 64))
def test_whichever_function_was_entered_when_the_stack_overflowed_is_shown(size: int) -> None:
    shown, depth, frames, _ = overflowed(PRIVATE, MIRROR, max_wasm_stack=size)
    expected = [(depth - 2 - n) % 3 for n in range(20)]
    assert [each[1] for each in shown][:20] == expected
    assert [each[0] for each in frames] == expected
    assert [each[3] for each in shown][:20] == [depth - 2 - n for n in range(20)]


def test_code_that_was_not_rewritten_is_shown_where_it_is_whatever_it_calls_itself() -> None:
    store = prepared(store_with(), MIRROR)
    text = '(module $wasmscope:page (import "" "f" (func $first)) (func $foreign (export "run") call $first nop))'
    inner = instantiate('(module $in (func $type (export "f") unreachable))', store)
    foreign = wasmtime.Instance(store, wasmtime.Module(store.engine, text), [inner.exports(store)["f"]])
    outer = instantiate(
        '(module $out (import "" "g" (func $second)) (func $outer (export "run") call $second nop))',
        store,
        {"g": foreign.exports(store)["run"]},
    )
    with pytest.raises(wasmtime.Trap) as raised:
        outer.exports(store)["run"](store)
    assert [frame.func_name for frame in raised.value.frames] == ["type", "foreign", "outer"]


def test_a_module_that_calls_itself_a_page_confuses_nobody() -> None:
    for choice in (FAST, MIRROR):
        store = prepared(store_with(), choice)
        store.set_debug_handler(Told())
        binary = bytes(wasmtime.wat2wasm('(module $wasmscope:xpage (func $foreign (export "run") unreachable))'))
        binary = binary.replace(b"wasmscope:xpage", b"wasmscope: page")
        foreign = wasmtime.Instance(store, wasmtime.Module(store.engine, binary), [])
        run: Any = foreign.exports(store)["run"]
        with pytest.raises(wasmtime.Trap):
            run(store)
        outer = instantiate(
            '(module (import "" "g" (func $second)) (func (export "run") call $second nop))', store, {"g": run}
        )
        with pytest.raises(wasmtime.Trap):
            outer.exports(store)["run"](store)


def nested(choice: Choice, ending: str) -> Any:
    """Guests and the host in turn: each of three activations calls the host, which enters the next."""
    store = prepared(store_with(), choice)
    handler = Told()
    store.set_debug_handler(handler)
    wat = f"""(module $m (import "" "h" (func $third (param i32) (result i32))) (import "" "t" (tag $type (param i32)))
      (func $inner (param i32) (result i32) (i32.const 7) (if (i32.eqz (local.get 0)) (then {ending})) (drop)
        (call $third (i32.sub (local.get 0) (i32.const 1))))
      (func $run (export "run") (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))
      (func $catches (export "catches") (param i32) (result i32)
        (block $b (result i32) (try_table (catch $type $b) (drop (call $run (local.get 0)))) (i32.const -1))))"""
    tag = wasmtime.Tag(store, wasmtime.TagType(wasmtime.FuncType([wasmtime.ValType.i32()], [])))
    exports: Any = None

    def enter(caller: wasmscope.Caller, depth: int) -> Any:
        return exports["run"](caller, depth)

    instance = instantiate(wat, store, {"h": enter, "t": tag})
    exports = instance.exports(store)
    results = []
    for name in ("run", "catches"):
        try:
            results.append(exports[name](store, 2))
        except wasmtime.Trap as trap:
            results.append((trap.trap_code, backtrace(trap.frames), trap.message))
    return handler.seen, results


@pytest.mark.parametrize("ending", ["unreachable", "(throw $type (i32.const 5))"])
def test_activations_within_activations_end_as_in_the_fast_tier(ending: str) -> None:
    fast, mirror = nested(FAST, ending), nested(MIRROR, ending)
    assert mirror == fast
    _, frames, _ = fast[1][0]
    assert [frame[0] for frame in frames] == [1, 2] * 3


SHARED = """(module $m (memory (export "m") {type} 1 4 shared) (memory $other 1) (data $d "abcd")
  (func (export "run") (param $a {type}) (result i64)
    (i32.atomic.store offset=4 ({type}.const 8) (i32.const 5))
    (memory.init $d ({type}.const 40) (i32.const 1) (i32.const 2))
    (memory.fill ({type}.const 50) (i32.const 9) ({type}.const 3))
    (memory.copy ({type}.const 60) ({type}.const 40) ({type}.const 20))
    (memory.copy $other 0 (i32.const 0) ({type}.const 40) (i32.const 20))
    (v128.store32_lane offset=100 0 ({type}.const 0) (i32x4.splat (i32.const 77)))
    (drop (memory.grow ({type}.const 1))) (drop (memory.size))
    (drop (memory.atomic.notify ({type}.const 0) (i32.const 1)))
    (drop (memory.atomic.wait32 ({type}.const 0) (i32.const 1) (i64.const 0)))
    (i64.add (i64.load ({type}.const 60))
      (i64.add (i64.atomic.rmw.add ({type}.const 8) (i64.const 1)) (i64.atomic.load (local.get $a))))))"""


@pytest.mark.parametrize("address", ["i32", "i64"])
def test_a_shared_memory_is_used_and_left_by_its_instance_only(address: str) -> None:
    """The engine ends the process at a fault in a memory that is in the store twice."""
    wat = SHARED.format(type=address)
    settings = {"wasm_threads": True, "shared_memory": True, "wasm_memory64": True}
    same_in_both_tiers(wat, 1, **settings)
    for outside in (65_536 * 3, 0x7FFF_FFF8):
        _, code, _, _ = same_in_both_tiers(wat, outside, **settings)
        assert code is TrapCode.MEMORY_OUT_OF_BOUNDS
    results = []
    for choice in (FAST, MIRROR):
        store = prepared(store_with(**settings), choice)
        exports = instantiate(wat, store).exports(store)
        results.append((exports["run"](store, 8), bytes(exports["m"].data_ptr()[:128])))
    assert results[0] == results[1]
