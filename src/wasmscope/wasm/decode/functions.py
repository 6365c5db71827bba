"""The function section (Wasm spec 5.5.6)."""

from __future__ import annotations

from wasmscope.wasm import limits
from wasmscope.wasm.reader import Reader


def decode_functions(reader: Reader) -> tuple[int, ...]:
    """The type index of each function."""
    return tuple([reader.u32() for _ in range(reader.count(limits.FUNCTIONS, "functions"))])
