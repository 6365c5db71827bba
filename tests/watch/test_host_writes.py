"""What host functions write to what is watched, told when they return."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from wasmscope import DebugEvent
from watch.guest import Guest

GUEST = """(module (import "" "host" (func $host (param i32)))
  (memory (export "memory") 1) (global $g (export "g") (mut i32) (i32.const 0)) (table (export "t") 2 funcref)
  (func (export "run") (param $n i32) (i32.store (i32.const 0) (i32.const 1)) (call $host (local.get $n))
    (i32.store (i32.const 0) (i32.const 3)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1))))"""


def guest_with(host: Any) -> Guest:
    kind = wasmtime.FuncType([wasmtime.ValType.i32()], [])
    return Guest(GUEST, lambda guest: [wasmscope.Func(guest.store, kind, lambda n: host(guest, n))])


def word(value: int) -> bytes:
    return value.to_bytes(4, "little")


def origins(guest: Guest) -> list[bool]:
    return [event.by_host for event in guest.told if isinstance(event, DebugEvent.Watchpoint)]


def test_a_host_write_is_told_with_the_frame_at_the_call() -> None:
    guest = guest_with(lambda guest, _: guest.exports["memory"].write(guest.store, b"\2", 0) and None)
    guest.watch(guest.exports["memory"], 0, 4)
    guest.watch(guest.exports["memory"], 4, 4)
    at: list[str] = []
    guest.actions = [lambda _: None, lambda _: at.append(guest.frame.raw.table.typed(0).at(guest.frame.raw.pc)
                                                          .instruction.opcode.name)]  # fmt: skip
    guest.call("run", 0)
    assert guest.changes == [(word(0), word(1)), (word(1), word(2)), (word(2), word(3))]
    assert origins(guest) == [False, True, False]
    assert at == ["call"]


def test_globals_and_tables_are_compared_too() -> None:
    def host(guest: Guest, _: int) -> None:
        guest.exports["g"].set_value(guest.store, 5)
        guest.exports["t"].set(guest.store, 1, guest.exports["run"])

    guest = guest_with(host)
    guest.watch(guest.exports["g"])
    guest.watch(guest.exports["t"], 1)
    guest.call("run", 0)
    (old, new), (before, after) = guest.changes
    assert (old, new) == (0, 5)
    assert before is None
    assert isinstance(after, wasmtime.Func)
    assert origins(guest) == [True, True]


def test_what_a_guest_writes_that_the_host_calls_is_the_guests() -> None:
    def host(guest: Guest, n: int) -> None:
        memory = guest.exports["memory"]
        memory.write(guest.store, b"\x10", 4)
        guest.call("store", 0, 0x20)
        if n == 0:
            return
        memory.write(guest.store, b"\x30", 8)

    guest = guest_with(host)
    memory = guest.exports["memory"]
    for address in (0, 4, 8):
        guest.watch(memory, address, 4)
    guest.call("run", 1)
    expected = [
        *((False, word(0), word(1)), (False, word(1), word(0x20))),
        *((True, word(0), word(0x10)), (True, word(0), word(0x30)), (False, word(0x20), word(3))),
    ]
    assert [(by_host, *change) for by_host, change in zip(origins(guest), guest.changes, strict=True)] == expected


def test_what_the_debugger_or_the_program_writes_is_nobodys() -> None:
    guest = guest_with(lambda guest, _: None)
    memory = guest.exports["memory"]
    guest.watch(memory, 0, 4)
    guest.watch(memory, 8, 4)
    guest.actions = [lambda _: memory.write(guest.store, b"\x55", 8) and None]
    memory.write(guest.store, b"\x44", 8)
    guest.call("run", 0)
    assert origins(guest) == [False, False]


def test_a_watchpoint_that_the_host_function_sets_sees_what_it_writes_then() -> None:
    def host(guest: Guest, _: int) -> None:
        guest.exports["memory"].write(guest.store, b"\x11", 0)
        guest.watch(guest.exports["memory"], 0, 4)
        guest.exports["memory"].write(guest.store, b"\x22", 0)

    guest = guest_with(host)
    guest.call("run", 0)
    assert guest.changes == [(word(0x11), word(0x22)), (word(0x22), word(3))]
    assert origins(guest) == [True, False]


def test_what_a_failing_host_function_wrote_is_told() -> None:
    def host(guest: Guest, _: int) -> None:
        guest.exports["memory"].write(guest.store, b"\x22", 0)
        raise KeyError

    guest = guest_with(host)
    guest.watch(guest.exports["memory"], 0, 4)
    with pytest.raises(KeyError):
        guest.call("run", 0)
    kinds = [type(event).__name__ for event in guest.told]
    assert kinds == ["Watchpoint", "HostcallError", "Watchpoint"]
    assert origins(guest) == [False, True]


def test_what_wasi_writes_is_told_behind_the_call() -> None:
    engine = wasmscope.Engine()
    store = wasmscope.Store(engine)
    store.set_wasi(wasmtime.WasiConfig())
    linker = wasmscope.Linker(engine)
    linker.define_wasi()
    module = wasmscope.Module(engine, """(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32) (call $random (i32.const 16) (i32.const 16))))""")  # fmt: skip
    instance = linker.instantiate(store, module)
    exports: Any = instance.exports(store)
    told: list[Any] = []

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            told.append(event)

    store.set_debug_handler(Handler())
    edit = store.edit_breakpoints()
    assert edit is not None
    with edit:
        edit.add_watchpoint(exports["memory"], 16, 16)
        edit.add_watchpoint(exports["memory"], 32, 16)
    assert exports["run"](store) == 0
    assert [(event.by_host, event.old, event.new) for event in told] == [
        (True, bytes(16), bytes(exports["memory"].read(store, 16, 32)))
    ]


@pytest.mark.parametrize(
    ("again", "by_host"), [(None, (0, 1)), (3, (0, 3))], ids=["then the guest", "then the guest, then the host"]
)
def test_what_a_nested_guest_writes_is_not_told_as_the_hosts(again: int | None, by_host: tuple[int, int]) -> None:
    def host(guest: Guest, _: int) -> None:
        guest.exports["memory"].write(guest.store, word(1), 8)
        guest.call("store", 8, 2)
        if again is not None:
            guest.exports["memory"].write(guest.store, word(again), 8)

    guest = guest_with(host)
    guest.watch(guest.exports["memory"], 8, 4)
    guest.call("run", 0)
    told = [(event.old, event.new, event.by_host) for event in guest.told if isinstance(event, DebugEvent.Watchpoint)]
    assert told == [(word(1), word(2), False), (word(by_host[0]), word(by_host[1]), True)]
