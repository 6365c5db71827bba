"""Global types and the global section (Wasm spec 5.3.13 and 5.5.9)."""

from __future__ import annotations

from wasmscope.wasm.types import GlobalType


def encode_global_type(global_type: GlobalType) -> bytes:
    """A global type."""
    return global_type.value.encoding + bytes([global_type.mutable])


def encode_global(global_type: GlobalType, init: bytes) -> bytes:
    """A global of the module, `init` being the bytes of its constant expression."""
    return encode_global_type(global_type) + init
