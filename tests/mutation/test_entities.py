"""Globals, memories and tables changed while a guest stands still."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

from mutation.guest import PRELUDE, Guest, pc_of
from support.observing import all_frames, plain
from wasmscope import DebugEvent, I31Ref, JumpTo, Store, Trap, Val

pytestmark = pytest.mark.spread

TIERS = pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])

PAUSES = {
    "host call": "(call $look)",
    "interrupt": "(call $interrupt) (loop)",
    "exception": "(block (try_table (catch_all 0) (throw $error)))",
    "host function that fails": "(call $look)",
    "breakpoint": "",
    "trap": "(if (i32.eqz (local.get 0)) (then (unreachable)))",
    "trap of a load": "(drop (i32.load (i32.sub (i32.const 0) (i32.eqz (local.get 0)))))",
    "trap of a division": "(drop (i32.div_u (i32.const 1) (local.get 0)))",
}

LOADING = f"""{PRELUDE} (memory (export "m") 1 10) (data (i32.const 8) "\\05\\00\\00\\00\\06\\00\\00\\00\\ff\\ff")
  (func $inner (param i32) (result i32) (local $x i32) (local $y i64)
    (local.set $x (i32.load (i32.const 8)))
    (local.set $y (i64.load8_s offset=8 (i32.add (i32.const 4) (local.get 0))))
    (i32.load offset=4 (i32.const 8))
    PAUSE
    (nop)
    (i32.add (local.get $x)) (i32.add (i32.wrap_i64 (local.get $y))))
  (func (export "run") (param i32) (result i32) (local $x i32)
    (local.set $x (i32.load (i32.const 8)))
    (i32.load (i32.const 12))
    (call $inner (local.get 0))
    (i32.add) (i32.add (local.get $x)))"""


@TIERS
@pytest.mark.parametrize("is_read_before", [True, False])
@pytest.mark.parametrize("pause", PAUSES)
def test_what_was_loaded_does_not_change_when_memory_does(pause: str, is_read_before: bool, is_mirrored: bool) -> None:
    looks: list[Any] = []

    def values(store: Store) -> list[Any]:
        return [
            [plain(frame.local(n)) for n in range(frame.num_locals())]
            + [plain(frame.stack(n)) for n in range(frame.num_stacks() if "trap" not in pause else 1)]
            for frame in all_frames(store)
        ]

    def paused(store: Store) -> None:
        if looks:
            return
        memory = guest.exports["m"]
        if is_read_before:
            looks.append(values(store))
        taken = all_frames(store)[0]
        memory.write(store, b"\x63" * 32, 0)
        memory.grow(store, 2)
        assert plain(taken.local(1)) == 5
        looks.append(values(store))
        assert bytes(memory.read(store, 0, 32)) == b"\x63" * 32

    def act(store: Store) -> None:
        if pause == "host function that fails":
            raise ValueError
        paused(store)

    def told(store: Store, event: DebugEvent) -> None:
        if isinstance(event, DebugEvent.HostcallError):
            store.redirect(JumpTo(pc_of(guest.module, "nop")))
        paused(store)

    guest = Guest(LOADING.replace("PAUSE", PAUSES[pause]), act, is_mirrored=is_mirrored, told=told)
    if pause == "breakpoint":
        edit = guest.store.edit_breakpoints()
        assert edit is not None
        with edit:
            edit.add_breakpoint(guest.module, guest.pc("nop"))
    if "trap" in pause:
        with pytest.raises(Trap):
            guest.call("run", 0)
    else:
        assert guest.call("run", 0) == 5 + 6 + 6 + 5 + 6
    argument = [] if "trap" in pause else [0]
    assert looks[0] == [[0, 5, 6, 6], [0, 5, 6, *argument]]
    assert len({repr(look) for look in looks}) == 1


ENTITIES = f"""{PRELUDE} (memory 1) (table 3 anyref) (global $g (mut i64) (i64.const 1)) (global $c i32 (i32.const 5))
  (global $r (mut (ref null $number)) (ref.null $number)) (global $f (mut f32) (f32.const 1))
  (func (export "one") (result funcref) (ref.func $one))
  (func (export "other") (result funcref) (ref.func $other))
  (func (export "run") (param i32) (result i64 f32 i32 anyref i32 i32)
    (i32.store (i32.const 0) (i32.const 7))
    PAUSE
    (nop)
    (global.get $g) (global.get $f) (call_ref $number (global.get $r)) (table.get (i32.const 4))
    (i32.load (i32.const 65536)) (memory.size))"""


@TIERS
@pytest.mark.parametrize("pause", [pause for pause in PAUSES if "trap" not in pause])
def test_a_guest_goes_on_with_what_was_set_outside_its_frames(pause: str, is_mirrored: bool) -> None:
    def paused(store: Store) -> None:
        instance = guest.instance
        number, constant, reference, single = (instance.debug_global(store, index) for index in range(4))
        memory, table = instance.debug_memory(store, 0), instance.debug_table(store, 0)
        assert number is not None
        assert constant is not None
        assert reference is not None
        assert single is not None
        assert memory is not None
        assert table is not None
        number.set_value(store, -3)
        single.set_value(store, 2.5)
        with pytest.raises(wasmtime.WasmtimeError, match="immutable global cannot be set"):
            constant.set_value(store, Val.i32(6))
        with pytest.raises(wasmtime.WasmtimeError, match="type"):
            reference.set_value(store, guest.exports["other"](store))
        reference.set_value(store, guest.exports["one"](store))
        assert memory.grow(store, 1) == 1
        memory.write(store, b"\x04\x03", 65536)
        assert table.grow(store, 2, None) == 3
        table.set(store, 4, I31Ref(9))

    def act(store: Store) -> None:
        if pause == "host function that fails":
            raise ValueError
        paused(store)

    def told(store: Store, event: DebugEvent) -> None:
        if isinstance(event, DebugEvent.HostcallError):
            store.redirect(JumpTo(pc_of(guest.module, "nop")))
        paused(store)

    guest = Guest(ENTITIES.replace("PAUSE", PAUSES[pause]), act, is_mirrored=is_mirrored, told=told)
    if pause == "breakpoint":
        edit = guest.store.edit_breakpoints()
        assert edit is not None
        with edit:
            edit.add_breakpoint(guest.module, guest.pc("nop"))
    assert guest.call("run", 1) == [-3, 2.5, 1, I31Ref(9), 0x304, 2]
