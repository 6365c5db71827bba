"""What the host gives for a value of a certain type: taken if it is one, refused with the reason if not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.frame_values import kind_of
from wasmscope.runtime.val import AnyRef, ExnRef, Kind, Val, adopt
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_INTEGER_BITS = {Kind.I32: 32, Kind.I64: 64}
_MOST_SHOWN = 80


def typed_value(store: Store, instance: Instance, value_type: ValType, value: Any, place: str) -> Val:
    """`value` as one of `value_type`, a type of the module of `instance`; `place` is what is to hold it, for errors.

    A `Val` of the same kind, with all its bits; or an int (signed or unsigned), a float, 16 bytes, None, a function, a
    reference, and for an externref any object. Raises `TypeError` for a value of another type, `ValueError` for a
    number that does not fit and for what belongs to another store.
    """
    kind = kind_of(value_type, instance.module.original)
    if isinstance(value, wasmtime.Val):
        given = adopt(value)
        if given.kind is not kind:
            raise TypeError(f"{place} is of type {value_type}, not {given.kind}")
        if kind in (Kind.F32, Kind.F64) and given.bits is not None:
            return given
        value = given.value
    if not value_type.is_ref:
        return _number(kind, value, f"{place} is of type {value_type}")
    if not _is_reference(kind, value):
        raise TypeError(f"{place} is of type {value_type}: {_shown(value)} is no {kind}")
    if value is None and not value_type.nullable:
        raise TypeError(f"{place} is of type {value_type}: it cannot be null")
    try:
        reference = capi.as_val(store, kind, value)
    except ValueError as error:
        raise ValueError(f"{place} cannot be set: {error}") from None
    if not store.stops.reference_types.fits(instance, value_type, reference):
        raise TypeError(f"{place} is of type {value_type}: {_shown(value)} is of another")
    return reference


def _is_reference(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.FUNCREF:
            return value is None or isinstance(value, wasmtime.Func)
        case Kind.ANYREF:
            return value is None or isinstance(value, AnyRef)
        case Kind.EXNREF:
            return value is None or isinstance(value, ExnRef)
        case _:
            return True


def _number(kind: Kind, value: Any, what: str) -> Val:
    match kind, value:
        case Kind.I32 | Kind.I64, int():
            bits = _INTEGER_BITS[kind]
            if not -(1 << (bits - 1)) <= value < 1 << bits:
                raise ValueError(f"{what}: {_shown(value)} does not fit in {bits} bits")
            return Val.from_bits(kind, value & ((1 << bits) - 1))
        case Kind.F32, float():
            made = Val.f32(value)
            if math.isinf(made.value) and not math.isinf(value):
                raise ValueError(f"{what}: {value!r} is beyond the largest there is")
            return made
        case Kind.F64, float():
            return Val.f64(value)
        case Kind.V128, bytes():
            if len(value) != 16:
                raise ValueError(f"{what}: it has 16 bytes, not {len(value)}")
            return Val.v128(value)
        case _:
            raise TypeError(f"{what}: {_shown(value)} is none")


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"  # Python may refuse to write it in decimal
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
