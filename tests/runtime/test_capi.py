from __future__ import annotations

import ctypes
import gc
import resource
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Any

import pytest
import wasmtime
from wasmtime._value import SLAB

from wasmscope.runtime import capi
from wasmscope.runtime.capi import Failed, Raised, Returned, Trapped
from wasmscope.runtime.val import ArrayRef, ExnRef, HostRef, I31Ref, Kind, StructRef, Val
from wasmscope.wasm import types

ALL_TYPES = [
    types.V128, types.ANYREF, types.EXNREF, types.FUNCREF, types.EXTERNREF, types.F32, types.F64, types.I64, types.I32,
]  # fmt: skip

WAT = """
(module
  (type $s (struct (field i32) (field (mut f64)) (field i8) (field anyref)))
  (type $a (array (mut i16)))
  (type $all (func (param v128 anyref exnref funcref externref f32 f64 i64 i32)
                   (result v128 anyref exnref funcref externref f32 f64 i64 i32)))
  (import "host" "all" (func $all (type $all)))
  (import "host" "call" (func $call))
  (tag $t (export "tag") (param i32 f32 v128))
  (global (export "v128") (mut v128) (v128.const i32x4 1 2 3 4))
  (global (export "any") (mut anyref) (ref.i31 (i32.const -3)))
  (table (export "exns") 4 exnref)
  (table (export "funcs") 4 funcref)
  (memory (export "memory") 1)
  (data (i32.const 8) "hello")
  (func (export "all") (type $all)
    (call $all (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
               (local.get 5) (local.get 6) (local.get 7) (local.get 8)))
  (func (export "struct") (result (ref $s))
    (struct.new $s (i32.const 7) (f64.const 2.5) (i32.const 255) (ref.i31 (i32.const 9))))
  (func (export "array") (result (ref $a)) (array.new $a (i32.const 0xffff) (i32.const 5)))
  (func (export "internalize") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "externalize") (param anyref) (result externref) (extern.convert_any (local.get 0)))
  (func (export "same") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
  (func (export "throw") (throw $t (i32.const 5) (f32.const nan:0x200000) (v128.const i64x2 1 2)))
  (func (export "catch") (result exnref)
    (block (result exnref) (try_table (catch_all_ref 0) (call $call)) (ref.null exn)))
  (func (export "nan") (result f32) (f32.const nan:0x200000))
  (func (export "nan_bits") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func (export "trap") unreachable)
  (func (export "call") (call $call))
  (func (export "takes_struct") (param (ref $s))))
"""


@dataclass(slots=True)
class Guest:
    """An instance of the module above; `on_call` is what its import `call` does."""

    store: wasmtime.Store
    exports: Any
    received: list[tuple[Any, ...]]
    on_call: Callable[[], Any]

    def outcome(self, name: str, *args: Any) -> capi.Outcome:
        func = self.exports[name]
        return capi.call_func(self.store, func, capi.signature(func.type(self.store)), args)

    def call(self, name: str, *args: Any) -> Any:
        outcome = self.outcome(name, *args)
        assert isinstance(outcome, Returned)
        return outcome.values[0] if len(outcome.values) == 1 else outcome.values


@pytest.fixture(scope="module")
def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    for feature in ("gc", "function_references", "exceptions"):
        setattr(config, f"wasm_{feature}", True)
    return wasmtime.Engine(config)


@pytest.fixture(scope="module")
def module(engine: wasmtime.Engine) -> wasmtime.Module:
    return wasmtime.Module(engine, WAT)


def make_guest(engine: wasmtime.Engine, module: wasmtime.Module) -> Guest:
    guest = Guest(wasmtime.Store(engine), None, [], lambda: None)

    def receive(*args: Any) -> tuple[Any, ...]:
        guest.received.append(args)
        return args

    functypes = (capi.func_type(ALL_TYPES, ALL_TYPES), receive), (capi.func_type([], []), lambda: guest.on_call())
    imports = [wasmtime.Func._from_raw(capi.new_func(guest.store, ty, callback)) for ty, callback in functypes]
    instance = capi.instantiate(guest.store, module, imports)
    assert isinstance(instance, wasmtime.Instance)
    guest.exports = instance.exports(guest.store)
    return guest


@pytest.fixture
def guest(engine: wasmtime.Engine, module: wasmtime.Module) -> Iterator[Guest]:
    guest = make_guest(engine, module)
    yield guest
    guest.store.close()


def thrown_exception(guest: Guest) -> ExnRef:
    outcome = guest.outcome("throw")
    assert isinstance(outcome, Trapped)
    assert outcome.thrown
    exception = capi.take_exception(guest.store)
    assert exception is not None
    return exception


def test_every_type_goes_to_a_host_function_and_back(guest: Guest) -> None:
    struct, exception, func, host_object = (
        guest.call("struct").value,
        thrown_exception(guest),
        guest.exports["trap"],
        object(),
    )
    args = (bytes(range(16)), struct, exception, func, host_object, 1.5, -2.5, -5, 7)
    results = guest.call("all", *args)
    for values in (guest.received.pop(), tuple(result.value for result in results)):
        assert values[:3] == args[:3]
        assert Val.funcref(values[3]) == Val.funcref(func)
        assert values[4] is host_object
        assert values[5:] == args[5:]
    assert [result.kind for result in results] == [Kind.of(valtype) for valtype in ALL_TYPES]


def test_null_references_of_every_type(guest: Guest) -> None:
    results = guest.call("all", bytes(16), None, None, None, None, 0.0, 0.0, 0, 0)
    assert [result.value for result in results[1:5]] == [None] * 4
    assert guest.received == [(bytes(16), None, None, None, None, 0.0, 0.0, 0, 0)]


def test_a_signalling_nan_is_exact_in_both_directions(guest: Guest) -> None:
    assert guest.call("nan").bits == 0x7FA0_0000
    assert guest.call("nan_bits", Val.from_bits(Kind.F32, 0x7FA0_0001)) == Val.from_bits(Kind.I32, 0x7FA0_0001)


def test_structs_and_arrays(guest: Guest) -> None:
    struct, array = guest.call("struct").value, guest.call("array").value
    assert isinstance(struct, StructRef)
    assert isinstance(array, ArrayRef)
    assert struct.fields() == [Val.i32(7), Val.f64(2.5), Val.i32(255), Val.anyref(I31Ref(9))]
    assert struct.field(1) == Val.f64(2.5)
    assert list(array) == [Val.i32(0xFFFF)] * 5
    assert array[4] == 0xFFFF
    for read, index in ((struct.field, 4), (struct.field, -1), (array.__getitem__, 5)):
        with pytest.raises(IndexError):
            read(index)


def test_equality_of_references_is_the_guests(guest: Guest) -> None:
    one, other = guest.call("struct").value, guest.call("struct").value
    assert (guest.call("same", one, one), guest.call("same", one, other)) == (1, 0)
    capi.global_set(guest.store, guest.exports["any"], one)
    again = capi.global_get(guest.store, guest.exports["any"]).value
    assert again == one != other
    assert one != I31Ref(0)


def test_references_change_hierarchy_as_in_the_guest(guest: Guest) -> None:
    host_object, struct = object(), guest.call("struct").value
    internal = guest.call("internalize", host_object).value
    assert isinstance(internal, HostRef)
    assert internal.value is host_object
    assert guest.call("externalize", internal).value is host_object
    assert guest.call("externalize", struct).value == struct
    assert guest.call("internalize", struct).value == struct
    assert guest.call("externalize", I31Ref(-4)).value == I31Ref(-4)
    assert guest.call("externalize", capi.new_host_ref(guest.store, host_object)).value is host_object


def test_globals_and_tables_of_every_type(guest: Guest) -> None:
    store, exports, exception = guest.store, guest.exports, thrown_exception(guest)
    assert capi.global_get(store, exports["v128"]).value == b"\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"
    assert capi.global_get(store, exports["any"]) == Val.anyref(I31Ref(-3))
    capi.global_set(store, exports["v128"], bytes(16))
    assert capi.global_get(store, exports["v128"]) == Val.v128(bytes(16))
    capi.table_set(store, exports["exns"], 1, exception)
    assert capi.table_get(store, exports["exns"], 1) == Val.exnref(exception)
    assert capi.table_get(store, exports["exns"], 0) == Val.exnref(None)
    assert capi.table_get(store, exports["exns"], 4) is None
    capi.table_set(store, exports["funcs"], 0, exports["trap"])
    assert capi.table_get(store, exports["funcs"], 0) == Val.funcref(exports["trap"])
    assert capi.table_kind(store, exports["exns"]) is Kind.EXNREF
    with pytest.raises(wasmtime.WasmtimeError):
        capi.table_set(store, exports["exns"], 4, None)


def test_memory_data_is_the_memory(guest: Guest) -> None:
    address, size = capi.memory_data(guest.store, guest.exports["memory"])
    assert size == 65536
    assert ctypes.string_at(address + 8, 5) == b"hello"


def test_exceptions(guest: Guest) -> None:
    exception = thrown_exception(guest)
    assert exception.tag.eq(guest.store, guest.exports["tag"])
    assert exception.fields() == [
        Val.i32(5),
        Val.from_bits(Kind.F32, 0x7FA0_0000),
        Val.v128(b"\1" + bytes(7) + b"\2" + bytes(7)),
    ]
    assert not capi.has_exception(guest.store)
    made = capi.new_exception(guest.store, guest.exports["tag"], [1, 2.0, bytes(16)])
    assert made.field(1) == Val.f32(2.0)
    with pytest.raises(wasmtime.WasmtimeError, match="3 values"):
        capi.new_exception(guest.store, guest.exports["tag"], [1])


def test_a_trap_is_told_from_an_exception(guest: Guest) -> None:
    outcome = guest.outcome("trap")
    assert isinstance(outcome, Trapped)
    assert not outcome.thrown
    assert outcome.trap.trap_code is wasmtime.TrapCode.UNREACHABLE
    assert isinstance(guest.outcome("throw"), Trapped)
    outcome = guest.outcome("trap")
    assert isinstance(outcome, Trapped)
    assert not outcome.thrown, "the exception that is still pending is not this trap's"


def test_a_host_functions_exception_ends_the_call_as_the_same_object(guest: Guest) -> None:
    error = KeyboardInterrupt()

    def fail() -> None:
        raise error

    guest.on_call = fail
    outcome = guest.outcome("call")
    assert isinstance(outcome, Raised)
    assert outcome.exception is error
    assert isinstance(outcome.error, wasmtime.WasmtimeError)
    assert len(capi.error_frames(outcome.error)) == 1
    with pytest.raises(KeyboardInterrupt) as raised:
        capi.raise_failure(outcome)
    assert raised.value is error


def test_an_inner_calls_exception_stays_with_it(guest: Guest) -> None:
    inner: list[capi.Outcome] = []

    def fail() -> None:
        raise LookupError("inner")

    def call_again() -> None:
        guest.on_call = fail
        inner.append(guest.outcome("call"))
        inner.append(guest.outcome("trap"))

    guest.on_call = call_again
    assert guest.outcome("call") == Returned(())
    assert isinstance(inner[0], Raised)
    assert isinstance(inner[1], Trapped)


def test_calls_on_other_threads_do_not_mix(engine: wasmtime.Engine, module: wasmtime.Module) -> None:
    barrier = threading.Barrier(2)
    outcomes: dict[str, capi.Outcome] = {}

    def run(name: str) -> None:
        guest = make_guest(engine, module)

        def fail() -> None:
            barrier.wait(10)
            raise LookupError(name)

        guest.on_call = fail
        outcomes[name] = guest.outcome("call")
        barrier.wait(10)
        guest.store.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, outcome in outcomes.items():
        assert isinstance(outcome, Raised)
        assert outcome.exception.args == (name,)
    assert outcomes.keys() == {"one", "two"}


def test_exceptions_pass_between_our_functions_and_wasmtimes(guest: Guest) -> None:
    def fail() -> None:
        raise LookupError("seen")

    guest.on_call = fail
    with pytest.raises(LookupError, match="seen"):
        guest.exports["call"](guest.store)  # wasmtime's own way into the guest
    plain = wasmtime.Func(guest.store, wasmtime.FuncType([], []), fail)
    outcome = capi.call_func(guest.store, plain, capi.Signature((), ()), [])
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, LookupError)


def test_a_host_function_may_throw_into_the_guest_or_trap(guest: Guest) -> None:
    exception = thrown_exception(guest)

    def end_with(end: Any) -> Callable[[], None]:
        def run() -> None:
            raise capi.EndHostCall(end)

        return run

    guest.on_call = end_with(exception)
    assert guest.call("catch").value == exception
    outcome = guest.outcome("call")
    assert isinstance(outcome, Trapped)
    assert outcome.thrown
    assert capi.take_exception(guest.store) == exception
    guest.on_call = end_with(wasmtime.TrapCode.HEAP_MISALIGNED)
    outcome = guest.outcome("catch")
    assert isinstance(outcome, Trapped)
    assert outcome.trap.trap_code is wasmtime.TrapCode.HEAP_MISALIGNED


def test_an_exception_of_another_store_cannot_be_thrown(
    engine: wasmtime.Engine, module: wasmtime.Module, guest: Guest
) -> None:
    foreign = thrown_exception(make_guest(engine, module))

    def end() -> None:
        raise capi.EndHostCall(foreign)

    guest.on_call = end
    outcome = guest.outcome("call")
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, ValueError)


@pytest.mark.parametrize(
    ("result", "error"), [(3, wasmtime.WasmtimeError), (None, TypeError), ((1,), wasmtime.WasmtimeError)]
)
def test_wrong_results_of_a_host_function_fail_the_call(guest: Guest, result: Any, error: type[Exception]) -> None:
    functype = capi.func_type([], [] if result == 3 else [types.I32, types.V128])
    func = wasmtime.Func._from_raw(capi.new_func(guest.store, functype, lambda: result))
    outcome = capi.call_func(guest.store, func, capi.signature(functype), [])
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, error)


def test_a_caller_is_given_where_wanted_and_ends_with_the_call(guest: Guest) -> None:
    callers: list[wasmtime.Caller] = []
    functype = capi.func_type([types.V128], [])
    raw = capi.new_func(guest.store, functype, lambda caller, _: callers.append(caller), access_caller=True)
    outcome = capi.call_func(guest.store, wasmtime.Func._from_raw(raw), capi.signature(functype), [bytes(16)])
    assert outcome == Returned(())
    with pytest.raises(ValueError, match="no longer valid"):
        callers[0]._context()


def test_functions_of_a_linker(engine: wasmtime.Engine, module: wasmtime.Module, guest: Guest) -> None:
    linker, seen = wasmtime.Linker(engine), []
    capi.define_func(linker, "host", "all", capi.func_type(ALL_TYPES, ALL_TYPES), lambda *args: args)
    capi.define_func(linker, "host", "call", capi.func_type([], []), lambda: seen.append(1))
    for _ in range(2):
        store = wasmtime.Store(engine)
        instance = capi.linker_instantiate(linker, store, module)
        assert isinstance(instance, wasmtime.Instance)
        func = instance.exports(store)["call"]
        assert isinstance(func, wasmtime.Func)
        assert capi.call_func(store, func, capi.Signature((), ()), []) == Returned(())
    assert seen == [1, 1]
    assert isinstance(capi.linker_instantiate(wasmtime.Linker(engine), store, module), Failed)


@pytest.mark.parametrize(
    ("name", "args", "error"),
    [
        ("nan_bits", (1,), TypeError),
        ("nan_bits", (Val.f64(1.0),), TypeError),
        ("nan_bits", (), wasmtime.WasmtimeError),
        ("nan_bits", (1.0, 2.0), wasmtime.WasmtimeError),
        ("internalize", (), wasmtime.WasmtimeError),
        ("externalize", (object(),), TypeError),
    ],
)
def test_wrong_arguments_are_refused(guest: Guest, name: str, args: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        guest.outcome(name, *args)


def test_the_engine_checks_the_type_of_a_reference(guest: Guest) -> None:
    assert isinstance(guest.outcome("takes_struct", I31Ref(1)), Failed)
    assert isinstance(guest.outcome("takes_struct", None), Failed)


def test_references_of_another_store_are_refused(
    engine: wasmtime.Engine, module: wasmtime.Module, guest: Guest
) -> None:
    other = make_guest(engine, module)
    struct = other.call("struct").value
    with pytest.raises(ValueError, match="another store"):
        guest.outcome("externalize", struct)
    with pytest.raises(ValueError, match="another store"):
        guest.outcome("all", bytes(16), None, None, other.exports["trap"], None, 0.0, 0.0, 0, 0)


def test_a_reference_outlives_its_store_safely(engine: wasmtime.Engine, module: wasmtime.Module) -> None:
    guest = make_guest(engine, module)
    struct, exception = guest.call("struct").value, thrown_exception(guest)
    guest.store.close()
    reads: list[Callable[[], object]] = [
        exception.fields,
        struct.fields,
        partial(len, struct),
        partial(eq, struct, struct),
    ]
    for read in reads:
        with pytest.raises(ValueError, match="closed"):
            read()


def test_a_root_may_be_dropped_after_its_store(engine: wasmtime.Engine, module: wasmtime.Module) -> None:
    guest = make_guest(engine, module)
    references = [guest.call("struct"), guest.call("array"), thrown_exception(guest)]
    guest.store.close()
    references.clear()
    gc.collect()


def test_a_host_function_does_not_keep_its_store_alive(engine: wasmtime.Engine) -> None:
    store = wasmtime.Store(engine)
    capi.new_func(store, capi.func_type([], []), print)
    alive = weakref.ref(store)
    del store
    gc.collect()
    assert alive() is None


def test_host_objects_are_let_go(guest: Guest) -> None:
    before = len(SLAB.handles)
    for _ in range(100):
        guest.call("externalize", guest.call("internalize", object()).value)
    guest.store.gc()
    assert len(SLAB.handles) <= before + 1


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is in kilobytes on Linux only")
def test_calls_do_not_leak(guest: Guest) -> None:
    struct, exception, func = guest.call("struct").value, thrown_exception(guest), guest.exports["trap"]

    def run(times: int) -> int:
        for i in range(times):
            guest.call("all", bytes(16), struct, exception, func, i, 0.5, 0.5, i, i)
            guest.received.clear()
            struct.fields()
            guest.call("array").value[0]
            guest.outcome("trap")
            guest.outcome("throw")
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    settled = run(2000)
    assert run(4000) - settled < 400, "over 100 bytes a round"
