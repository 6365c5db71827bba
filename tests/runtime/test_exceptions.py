"""Exceptions told at the throw: by whether the guest catches them, with every frame there; and thrown instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.by_hand import Guest, Shown, everything, exported
from wasmscope.runtime import capi
from wasmscope.runtime.val import ExnRef, I31Ref, Kind, StructRef, Val

CAUGHT, UNCAUGHT = wasmscope.DebugEvent.CaughtExceptionThrown, wasmscope.DebugEvent.UncaughtExceptionThrown


def told(guest: Guest) -> list[tuple[str, list[Any]]]:
    """Each event: its kind, and the payload of its exception."""
    return [(_kind(event), payload(event)) for event, _ in guest.events]


def _kind(event: wasmscope.DebugEvent) -> str:
    return {CAUGHT: "caught", UNCAUGHT: "uncaught"}.get(type(event), type(event).__name__)


def payload(event: wasmscope.DebugEvent) -> list[Any]:
    return [value.value for value in event.exception.fields()] if isinstance(event, CAUGHT | UNCAUGHT) else []


class Acting:
    """A handler that does something at each event, and notes it."""

    def __init__(self, guest: Guest, act: Callable[[wasmscope.Store, Any], Any]) -> None:
        self.guest = guest
        self.act = act
        guest.store.set_debug_handler(self)

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        self.guest.handle(store, event)
        self.act(store, event)


CLAUSES = """(module (tag $t (param i32)) (tag $other (param i32))
  (func $throws (param i32) (local i64) (local.set 1 (i64.const 9)) f64.const 2.5 (throw $t (local.get 0)))
  (func (export "run") (param i32)
    (block $h {result} (try_table ({clause} $h) (call $throws (local.get 0))) return) {drop}))"""


@pytest.mark.parametrize(
    ("clause", "result", "drop"),
    [
        ("catch $t", "(result i32)", "drop"),
        ("catch_ref $t", "(result i32 exnref)", "drop drop"),
        ("catch_all", "", ""),
        ("catch_all_ref", "(result exnref)", "drop"),
    ],
)
def test_what_a_clause_catches_is_told_as_caught_at_the_throw(clause: str, result: str, drop: str) -> None:
    guest = Guest(CLAUSES.format(clause=clause, result=result, drop=drop))
    guest.call("run", 5)
    ((event, frames),) = guest.events
    assert isinstance(event, CAUGHT)
    assert payload(event) == [5]
    assert frames == [Shown(0, "throw", (5, 9), (2.5, 5)), Shown(1, "call", (5,), (5,))]


@pytest.mark.parametrize("clause", ["catch $other", "catch_ref $other"])
def test_what_no_clause_catches_is_told_as_uncaught_once(clause: str) -> None:
    result = "(result i32)" if clause == "catch $other" else "(result i32 exnref)"
    guest = Guest(
        CLAUSES.format(clause=clause, result=result, drop="drop" if clause == "catch $other" else "drop drop")
    )
    with pytest.raises(wasmtime.Trap):
        guest.call("run", 5)
    ((event, frames),) = guest.events
    assert isinstance(event, UNCAUGHT)
    assert frames == [Shown(0, "throw", (5, 9), (2.5, 5)), Shown(1, "call", (5,), (5,))]


def test_the_exception_that_is_told_is_the_one_that_is_caught() -> None:
    text = """(module (import "host" "seen" (func $seen (param exnref))) (tag $t (param i32))
      (func (export "run")
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t (i32.const 5))) unreachable)
        call $seen))"""
    seen: list[Any] = []
    guest = Guest(text, host={"seen": seen.append})
    guest.call("run")
    ((event, _),) = guest.events
    assert isinstance(event, CAUGHT)
    assert seen == [event.exception]


def test_the_exception_that_is_told_is_the_one_left_pending() -> None:
    guest = Guest('(module (tag $t (param i32)) (func (export "run") (throw $t (i32.const 5))))')
    with pytest.raises(wasmtime.Trap) as raised:
        guest.call("run")
    ((event, _),) = guest.events
    assert isinstance(event, UNCAUGHT)
    assert [frame.module_offset for frame in raised.value.frames] == [guest.module.bytecode.index(b"\x41\x05\x08") + 2]
    assert capi.take_exception(guest.store) == event.exception


def test_a_clause_covers_its_block_only() -> None:
    """Not the block that it branches to, not what comes before or behind, and a throw in the same function too."""
    text = """(module (tag $t (param i32)) (func $throws (param i32) (throw $t (local.get 0)))
      (func (export "inside") (block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 1))) return) drop)
      (func (export "behind")
        (block $h (result i32) (try_table (catch $t $h)) i32.const 0) drop (call $throws (i32.const 2)))
      (func (export "handler")
        (block $h (result i32) (try_table (catch $t $h) (call $throws (i32.const 3))) return) drop
        (throw $t (i32.const 4)))
      (func (export "tail") (try_table (catch_all 0) (return_call $throws (i32.const 5)))))"""
    guest = Guest(text)
    guest.call("inside")
    for name in ("behind", "handler", "tail"):
        with pytest.raises(wasmtime.Trap):
            guest.call(name)
    assert told(guest) == [
        ("caught", [1]), ("uncaught", [2]), ("caught", [3]), ("uncaught", [4]), ("uncaught", [5]),
    ]  # fmt: skip


def test_the_innermost_clause_that_matches_wins_through_several_functions() -> None:
    text = """(module (import "host" "mark" (func $mark (param i32))) (tag $a (param i32)) (tag $b (param i32))
      (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
        (else (throw $b (i32.const 7)))))
      (func $middle (block $h (result i32) (try_table (catch $a $h) (call $deep (i32.const 50))) return) call $mark)
      (func (export "run")
        (block $h (try_table (catch_all $h) (call $middle)) return) (call $mark (i32.const 1)))
      (func (export "none") (call $middle)))"""
    guest = Guest(text)
    guest.call("run")
    assert told(guest) == [("caught", [7])]
    assert len(guest.events[0][1]) == 53
    with pytest.raises(wasmtime.Trap):
        guest.call("none")
    assert told(guest)[1:] == [("uncaught", [7])]


TWO = {
    "thrower": """(module {tag} (tag $own (export "own") (param i32))
        (func (export "throw_t") (param i32) (throw $t (local.get 0)))
        (func (export "throw_own") (param i32) (throw $own (local.get 0))))""",
    "catcher": """(module (import "e" "t" (tag $t (param i32))) (import "e" "again" (tag $again (param i32)))
        (import "e" "f" (func $f (param i32)))
        (tag $same_type (param i32)) (export "re" (tag $again))
        (func (export "by_import") (param i32)
          (block $h (result i32) (try_table (catch $t $h) (call $f (local.get 0))) return) drop)
        (func (export "by_second_import") (param i32)
          (block $h (result i32) (try_table (catch $again $h) (call $f (local.get 0))) return) drop)
        (func (export "by_equal_type") (param i32)
          (block $h (result i32) (try_table (catch $same_type $h) (call $f (local.get 0))) return) drop))""",
}


@pytest.mark.parametrize("where", ["defined by the thrower", "of the host", "re-exported"])
def test_a_tag_is_the_same_by_every_name_and_no_other_of_its_type(where: str) -> None:
    guest = Guest("(module)")
    store, engine = guest.store, guest.engine

    def instance(text: str, *imports: Any) -> wasmscope.Instance:
        return wasmscope.Instance(store, wasmscope.Module(engine, text), list(imports))

    if where == "defined by the thrower":
        thrower = instance(TWO["thrower"].format(tag='(tag $t (export "t") (param i32))'))
        tag: Any = thrower.exports(store)["t"]
    else:
        tag_type = wasmtime.TagType(wasmtime.FuncType([wasmtime.ValType.i32()], []))
        tag = wasmtime.Tag(store, tag_type)
        if where == "re-exported":
            tag = instance('(module (tag (export "x") (import "" "") (param i32)))', tag).exports(store)["x"]
        thrower = instance(TWO["thrower"].format(tag='(import "" "" (tag $t (param i32)))'), tag)
    catcher = instance(TWO["catcher"], tag, tag, thrower.exports(store)["throw_t"])
    for name in ("by_import", "by_second_import"):
        exported(store, catcher, name)(store, 1)
    with pytest.raises(wasmtime.Trap):
        exported(store, catcher, "by_equal_type")(store, 2)
    own = instance(TWO["catcher"], tag, tag, thrower.exports(store)["throw_own"])
    with pytest.raises(wasmtime.Trap):
        exported(store, own, "by_import")(store, 3)
    assert told(guest) == [("caught", [1]), ("caught", [1]), ("uncaught", [2]), ("uncaught", [3])]
    event = guest.events[0][0]
    assert isinstance(event, CAUGHT)
    assert event.exception.tag.eq(store, tag)


def test_two_instances_of_a_module_have_different_tags() -> None:
    text = """(module (import "e" "f" (func $f))
      (tag $t)
      (func (export "throws") (throw $t))
      (func (export "run") (block $h (try_table (catch $t $h) (call $f)))))"""
    guest = Guest("(module)")
    module, nothing = (
        wasmscope.Module(guest.engine, text),
        wasmscope.Func(guest.store, wasmtime.FuncType([], []), lambda: None),
    )
    one = wasmscope.Instance(guest.store, module, [nothing])
    other = wasmscope.Instance(guest.store, module, [one.exports(guest.store)["throws"]])
    same = wasmscope.Instance(guest.store, module, [other.exports(guest.store)["throws"]])
    with pytest.raises(wasmtime.Trap):
        exported(guest.store, same, "run")(guest.store)
    assert told(guest) == [("uncaught", [])]


def test_the_host_ends_the_search() -> None:
    text = """(module (import "host" "pass" (func $pass)) (tag $t (param i32))
      (func (export "inner") (throw $t (i32.const 5)))
      (func (export "outer") (block $h (try_table (catch_all $h) (call $pass)))))"""

    def again() -> None:
        with pytest.raises(wasmtime.Trap):
            guest.call("inner")

    guest = Guest(text, host={"pass": again})
    guest.call("outer")
    ((event, frames),) = guest.events
    assert isinstance(event, UNCAUGHT)
    assert frames == [Shown(1, "throw", (), (5,)), Shown(2, "call", ())]


def test_every_throw_again_is_told_of_the_same_exception() -> None:
    text = """(module (tag $t (param i32))
      (func $again (param exnref) (throw_ref (local.get 0)))
      (func (export "run") (local exnref i32)
        (local.set 0 (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t (i32.const 3))) unreachable))
        (loop $l
          (local.set 0
            (block $h (result exnref) (try_table (catch_all_ref $h) (call $again (local.get 0))) unreachable))
          (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 3))))
        (throw_ref (local.get 0))))"""
    guest = Guest(text)
    with pytest.raises(wasmtime.Trap):
        guest.call("run")
    assert told(guest) == [("caught", [3])] * 4 + [("uncaught", [3])]
    first = guest.events[0][0]
    assert isinstance(first, CAUGHT)
    for event, _ in guest.events[1:]:
        assert isinstance(event, CAUGHT | UNCAUGHT)
        assert event.exception == first.exception
    assert [frames[0].at for _, frames in guest.events] == ["throw"] + ["throw_ref"] * 4


def test_null_is_no_exception() -> None:
    guest = Guest('(module (func (export "run") (block (try_table (catch_all 0) (throw_ref (ref.null exn))))))')
    assert guest.trapped("run") == [Shown(0, "throw_ref", (), (None,))]
    ((event, _),) = guest.events
    assert isinstance(event, wasmscope.DebugEvent.Trap)
    assert event.trap.trap_code is wasmtime.TrapCode.NULL_REFERENCE


def test_a_payload_of_every_type() -> None:
    text = """(module (type $s (struct (field i32)))
      (tag $t (param i32 i64 f32 f64 v128 funcref externref anyref exnref (ref $s) (ref null $s) i31ref))
      (tag $u (param i32)) (global $keep (mut exnref) (ref.null exn)) (memory 1)
      (data (i32.const 8) "\\01\\00\\a0\\7f")
      (func $f (export "f"))
      (func (export "run") (param externref)
        (global.set $keep
          (block $h (result exnref) (try_table (catch_all_ref $h) (throw $u (i32.const 1))) unreachable))
        (block $h (try_table (catch_all $h)
          (throw $t (i32.const -1) (i64.const -2) (f32.load (i32.const 8)) (f64.const nan:0x4000000000123)
            (v128.const i64x2 1 2) (ref.func $f) (local.get 0) (any.convert_extern (local.get 0))
            (global.get $keep) (struct.new $s (i32.const 6)) (ref.null $s) (ref.i31 (i32.const -7)))))))"""
    guest = Guest(text)
    host_object = object()
    guest.call("run", host_object)
    first, second = (event for event, _ in guest.events)
    assert isinstance(first, CAUGHT)
    assert isinstance(second, CAUGHT)
    values = second.exception.fields()
    assert [value.bits for value in values[:5]] == [
        0xFFFFFFFF,
        (1 << 64) - 2,
        0x7FA00001,
        0x7FF4000000000123,
        1 | 2 << 64,
    ]
    assert values[5] == Val.funcref(exported(guest.store, guest.instance, "f"))
    assert values[6].value is host_object
    assert values[7].value.value is host_object
    assert values[8].value == first.exception
    assert isinstance(values[9].value, StructRef)
    assert values[9].value.field(0).value == 6
    assert values[10].value is None
    assert values[11].value == I31Ref(-7)
    assert guest.events[1][1][0].stack[0] == -1


def test_a_host_that_writes_memory_meanwhile_changes_no_value_that_was_loaded() -> None:
    text = """(module (import "host" "look" (func $look)) (memory (export "m") 1) (tag $t (param i32))
      (data (i32.const 4) "\\07")
      (func (export "run") (param i32) (local i32)
        (local.set 1 (i32.load (local.get 0)))
        i64.const 3
        (block $h (result i32)
          (try_table (catch $t $h) (throw $t (i32.load (local.get 0)))) i32.const 0)
        call $look drop drop))"""
    guest = Guest(text)
    seen: list[list[Shown]] = []

    def write(store: wasmscope.Store, _: Any) -> None:
        memory = guest.instance.exports(store)["m"]
        assert isinstance(memory, wasmtime.Memory)
        memory.write(store, b"\x63", 4)
        seen.append(guest.frames())

    Acting(guest, write)
    guest.call("run", 4)
    expected = Shown(1, "throw", (4, 7), (3, 7))
    assert [frames for _, frames in guest.events] == seen == [[expected]]
    assert guest.calls == [[Shown(1, "call", (4, 7), (3, 7))]]


def test_an_uncaught_exception_through_tail_calls_and_instances() -> None:
    text = """(module (import "host" "observe" (func $observe))
      (tag $t (param i64))
      (func $last (param i64) (local f32) (local.set 1 (f32.const 1.5)) (throw $t (local.get 0)))
      (func $first (param i64) (return_call $last (i64.add (local.get 0) (i64.const 1))))
      (func (export "run") (param i64) call $observe (call $first (local.get 0))))"""
    guest = Guest(text)
    assert guest.trapped("run", 4) == [Shown(1, "throw", (5, 1.5), (5,)), Shown(3, "call", (4,), (4,))]
    assert told(guest) == [("uncaught", [5])]


# -- what the handler does ---------------------------------------------------------------------------------------------

CATCHES_ALL = """(module (tag $t (export "t") (param i32)) (tag $u (export "u") (param i32 i32)) (memory (export "m") 1)
  (global $g (export "g") (mut i32) (i32.const 0))
  (func (export "nested") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $t $h) (throw $t (local.get 0))) unreachable))
  (func (export "uncaught") (param i32) (throw $t (local.get 0)))
  (func (export "run") (param i32) (result i32)
    (block $u (result i32 i32)
      (block $t (result i32)
        (try_table (catch $t $t) (catch $u $u) (throw $t (local.get 0))) unreachable)
      (return (i32.add (i32.const 1000))))
    i32.add)
  (func (export "some") (param i32) (result i32)
    (block $u (result i32 i32) (try_table (catch $u $u) (throw $t (local.get 0))) unreachable) i32.add)
  (func (export "all")  (block $h (try_table (catch_all $h) (throw $t (i32.const 1))))))"""


class Stop(Exception):
    pass


def test_a_handler_that_raises_ends_the_guest_whatever_it_catches() -> None:
    guest = Guest(CATCHES_ALL)

    def stop(store: wasmscope.Store, event: Any) -> None:
        raise Stop

    Acting(guest, stop)
    for name, args in (("all", ()), ("run", (1,)), ("uncaught", (1,))):
        with pytest.raises(Stop):
            guest.call(name, *args)
    assert told(guest) == [("caught", [1]), ("caught", [1]), ("uncaught", [1])]
    guest.store.clear_debug_handler()
    assert guest.call("run", 5) == 1005, "the store is as good as new"


def _exports(guest: Guest) -> Any:
    return guest.instance.exports(guest.store)


def _replaces(guest: Guest, tag: str, *fields: int) -> Callable[[wasmscope.Store, Any], None]:
    def act(store: wasmscope.Store, event: Any) -> None:
        store.throw_instead(wasmscope.ExnRef(store, _exports(guest)[tag], fields))

    return act


def test_another_exception_is_caught_by_its_own_clause() -> None:
    guest = Guest(CATCHES_ALL)
    assert guest.call("run", 5) == 1005
    Acting(guest, _replaces(guest, "u", 30, 4))
    assert guest.call("run", 5) == 34
    assert told(guest) == [("caught", [5])] * 2, "the one thrown instead is not told"


def test_what_nobody_caught_is_replaced_by_what_somebody_catches() -> None:
    guest = Guest(CATCHES_ALL)
    Acting(guest, _replaces(guest, "u", 30, 4))
    assert guest.call("some", 5) == 34
    assert told(guest) == [("uncaught", [5])]


def test_what_was_caught_is_replaced_by_what_nobody_catches() -> None:
    guest = Guest(CATCHES_ALL)
    Acting(guest, _replaces(guest, "u", 30, 4))
    with pytest.raises(wasmtime.Trap) as raised:
        guest.call("nested", 5)
    assert raised.value.trap_code is None
    assert told(guest) == [("caught", [5])], "the one thrown instead is not told, also when the guest ends by it"
    pending = capi.take_exception(guest.store)
    assert pending is not None
    assert [value.value for value in pending.fields()] == [30, 4]
    guest.store.set_debug_handler(guest)
    with pytest.raises(wasmtime.Trap):
        guest.call("uncaught", 8)
    assert told(guest)[1:] == [("uncaught", [8])]


def test_a_throw_again_can_be_replaced_too() -> None:
    text = """(module (import "host" "mark" (func $mark (param i32))) (tag $t (export "t") (param i32))
      (func (export "run") (result i32)
        (local exnref)
        (local.set 0 (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t (i32.const 1))) unreachable))
        (block $h (result i32) (try_table (catch $t $h) (throw_ref (local.get 0))) unreachable)))"""
    guest = Guest(text)

    def act(store: wasmscope.Store, event: Any) -> None:
        if guest.events[-1][1][0].at == "throw_ref":
            store.throw_instead(wasmscope.ExnRef(store, _exports(guest)["t"], [9]))

    Acting(guest, act)
    assert guest.call("run") == 9


def test_a_trap_after_a_replaced_exception_is_told_as_ever() -> None:
    text = """(module (tag $t (export "t") (param i32))
      (func (export "run") (local i32) i64.const 1
        (local.set 0 (block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 1))) i32.const 0))
        unreachable))"""
    guest = Guest(text)
    Acting(guest, lambda store, event: isinstance(event, CAUGHT) and _replaces(guest, "t", 8)(store, event))
    assert guest.trapped("run") == [Shown(0, "unreachable", (8,), (1,))]


def test_another_exception_can_be_thrown_only_at_a_throw() -> None:
    text = """(module (import "host" "call" (func $call)) (tag $t (export "t"))
      (func (export "calls") call $call)
      (func (export "trap") unreachable)
      (func (export "run") (block $h (try_table (catch_all $h) (throw $t)))))"""
    guest = Guest(text, host={"call": lambda: guest.store.throw_instead(exception)})
    exception = wasmscope.ExnRef(guest.store, _exports(guest)["t"])
    with pytest.raises(wasmscope.WasmscopeError, match="told of an exception"):
        guest.store.throw_instead(exception)
    with pytest.raises(wasmscope.WasmscopeError, match="told of an exception"):
        guest.call("calls")
    with pytest.raises(TypeError):
        guest.store.throw_instead(5)  # type: ignore[arg-type]
    foreign = Guest(text)
    with pytest.raises(wasmtime.Trap):
        foreign.call("trap")

    def calls_guest(store: wasmscope.Store, event: Any) -> None:
        if isinstance(event, CAUGHT):
            with pytest.raises(wasmscope.WasmscopeError, match="told of an exception"):
                guest.call("calls")  # its host function is in another activation than the throw
            with pytest.raises(ValueError, match="another store"):
                store.throw_instead(wasmscope.ExnRef(foreign.store, _exports(foreign)["t"]))

    Acting(guest, calls_guest)
    guest.call("run")
    assert isinstance(guest.events[-1][0], wasmscope.DebugEvent.HostcallError)


def test_an_event_inside_an_event() -> None:
    guest = Guest(CATCHES_ALL)
    results: list[int] = []

    def call_again(store: wasmscope.Store, event: Any) -> None:
        if len(guest.events) == 1:
            results.append(guest.call("nested", 70))
            with pytest.raises(wasmtime.Trap):
                guest.call("uncaught", 71)
            store.throw_instead(wasmscope.ExnRef(store, _exports(guest)["u"], [1, 2]))

    Acting(guest, call_again)
    assert guest.call("run", 5) == 3
    assert results == [70]
    assert told(guest) == [("caught", [5]), ("caught", [70]), ("uncaught", [71])]
    run = Shown(2, "throw", (5,), (5,))
    assert [frames for _, frames in guest.events] == [
        [run],
        [Shown(0, "throw", (70,), (70,)), run],
        [Shown(1, "throw", (71,), (71,)), run],
    ]


def test_frames_taken_at_a_throw_are_stale_when_the_guest_goes_on() -> None:
    guest = Guest(CATCHES_ALL)
    handles: list[wasmscope.FrameHandle] = []
    Acting(guest, lambda store, event: handles.extend(store.debug_exit_frames()))
    guest.call("run", 5)
    assert len(handles) == 1
    with pytest.raises(wasmscope.StaleFrame):
        handles[0].local(0)


def test_without_a_handler_nothing_is_told_and_the_guest_is_as_ever() -> None:
    guest = Guest(CATCHES_ALL)
    guest.store.clear_debug_handler()
    assert guest.call("run", 5) == 1005
    with pytest.raises(wasmtime.Trap):
        guest.call("uncaught", 5)
    pending = capi.take_exception(guest.store)
    assert pending is not None
    assert pending.field(0).value == 5
    assert guest.events == []


def test_a_handler_that_wants_no_caught_exceptions_sees_uncaught_ones_with_the_same_frames() -> None:
    guest = Guest(CATCHES_ALL)
    guest.store.set_debug_handler(guest, caught_exceptions=False)
    assert guest.call("run", 5) == 1005
    with pytest.raises(wasmtime.Trap):
        guest.call("uncaught", 5)
    ((event, frames),) = guest.events
    assert isinstance(event, UNCAUGHT)
    assert payload(event) == [5]
    assert frames == [Shown(1, "throw", (5,), (5,))]


# -- exceptions from elsewhere -----------------------------------------------------------------------------------------


def test_an_exception_of_a_host_function_is_told_at_the_call() -> None:
    text = """(module (import "host" "throw" (func $throw (param i32)))
      (tag $t (export "t") (param i32)) (tag $u (export "u") (param i32))
      (func (export "catches") (result i32)
        i64.const 4 (block $h (result i32) (try_table (catch $t $h) (call $throw (i32.const 6))) unreachable)
        (return))
      (func (export "passes") (call $throw (i32.const 7))))"""

    def throw(value: int) -> None:
        raise capi.EndHostCall(wasmscope.ExnRef(guest.store, _exports(guest)["t"], [value]))

    guest = Guest(text, host={"throw": throw})
    assert guest.call("catches") == 6
    with pytest.raises(wasmtime.Trap):
        guest.call("passes")
    assert told(guest) == [("caught", [6]), ("uncaught", [7])]
    assert [frames for _, frames in guest.events] == [[Shown(1, "call", (), (4, 6))], [Shown(2, "call", (), (7,))]]
    Acting(guest, _replaces(guest, "t", 60))
    assert guest.call("catches") == 60
    Acting(guest, _replaces(guest, "u", 61))
    with pytest.raises(wasmtime.Trap):
        guest.call("catches")
    with pytest.raises(wasmtime.Trap):
        _exports(guest)["passes"](guest.store)
    assert told(guest)[2:] == [("caught", [6]), ("caught", [6]), ("uncaught", [7])]


def test_an_exception_that_the_host_passes_on_is_told_in_both_activations() -> None:
    text = """(module (import "host" "pass" (func $pass)) (tag $t (param i32))
      (func (export "inner") (throw $t (i32.const 5)))
      (func (export "outer") (result i32)
        (block $h (result i32) (try_table (catch $t $h) (call $pass)) unreachable)))"""

    def pass_on() -> None:
        try:
            guest.call("inner")
        except wasmtime.Trap:
            exception = capi.take_exception(guest.store)
            assert exception is not None
            raise capi.EndHostCall(exception) from None

    guest = Guest(text, host={"pass": pass_on})
    assert guest.call("outer") == 5
    assert told(guest) == [("uncaught", [5]), ("caught", [5])]
    assert [len(frames) for _, frames in guest.events] == [2, 1]


def test_an_exception_of_a_module_that_is_not_rewritten_is_told_at_the_end() -> None:
    text = """(module (import "e" "throws" (func $throws))
      (func (export "run") (param i32) call $throws)
      (func (export "catches") (block $h (try_table (catch_all $h) call $throws))))"""
    guest = Guest("(module)")
    plain = wasmtime.Module(guest.engine, '(module (tag $t (param i32)) (func (export "f") (throw $t (i32.const 5))))')
    throws = wasmtime.Instance(guest.store, plain, []).exports(guest.store)["f"]
    instance = wasmscope.Instance(guest.store, wasmscope.Module(guest.engine, text), [throws])
    exported(guest.store, instance, "catches")(guest.store)
    with pytest.raises(wasmtime.Trap):
        exported(guest.store, instance, "run")(guest.store, 3)
    assert told(guest) == [("uncaught", [5])]
    assert guest.events[0][1] == [Shown(1, "call", (3,))]


@pytest.mark.parametrize("function", [wasmscope.Func, wasmtime.Func])
def test_a_trap_that_a_host_function_raises_is_no_exception_whatever_is_pending(function: Any) -> None:
    guest = Guest('(module (tag (param i32)) (func (export "throws") (throw 0 (i32.const 5))))')
    error = wasmtime.Trap("msg")

    def fail() -> None:
        with pytest.raises(wasmtime.Trap):
            guest.call("throws")
        assert capi.has_exception(guest.store)
        raise error

    imported = function(guest.store, wasmscope.FuncType([], []), fail)
    text = '(module (import "" "fail" (func $fail)) (func (export "run") call $fail))'
    instance = wasmscope.Instance(guest.store, wasmscope.Module(guest.engine, text), [imported])
    with pytest.raises(wasmtime.Trap) as raised:
        exported(guest.store, instance, "run")(guest.store)
    assert raised.value is error
    assert told(guest) == [("uncaught", [5]), ("HostcallError", [])]


@pytest.mark.parametrize("clause", ["catch $t", "catch $u"])
def test_a_throw_in_a_start_function(clause: str) -> None:
    text = f"""(module (tag $t (param i32)) (tag $u (param i32)) (memory 1) (data (i32.const 0) "\\05")
      (func $throws (param i32) (throw $t (i32.load (local.get 0))))
      (func $start (block $h (result i32) (try_table ({clause} $h) (call $throws (i32.const 0))) return) drop)
      (start $start))"""
    guest = Guest("(module)")
    module = wasmscope.Module(guest.engine, text)
    if clause == "catch $t":
        wasmscope.Instance(guest.store, module, [])
    else:
        config = wasmtime.Config()
        config.wasm_exceptions = True
        engine = wasmtime.Engine(config)
        with pytest.raises(wasmtime.WasmtimeError) as plain:
            wasmtime.Instance(wasmtime.Store(engine), wasmtime.Module(engine, text), [])
        with pytest.raises(wasmtime.WasmtimeError) as raised:
            wasmscope.Instance(guest.store, module, [])
        assert str(raised.value) == str(plain.value)
    assert told(guest) == [("caught" if clause == "catch $t" else "uncaught", [5])]
    assert guest.events[0][1] == [Shown(0, "throw", (0,), (5,)), Shown(1, "call", (), (0,))]


def test_a_throw_where_the_guest_is_interrupted_too() -> None:
    """At a loop's header and at its first instruction, which is the throw, both."""
    text = """(module (tag $t) (func (export "run") (local i32)
      (block $out (loop $l (try_table (catch_all $out) (loop (throw $t)))))))"""
    guest = Guest(text)
    guest.store.interrupt()
    guest.call("run")
    assert [_kind(event) for event, _ in guest.events] == ["Interrupted", "caught"]
    acting = Guest(text)
    Acting(acting, lambda store, event: isinstance(event, CAUGHT) and store.interrupt())
    acting.call("run")
    assert [_kind(event) for event, _ in acting.events] == ["caught"], "interrupted where it next looks, in no throw"


def test_fuel_is_not_looked_at_in_a_throw() -> None:
    text = '(module (tag $t) (func (export "run") (block $h (try_table (catch_all $h) (throw $t)))))'
    left = []
    for handler in (False, True):
        config = everything()
        config.consume_fuel = True
        guest = Guest(text, config=config, fuel=100)
        if not handler:
            guest.store.clear_debug_handler()
        guest.call("run")
        left.append(guest.store.get_fuel())
    assert left[0] == left[1] < 100


# -- making exceptions -------------------------------------------------------------------------------------------------


def test_an_exception_is_made_of_a_tag_and_values() -> None:
    guest = Guest('(module (tag (export "t") (param i32 f32 anyref)))')
    tag = _exports(guest)["t"]
    made = ExnRef(guest.store, tag, [5, Val.from_bits(Kind.F32, 0x7FA00001), I31Ref(3)])
    assert [value.bits for value in made.fields()[:2]] == [5, 0x7FA00001]
    assert made.field(2).value == I31Ref(3)
    assert made.tag.eq(guest.store, tag)
    assert made == made
    assert made != ExnRef(guest.store, tag, [5, 1.0, None])
    with pytest.raises(wasmtime.WasmtimeError, match="3 values"):
        ExnRef(guest.store, tag, [5])
    with pytest.raises(TypeError):
        ExnRef(guest.store, tag, ["5", 1.0, None])
    with pytest.raises(ValueError, match="another store"):
        ExnRef(Guest("(module)").store, tag, [5, 1.0, None])


# -- many --------------------------------------------------------------------------------------------------------------

LOOP = """(module (tag $t (param i32 externref))
  (func $throws (param i32 externref) (throw $t (local.get 0) (local.get 1)))
  (func (export "run") (param i32 externref) (result i32) (local i32)
    (loop $l
      (block $h (result i32 externref)
        (try_table (catch $t $h) (call $throws (local.get 0) (local.get 1))) i32.const 0 ref.null extern)
      drop (local.set 2 (i32.add (local.get 2)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    local.get 2))"""


class Counting:
    def __init__(self) -> None:
        self.count = 0

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        assert isinstance(event, CAUGHT)
        self.count += 1


def _resident() -> int:
    """KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def test_many_caught_exceptions_keep_memory_flat() -> None:
    guest, counting = Guest(LOOP), Counting()
    guest.store.set_debug_handler(counting)
    guest.call("run", 5_000, "kept")
    before = _resident()
    assert guest.call("run", 25_000, "kept") == 25_000 * 25_001 // 2
    assert counting.count == 30_000
    assert _resident() - before < 1024, "40 bytes an exception"
