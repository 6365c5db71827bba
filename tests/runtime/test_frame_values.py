"""Values of every type, in locals and on the operand stack of a frame."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, all_frames, host, instantiate, locals_of, plain, stack_of, store_with
from wasmscope import ArrayRef, ExnRef, I31Ref, StructRef, Val
from wasmscope.runtime import capi
from wasmscope.runtime.val import Kind

Values = list[Any]


def frame_of(wat: str, look: Any, *arguments: Any) -> Any:
    """What `look` makes of the innermost frame when the guest's `run` calls `look`."""
    store = store_with()
    seen: list[Any] = []
    instance = instantiate(wat, store, {"look": lambda caller: seen.append(look(all_frames(caller)[0]))})
    instance.exports(store)["run"](store, *arguments)
    return seen[0]


def vals(frame: wasmscope.FrameHandle) -> tuple[Values, Values]:
    """The locals and the operands, as `Val`."""
    return (
        [frame.local(index) for index in range(frame.num_locals())],
        [frame.stack(index) for index in range(frame.num_stacks())],
    )


NUMBERS = [
    Val.i32(-5),
    Val.i64(-(1 << 62)),
    Val.from_bits(Kind.F32, 0x7FA0_1234),
    Val.from_bits(Kind.F64, 0xFFF4_0000_DEAD_BEEF),
    Val.v128(bytes(range(100, 116))),
]


def test_numbers_in_locals_and_operands_keep_every_bit() -> None:
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param i32 i64 f32 f64 v128)
        local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 call $look drop drop drop drop drop))"""
    held, operands = frame_of(wat, vals, *NUMBERS)
    assert held == operands == NUMBERS
    assert [value.kind for value in held] == [value.kind for value in NUMBERS]


def test_computed_numbers_on_the_operand_stack() -> None:
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param i32 i64 f32 f64 v128)
        (i32.mul (local.get 0) (i32.const 3)) (i64.rotl (local.get 1) (i64.const 3))
        (f32.add (local.get 2) (f32.const 0.5)) (f64.div (local.get 3) (f64.const 4))
        (i8x16.add (local.get 4) (local.get 4)) call $look drop drop drop drop drop))"""
    operands = frame_of(wat, stack_of, -2, 1, 1.0, 3.0, bytes(16 * [9]))
    assert operands == [-6, 8, 1.5, 0.75, bytes(16 * [18])]


def test_externrefs_are_the_python_objects() -> None:
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param externref externref) (local externref)
        local.get 0 (ref.null extern) call $look drop drop))"""
    thing = object()
    assert frame_of(wat, locals_of, thing, None) == [thing, None, None]
    assert frame_of(wat, stack_of, thing, None) == [thing, None]


FUNCTIONS = """(module
  (import "" "look" (func $look)) (import "" "host" (func $host (param i32) (result i32)))
  (type $t (func (param i32) (result i32)))
  (elem declare func $twice $host)
  (func $twice (type $t) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "run") (param funcref) (local funcref (ref null $t) (ref $t) (ref null $t))
    (local.set 1 (ref.func $twice)) (local.set 2 (ref.func $host)) (local.set 3 (ref.func $twice))
    (ref.func $host) (ref.func $twice) (ref.null func) call $look drop drop drop))"""


def test_functions_in_frames_can_be_called() -> None:
    store = store_with()
    results: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        frame = all_frames(caller)[0]
        values = [*locals_of(frame), *stack_of(frame)]
        results.extend(None if function is None else function(caller, 21) for function in values)

    instance = instantiate(FUNCTIONS, store, {"look": look, "host": lambda _, value: value + 1})
    instance.exports(store)["run"](store, None)
    assert results == [None, 42, 22, 42, None, 22, 42, None]


def test_a_host_function_passed_to_a_guest_comes_back_from_its_frame() -> None:
    store = store_with()
    results: list[Any] = []
    instance = instantiate(
        """(module (import "" "look" (func $look)) (type $t (func (param i32) (result i32)))
          (func (export "run") (param (ref $t)) (local.get 0) (call $look) drop))""",
        store,
        {"look": lambda caller: results.extend(f(caller, 5) for f in (*values(caller),))},
    )

    def values(caller: wasmscope.Caller) -> Values:
        frame = all_frames(caller)[0]
        return [*locals_of(frame), *stack_of(frame)]

    exported = instance.exports(store)["run"]
    instance_type = instantiate(
        """(module (type $t (func (param i32) (result i32))) (import "" "f" (func $f (type $t)))
          (elem declare func $f) (func (export "f") (result (ref $t)) (ref.func $f)))""",
        store,
        {"f": lambda _, value: value * 10},
    )
    exported(store, instance_type.exports(store)["f"](store))
    assert results == [50, 50]


GC = """(module
  (import "" "look" (func $look))
  (type $point (struct (field i32) (field (mut f64)) (field i8) (field externref) (field (ref null $point))))
  (type $bytes (array (mut i8))) (type $wide (array v128))
  (func (export "run") (param externref) (local anyref eqref i31ref structref arrayref (ref null $point) (ref $bytes))
    (local.set 1 (struct.new $point
      (i32.const 7) (f64.const 1.5) (i32.const 0x1ff) (local.get 0)
      (struct.new $point (i32.const 8) (f64.const 2.5) (i32.const 3) (ref.null extern) (ref.null $point))))
    (local.set 2 (ref.i31 (i32.const -3)))
    (local.set 4 (struct.new_default $point))
    (local.set 5 (array.new $bytes (i32.const 0x180) (i32.const 3)))
    (local.set 7 (array.new_fixed $bytes 2 (i32.const 1) (i32.const 2)))
    (array.new_fixed $wide 1 (v128.const i64x2 1 2)) (any.convert_extern (local.get 0))
    (ref.i31 (i32.const 0x3fffffff))
    (call $look) drop drop drop))"""


def test_objects_of_the_guest_and_their_fields() -> None:
    thing = object()

    def look(frame: wasmscope.FrameHandle) -> Any:
        _, point, small, null, empty, array, no_point, pair = locals_of(frame)
        wide, foreign, largest = stack_of(frame)
        assert isinstance(point, StructRef)
        nested = point.field(4).value
        assert [plain(field) for field in point.fields()[:4]] == [7, 1.5, 0xFF, thing]
        assert [field.kind for field in point.fields()] == [Kind.I32, Kind.F64, Kind.I32, Kind.EXTERNREF, Kind.ANYREF]
        assert [plain(field) for field in nested.fields()] == [8, 2.5, 3, None, None]
        assert [plain(field) for field in empty.fields()] == [0, 0.0, 0, None, None]
        assert (small, null, no_point) == (I31Ref(-3), None, None)
        assert isinstance(array, ArrayRef)
        assert [plain(element) for element in array] == [0x80] * 3
        assert [plain(element) for element in pair] == [1, 2]
        assert wide[0] == Val.v128((1).to_bytes(8, "little") + (2).to_bytes(8, "little"))
        assert foreign.value is thing
        assert largest == I31Ref(0x3FFF_FFFF)
        return [(where, index) for where, index, _ in frame.gc_refs()]

    # Nulls are no references; the operand below the array is none either.
    assert frame_of(GC, look, thing) == [
        *(("local", index) for index in (0, 1, 2, 4, 5, 7)),
        *(("stack", index) for index in (0, 1, 2)),
    ]


def test_live_references_leave_out_functions_and_numbers() -> None:
    wat = """(module (import "" "look" (func $look)) (elem declare func $look)
      (func (export "run") (param externref) (local funcref i32)
        (local.set 1 (ref.func $look)) (i32.const 1) (local.get 0) (call $look) drop drop))"""

    def look(frame: wasmscope.FrameHandle) -> Any:
        return [(where, index, value.value) for where, index, value in frame.gc_refs()]

    assert frame_of(wat, look, "x") == [("local", 0, "x"), ("stack", 1, "x")]


def test_exceptions_with_their_tag_and_fields() -> None:
    wat = """(module (import "" "look" (func $look))
      (type $s (struct (field i32)))
      (tag $t (export "t") (param i32 externref v128 anyref))
      (func (export "run") (param externref) (local exnref)
        (block $b (result i32 externref v128 anyref exnref)
          (try_table (catch_ref $t $b)
            (throw $t (i32.const 5) (local.get 0) (v128.const i64x2 3 4) (struct.new $s (i32.const 6))))
          unreachable)
        (local.set 1) (local.get 1) (call $look) drop drop drop drop drop))"""
    store = store_with()
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        frame = all_frames(caller)[0]
        held, operands = locals_of(frame)[1], stack_of(frame)
        assert isinstance(held, ExnRef)
        assert held == operands[4]
        seen.append(held.tag.eq(store, instance.exports(store)["t"]))
        fields = [plain(field) for field in held.fields()]
        assert operands[:4] == fields
        seen.append([*fields[:3], fields[3].field(0).value])
        seen.append([(where, index) for where, index, _ in frame.gc_refs()])

    instance = instantiate(wat, store, {"look": look})
    instance.exports(store)["run"](store, "payload")
    wide = (3).to_bytes(8, "little") + (4).to_bytes(8, "little")
    references = [("local", 0), ("local", 1), ("stack", 1), ("stack", 3), ("stack", 4)]
    assert seen == [True, [5, "payload", wide, 6], references]


def test_values_of_every_type_at_a_trap() -> None:
    store = store_with()
    instance = instantiate(
        """(module (type $s (struct (field i64)))
          (func (export "run") (param i32 i64 f32 f64 v128 externref funcref) (local (ref null $s))
            (local.set 7 (struct.new $s (i64.const 77)))
            local.get 5 local.get 4 local.get 7 unreachable))""",
        store,
    )

    def look(store: wasmscope.Store, _: wasmscope.DebugEvent) -> None:
        frame = store.frames()[0]
        held, operands = vals(frame)
        assert held[:5] == NUMBERS
        assert [plain(held[5]), plain(held[6])(store)] == ["x", "called"]
        assert plain(held[7]).field(0).value == 77
        assert operands[1:2] == NUMBERS[4:]
        assert plain(operands[0]) == "x"
        assert plain(operands[2]) == plain(held[7])

    told = Handler(look)
    store.set_debug_handler(told)
    ty = wasmscope.FuncType([], [wasmscope.ValType.externref()])
    function = host(store, ty, lambda _: "called")
    with pytest.raises(wasmtime.Trap):
        instance.exports(store)["run"](store, *NUMBERS, "x", function)
    assert len(told.seen) == 1
    assert not capi.has_exception(store)


def test_a_local_without_default_is_unavailable_until_it_is_set() -> None:
    wat = """(module (import "" "look" (func $look)) (type $s (struct (field i32)))
      (func (export "run") (local (ref $s)) (call $look) (local.set 0 (struct.new $s (i32.const 1)))))"""

    def look(frame: wasmscope.FrameHandle) -> Any:
        return frame.local(0), frame.gc_refs()

    assert frame_of(wat, look) == (wasmscope.Unavailable("not set yet: its type has no default value"), [])
