"""The bits of a value, wherever they are: memory, a local, global or operand, a constant, or in pieces."""

from __future__ import annotations

from typing import assert_never

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import FrameValues, ImplicitPointer, InMemory, InWasm, Known, Located, Piece, Pieces
from wasmscope.source.target import MAX_READ

NOT_THERE = Unavailable("the pointer was optimised away; what it points to may be there")


def read_bits(values: FrameValues, where: Located, offset: int, count: int) -> int | Unavailable:
    """`count` bits of what is at `where`, from bit `offset` of it on, the least significant first."""
    if count > MAX_READ * 8:
        return Unavailable(f"it has {count // 8:,} bytes; at most {MAX_READ:,} are read at once")
    if count <= 0:
        return 0
    match where:
        case Unavailable():
            return where
        case ImplicitPointer():
            return NOT_THERE
        case Pieces(pieces):
            return _read_pieces(values, pieces, offset, count)
    first, last = offset // 8, -(-(offset + count) // 8)
    match where:
        case InMemory(address):
            data = values.read(address + first, last - first)
            if isinstance(data, Unavailable):
                return data
        case InWasm(space, index):
            number = values.number(space, index)
            if isinstance(number, Unavailable):
                return number
            if last > number.size:
                return Unavailable(f"{space} {index}, where it should be, has only {number.size} bytes")
            data = number.to_bytes()[first:last]
        case Known(value):
            if last > len(value):
                return Unavailable(f"only {len(value)} bytes of it are known")
            data = value[first:last]
        case _:
            assert_never(where)
    return int.from_bytes(data, "little") >> (offset - first * 8) & ((1 << count) - 1)


def read_bytes(values: FrameValues, where: Located, size: int, offset: int = 0) -> bytes | Unavailable:
    """`size` bytes of it, from bit `offset` on."""
    bits = read_bits(values, where, offset, size * 8)
    return bits if isinstance(bits, Unavailable) else bits.to_bytes(max(size, 0), "little")


def overlapping(pieces: tuple[Piece, ...], offset: int, count: int) -> list[tuple[Piece, int, int, int]] | Unavailable:
    """The pieces with `count` bits from `offset` on: of each the first bit in it, how many, and where they go."""
    found: list[tuple[Piece, int, int, int]] = []
    start = 0
    for piece in pieces:
        first, last = max(offset, start), min(offset + count, start + piece.size_bits)
        if first < last:
            found.append((piece, first - start + piece.offset_bits, last - first, first - offset))
        start += piece.size_bits
    if start < offset + count:
        return Unavailable(f"only {start // 8} bytes of it are said to be anywhere")
    return found


def _read_pieces(values: FrameValues, pieces: tuple[Piece, ...], offset: int, count: int) -> int | Unavailable:
    parts = overlapping(pieces, offset, count)
    if isinstance(parts, Unavailable):
        return parts
    bits = 0
    for piece, first, size, goes_to in parts:
        part = read_bits(values, piece.where, first, size)
        if isinstance(part, Unavailable):
            return part
        bits |= part << goes_to
    return bits
