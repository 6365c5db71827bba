"""Values of every type, in locals and operands, to the bit; references by what they refer to; what cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

import wasmscope
from frames.by_hand import Guest, Shown, at_calls, exported
from frames.observe import handles_of
from wasmscope import Unavailable
from wasmscope.runtime.val import I31Ref, Kind, StructRef, Val

_OBSERVE = '(import "host" "observe" (func $observe))'


@pytest.mark.parametrize(
    ("type", "literal", "bits"),
    [
        ("f32", "nan:0x200001", 0x7FA00001),
        ("f32", "-nan:0x7fffff", 0xFFFFFFFF),
        ("f32", "-0", 0x80000000),
        ("f64", "nan:0x4000000000001", 0x7FF4000000000001),
        ("f64", "-nan", 0xFFF8000000000000),
        ("f64", "-0", 0x8000000000000000),
        ("i32", "-1", 0xFFFFFFFF),
        ("i64", "0x8000000000000000", 0x8000000000000000),
    ],
)
@pytest.mark.parametrize("source", ["constant", "global", "memory", "result"])
def test_bits_of_numbers(type: str, literal: str, bits: int, source: str) -> None:
    size = int(type[1:]) // 8
    value = {
        "constant": f"({type}.const {literal})",
        "global": "(global.get $g)",
        "memory": f"({type}.load (i32.const 8))",
        "result": "(call $f)",
    }[source]
    data = "".join(f"\\{byte:02x}" for byte in bits.to_bytes(size, "little"))
    text = f"""(module {_OBSERVE} (memory 1) (data (i32.const 8) "{data}")
      (global $g (mut {type}) ({type}.const {literal})) (func $f (result {type}) ({type}.const {literal}))
      (func (export "main") (local {type} {type})
        (local.set 0 {value}) {value} local.get 0 (local.set 1 (local.get 0)) (local.set 0 ({type}.const 0))
        call $observe drop drop))"""
    seen: list[list[Val]] = []
    guest = Guest(text, host={"observe": lambda: seen.append(_values(guest.store))})
    guest.call("main")
    zero, *rest = seen[0]
    assert zero.bits == 0
    assert [value.bits for value in rest] == [bits] * 3


def _values(store: wasmscope.Store) -> list[Any]:
    """Locals and operands of the innermost frame."""
    frame = handles_of(store)[0]
    return [frame.local(i) for i in range(frame.num_locals())] + [frame.stack(i) for i in range(frame.num_stacks())]


def test_vectors() -> None:
    text = f"""(module {_OBSERVE} (memory 1) (data (i32.const 0) "0123456789abcdef")
      (func (export "main") (local v128 v128)
        (local.set 0 (v128.load (i32.const 0))) (v128.const i64x2 1 2) (i8x16.splat (i32.const 7)) i32.const 3
        call $observe drop drop drop))"""
    one_and_two = (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert at_calls(text) == [[Shown(1, "call", (b"0123456789abcdef", bytes(16)), (one_and_two, bytes([7]) * 16, 3))]]


def test_host_objects_are_themselves() -> None:
    text = f"""(module {_OBSERVE}
      (func (export "main") (param externref externref) (local externref anyref)
        local.get 0 (local.set 2 (local.get 1)) (local.set 3 (any.convert_extern (local.get 0)))
        (local.set 0 (ref.null extern)) (extern.convert_any (local.get 3)) call $observe drop drop))"""
    one, two = object(), ["two"]
    ((frame,),) = at_calls(text, one, two)
    nothing, second, copy, inside = frame.locals
    assert nothing is None
    assert (second is two, copy is two, inside.value is one) == (True, True, True)
    assert [operand is one for operand in frame.stack] == [True, True]


def test_function_references() -> None:
    text = f"""(module {_OBSERVE} (type $t (func (result i32)))
      (func $f (export "f") (type $t) i32.const 8)
      (func (export "main") (local funcref (ref null $t))
        ref.func $f (local.set 1 (ref.func $f)) ref.null func call $observe drop drop))"""
    seen: list[list[Val]] = []
    guest = Guest(text, host={"observe": lambda: seen.append(_values(guest.store))})
    guest.call("main")
    null, typed, operand, second = seen[0]
    function = Val.funcref(exported(guest.store, guest.instance, "f"))
    assert null.value is None
    assert second.value is None
    assert typed == function
    assert operand == function


def test_references_to_the_guests_own_objects() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field (mut i32)) (field i8))) (type $a (array i64))
      (func (export "main") (local anyref eqref i31ref (ref null $s))
        (local.set 0 (array.new_fixed $a 2 (i64.const 4) (i64.const -5)))
        (local.set 1 (struct.new $s (i32.const 1) (i32.const 255)))
        (local.set 2 (ref.i31 (i32.const -3)))
        (local.set 3 (struct.new_default $s))
        local.get 3 local.get 2 (struct.set $s 0 (local.get 3) (i32.const 6)) call $observe drop drop))"""
    seen: list[list[Any]] = []

    def look() -> None:
        array, struct, small, default, *operands = (value.value for value in _values(guest.store))
        seen.append([value.value for value in array] + [field.value for field in struct.fields()])
        seen.append([small, default.field(0).value, operands[0] == default, operands[1]])

    guest = Guest(text, host={"observe": look})
    guest.call("main")
    assert seen == [[4, -5, 1, 255], [I31Ref(-3), 6, True, I31Ref(-3)]]


def test_references_shown_belong_to_no_older_frame() -> None:
    """The slots of references are used again by the next call at that depth."""
    text = f"""(module {_OBSERVE}
      (func $f (param externref) (local externref)
        (local.set 1 (local.get 0)) (local.set 0 (ref.null extern)) call $observe)
      (func $g (param i32) (local externref externref) call $observe)
      (func (export "main") (param externref) (call $f (local.get 0)) (call $g (i32.const 1))))"""
    first, second = at_calls(text, "object")
    assert first[0] == Shown(1, "call", (None, "object"))
    assert second[0] == Shown(2, "call", (1, None, None))


def test_exceptions_as_values() -> None:
    text = f"""(module {_OBSERVE} (tag $t (export "t") (param i32 f64))
      (func (export "main") (local exnref exnref)
        (block $h (result i32 f64 exnref)
          (try_table (catch_ref $t $h) (throw $t (i32.const 3) (f64.const 0.5))) unreachable)
        local.tee 0 call $observe drop drop drop))"""
    seen: list[list[Any]] = []

    def look() -> None:
        local, null, *numbers, operand = (value.value for value in _values(guest.store))
        seen.append([null, *numbers, operand == local, [field.value for field in local.fields()]])

    guest = Guest(text, host={"observe": look})
    guest.call("main")
    assert seen == [[None, 3, 0.5, True, [3, 0.5]]]


def test_a_local_without_default_is_unavailable_until_it_is_set() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field i32)))
      (func (export "main") (local (ref $s) i32)
        call $observe
        (if (i32.eqz (local.get 1)) (then (local.set 0 (struct.new $s (i32.const 4))) call $observe))
        (local.set 1 (i32.const 1)) call $observe))"""
    seen: list[Any] = []
    guest = Guest(text, host={"observe": lambda: seen.append(_values(guest.store)[0])})
    guest.call("main")
    guest.call("main")
    before, inside, after = seen[:3]
    assert isinstance(before, Unavailable)
    assert [each.value.field(0).value for each in (inside, after)] == [4, 4]
    assert isinstance(seen[3], Unavailable), "the second call begins anew"


def test_a_copy_of_a_local_without_default() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field i32)))
      (func (export "main") (local (ref $s) (ref null $s))
        (local.set 0 (struct.new $s (i32.const 1))) (local.set 1 (local.get 0)) local.get 0
        (local.set 0 (struct.new $s (i32.const 2))) call $observe drop))"""
    seen: list[int] = []
    guest = Guest(text, host={"observe": lambda: seen.extend(_field(value) for value in _values(guest.store))})
    guest.call("main")
    assert seen == [2, 1, 1]


def _field(value: Val) -> int:
    assert isinstance(value.value, StructRef)
    field: int = value.value.field(0).value
    return field


def test_branches_on_references_keep_what_lies_below() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field i32)))
      (func (export "main") (param externref)
        (block $l (result i32 (ref null $s))
          i32.const 3 (struct.new $s (i32.const 1)) (br_on_null $l (local.get 0)) call $observe drop)
        (block $c (result anyref (ref i31))
          (br_on_cast $c anyref (ref i31) (struct.new $s (i32.const 2)) (ref.i31 (i32.const 5))) unreachable)
        call $observe drop drop drop drop))"""
    seen: list[list[Any]] = []

    def look() -> None:
        values = [value.value for value in _values(guest.store)]
        seen.append([value.field(0).value if isinstance(value, StructRef) else value for value in values])

    guest = Guest(text, host={"observe": look})
    guest.call("main", "object")
    assert seen == [["object", 3, 1, "object"], ["object", 3, 1, 2, I31Ref(5)]]


def test_a_loop_that_sets_a_local_without_default() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field i32)))
      (func (export "main") (param i32) (local (ref $s))
        (loop $l
          call $observe (local.set 1 (struct.new $s (local.get 0))) call $observe
          (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    seen: list[Any] = []

    def look() -> None:
        value = _values(guest.store)[1]
        seen.append(None if isinstance(value, Unavailable) else _field(value))

    guest = Guest(text, host={"observe": look})
    guest.call("main", 2)
    assert seen == [None, 2, 2, 1]


def test_types_are_the_declared_ones() -> None:
    text = f"""(module {_OBSERVE} (type $s (struct (field i32)))
      (func (export "main") (param f32) (local (ref null $s) i31ref v128)
        i64.const 1 (ref.null $s) (ref.i31 (i32.const 1)) call $observe drop drop drop))"""
    seen: list[list[Any]] = []

    def look() -> None:
        frame = handles_of(guest.store)[0]
        seen.append([str(frame.local_type(i)) for i in range(frame.num_locals())])
        seen.append([str(frame.stack_type(i)) for i in range(frame.num_stacks())])
        seen.append([frame.local(0).kind, frame.stack(0).kind, frame.stack(2).kind])  # type: ignore[union-attr]

    guest = Guest(text, host={"observe": look})
    guest.call("main", 1.0)
    assert seen[:2] == [["f32", "(ref null 0)", "i31ref", "v128"], ["i64", "(ref null 0)", "(ref i31)"]]
    assert seen[2] == [Kind.F32, Kind.I64, Kind.ANYREF]
