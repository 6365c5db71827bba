"""What cannot be set: values of other types, and frames that cannot go on with others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from mutation.guest import PRELUDE, engine
from support.observing import Handler, all_frames, host, shape_of
from wasmscope import DebugEvent, ExnRef, FrameHandle, I31Ref, StaleFrame, Store, Val
from wasmscope.runtime.val import Kind

LOCALS = (
    *("i32", "i64", "f32", "f64", "v128", "externref", "(ref extern)", "funcref", "(ref null $number)"),
    *("anyref", "eqref", "i31ref", "(ref null $pair)", "(ref null $more)", "(ref $list)", "exnref", "nullref"),
    *("nullfuncref", "(ref i31)"),
)
WAT = f"""(module
  (import "" "look" (func $look))
  {PRELUDE}
  (func (export "pair") (result (ref $pair)) (struct.new $pair (i32.const 1)))
  (func (export "more") (result (ref $pair)) (struct.new $more (i32.const 1) (i32.const 2)))
  (func (export "list") (result (ref $list)) (array.new $list (i32.const 1) (i32.const 2)))
  (func (export "number") (result funcref) (ref.func $one))
  (func (export "other") (result funcref) (ref.func $other))
  (func (export "run") {" ".join(f"(local {each})" for each in LOCALS)} (i32.const 6) (call $look) (drop)))"""

Given = Callable[[Store, Any], Any]


def exported(name: str) -> Given:
    return lambda store, exports: exports[name](store)


FITS: list[tuple[str, Given]] = [
    ("i32", lambda *_: -(1 << 31)),
    ("i32", lambda *_: (1 << 32) - 1),
    ("i64", lambda *_: (1 << 64) - 1),
    ("f32", lambda *_: float("inf")),
    ("f32", lambda *_: float("nan")),
    ("f32", lambda *_: Val.from_bits(Kind.F32, 0x7F80_0001)),
    ("f64", lambda *_: wasmtime.Val.f64(2.5)),
    ("v128", lambda *_: b"0123456789abcdef"),
    ("externref", lambda *_: None),
    ("externref", lambda *_: [1]),
    ("externref", lambda *_: 3),
    ("funcref", lambda *_: None),
    ("funcref", exported("other")),
    ("(ref null $number)", exported("number")),
    ("anyref", exported("list")),
    ("eqref", lambda *_: I31Ref(4)),
    ("i31ref", lambda *_: None),
    ("(ref null $pair)", exported("more")),
    ("(ref null $more)", exported("more")),
    ("(ref $list)", exported("list")),
    ("nullref", lambda *_: None),
    ("nullfuncref", lambda *_: Val.funcref(None)),
    ("exnref", lambda store, exports: ExnRef(store, exports["numbered"], [1])),
]
REFUSED: list[tuple[str, Given, type[Exception], str]] = [
    ("i32", lambda *_: 1 << 32, ValueError, "local 0 is of type i32: 4294967296 does not fit in 32 bits"),
    ("i32", lambda *_: -(1 << 31) - 1, ValueError, "does not fit in 32 bits"),
    ("i32", lambda *_: 10**6000, ValueError, "an integer of 19932 bits does not fit"),
    ("i64", lambda *_: 1 << 64, ValueError, "does not fit in 64 bits"),
    ("i32", lambda *_: 1.0, TypeError, "local 0 is of type i32: 1.0 is none"),
    ("i32", lambda *_: Val.i64(1), TypeError, "local 0 is of type i32, not i64"),
    ("i32", lambda *_: None, TypeError, "None is none"),
    ("f32", lambda *_: 1e39, ValueError, "is beyond the largest there is"),
    ("f32", lambda *_: 1, TypeError, "1 is none"),
    ("f64", lambda *_: Val.f32(1.0), TypeError, "is of type f64, not f32"),
    ("v128", lambda *_: b"short", ValueError, "it has 16 bytes, not 5"),
    ("v128", lambda *_: 0, TypeError, "0 is none"),
    ("(ref extern)", lambda *_: None, TypeError, "it cannot be null"),
    ("(ref i31)", lambda *_: None, TypeError, "it cannot be null"),
    ("funcref", lambda *_: 5, TypeError, "5 is no funcref"),
    ("funcref", lambda *_: I31Ref(1), TypeError, "is no funcref"),
    ("(ref null $number)", exported("other"), TypeError, "is of another"),
    ("anyref", lambda *_: 5, TypeError, "5 is no anyref"),
    ("eqref", lambda *_: Val.externref(1), TypeError, "is of type eqref, not externref"),
    ("i31ref", exported("list"), TypeError, "is of another"),
    ("(ref null $pair)", exported("list"), TypeError, "is of another"),
    ("(ref null $more)", exported("pair"), TypeError, "is of another"),
    ("nullref", exported("pair"), TypeError, "is of another"),
    ("nullfuncref", exported("number"), TypeError, "is of another"),
    ("exnref", lambda *_: "text", TypeError, "'text' is no exnref"),
]


def look_once(look: Callable[[Store, Any], None], *, is_mirrored: bool) -> None:
    """Call `run`, which pauses once: `look` is given the exports."""
    store = Store(engine())
    empty = wasmscope.FuncType([], [])
    module = wasmscope.Module(engine(), WAT)
    looks: list[None] = []

    def paused(_: Any) -> None:
        look(store, instance.exports(store))
        looks.append(None)

    instance = wasmscope.Instance(store, module, [host(store, empty, paused)])
    if is_mirrored:
        store.tiers.force_mirror()
    instance.exports(store)["run"](store)
    assert looks == [None]


def innermost(store: Store) -> FrameHandle:
    return all_frames(store)[0]


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])
def test_values_that_fit_are_taken(is_mirrored: bool) -> None:
    def look(store: Store, exports: Any) -> None:
        for value_type, give in FITS:
            value, index = give(store, exports), LOCALS.index(value_type)
            frame = innermost(store)
            writer = frame.writer()
            assert writer is not None
            writer.set_local(index, value)
            found = frame.local(index)
            assert isinstance(found, Val)
            if isinstance(value, wasmtime.Val):
                assert found == value
            elif value is None or value_type == "externref":
                assert found.value == value
            elif isinstance(value, int):
                assert found.bits == value & ((1 << int(value_type[1:])) - 1)

    look_once(look, is_mirrored=is_mirrored)


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])
def test_values_of_other_types_are_refused_and_nothing_is_written(is_mirrored: bool) -> None:
    def look(store: Store, exports: Any) -> None:
        for value_type, give, error, message in REFUSED:
            value, index = give(store, exports), LOCALS.index(value_type)
            frame = innermost(store)
            before = [repr(frame.local(n)) for n in range(frame.num_locals())]
            writer = frame.writer()
            assert writer is not None
            with pytest.raises(error, match=message):
                writer.set_local(index, value)
            assert [repr(innermost(store).local(n)) for n in range(frame.num_locals())] == before

    look_once(look, is_mirrored=is_mirrored)


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])
def test_what_belongs_to_another_store_is_refused(is_mirrored: bool) -> None:
    elsewhere = Store(engine())
    empty = wasmscope.FuncType([], [])
    other = wasmscope.Instance(
        elsewhere, wasmscope.Module(engine(), WAT), [host(elsewhere, empty, lambda _: None)]
    ).exports(elsewhere)

    def look(store: Store, _: Any) -> None:
        writer = innermost(store).writer()
        assert writer is not None
        for value_type, name in (("funcref", "number"), ("anyref", "pair"), ("(ref null $pair)", "pair")):
            with pytest.raises(ValueError, match="belongs to another store"):
                writer.set_local(LOCALS.index(value_type), other[name](elsewhere))

    look_once(look, is_mirrored=is_mirrored)


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])
def test_a_local_that_was_not_set_yet_can_be(is_mirrored: bool) -> None:
    def look(store: Store, exports: Any) -> None:
        index = LOCALS.index("(ref $list)")
        frame = innermost(store)
        assert isinstance(frame.local(index), wasmscope.Unavailable)
        writer = frame.writer()
        assert writer is not None
        value = exports["list"](store)
        writer = innermost(store).writer()
        assert writer is not None
        writer.set_local(index, value)
        assert innermost(store).local(index) == Val.anyref(value)

    look_once(look, is_mirrored=is_mirrored)


def test_there_is_no_local_or_operand_out_of_range_to_set() -> None:
    def look(store: Store, _: Any) -> None:
        writer = innermost(store).writer()
        assert writer is not None
        for index in (-1, len(LOCALS)):
            with pytest.raises(IndexError):
                writer.set_local(index, 0)
        for index in (-1, 1):
            with pytest.raises(IndexError):
                writer.set_stack(index, 0)
        writer.set_stack(0, 5)

    look_once(look, is_mirrored=False)


def test_a_writer_is_stale_when_the_guest_has_gone_on() -> None:
    writers: list[Any] = []
    look_once(lambda store, _: writers.append(innermost(store).writer()), is_mirrored=False)
    with pytest.raises(StaleFrame):
        writers[0].set_local(0, 1)
    with pytest.raises(StaleFrame):
        writers[0].set_stack(0, 1)


def test_frames_whose_stack_overflowed_cannot_be_written() -> None:
    store = Store(engine())
    instance = wasmscope.Instance(
        store, wasmscope.Module(engine(), '(module (func $f (export "run") (param i32) (call $f (local.get 0))))'), []
    )
    told = Handler(lambda store, event: [frame.writer() is None for frame in all_frames(store)[:2]])
    store.set_debug_handler(told)
    with pytest.raises(wasmscope.Trap):
        instance.exports(store)["run"](store, 1)
    assert told.seen == [[True, False]]


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["fast", "mirror"])
def test_a_guest_entered_through_a_function_of_wasmtimes_can_be_written_where_it_runs_in_mirrors(
    is_mirrored: bool,
) -> None:
    store = Store(engine())
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param i32) (result i32) (call $look) (local.get 0)))"""
    refused: list[bool] = []

    def look(caller: wasmscope.Caller) -> None:
        writer = innermost(store).writer()
        refused.append(writer is None)
        if writer is not None:
            writer.set_local(0, 9)
        with pytest.raises(wasmscope.BreakpointError, match="entered through a function of wasmtime's own"):
            store.redirect(wasmscope.EarlyReturn([1]))

    module = wasmscope.Module(engine(), wat)
    instance = wasmscope.Instance(store, module, [host(store, wasmscope.FuncType([], []), look)])
    if is_mirrored:
        store.tiers.force_mirror()
    plain = wasmtime.Func._from_raw(instance.exports(store)["run"]._func)
    assert plain(store, 4) == (9 if is_mirrored else 4)
    assert refused == [not is_mirrored]


def test_a_guest_in_a_function_of_wasmtimes_cannot_be_written_or_redirected() -> None:
    store = Store(engine())
    seen: list[Any] = []

    def look() -> None:
        seen.append((innermost(store).writer(), shape_of(all_frames(store), [instance])))
        with pytest.raises(wasmscope.BreakpointError, match="a function that wasmtime itself made"):
            store.redirect(wasmscope.EarlyReturn([]))

    module = wasmscope.Module(engine(), '(module (import "" "look" (func $look)) (func (export "run") (call $look)))')
    instance = wasmscope.Instance(store, module, [wasmtime.Func(store, wasmtime.FuncType([], []), look)])
    instance.exports(store)["run"](store)
    assert seen == [(None, [(0, 0, 1)])]


def test_nothing_can_be_redirected_where_no_guest_runs() -> None:
    store = Store(engine())
    with pytest.raises(wasmscope.NotPaused):
        store.redirect(wasmscope.EarlyReturn([]))
    with pytest.raises(TypeError, match="expected EarlyReturn"):
        store.redirect(5)  # type: ignore[arg-type]


def test_a_trapped_guest_shows_what_was_set_in_it() -> None:
    store = Store(engine())
    wat = """(module (func $inner (param i32) (i32.const 3) (unreachable))
      (func (export "run") (param i32) (call $inner (local.get 0))))"""
    instance = wasmscope.Instance(store, wasmscope.Module(engine(), wat), [])

    def look(store: Store, event: DebugEvent) -> Any:
        for frame in all_frames(store):
            writer = frame.writer()
            assert writer is not None
            writer.set_local(0, 8)
            writer.set_stack(0, 9)
        return [(frame.local(0).value, frame.stack(0).value) for frame in all_frames(store)]  # type: ignore[union-attr]

    told = Handler(look)
    store.set_debug_handler(told)
    with pytest.raises(wasmscope.Trap):
        instance.exports(store)["run"](store, 1)
    assert told.seen == [[(8, 9), (8, 9)]]
