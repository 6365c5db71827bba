"""The data section (Wasm spec 5.5.14)."""

from __future__ import annotations

from wasmscope.wasm import writer
from wasmscope.wasm.decode.data import EXPLICIT, PASSIVE


def encode_data(memory: int | None, offset: bytes | None, init: bytes) -> bytes:
    """A data segment, active where it has an `offset`: the bytes of a constant expression."""
    if offset is None:
        return bytes([PASSIVE]) + writer.sized(init)
    place = bytes([EXPLICIT]) + writer.unsigned(memory) if memory else b"\x00"
    return place + offset + writer.sized(init)
