"""LEB128 integers as the rewriter emits them (Wasm spec 5.2.2)."""

from __future__ import annotations

from functools import cache

from wasmscope.wasm import writer

signed = writer.signed
"""Shortest signed form."""

unsigned = cache(writer.unsigned)
"""Shortest unsigned form; cached, so for indices and offsets only."""


def site(pc: int) -> bytes:
    """`pc` as the immediate of an `i32.const`: four bytes, or five from 128 MiB on; made often, hence all at once."""
    if pc < 0x800_0000:
        groups = pc & 0x7F | (pc & 0x3F80) << 1 | (pc & 0x1F_C000) << 2 | (pc & 0xFE0_0000) << 3
        return (groups | 0x80_8080).to_bytes(4, "little")
    return signed(pc - (1 << 32) if pc >> 31 else pc)
