"""Limits and the memory section (Wasm spec 5.3.8, 5.3.11 and 5.5.8)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import Limits, MemoryType

HAS_MAXIMUM = 0x01
SHARED = 0x02
IS_64 = 0x04
HAS_PAGE_SIZE = 0x08

PAGE_SIZE_LOG2 = 16


def decode_limits(reader: Reader, allowed: int, what: str) -> Limits:
    """Limits whose flags are among `allowed`."""
    start = reader.offset
    flags = reader.u8()
    if flags & ~allowed:
        raise DecodeError(f"invalid flags {flags:#04x} for the limits of a {what}", start)
    minimum = reader.u64()
    maximum = reader.u64() if flags & HAS_MAXIMUM else None
    page_size_log2 = reader.u32() if flags & HAS_PAGE_SIZE else PAGE_SIZE_LOG2
    if page_size_log2 >= 64:
        raise DecodeError("invalid custom page size", start)
    return Limits(minimum, maximum, bool(flags & SHARED), bool(flags & IS_64), page_size_log2)


def decode_memory_type(reader: Reader) -> MemoryType:
    """A memory type."""
    return MemoryType(decode_limits(reader, HAS_MAXIMUM | SHARED | IS_64 | HAS_PAGE_SIZE, "memory"))


def decode_memories(reader: Reader) -> tuple[MemoryType, ...]:
    """The memory section."""
    return tuple([decode_memory_type(reader) for _ in range(reader.count(limits.MEMORIES, "memories"))])
