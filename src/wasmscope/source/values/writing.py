"""Writes the bits of a value where they are."""

from __future__ import annotations

from typing import assert_never

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import ImplicitPointer, InMemory, InWasm, Known, Located, Pieces, WasmNumber
from wasmscope.source.target import MAX_READ, Machine
from wasmscope.source.values.reading import NOT_THERE, overlapping

_CONSTANT = Unavailable("it is not stored anywhere: it is a constant, or was worked out")


def write_bits(machine: Machine, where: Located, offset: int, count: int, bits: int) -> Unavailable | None:
    """Write `count` bits from bit `offset` of `where` on; all others stay. The answer is why it cannot be, or None."""
    if count > MAX_READ * 8:
        return Unavailable(f"it has {count // 8:,} bytes; at most {MAX_READ:,} are written at once")
    if count <= 0:
        return None
    match where:
        case Unavailable():
            return where
        case ImplicitPointer():
            return NOT_THERE
        case Known():
            return _CONSTANT
        case InMemory(address):
            return _write_memory(machine, address, offset, count, bits)
        case InWasm():
            return _write_wasm(machine, where, offset, count, bits)
        case Pieces(pieces):
            parts = overlapping(pieces, offset, count)
            if isinstance(parts, Unavailable):
                return parts
            for piece, _, _, _ in parts:
                if isinstance(piece.where, Known | ImplicitPointer | Unavailable):
                    return write_bits(machine, piece.where, 0, 1, 0)
            for piece, first, size, comes_from in parts:
                part = bits >> comes_from & ((1 << size) - 1)
                if failed := write_bits(machine, piece.where, first, size, part):
                    return failed
            return None
        case _:
            assert_never(where)


def _merged(old: int, offset: int, count: int, bits: int) -> int:
    mask = ((1 << count) - 1) << offset
    return old & ~mask | bits << offset & mask


def _write_memory(machine: Machine, address: int, offset: int, count: int, bits: int) -> Unavailable | None:
    first, last = offset // 8, -(-(offset + count) // 8)
    old = b""
    if offset % 8 or count % 8:
        read = machine.read(address + first, last - first)
        if isinstance(read, Unavailable):
            return read
        old = read
    new = _merged(int.from_bytes(old, "little"), offset - first * 8, count, bits)
    return machine.write(address + first, new.to_bytes(last - first, "little"))


def _write_wasm(machine: Machine, where: InWasm, offset: int, count: int, bits: int) -> Unavailable | None:
    number = machine.number(where.space, where.index)
    if isinstance(number, Unavailable):
        return number
    if offset + count > number.size * 8:
        return Unavailable(f"{where.space} {where.index}, where it should be, has only {number.size} bytes")
    new = _merged(number.bits, offset, count, bits)
    return machine.set_number(where.space, where.index, WasmNumber(new, number.size, number.is_float))
