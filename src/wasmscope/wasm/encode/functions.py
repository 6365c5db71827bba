"""The function section (Wasm spec 5.5.6)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer


def encode_functions(type_indices: Sequence[int]) -> bytes:
    """The payload of the function section."""
    return writer.vector([writer.unsigned(index) for index in type_indices])
