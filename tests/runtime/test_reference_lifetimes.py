"""What a frame refers to lives as long as the frame, and no longer."""

from __future__ import annotations

import gc
import resource
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, all_frames, instantiate, locals_of, stack_of, store_with
from wasmscope.runtime import reference_tables

WAT = """(module
  (import "" "look" (func $look))
  (import "" "make" (func $make (result externref)))
  (type $box (struct (field $n i32)))
  (tag $tag (param externref))
  (func $uses (param externref) (if (ref.is_null (local.get 0)) (then unreachable)))
  (func $deep (param externref i32)
    (if (local.get 1) (then (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1)))) (else (call $look)))
    (call $uses (local.get 0)))
  (func (export "one") (param externref) (call $uses (local.get 0)) (call $look))
  (func (export "deep") (param externref i32) (call $deep (local.get 0) (local.get 1)))
  (func (export "deep then look") (param externref i32)
    (call $deep (local.get 0) (local.get 1)) (local.set 0 (ref.null extern)) (call $look))
  (func (export "dead") (local externref)
    (call $make) (local.set 0 (call $make)) (call $look) drop)
  (func (export "dead boxes") (local (ref null $box))
    (local.set 0 (struct.new $box (i32.const 11)))
    (struct.new $box (i32.const 22)) (call $look) drop)
  (func (export "traps") (param externref) (call $uses (local.get 0)) unreachable)
  (func (export "throws") (param externref) (call $uses (local.get 0)) (throw $tag (ref.null extern)))
  (func (export "catches") (param externref i32)
    (block $b (result externref)
      (try_table (catch $tag $b) (call $deep (local.get 0) (local.get 1)) (throw $tag (local.get 0))) (return))
    drop (local.set 0 (ref.null extern)) (call $look))
  (func (export "loop") (param externref i32)
    (loop $l (call $uses (local.get 0))
      (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))))"""


class Thing:
    """An object that can be watched."""


class Guest:
    """An instance of `WAT`, and what is done when it calls the host."""

    def __init__(self, store: wasmscope.Store | None = None, wat: str = WAT) -> None:
        self.store = store or store_with()
        self.look: Callable[[wasmscope.Caller], Any] = lambda _: None
        self.made: list[weakref.ref[Thing]] = []
        self.instance = instantiate(wat, self.store, {"look": lambda caller: self._look(caller), "make": self._make})

    def _look(self, caller: wasmscope.Caller) -> None:
        self.look(caller)

    def _make(self, _: wasmscope.Caller) -> Thing:
        thing = Thing()
        self.made.append(weakref.ref(thing))
        return thing

    def call(self, name: str, *arguments: Any) -> Any:
        """Call an export."""
        return self.instance.exports(self.store)[name](self.store, *arguments)

    def collect(self) -> None:
        """Have both collectors run."""
        gc.collect()
        self.store.gc()
        gc.collect()

    def collect_as_the_engine_does(self) -> None:
        """Have the engine's collector run by itself, which nobody tells that frames are gone."""
        gc.collect()
        wasmtime.Store.gc(self.store)
        gc.collect()

    def call_with_thing(self, name: str, *arguments: Any) -> weakref.ref[Thing]:
        """Call an export with an object that nobody else has."""
        thing = Thing()
        watched = weakref.ref(thing)
        self.call(name, thing, *arguments)
        return watched


@pytest.mark.parametrize(("name", "arguments"), [("one", ()), ("deep", (500,)), ("loop", (10,)), ("catches", (50,))])
def test_an_argument_is_let_go_of_when_the_call_is_over(name: str, arguments: tuple[int, ...]) -> None:
    guest = Guest()
    watched = guest.call_with_thing(name, *arguments)
    guest.collect_as_the_engine_does()
    assert watched() is None


@pytest.mark.parametrize("name", ["traps", "throws"])
def test_an_argument_is_let_go_of_when_the_call_ended_badly(name: str) -> None:
    guest = Guest()
    thing = Thing()
    watched = weakref.ref(thing)
    with pytest.raises(wasmtime.Trap):
        guest.call(name, thing)
    del thing
    guest.collect_as_the_engine_does()
    assert watched() is None


def test_frames_that_are_gone_keep_nothing_alive_while_others_live() -> None:
    guest = Guest()
    alive: list[bool] = []
    thing = Thing()
    watched = weakref.ref(thing)

    def look(_: wasmscope.Caller) -> None:
        nonlocal thing
        thing = Thing()
        guest.collect()
        alive.append(watched() is not None)

    guest.look = look
    # The arguments are kept by the call itself, so the guest is entered with another object.
    box: list[Any] = [thing]
    guest.call("deep then look", box.pop(), 300)
    del box
    assert alive[0], "300 frames have it in a local"
    guest.collect()
    assert watched() is None


def test_after_a_call_inside_the_guest_is_over_its_references_can_be_collected() -> None:
    store = store_with()
    alive: list[bool] = []
    watched: list[weakref.ref[Thing]] = []

    def make(_: wasmscope.Caller) -> Thing:
        thing = Thing()
        watched.append(weakref.ref(thing))
        return thing

    def look(_: wasmscope.Caller) -> None:
        gc.collect()
        store.gc()
        gc.collect()
        alive.append(watched[0]() is not None)

    instance = instantiate(
        """(module (import "" "look" (func $look)) (import "" "make" (func $make (result externref)))
          (func $uses (param externref) (if (ref.is_null (local.get 0)) (then unreachable)))
          (func $deep (param externref i32)
            (if (local.get 1)
              (then (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
              (else (call $look)))
            (call $uses (local.get 0)))
          (func $inner (call $deep (call $make) (i32.const 200)))
          (func (export "run") (call $inner) (call $look)))""",
        store,
        {"look": look, "make": make},
    )
    instance.exports(store)["run"](store)
    assert alive == [True, False]


def test_dead_references_in_a_frame_survive_a_collection() -> None:
    guest = Guest()
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        guest.collect()
        frame = all_frames(caller)[0]
        seen.append([stack_of(frame)[0], locals_of(frame)[0]] == [made() for made in guest.made])
        assert None not in [made() for made in guest.made]
        assert [(kind, index) for kind, index, _ in frame.gc_refs()] == [("local", 0), ("stack", 0)]

    guest.look = look
    guest.call("dead")
    assert seen == [True]
    guest.collect()
    assert [made() for made in guest.made] == [None, None]


def test_dead_objects_of_the_guest_keep_their_fields_across_a_collection() -> None:
    guest = Guest()
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        guest.collect()
        frame = all_frames(caller)[0]
        seen.append([reference.value.field(0).value for _, _, reference in frame.gc_refs()])

    guest.look = look
    guest.call("dead boxes")
    assert seen == [[11, 22]]


def test_a_nested_call_keeps_what_the_outer_frames_have() -> None:
    guest = Guest()
    inner, outer = Thing(), Thing()
    seen: list[Any] = []

    def look(_: wasmscope.Caller) -> None:
        guest.look = look_inside
        guest.call("deep", inner, 40)
        guest.collect()
        seen.append([locals_of(frame)[0] for frame in guest.store.frames()])

    def look_inside(_: wasmscope.Caller) -> None:
        guest.collect()
        seen.append({id(locals_of(frame)[0]) for frame in guest.store.frames()})

    guest.look = look
    guest.call("deep", outer, 3)
    assert seen == [{id(inner), id(outer)}, [outer] * 5]


def test_the_handler_of_a_trap_may_collect() -> None:
    guest = Guest()
    thing = Thing()

    def look(_: wasmscope.Store, __: wasmscope.DebugEvent) -> Any:
        guest.collect()
        guest.call("loop", Thing(), 3)
        guest.collect()
        return locals_of(guest.store.frames()[0])

    told = Handler(look)
    guest.store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap):
        guest.call("traps", thing)
    assert told.seen == [[thing]]


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def test_a_million_calls_with_references_keep_memory_flat() -> None:
    guest = Guest()
    thing = Thing()
    guest.call("loop", thing, 10_000)
    before = resident()
    guest.call("loop", thing, 1_000_000)
    assert resident() - before < 1 << 20


def test_many_calls_of_the_host_with_references_keep_memory_flat_and_let_go_of_them() -> None:
    guest = Guest()
    loop = guest.instance.exports(guest.store)["loop"]
    watched: list[weakref.ref[Thing]] = []

    def run(times: int) -> None:
        for number in range(times):
            thing = Thing()
            if number % 1000 == 0:
                watched.append(weakref.ref(thing))
            loop(guest.store, thing, 1)
            if number % 1000 == 0:
                guest.store.gc()

    run(5_000)
    guest.collect()
    before = resident()
    run(20_000)
    guest.collect()
    assert resident() - before < 4 << 20
    assert {reference() for reference in watched} == {None}


def test_kinds_of_references_do_not_share_their_room() -> None:
    """Deep in frames of one kind of references a frame of another kind needs a longer table."""
    store = store_with()
    seen: list[Any] = []
    instance = instantiate(
        """(module (import "" "look" (func $look))
          (func $deep (param externref i32)
            (if (local.get 1)
              (then (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
              (else (call $other (ref.func $deep))))
            (if (ref.is_null (local.get 0)) (then unreachable)))
          (elem declare func $deep)
          (func $other (param funcref) (call $look) (if (ref.is_null (local.get 0)) (then unreachable)))
          (func (export "run") (param externref i32) (call $deep (local.get 0) (local.get 1))))""",
        store,
        {"look": lambda caller: seen.append([type(locals_of(frame)[0]) for frame in all_frames(caller)][:2])},
    )
    instance.exports(store)["run"](store, "x", 5000)
    assert seen == [[wasmscope.Func, str]]


TABLES = """(module
  (import "" "look" (func $look))
  (table $t 1 funcref)
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
  (func $uses (param externref) (if (ref.is_null (local.get 0)) (then unreachable)))
  (func $deep (param externref i32)
    (if (local.get 1) (then (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1)))) (else (call $look)))
    (call $uses (local.get 0)))
  (func (export "deep") (param externref i32) (call $deep (local.get 0) (local.get 1))))"""


def test_a_limit_on_tables_is_the_guests_and_not_the_frames() -> None:
    store = store_with()
    store.set_limits(table_elements=10)
    guest = Guest(store, TABLES)
    assert guest.call("grow", 9) == 1
    assert guest.call("grow", 1) == -1
    guest.look = lambda caller: locals_of(all_frames(caller)[-1])
    guest.call("deep", "x", 10_000)


def test_tables_that_cannot_grow_are_told_as_an_overflow_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_tables, "RESERVED", 2000)
    store = store_with()
    store.set_limits(table_elements=10)
    guest = Guest(store, TABLES)

    def look(store: wasmscope.Store, _: wasmscope.DebugEvent) -> Any:
        frames = store.frames()
        return frames[0].function_index, locals_of(frames[0]), locals_of(frames[1])[0]

    told = Handler(look)
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        guest.call("deep", "x", 10_000)
    assert raised.value.trap_code is wasmtime.TrapCode.STACK_OVERFLOW
    full = wasmscope.Unavailable("the stack of frames is full, so the state could not be published")
    assert told.seen == [(3, [full, full], "x")]
    guest.call("deep", "x", 1000)


def test_references_are_let_go_of_after_a_call_by_wasmtimes_own_function() -> None:
    guest = Guest()
    table = wasmtime.Table(guest.store, wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(1, None)), None)
    table.set(guest.store, 0, guest.instance.exports(guest.store)["one"])
    function = table.get(guest.store, 0)
    assert type(function) is wasmtime.Func
    thing = Thing()
    watched = weakref.ref(thing)
    function(guest.store, thing)
    del thing
    guest.collect_as_the_engine_does()
    assert watched() is None
