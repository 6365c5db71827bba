"""A function whose word names a mirror is run by it, however it is called, and by itself again when the word is 0."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, all_frames, instantiate, plain, store_with
from wasmscope import DebugEvent, WasmscopeError
from wasmscope.instrument.layout import NO_WORDS, WORDS
from wasmscope.instrument.plan import Appended
from wasmscope.runtime import capi
from wasmscope.runtime.function_words import FunctionWords
from wasmscope.wasm.decode.module import decode_module

CALLED = """(module
  (type $t (func (param i32) (result i32)))
  (import "" "look" (func $look))
  (table $table 2 funcref)
  (elem (i32.const 0) func $leaf $calls)
  (global $ran (export "ran") (mut i32) (i32.const 0))
  (func $leaf (export "leaf") (type $t) (i32.add (local.get 0) (i32.const 1)))
  (func $calls (export "calls") (type $t) (call $look) (i32.add (local.get 0) (i32.const 2)))
  (func (export "direct") (param i32) (result i32 i32) (call $leaf (local.get 0)) (call $calls (local.get 0)))
  (func (export "indirect") (param i32) (result i32 i32)
    (call_indirect (type $t) (local.get 0) (i32.const 0)) (call_indirect (type $t) (local.get 0) (i32.const 1)))
  (func (export "tail leaf") (param i32) (result i32) (return_call $leaf (local.get 0)))
  (func (export "tail calls") (param i32) (result i32) (return_call $calls (local.get 0)))
  (func (export "tail indirect") (param i32) (result i32)
    (return_call_indirect (type $t) (local.get 0) (i32.const 1)))
  (func $empty (export "empty")))"""

LEAF, CALLS, EMPTY = 0, 1, 7

TIMES_TEN = '(module (func (export "") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10))))'


def mirror(store: wasmscope.Store, wat: str, *imports: Any) -> wasmtime.Func:
    """The function that a module of text exports without a name; nothing of it is rewritten."""
    module = wasmtime.Module(store.engine, wat)
    function = wasmtime.Instance(store, module, imports).exports(store)[""]
    assert isinstance(function, wasmtime.Func)
    return function


class Redirection:
    """Has a defined function of one instance run by a mirror, until told otherwise."""

    def __init__(
        self, store: wasmscope.Store, instance: wasmscope.Instance, function: int, runs: str | wasmtime.Func
    ) -> None:
        self.shadow = store.shadow
        self.index = self.shadow.mirrors.add(mirror(store, runs) if isinstance(runs, str) else runs)
        self.word = self.shadow.word_address(instance.id, function)
        self.flag = instance.module.frame_table.plan.mark.flag(function)
        self.shadow.set_word(self.word, self.index)
        self.shadow.set_flag(self.flag, True)

    def end(self) -> None:
        self.shadow.set_flag(self.flag, False)
        self.shadow.set_word(self.word, 0)
        self.shadow.mirrors.remove(self.index)


class Guest:
    """An instance of `CALLED`, or of another module, in a store."""

    def __init__(self, store: wasmscope.Store, wat: str | wasmscope.Module = CALLED) -> None:
        self.store = store
        self.looks = 0
        self.instance = instantiate(wat, store, {"look": self._look})

    def call(self, name: str, *params: Any) -> Any:
        return self.instance.exports(self.store)[name](self.store, *params)

    def redirect(self, function: int, runs: str | wasmtime.Func) -> Redirection:
        return Redirection(self.store, self.instance, function, runs)

    def _look(self, _: wasmscope.Caller) -> None:
        self.looks += 1


@pytest.fixture(params=[False, True], ids=["", "counting fuel"])
def guest(request: pytest.FixtureRequest) -> Guest:
    store = store_with(consume_fuel=request.param)
    if request.param:
        store.set_fuel(10_000)
    return Guest(store)


def test_a_mirror_runs_in_place_of_a_leaf_however_it_is_called(guest: Guest) -> None:
    guest.redirect(LEAF, TIMES_TEN)
    assert guest.call("leaf", 5) == 50
    assert guest.call("direct", 5) == [50, 7]
    assert guest.call("indirect", 5) == [50, 7]
    assert guest.call("tail leaf", 5) == 50


def test_a_mirror_runs_in_place_of_a_function_that_calls_however_it_is_called(guest: Guest) -> None:
    guest.redirect(CALLS, TIMES_TEN)
    assert guest.call("calls", 5) == 50
    assert guest.call("direct", 5) == [6, 50]
    assert guest.call("indirect", 5) == [6, 50]
    assert guest.call("tail calls", 5) == 50
    assert guest.call("tail indirect", 5) == 50
    assert guest.looks == 0


def test_a_mirror_runs_in_place_of_a_function_without_instructions(guest: Guest) -> None:
    ran = guest.instance.exports(guest.store)["ran"]
    store = guest.store
    guest.redirect(
        EMPTY,
        mirror(
            store, '(module (import "" "" (global (mut i32))) (func (export "") (global.set 0 (i32.const 1))))', ran
        ),
    )
    guest.call("empty")
    assert ran.value(store) == 1


def test_without_its_word_a_function_runs_itself_again(guest: Guest) -> None:
    both = [guest.redirect(LEAF, TIMES_TEN), guest.redirect(CALLS, TIMES_TEN)]
    assert guest.call("direct", 5) == [50, 50]
    for redirection in both:
        redirection.end()
    assert guest.call("direct", 5) == [6, 7]
    assert guest.looks == 1


def test_the_mirror_has_the_place_of_the_function_on_the_stack_of_frames(guest: Guest) -> None:
    store = guest.store
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        seen.append([frame.function_index for frame in all_frames(caller)])

    host = wasmscope.Func(store, wasmscope.FuncType([], []), look, access_caller=True)
    calls = '(module (import "" "" (func)) (func (export "") (param i32) (result i32) (call 0) (i32.const 9)))'
    before = store.shadow.pointers
    guest.redirect(CALLS, mirror(store, calls, host))
    assert guest.call("direct", 5) == [6, 9]
    assert seen == [[3]]
    assert store.shadow.pointers == before


def test_only_the_instance_whose_word_it_is_runs_the_mirror() -> None:
    store = store_with()
    module = wasmscope.Module(store.engine, CALLED)
    guests = [Guest(store, module) for _ in range(3)]
    guests[1].redirect(LEAF, TIMES_TEN)
    guests[1].redirect(CALLS, TIMES_TEN)
    assert [guest.call("direct", 5) for guest in guests] == [[6, 7], [50, 50], [6, 7]]


def test_a_mirror_runs_where_another_instance_calls_the_function() -> None:
    guest = Guest(store_with())
    importer = """(module (import "" "leaf" (func $leaf (param i32) (result i32)))
      (func (export "call") (param i32) (result i32) (call $leaf (local.get 0))))"""
    caller = instantiate(importer, guest.store, {"leaf": guest.instance.exports(guest.store)["leaf"]})
    guest.redirect(LEAF, TIMES_TEN)
    assert caller.exports(guest.store)["call"](guest.store, 5) == 50


def test_arguments_and_results_of_every_type_get_through() -> None:
    wat = """(module
      (func $f (param i32 i64 f32 f64 v128 externref funcref) (result funcref externref v128 f64 f32 i64 i32)
        unreachable)
      (func (export "run") (param externref) (result i32 externref i64 f64 f32 i64 i32)
        (local $v v128) (local $e externref) (local $d f64) (local $s f32) (local $l i64) (local $i i32)
        (call $f (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (v128.const i64x2 5 6) (local.get 0)
                 (ref.null func))
        (local.set $i) (local.set $l) (local.set $s) (local.set $d) (local.set $v) (local.set $e)
        (ref.is_null) (local.get $e) (i64x2.extract_lane 1 (local.get $v))
        (local.get $d) (local.get $s) (local.get $l) (local.get $i)))"""
    guest = Guest(store_with(), wat)
    reverses = """(module
      (func (export "") (param i32 i64 f32 f64 v128 externref funcref)
                        (result funcref externref v128 f64 f32 i64 i32)
        (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"""
    guest.redirect(0, reverses)
    assert guest.call("run", "x") == [1, "x", 6, 4.0, 3.0, 2, 1]


RECURSIVE = """(module
  (func $sum (export "sum") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))"""

TWICE_SUM = """(module (import "" "" (func $sum (param i32) (result i32)))
  (func (export "") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.shl (local.get 0) (i32.const 1)) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))"""


def test_a_mirror_that_calls_its_function_is_called_again(guest: Guest) -> None:
    other = Guest(guest.store, RECURSIVE)
    sum_ = other.instance.exports(guest.store)["sum"]
    assert other.call("sum", 100) == 5050
    other.redirect(0, mirror(guest.store, TWICE_SUM, sum_))
    assert other.call("sum", 100) == 10100


def test_a_stack_that_overflows_between_functions_and_mirrors_is_told_as_that() -> None:
    guest = Guest(store_with(), RECURSIVE)
    sum_ = guest.instance.exports(guest.store)["sum"]
    told = Handler(lambda store, event: type(event))
    guest.store.set_debug_handler(told)
    for spare in range(64):  # so that the stack ends in the one, the other and between them
        params = " ".join(["i32"] + ["i64"] * spare)
        runs = f"""(module (import "" "" (func $sum (param i32) (result i32)))
          (func $deeper (param {params}) (result i32)
            (call $sum (i32.sub (local.get 0) (i32.const 1))))
          (func (export "") (param i32) (result i32)
            (call $deeper (local.get 0) {"(i64.const 1)" * spare})))"""
        redirection = guest.redirect(0, mirror(guest.store, runs, sum_))
        with pytest.raises(wasmtime.Trap) as raised:
            guest.call("sum", 1)
        redirection.end()
        assert raised.value.trap_code is wasmtime.TrapCode.STACK_OVERFLOW
        assert raised.value.frames
    assert told.seen == [DebugEvent.Trap] * 64


def test_a_flag_that_is_on_for_two_functions_stays_until_it_is_off_for_both() -> None:
    guest = Guest(store_with())
    redirection = guest.redirect(LEAF, TIMES_TEN)
    guest.store.shadow.set_flag(redirection.flag, True)
    guest.store.shadow.set_flag(redirection.flag, False)
    assert guest.call("leaf", 5) == 50


def test_mirrors_are_no_part_of_the_limits_of_the_guest() -> None:
    store = store_with()
    store.set_limits(table_elements=2, tables=2, instances=2)
    guest = Guest(store)
    with store.without_limits():
        function = mirror(store, TIMES_TEN)
        store.shadow.companions += 1
    indices = [store.shadow.mirrors.add(function) for _ in range(100)]
    assert len({0, *indices}) == 101
    Guest(store)
    with pytest.raises(wasmtime.WasmtimeError, match="instance count too high at 3"):
        Guest(store)
    guest.redirect(LEAF, function)
    assert guest.call("leaf", 5) == 50


# -- attention ---------------------------------------------------------------------------------------------------------


class Counting(wasmscope.Store):
    """Counts how often the guest calls the host for attention."""

    calls = 0

    def _attend(self) -> None:
        self.calls += 1
        super()._attend()


LOOPS = """(module
  (import "" "look" (func $look))
  (global $done (export "done") (mut i32) (i32.const 0))
  (func (export "leaf") (param i32)
    (loop $again
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $again (i32.and (local.get 0) (i32.eqz (global.get $done))))))
  (func (export "calls") (param i32)
    (loop $again
      (call $look)
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $again (local.get 0))))
  (func (export "forever") (loop $again (br_if $again (i32.eqz (global.get $done))))))"""


@pytest.fixture
def looping() -> Guest:
    return Guest(Counting(wasmscope.Engine()), LOOPS)


def test_a_loop_calls_the_host_while_its_function_has_a_word(looping: Guest) -> None:
    store, shadow = looping.store, looping.store.shadow
    assert isinstance(store, Counting)
    word = shadow.word_address(looping.instance.id, 1)
    flag = looping.instance.module.frame_table.plan.mark.flag(1)
    store.calls = 0

    def set_word(_: wasmscope.Caller) -> None:
        looping.looks += 1
        shadow.set_word(word, 1 if looping.looks in (3, 4) else 0)
        shadow.set_flag(flag, True)

    instance = instantiate(LOOPS, store, {"look": set_word})
    word = shadow.word_address(instance.id, 1)
    instance.exports(store)["calls"](store, 10)
    assert store.calls == 2


def test_a_flag_alone_calls_nobody(looping: Guest) -> None:
    store = looping.store
    assert isinstance(store, Counting)
    mark = looping.instance.module.frame_table.plan.mark
    looping.call("leaf", 1)
    store.calls = 0
    for function in range(2):
        store.shadow.set_flag(mark.flag(function), True)
    looping.call("leaf", 100)
    looping.call("calls", 100)
    assert store.calls == 0


def test_an_interruption_leaves_the_flags_as_they_were(looping: Guest) -> None:
    store, mark = looping.store, looping.instance.module.frame_table.plan.mark
    store.shadow.set_flag(mark.flag(1), True)
    told = Handler(lambda store, event: type(event))
    store.set_debug_handler(told)
    store.interrupt()
    looping.call("leaf", 100)
    looping.call("leaf", 100)
    assert told.seen == [DebugEvent.Interrupted]
    assert not store.shadow.attention
    assert sum(store.shadow.bits(0x1_0000 + number, 1) for number in range(0x1_0000)) == 1


def test_no_interruption_is_missed_while_flags_come_and_go(looping: Guest) -> None:
    store, mark = looping.store, looping.instance.module.frame_table.plan.mark
    done = looping.instance.exports(store)["done"]
    arrived, rounds = threading.Event(), 500

    class Switching:
        told = 0

        def handle(self, store: wasmscope.Store, _: DebugEvent) -> None:
            self.told += 1
            arrived.set()
            for _ in range(self.told % 50):
                store.shadow.set_flag(mark.flag(2), True)
                store.shadow.set_flag(mark.flag(2), False)
            if self.told == rounds:
                done.set_value(store, 1)

    handler = Switching()
    store.set_debug_handler(handler)
    missed: list[int] = []

    def interrupt() -> None:
        for number in range(rounds):
            arrived.clear()
            store.interrupt()
            if not arrived.wait(10):
                missed.append(number)
                store.interrupt()  # so that the test ends

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        looping.call("forever")
    finally:
        thread.join()
    assert not missed


def test_a_store_that_is_closed_may_be_woken() -> None:
    store = store_with()
    store.close()
    store.wake()
    assert store.shadow.attention


# -- words -------------------------------------------------------------------------------------------------------------


def test_instances_have_words_of_their_own() -> None:
    words = FunctionWords()
    assert (words.add(0, 3), words.add(1, 0), words.add(2, 2)) == (WORDS, WORDS + 12, WORDS + 12)
    assert (words.address(0, 2), words.address(2, 0)) == (WORDS + 8, WORDS + 12)


def test_words_of_an_instance_that_did_not_come_to_be_are_given_out_again() -> None:
    words = FunctionWords()
    words.add(0, 3)
    words.drop(0)
    assert words.add(0, 5) == WORDS


def test_instances_that_come_when_the_words_are_used_up_cannot_have_mirrors() -> None:
    words = FunctionWords()
    words.add(0, (NO_WORDS - WORDS) // 4)
    assert words.add(1, 1) == NO_WORDS
    with pytest.raises(WasmscopeError, match="too many functions"):
        words.address(1, 0)
    words.drop(1)
    assert words.address(0, 0) == WORDS


# -- instructions of the instance's own --------------------------------------------------------------------------------

OWN = """(module
  (type $bytes (array (mut i8))) (type $functions (array (mut funcref))) (type $f (func (result i32)))
  (memory (export "memory") 1) (memory $wide i64 1) (table $table (export "table") 4 funcref)
  (data $data "wasm") (elem $elem func $five $five)
  (elem declare func $five)
  (func $five (type $f) (i32.const 5))
  (func (export "all") (param i32 i32 i32)
    (memory.init $data (local.get 0) (local.get 1) (local.get 2))
    (memory.init $wide $data (i64.const 0) (local.get 1) (local.get 2))
    (table.init $table $elem (local.get 0) (local.get 1) (local.get 2))
    (drop (ref.func $five))
    (drop (array.new_data $bytes $data (local.get 0) (local.get 1)))
    (drop (array.new_elem $functions $elem (local.get 0) (local.get 1)))
    (array.init_data $bytes $data (ref.null $bytes) (local.get 0) (local.get 1) (local.get 2))
    (array.init_elem $functions $elem (ref.null $functions) (local.get 0) (local.get 1) (local.get 2))
    (data.drop $data) (elem.drop $elem)))"""


@pytest.fixture
def owner() -> Guest:
    return Guest(store_with(wasm_gc=True, wasm_function_references=True), OWN)


def own_function(owner: Guest, name: str, number: int = 0) -> wasmtime.Func:
    plan = owner.instance.module.frame_table.plan
    items = [item for item in plan.own_instructions if item.instruction.opcode.name == name]
    function = capi.export_named(owner.store, owner.instance, items[number].export)
    assert isinstance(function, wasmtime.Func)
    return wasmscope.Func._from_raw(function._func)


def test_segments_are_read_and_dropped_by_functions_of_the_instances_own(owner: Guest) -> None:
    store, exports = owner.store, owner.instance.exports(owner.store)
    own_function(owner, "memory.init")(store, 8, 1, 2)
    assert bytes(exports["memory"].read(store, 7, 12)) == b"\0as\0\0"
    own_function(owner, "memory.init", 1)(store, 8, 1, 2)
    own_function(owner, "table.init")(store, 2, 0, 1)
    assert [plain(capi.table_get(store, exports["table"], n)) is None for n in range(4)] == [True, True, False, True]
    own_function(owner, "data.drop")(store)
    own_function(owner, "elem.drop")(store)
    for name in ("memory.init", "table.init"):
        with pytest.raises(wasmtime.Trap):
            own_function(owner, name)(store, 0, 0, 1)


def test_functions_and_arrays_are_made_by_functions_of_the_instances_own(owner: Guest) -> None:
    store = owner.store
    assert own_function(owner, "ref.func")(store)(store) == 5
    made = own_function(owner, "array.new_data")(store, 1, 3)
    own_function(owner, "array.init_data")(store, made, 0, 0, 3)
    functions = own_function(owner, "array.new_elem")(store, 0, 2)
    own_function(owner, "array.init_elem")(store, functions, 0, 0, 2)


def test_what_was_appended_is_told_apart_from_what_the_module_defines(owner: Guest) -> None:
    instrumented = owner.instance.module.instrumented
    assert instrumented is not None
    table = instrumented.frame_table
    rewritten = decode_module(instrumented.bytecode)
    kinds = {export.name: table.appended(export.index) for export in rewritten.exports if export.kind == "func"}
    assert kinds.pop("all") is None
    assert [kind for name, kind in kinds.items() if " own " in f" {name.removeprefix('wasmscope:')} "] == [
        Appended.OWN_INSTRUCTION
    ] * len(table.plan.own_instructions)
    redirecting = [table.plan.redirect_function(type_index) for type_index in table.plan.redirected_types]
    assert [table.appended(index) for index in redirecting] == [Appended.REDIRECT] * 2
    assert max(redirecting) < len(rewritten.function_types_indices)
    with pytest.raises(LookupError):
        table.appended(len(rewritten.function_types_indices))
