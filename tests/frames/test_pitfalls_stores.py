"""Frames of several activations, instances and modules; what becomes of them when a guest ends in some other way."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.by_hand import Guest, Shown, everything, exported, shown
from frames.observe import handles_of

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
    module = wasmscope.Module(
        engine, "(module (start 0) (func (local i32) (local.set 0 (i32.const 2)) i64.const 9 unreachable))"
    )
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
    other = wasmscope.Instance(
        guest.store,
        guest.module,
        [
            wasmscope.Func(
                guest.store,
                wasmtime.FuncType([], []),
                lambda: owners.append([handle.instance() is other for handle in handles_of(guest.store)]),
            )
        ],
    )
    exported(guest.store, other, "main")(guest.store, 5)
    assert owners == [[True, True]]
    guest.host["observe"] = lambda: owners.append(
        [handle.instance() is guest.instance for handle in handles_of(guest.store)]
    )
    guest.call("main", 6)
    assert owners[1:] == [[True, True]]


def test_two_modules_that_call_each_other() -> None:
    outer = Guest(f"""(module {_OBSERVE} (import "host" "next" (func $next (param i64)))
      (func (export "main") (param i32) f64.const 1 (call $next (i64.extend_i32_u (local.get 0))) drop))""")
    inner = wasmscope.Module(
        outer.engine,
        f"""(module {_OBSERVE}
      (func $deep (param i64) (local i32) (local.set 1 (i32.const 3)) call $observe)
      (func (export "next") (param i64) (call $deep (local.get 0))))""",
    )
    places: list[list[tuple[Any, Shown]]] = []

    def look() -> None:
        places.append([(handle.module(), shown(handle)) for handle in handles_of(outer.store)])

    observe = wasmscope.Func(outer.store, wasmtime.FuncType([], []), look)
    second = wasmscope.Instance(outer.store, inner, [observe])
    first = wasmscope.Instance(outer.store, outer.module, [observe, second.exports(outer.store)["next"]])
    exported(outer.store, first, "main")(outer.store, 4)
    assert places == [
        [
            (inner, Shown(1, "call", (4, 3))),
            (inner, Shown(2, "call", (4,), (4,))),
            (outer.module, Shown(2, "call", (4,), (1.0, 4))),
        ]
    ]


@pytest.mark.parametrize("tail", ["", "return_"])
def test_a_table_shared_between_instances(tail: str) -> None:
    guest = Guest(f"""(module {_OBSERVE} (table (export "table") 2 funcref) (elem (i32.const 0) $mine)
      (func $mine (param i32) (local.set 0 (i32.add (local.get 0) (i32.const 1))) call $observe)
      (func (export "main")))""")
    user = wasmscope.Module(
        guest.engine,
        f"""(module (import "a" "table" (table 2 funcref)) (type $t (func (param i32)))
      (func $through (param i32) ({tail}call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func (export "run") (param i32) (call $through (local.get 0))))""",
    )
    owners: list[list[bool]] = []
    guest.host["observe"] = lambda: owners.append(
        [handle.instance() is guest.instance for handle in handles_of(guest.store)]
    )
    second = wasmscope.Instance(guest.store, user, [guest.instance.exports(guest.store)["table"]])
    exported(guest.store, second, "run")(guest.store, 7)
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
