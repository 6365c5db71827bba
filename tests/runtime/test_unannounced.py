"""Guests entered by wasmtime's own classes: functions out of tables and globals, plain and ours."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope

GUEST = """
(module $guest (import "" "h" (func $h (param i32))) (memory 1)
  (table (export "t") 4 funcref) (elem (i32.const 0) $run $trap) (global (export "g") (mut funcref) (ref.func $run))
  (func $run (export "run") (param $x i32) (result i32) local.get $x call $h local.get $x i32.const 1 i32.add)
  (func $trap (param $x i32) local.get $x call $h (drop (i32.load offset=65535 (local.get $x)))))
"""


class Host:
    """Notes the frames at each call of the guest, and may call it again."""

    def __init__(self, engine: wasmscope.Engine | None = None) -> None:
        self.store = wasmscope.Store(engine)
        self.seen: list[list[tuple[int, Any]]] = []
        self.then: Any = lambda x: None
        i32 = wasmscope.ValType.i32()
        function = wasmscope.Func(self.store, wasmscope.FuncType([i32], []), self.called, access_caller=True)
        module = wasmscope.Module(self.store.engine, GUEST)
        self.exports: Any = wasmscope.Instance(self.store, module, [function]).exports(self.store)
        table = wasmtime.Table._from_raw(self.exports["t"]._table)  # as a host's own would be
        self.run, self.trap = table.get(self.store, 0), table.get(self.store, 1)
        assert type(self.run) is wasmtime.Func

    def called(self, caller: Any, x: int) -> None:
        self.seen.append([(frame.activation(), frame.local(0).value) for frame in caller.store.frames()])
        self.then(x)


def test_tables_and_globals_that_are_handed_out_give_functions_of_ours() -> None:
    host = Host()
    table, variable = host.exports["t"], host.exports["g"]
    assert isinstance(table.get(host.store, 0), wasmscope.Func)
    assert isinstance(variable.value(host.store), wasmscope.Func)
    with pytest.raises(wasmscope.Trap) as caught:
        table.get(host.store, 1)(host.store, 5)
    assert [(frame.func_index, frame.module_name) for frame in caught.value.frames] == [(2, "guest")]
    assert host.seen == [[(0, 5)]]


def test_the_frames_of_a_guest_that_wasmtimes_own_class_entered_are_shown() -> None:
    host = Host()
    assert host.run(host.store, 3) == 4
    assert host.seen == [[(0, 3)]]
    assert host.store.frames() == []


def test_its_frames_are_gone_when_it_has_trapped() -> None:
    host = Host()
    for _ in range(3):
        with pytest.raises(wasmtime.Trap):
            host.trap(host.store, 7)
    assert host.run(host.store, 3) == 4
    assert host.seen == [[(0, 7)]] * 3 + [[(0, 3)]]
    assert host.store.debug_exit_frames() == []


def test_activations_nest_whoever_entered_them() -> None:
    host = Host()

    def then(x: int) -> None:
        if x == 1:
            with pytest.raises(wasmtime.Trap) as caught:
                host.trap(host.store, 2)
            held.append(caught.value)
            host.exports["run"](host.store, 3)
        if x == 3:
            host.run(host.store, 4)

    held: list[Any] = []
    host.then = then
    for enter in (host.run, host.exports["run"]):
        host.seen.clear()
        assert enter(host.store, 1) == 2
        assert host.seen == [[(0, 1)], [(0, 2), (1, 1)], [(0, 3), (1, 1)], [(0, 4), (1, 3), (2, 1)]]
        assert host.store.frames() == []


def test_guests_that_plain_host_functions_enter_again_nest_too() -> None:
    """The guest calls the host through wasmtime's own function, which nothing announces either."""
    host = Host()
    module = """(module (import "" "p" (func $p)) (import "" "run" (func $run (param i32) (result i32)))
      (func (export "go") (param i32) (result i32) call $p (call $run (local.get 0))))"""

    def p() -> None:
        with pytest.raises(wasmtime.Trap):
            host.trap(host.store, 8)

    plain = wasmtime.Func(host.store, wasmtime.FuncType([], []), p)
    imports = [plain, host.exports["run"]]
    go: Any = wasmscope.Instance(host.store, wasmscope.Module(host.store.engine, module), imports).exports(host.store)[
        "go"
    ]
    assert go(host.store, 5) == 6
    assert host.seen == [[(0, 8), (1, 5)], [(0, 5), (0, 5)]]


def test_an_exception_goes_through_wasmtimes_own_class_to_where_it_is_caught() -> None:
    host, caught = Host(), []

    def then(x: int) -> None:
        if x == 2:
            raise KeyError(x)
        if x == 1:
            try:
                host.run(host.store, 2)
            except KeyError as error:
                caught.append(error.args)
            raise ValueError(x)

    host.then = then
    for enter in (host.exports["run"], host.run):
        with pytest.raises(ValueError, match="1"):
            enter(host.store, 1)
    assert caught == [(2,), (2,)]
    assert host.run(host.store, 9) == 10


def test_a_trap_after_a_caught_exception_stays_a_trap() -> None:
    host = Host()

    def then(x: int) -> None:
        if x == 2:
            raise KeyError(x)
        if x == 1:
            with pytest.raises(KeyError):
                host.run(host.store, 2)

    host.then = then
    with pytest.raises(wasmscope.Trap):
        host.exports["t"].get(host.store, 1)(host.store, 1)


def test_a_caller_enters_it_too() -> None:
    host = Host()
    store, seen = host.store, []

    def again(caller: Any, x: int) -> None:
        if x:
            host.run.__call__(caller, 0)
        seen.append(len(caller.store.activations))

    i32 = wasmscope.ValType.i32()
    function = wasmscope.Func(store, wasmscope.FuncType([i32], []), again, access_caller=True)
    run: Any = wasmscope.Instance(store, wasmscope.Module(store.engine, GUEST), [function]).exports(store)["run"]
    assert run(store, 1) == 2
    assert seen == [1]
    assert host.seen == [[(0, 0), (1, 1)]]


def test_what_a_host_function_of_wasmtimes_own_raises_is_told() -> None:
    host, told = Host(), []

    class Handler:
        def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
            told.append((event, [frame.local(0).value for frame in store.frames()]))

    def fail(x: int) -> None:
        raise KeyError(x)

    i32 = wasmtime.ValType.i32()
    plain = wasmtime.Func(host.store, wasmtime.FuncType([i32], []), fail)
    module = wasmscope.Module(host.store.engine, GUEST)
    run: Any = wasmscope.Instance(host.store, module, [plain]).exports(host.store)["run"]
    host.store.set_debug_handler(Handler())
    with pytest.raises(KeyError) as caught:
        run(host.store, 6)
    assert told == [(wasmscope.DebugEvent.HostcallError(caught.value), [6])]


def test_wasmtimes_own_caller_stands_for_the_store() -> None:
    host, seen = Host(), []

    def again(caller: Any, x: int) -> None:
        seen.append(type(caller))
        if x == 1:
            host.exports["run"](caller, 2)

    i32 = wasmtime.ValType.i32()
    plain = wasmtime.Func(host.store, wasmtime.FuncType([i32], []), again, access_caller=True)
    module = wasmscope.Module(host.store.engine, GUEST)
    exports: Any = wasmscope.Instance(host.store, module, [plain]).exports(host.store)
    assert exports["run"](host.store, 1) == 2
    assert seen == [wasmtime.Caller]
    assert host.seen == [[(0, 2), (1, 1)]]
