"""The element section (Wasm spec 5.5.12)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.decode.elements import EXPLICIT, EXPRESSIONS, NOT_ACTIVE
from wasmscope.wasm.module import ElementMode
from wasmscope.wasm.types import FUNCREF, ValType

_FUNCTION_KIND = b"\x00"


def encode_element(
    mode: ElementMode,
    table: int | None,
    offset: bytes | None,
    element_type: ValType,
    functions: Sequence[int] | None,
    expressions: Sequence[bytes] | None,
) -> bytes:
    """An element segment, by `functions` or by `expressions`; constant expressions are given as their bytes."""
    if expressions is not None:
        flags = EXPRESSIONS
        kind = element_type.encoding
        items = list(expressions)
    else:
        flags = 0
        kind = _FUNCTION_KIND
        items = [writer.unsigned(index) for index in functions or ()]
    place = b""
    if mode == "active":
        # The short form is for the first table, and for function indices or `funcref` expressions.
        if table or (expressions is not None and element_type is not FUNCREF):
            flags |= EXPLICIT
            place = writer.unsigned(table or 0)
        place += offset or b""
    else:
        flags |= NOT_ACTIVE if mode == "passive" else NOT_ACTIVE | EXPLICIT
    written_kind = kind if flags & (NOT_ACTIVE | EXPLICIT) else b""
    return bytes([flags]) + place + written_kind + writer.vector(items)
