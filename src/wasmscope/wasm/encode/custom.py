"""Custom sections (Wasm spec 5.5.3)."""

from __future__ import annotations

from wasmscope.wasm import writer
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.sections import SectionId


def encode_custom(name: str, payload: bytes) -> bytes:
    """A custom section, whole."""
    return encode_section(SectionId.CUSTOM, writer.name(name) + payload)
