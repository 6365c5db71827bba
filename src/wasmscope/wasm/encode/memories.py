"""Limits and the memory section (Wasm spec 5.3.8, 5.3.11 and 5.5.8)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.decode.memories import HAS_MAXIMUM, HAS_PAGE_SIZE, IS_64, PAGE_SIZE_LOG2, SHARED
from wasmscope.wasm.types import Limits, MemoryType


def encode_limits(limits: Limits) -> bytes:
    """Limits, with their flags."""
    flags = SHARED * limits.shared | IS_64 * limits.is64
    sizes = writer.unsigned(limits.minimum)
    if limits.maximum is not None:
        flags |= HAS_MAXIMUM
        sizes += writer.unsigned(limits.maximum)
    if limits.page_size_log2 != PAGE_SIZE_LOG2:
        flags |= HAS_PAGE_SIZE
        sizes += writer.unsigned(limits.page_size_log2)
    return bytes([flags]) + sizes


def encode_memory_type(memory: MemoryType) -> bytes:
    """A memory type."""
    return encode_limits(memory.limits)


def encode_memories(memories: Sequence[MemoryType]) -> bytes:
    """The payload of the memory section."""
    return writer.vector([encode_memory_type(memory) for memory in memories])
