from __future__ import annotations

import math
from typing import Any

import pytest
import wasmtime

from wasmscope.runtime.val import I31Ref, Kind, Val, adopt
from wasmscope.wasm import types


@pytest.mark.parametrize(
    ("val", "value", "bits"),
    [
        (Val.i32(-1), -1, 0xFFFF_FFFF),
        (Val.i32(0x1_8000_0000), -0x8000_0000, 0x8000_0000),
        (Val.i64(-2), -2, 0xFFFF_FFFF_FFFF_FFFE),
        (Val.f32(0.1), 0.10000000149011612, 0x3DCC_CCCD),
        (Val.f32(1e300), math.inf, 0x7F80_0000),
        (Val.f64(-0.0), 0.0, 0x8000_0000_0000_0000),
        (Val.v128(bytes(range(16))), bytes(range(16)), 0x0F0E0D0C0B0A09080706050403020100),
        (Val.externref("x"), "x", None),
        (Val.funcref(None), None, None),
        (Val.anyref(I31Ref(3)), I31Ref(3), None),
        (Val.exnref(None), None, None),
    ],
)
def test_value_and_bits(val: Val, value: Any, bits: int | None) -> None:
    assert val.value == value
    assert val.bits == bits


@pytest.mark.parametrize(
    ("kind", "bits"), [(Kind.F32, 0x7FA0_0001), (Kind.F32, 0xFFC0_0000), (Kind.F64, 0xFFF4_0000_0000_0001)]
)
def test_a_nan_keeps_its_payload(kind: Kind, bits: int) -> None:
    val = Val.from_bits(kind, bits)
    assert math.isnan(val.value)
    assert val.bits == bits
    assert val == Val.from_bits(kind, bits) != Val.from_bits(kind, bits ^ 1)
    assert repr(val) == f"Val.from_bits({kind}, {bits:#x})"


@pytest.mark.parametrize("bits", [0, 1, 0x7F, 2**127, 2**128 - 1])
def test_bits_of_every_width_come_back(bits: int) -> None:
    for kind, width in ((Kind.I32, 32), (Kind.I64, 64), (Kind.F32, 32), (Kind.F64, 64), (Kind.V128, 128)):
        assert Val.from_bits(kind, bits % (1 << width)).bits == bits % (1 << width)


def test_equality_is_of_kind_and_bits() -> None:
    assert Val.i32(1) != Val.i64(1)
    assert Val.f32(0.0) != Val.f32(-0.0)
    assert Val.i32(1) == 1
    assert Val.i32(1) == wasmtime.Val.i32(1)
    assert wasmtime.Val.f32(1.5) == Val.f32(1.5)
    assert Val.anyref(I31Ref(1)) != Val.anyref(I31Ref(2))


def test_types_are_those_of_wasmtime_where_it_has_one() -> None:
    assert Val.i32(1).type == wasmtime.ValType.i32()
    assert Val.externref(None).type == wasmtime.ValType.externref()
    assert Val.v128(bytes(16)).type is types.V128
    assert Val.anyref(None).type is types.ANYREF
    assert Val.exnref(None).type is types.EXNREF


@pytest.mark.parametrize(
    ("valtype", "kind"),
    [
        (types.F64, Kind.F64),
        (types.V128, Kind.V128),
        (types.ref_type("func", False), Kind.FUNCREF),
        (types.ref_type("noextern", True), Kind.EXTERNREF),
        (types.STRUCTREF, Kind.ANYREF),
        (types.NULLREF, Kind.ANYREF),
        (types.EXNREF, Kind.EXNREF),
    ],
)
def test_kind_of_a_type(valtype: types.ValType, kind: Kind) -> None:
    assert Kind.of(valtype) is kind


def test_the_kind_of_a_concrete_type_is_not_guessed() -> None:
    with pytest.raises(TypeError, match="known to its module only"):
        Kind.of(types.ref_type(3, True))


def test_null_references() -> None:
    assert Val.ref_null(wasmtime.ValType.funcref()) == Val.funcref(None)
    assert Val.ref_null(types.STRUCTREF) == Val.anyref(None)


def test_as_gives_the_value_of_that_type_only() -> None:
    assert Val.i32(7).as_i32() == 7
    assert Val.i32(7).as_i64() is None
    assert Val.v128(bytes(16)).as_v128() == bytes(16)
    assert Val.exnref(None).as_funcref() is None


@pytest.mark.parametrize(
    ("make", "value"), [(Val.i32, 1.0), (Val.i64, "1"), (Val.f32, 1), (Val.f64, None), (Val.v128, "x" * 16)]
)
def test_wrong_python_types_are_refused(make: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        make(value)


def test_a_reference_has_no_bits_to_be_made_of() -> None:
    with pytest.raises(TypeError, match="no bits"):
        Val.from_bits(Kind.ANYREF, 0)


def test_a_v128_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Val.v128(bytes(15))


def test_adopting_a_val_of_wasmtime() -> None:
    assert adopt(wasmtime.Val.f32(0.5)).bits == 0x3F00_0000
    # what wasmtime reads from a guest carries its kind as an int
    assert adopt(wasmtime.Val(5, None)) == Val.funcref(None)  # type: ignore[arg-type]
    ours = Val.i32(1)
    assert adopt(ours) is ours


def test_i31_wraps_to_31_bits() -> None:
    assert I31Ref(-1).value == -1
    assert I31Ref(-1).unsigned == 0x7FFF_FFFF
    assert I31Ref(0x4000_0000).value == -0x4000_0000
    assert len({I31Ref(5), I31Ref(5 + 2**31)}) == 1
