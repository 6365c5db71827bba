"""What all sections have in common (Wasm spec 5.5.2)."""

from __future__ import annotations

from wasmscope.wasm import writer


def encode_section(section_id: int, payload: bytes) -> bytes:
    """A section: id, size, payload."""
    return bytes([section_id]) + writer.sized(payload)
