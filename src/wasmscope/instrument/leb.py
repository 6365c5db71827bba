"""LEB128 integers as the rewriter emits them (Wasm spec 5.2.2)."""

from __future__ import annotations

from functools import cache

from wasmscope.wasm import writer

signed = writer.signed
"""Shortest signed form."""

unsigned = cache(writer.unsigned)
"""Shortest unsigned form; cached, so for indices and offsets only."""


def site(pc: int) -> bytes:
    """`pc` as the immediate of an `i32.const`: four bytes, or five from 128 MiB on; made often, hence unrolled."""
    if pc < 0x800_0000:
        return bytes((pc & 0x7F | 0x80, pc >> 7 & 0x7F | 0x80, pc >> 14 & 0x7F | 0x80, pc >> 21))
    return signed(pc - (1 << 32) if pc >> 31 else pc)
