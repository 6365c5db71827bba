"""LEB128 integers as the rewriter emits them (Wasm spec 5.2.2)."""

from __future__ import annotations

from functools import cache


@cache
def unsigned(value: int) -> bytes:
    """Shortest unsigned form; cached, so for indices and offsets only."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def site(pc: int) -> bytes:
    """`pc` as the immediate of an `i32.const`: four bytes, or five from 128 MiB on; made often, hence unrolled."""
    if pc < 0x800_0000:
        return bytes((pc & 0x7F | 0x80, pc >> 7 & 0x7F | 0x80, pc >> 14 & 0x7F | 0x80, pc >> 21))
    return signed(pc - (1 << 32) if pc >> 31 else pc)


def signed(value: int) -> bytes:
    """Shortest signed form."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)
