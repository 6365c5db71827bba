"""The code section (Wasm spec 5.5.13)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.types import ValType


def encode_locals(groups: Sequence[tuple[int, ValType]]) -> bytes:
    """The groups of locals at the start of a body."""
    return writer.vector([writer.unsigned(count) + value_type.encoding for count, value_type in groups])


def encode_code(body: bytes) -> bytes:
    """A function's entry: its body (locals and instructions) with the size in front."""
    return writer.sized(body)
