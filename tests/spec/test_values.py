"""The comparison of results, where a slack one would let every test of the suite pass."""

from __future__ import annotations

from typing import Any

import pytest

from spec.values import Extern, argument, matches
from wasmscope.runtime.val import I31Ref, Kind, Val


@pytest.mark.parametrize(
    ("kind", "bits", "expected", "same"),
    [
        (Kind.F32, 0x7FC0_0000, "nan:canonical", True),
        (Kind.F32, 0xFFC0_0000, "nan:canonical", True),
        (Kind.F32, 0x7FC0_0001, "nan:canonical", False),
        (Kind.F32, 0x7FC0_0001, "nan:arithmetic", True),
        (Kind.F32, 0x7FA0_0000, "nan:arithmetic", False),
        (Kind.F32, 0x7F80_0000, "nan:arithmetic", False),
        (Kind.F32, 0x7FA0_0000, str(0x7FA0_0000), True),
        (Kind.F32, 0x7FE0_0000, str(0x7FA0_0000), False),
        (Kind.F32, 0x8000_0000, "0", False),
        (Kind.F64, 0xFFF8_0000_0000_0000, "nan:canonical", True),
        (Kind.F64, 0x7FF4_0000_0000_0000, "nan:arithmetic", False),
        (Kind.I32, 0xFFFF_FFFF, "-1", True),
        (Kind.I64, 0xFFFF_FFFF, "-1", False),
    ],
)
def test_numbers_by_their_bits(kind: Kind, bits: int, expected: str, same: bool) -> None:
    assert matches(Val.from_bits(kind, bits), {"type": str(kind), "value": expected}, exact_f32=True) is same


def test_a_payload_lost_to_a_python_float_is_forgiven_only_where_asked() -> None:
    quiet, signalling = Val.from_bits(Kind.F32, 0x7FE0_0000), {"type": "f32", "value": str(0x7FA0_0000)}
    assert matches(quiet, signalling, exact_f32=False)
    assert not matches(quiet, signalling, exact_f32=True)
    assert not matches(Val.f32(1.0), {"type": "f32", "value": "0"}, exact_f32=False)


def test_vectors_by_lane() -> None:
    expected = {"type": "v128", "lane_type": "f32", "value": ["nan:canonical", "0", "1065353216", "2"]}
    lanes = [0x7FC0_0000, 0, 0x3F80_0000, 2]
    value = Val.from_bits(Kind.V128, sum(lane << (32 * i) for i, lane in enumerate(lanes)))
    assert matches(value, expected, exact_f32=True)
    assert not matches(Val.v128(bytes(16)), expected, exact_f32=True)
    assert matches(value, {"type": "either", "values": [{**expected, "value": ["0"] * 4}, expected]}, exact_f32=True)


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        (Val.anyref(None), {"type": "nullref"}, True),
        (Val.funcref(None), {"type": "nullref"}, False),
        (Val.funcref(None), {"type": "refnull"}, True),
        (Val.i32(0), {"type": "refnull"}, False),
        (Val.anyref(I31Ref(1)), {"type": "refnull"}, False),
        (Val.anyref(I31Ref(1)), {"type": "i31ref"}, True),
        (Val.anyref(I31Ref(1)), {"type": "eqref"}, True),
        (Val.anyref(I31Ref(1)), {"type": "structref"}, False),
        (Val.externref(Extern(1)), {"type": "externref", "value": "1"}, True),
        (Val.externref(Extern(1)), {"type": "externref", "value": "2"}, False),
        (Val.externref(Extern(1)), {"type": "externref"}, True),
        (Val.externref(None), {"type": "externref"}, False),
        (Val.externref(None), {"type": "funcref", "value": "null"}, False),
    ],
)
def test_references(value: Val, expected: dict[str, Any], same: bool) -> None:
    assert matches(value, expected, exact_f32=True) is same


def test_arguments_are_exact() -> None:
    assert argument(None, {"type": "f32", "value": str(0x7FA0_0000)}).bits == 0x7FA0_0000
    assert argument(None, {"type": "i64", "value": "-2"}).value == -2
    lanes = {"type": "v128", "lane_type": "i16", "value": ["-1", "0", "0", "0", "0", "0", "0", "1"]}
    assert argument(None, lanes).value == b"\xff\xff" + bytes(12) + b"\x01\x00"
