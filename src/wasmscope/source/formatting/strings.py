"""Strings of C: what a `char *` points to, and arrays of characters."""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting.text import quoted
from wasmscope.source.target import Machine
from wasmscope.source.types import BaseType, Encoding, Type, TypedefType, stripped
from wasmscope.source.values.scalars import is_character
from wasmscope.source.values.value import TypedValue

_CHUNK = 64
_WIDE = ("wchar_t", "char16_t", "char32_t")


def string_width(type_: Type | None, *, is_array: bool = False) -> int:
    """How many bytes a character of that type has; 0: it is no character of a text."""
    inner = stripped(type_)
    if not isinstance(inner, BaseType) or inner.size not in (1, 2, 4):
        return 0
    if inner.encoding is Encoding.UTF or inner.name in _WIDE or _is_called(type_, _WIDE):
        return inner.size
    # `signed char` and `unsigned char` are small numbers more often than characters.
    return inner.size if is_character(inner) and inner.size == 1 and inner.name == "char" else 0


def _is_called(type_: Type | None, names: tuple[str, ...]) -> bool:
    for _ in range(8):
        match type_:
            case TypedefType(name=name) if name in names:
                return True
            case None | BaseType():
                return False
            case _:
                target = getattr(type_, "target", None)
                type_ = target.get() if target is not None else None
    return False


def c_string(machine: Machine, address: int, width: int, longest: int) -> str | Unavailable:
    """The text up to the first code unit that is 0, at most `longest`; `Unavailable` if not even one can be read."""
    data = b""
    while len(data) < longest * width:
        wanted = min(_CHUNK, longest * width - len(data))
        chunk = machine.read(address + len(data), wanted)
        if isinstance(chunk, Unavailable):
            chunk = machine.read(address + len(data), width)  # the memory may end within the chunk
        if isinstance(chunk, Unavailable):
            return chunk if not data else f"{quoted(data, width)} <memory ends here>"
        end = _terminator(chunk, width)
        if end is not None:
            return quoted(data + chunk[:end], width)
        data += chunk
    return quoted(data, width, is_cut=True)


def character_array(value: TypedValue, total: int, width: int, longest: int) -> str | Unavailable:
    """The text of an array, without the zeros at its end."""
    shown = min(total, longest)
    data = value.read(shown * width)
    if isinstance(data, Unavailable):
        return data
    end = _terminator(data, width)
    if end is not None and not any(data[end:]):
        return quoted(data[:end], width)
    return quoted(data, width, is_cut=shown < total)


def _terminator(data: bytes, width: int) -> int | None:
    for position in range(0, len(data) - width + 1, width):
        if not any(data[position : position + width]):
            return position
    return None
