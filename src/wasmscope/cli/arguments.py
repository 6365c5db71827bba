"""The arguments of `--invoke`, read by the types of the function's parameters, and its results.

Numbers are written as in the text format (Wasm spec 6.3): `-5`, `0xff`, `1_000`, `1.5e3`, `0x1.8p1`, `inf`, `nan`,
`nan:0x123`. A v128 is an integer of 128 bits. The only reference that can be written is `null`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from wasmscope.cli.failure import Failure
from wasmscope.report.values import format_float_value, host_repr
from wasmscope.runtime.val import Kind, Val
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.types import ValType

_INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+(_[0-9a-f]+)*|\d+(_\d+)*)", re.IGNORECASE)
_NAN = re.compile(r"([+-]?)nan(?::0x([0-9a-f]+))?", re.IGNORECASE)
_WIDTHS = {"i32": 32, "i64": 64, "v128": 128}
_MOST_DIGITS = 1000
"""Python refuses to read numbers that are much longer."""
_FRACTION_BITS = {Kind.F32: 23, Kind.F64: 52}
_EXPONENT_BITS = {Kind.F32: 8, Kind.F64: 11}


def parse_arguments(words: Sequence[str], types: Sequence[ValType], function: str) -> list[Val | None]:
    """The values for a call of `function`; None is the null reference. Raises `Failure`."""
    if len(words) != len(types):
        wanted = " ".join(map(str, types)) or "no arguments"
        raise Failure(f"{escaped(function)} takes {wanted}; the number of arguments given is {len(words)}")
    return [_parse(word, value_type) for word, value_type in zip(words, types, strict=True)]


def _parse(word: str, value_type: ValType) -> Val | None:
    try:
        if value_type.is_ref:
            _check_null(word, value_type)
            return None
        if value_type.name in _WIDTHS:
            return Val.from_bits(Kind.of(value_type), _integer(word, _WIDTHS[value_type.name]))
        return _float(word, Kind.of(value_type))
    except (ValueError, OverflowError) as error:
        raise Failure(f"argument {escaped(word)!r} is no {value_type}: {error}") from None


def _check_null(word: str, value_type: ValType) -> None:
    if word != "null":
        raise ValueError("the only reference that can be given here is `null`")
    if not value_type.nullable:
        raise ValueError("its type has no null, and no other reference can be given here")


def _integer(word: str, width: int) -> int:
    """The bits: signed and unsigned numbers are both taken."""
    if _INTEGER.fullmatch(word) is None:
        raise ValueError("expected an integer, such as -5 or 0xff")
    sign = -1 if word.startswith("-") else 1
    digits = word.lstrip("+-")
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it does not fit {width} bits")
    number = sign * int(digits, 16 if digits[:2].lower() == "0x" else 10)
    if not -(1 << (width - 1)) <= number < 1 << width:
        raise ValueError(f"it does not fit {width} bits")
    return number & ((1 << width) - 1)


def _float(word: str, kind: Kind) -> Val:
    nan = _NAN.fullmatch(word)
    if nan is not None:
        return _nan(nan, kind)
    try:
        number = float.fromhex(word) if "0x" in word.lower() else float(word)
    except ValueError:
        raise ValueError("expected a number, such as -1.5, 0x1.8p1, inf, nan or nan:0x123") from None
    value = Val.f32(number) if kind is Kind.F32 else Val.f64(number)
    if math.isinf(value.value) and "inf" not in word.lower():
        raise ValueError("it is too large")
    return value


def _nan(nan: re.Match[str], kind: Kind) -> Val:
    fraction_bits, exponent_bits = _FRACTION_BITS[kind], _EXPONENT_BITS[kind]
    payload = int(nan[2], 16) if nan[2] else 1 << (fraction_bits - 1)
    if not 0 < payload < 1 << fraction_bits:
        raise ValueError(f"the payload of a NaN has {fraction_bits} bits and is not 0")
    sign = int(nan[1] == "-")
    return Val.from_bits(kind, (sign << exponent_bits | (1 << exponent_bits) - 1) << fraction_bits | payload)


def format_result(value: object, value_type: ValType) -> str:
    """A result as text, one that `parse_arguments` would read where it is a number."""
    match value:
        case None:
            return "null"
        case float():
            width = 32 if value_type.name == "f32" else 64
            return "nan" if value != value else format_float_value(value, 0, width)
        case int():
            return str(value)
        case bytes():
            return f"0x{int.from_bytes(value, 'little'):032x}"
        case _:
            return host_repr(value)
