"""LEB128 numbers (DWARF 5, 7.6) at a position of bytes: as functions, because they are read by the million."""

from __future__ import annotations

from wasmscope.source.dwarf.malformed import MalformedDwarf

MAX_BYTES = 10
"""64 bits fit. Longer ones could make numbers of any size."""


def unsigned(data: bytes, position: int) -> tuple[int, int]:
    """The number and the position behind it. Raises `IndexError` beyond the end, `MalformedDwarf` if it is too long."""
    byte = data[position]
    position += 1
    if byte < 0x80:
        return byte, position
    value, shift = byte & 0x7F, 7
    for _ in range(MAX_BYTES - 1):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise MalformedDwarf("a number is too long")


def signed(data: bytes, position: int) -> tuple[int, int]:
    """As `unsigned`, of a signed one."""
    value, end = unsigned(data, position)
    bits = 7 * (end - position)
    return (value - (1 << bits) if value >> (bits - 1) else value), end
