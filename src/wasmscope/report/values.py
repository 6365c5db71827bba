"""WebAssembly values as a report shows them: exact, short, and never running away.

References are followed one level deep; what refers back to itself is cut.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import wasmtime

from wasmscope.report.model import Value
from wasmscope.runtime.frame_values import Unavailable
from wasmscope.runtime.val import AnyRef, ArrayRef, ExnRef, HostRef, I31Ref, Kind, StructRef, Val
from wasmscope.wasm.escape import escaped

DEEPEST = 2
"""How many references are followed, the value itself being the first."""

MOST_FIELDS = 16
LONGEST_REPR = 120

FunctionName = Callable[[wasmtime.Func], str]
"""Says which function a reference is to."""


class ValueFormatter:
    """Formats the values of one guest; `function_name` knows its functions."""

    def __init__(self, function_name: FunctionName) -> None:
        self._function_name = function_name

    def value(self, value: Val | Unavailable, type_name: str, field_names: Sequence[str] = ()) -> Value:
        """`value`, declared as `type_name`; `field_names` are those of the struct it may refer to."""
        if isinstance(value, Unavailable):
            return Value(type_name, escaped(value.reason), unavailable=True)
        bits = value.bits
        if bits is None:
            return Value(type_name, self._reference(value.value, (), field_names))
        width = {Kind.I32: 8, Kind.F32: 8, Kind.I64: 16, Kind.F64: 16}.get(value.kind, 32)
        return Value(type_name, format_number(value), f"0x{bits:0{width}x}")

    def _text(self, value: Val, seen: tuple[object, ...]) -> str:
        return self._reference(value.value, seen, ()) if value.bits is None else format_number(value)

    def _reference(self, value: object, seen: tuple[object, ...], field_names: Sequence[str]) -> str:
        match value:
            case None:
                return "null"
            case wasmtime.Func():
                return self._function_name(value)
            case I31Ref():
                return f"i31 {value.value}"
            case HostRef():
                return f"host object {host_repr(value.value)}"
            case AnyRef() | ExnRef() if any(value == other for other in seen):
                return "(seen above)"
            case StructRef():
                return self._fields("struct", value.fields, len(value), (*seen, value), field_names)
            case ArrayRef():
                elements = min(len(value), MOST_FIELDS)
                length = len(value)
                return self._fields(
                    f"array of {length}", lambda: [value[i] for i in range(elements)], length, (*seen, value), ()
                )
            case ExnRef():
                return self._fields("exception", value.fields, len(value), (*seen, value), ())
            case AnyRef():
                return "reference"
            case _:
                return host_repr(value)

    def _fields(
        self,
        what: str,
        fields: Callable[[], Sequence[Val]],
        count: int,
        seen: tuple[object, ...],
        names: Sequence[str],
    ) -> str:
        if count == 0:
            return f"{what} {{}}"
        if len(seen) >= DEEPEST:
            return f"{what} {{…}}"
        shown = [self._text(field, seen) for field in fields()[:MOST_FIELDS]]
        shown = [f"{names[i]}: {text}" if i < len(names) else text for i, text in enumerate(shown)]
        if count > len(shown):
            shown.append(f"… {count - len(shown)} more")
        return f"{what} {{{', '.join(shown)}}}"


def format_number(value: Val) -> str:
    """A number or a vector: integers in decimal and hexadecimal, vectors as four lanes, floats with a NaN's bits."""
    bits = value.bits
    assert bits is not None, "a reference has no bits"
    match value.kind:
        case Kind.V128:
            lanes = struct.unpack("<4I", value.value)
            return "i32x4 " + " ".join(f"0x{lane:08x}" for lane in lanes)
        case Kind.F32 | Kind.F64:
            return format_float_value(value.value, bits, 32 if value.kind is Kind.F32 else 64)
        case _:
            return f"{value.value} ({bits:#x})"


def format_float_value(value: float, bits: int, width: int) -> str:
    """The shortest decimal form that is this float again; of a NaN its bits."""
    if value != value:
        return f"nan ({bits:#0{width // 4 + 2}x})"
    if width == 64 or value in (float("inf"), float("-inf")):
        return repr(value)
    # repr would show the digits of the float64 that the value was widened to. Nine digits tell all float32 apart.
    encoded = struct.pack("<f", value)
    digits = next((n for n in range(6, 9) if _packs_to(f"{value:.{n}g}", encoded)), 9)
    return repr(float(f"{value:.{digits}g}"))


def _packs_to(text: str, encoded: bytes) -> bool:
    try:
        return struct.pack("<f", float(text)) == encoded
    except OverflowError:  # rounded up beyond the largest float32
        return False


def host_repr(value: object) -> str:
    """`repr` of an object of the host's, cut; a `repr` that raises is not our concern."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return escaped(text, LONGEST_REPR)
