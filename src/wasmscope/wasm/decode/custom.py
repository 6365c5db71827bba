"""Custom sections (Wasm spec 5.5.3): the name; the rest is opaque here."""

from __future__ import annotations

from wasmscope.wasm.reader import Reader


def decode_custom_name(reader: Reader) -> str:
    """The name of a custom section; the reader is left at its payload."""
    return reader.name()
