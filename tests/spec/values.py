"""The values of a converted script: arguments, and what a result is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wasmscope.runtime import capi
from wasmscope.runtime.val import ArrayRef, HostRef, I31Ref, Kind, StructRef, Val

_LANE_BITS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}
_EXPONENT = {32: 0x7F80_0000, 64: 0x7FF0_0000_0000_0000}
_QUIET = {32: 0x0040_0000, 64: 0x0008_0000_0000_0000}

#: reference types without a value: what any reference of the type is an instance of
_CLASSES: dict[str, tuple[type, ...]] = {
    "i31ref": (I31Ref,),
    "structref": (StructRef,),
    "arrayref": (ArrayRef,),
    "eqref": (I31Ref, StructRef, ArrayRef),
}

_NULL_TYPES = {
    Kind.ANYREF: "nullref",
    Kind.FUNCREF: "nullfuncref",
    Kind.EXTERNREF: "nullexternref",
    Kind.EXNREF: "nullexnref",
}


@dataclass(frozen=True, slots=True)
class Extern:
    """The host's object that a script calls `ref.extern n` or `ref.host n`."""

    number: int


def argument(store: Any, value: dict[str, Any]) -> Val:
    """Make the argument that a script describes."""
    kind, text = Kind[value["type"].upper()], value["value"]
    if kind is Kind.V128:
        width = _LANE_BITS[value["lane_type"]]
        lanes = (int(lane) & ((1 << width) - 1) for lane in text)
        return Val.from_bits(kind, sum(lane << (i * width) for i, lane in enumerate(lanes)))
    if kind < Kind.V128:
        width = _LANE_BITS[value["type"]]
        return Val.from_bits(kind, int(text) & ((1 << width) - 1))
    if text == "null":
        return Val(kind, None)
    extern = Extern(int(text))
    return Val.anyref(capi.new_host_ref(store, extern)) if kind is Kind.ANYREF else Val.externref(extern)


def matches(actual: Val, expected: dict[str, Any], exact_f32: bool) -> bool:
    """Compare a result with what a script expects; without `exact_f32`, an f32 NaN may have been made quiet."""
    kind: str = expected["type"]
    if kind == "either":
        return any(matches(actual, alternative, exact_f32) for alternative in expected["values"])
    if kind == "v128":
        width = _LANE_BITS[expected["lane_type"]]
        bits = actual.bits if actual.kind is Kind.V128 else None
        mask = (1 << width) - 1
        return bits is not None and all(
            _same_number(bits >> (i * width) & mask, lane, width) for i, lane in enumerate(expected["value"])
        )
    if kind in _LANE_BITS:
        if str(actual.kind) != kind or actual.bits is None:
            return False
        return _same_number(actual.bits, expected["value"], _LANE_BITS[kind], quieted=kind == "f32" and not exact_f32)
    return _same_reference(actual, kind, expected.get("value"))


def _same_number(bits: int, expected: str, width: int, quieted: bool = False) -> bool:
    if not expected.startswith("nan:"):
        wanted = int(expected) & ((1 << width) - 1)
        if quieted and wanted & ((1 << (width - 1)) - 1) > _EXPONENT[width]:
            wanted |= _QUIET[width]
        return bits == wanted
    unsigned = bits & ((1 << (width - 1)) - 1)
    canonical = _EXPONENT[width] | _QUIET[width]
    # An arithmetic NaN has the most significant bit of its payload set (Wasm spec, section 4.3.3).
    return unsigned == canonical if expected == "nan:canonical" else unsigned & canonical == canonical


def _same_reference(actual: Val, kind: str, text: str | None) -> bool:
    value = actual.value
    if actual.kind <= Kind.V128:
        return False
    if kind == "refnull" or kind.startswith("null"):
        return value is None and kind in ("refnull", _NULL_TYPES.get(actual.kind))
    if kind in _CLASSES:
        return isinstance(value, _CLASSES[kind])
    if str(actual.kind) != kind:
        return False
    if text is None:
        return value is not None
    if text == "null":
        return value is None
    return bool((value.value if isinstance(value, HostRef) else value) == Extern(int(text)))
