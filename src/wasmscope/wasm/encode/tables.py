"""Table types and the table section (Wasm spec 5.3.12 and 5.5.7)."""

from __future__ import annotations

from wasmscope.wasm.decode.tables import WITH_INITIALIZER
from wasmscope.wasm.encode.memories import encode_limits
from wasmscope.wasm.types import TableType


def encode_table_type(table: TableType) -> bytes:
    """A table type."""
    return table.element.encoding + encode_limits(table.limits)


def encode_table(table: TableType, init: bytes | None) -> bytes:
    """A table of the module, `init` being the bytes of its constant expression."""
    if init is None:
        return encode_table_type(table)
    return bytes([WITH_INITIALIZER, 0x00]) + encode_table_type(table) + init
