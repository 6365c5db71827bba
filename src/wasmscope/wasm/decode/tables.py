"""Table types and the table section (Wasm spec 5.3.12 and 5.5.7)."""

from __future__ import annotations

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.decode.const_expr import decode_const_expr
from wasmscope.wasm.decode.memories import HAS_MAXIMUM, IS_64, SHARED, decode_limits
from wasmscope.wasm.decode.types import decode_ref_type
from wasmscope.wasm.module import Table
from wasmscope.wasm.opcodes import Feature
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import TableType

WITH_INITIALIZER = 0x40


def decode_table_type(reader: Reader) -> TableType:
    """A table type."""
    element = decode_ref_type(reader)
    start = reader.offset
    table_limits = decode_limits(reader, HAS_MAXIMUM | SHARED | IS_64, "table")
    if table_limits.shared:
        feature = Feature.SHARED_EVERYTHING
        raise UnsupportedFeature(f"shared tables are of the {feature} proposal", feature.value, start)
    return TableType(element, table_limits)


def _table(reader: Reader) -> Table:
    start = reader.offset
    if reader.peek() != WITH_INITIALIZER:
        return Table(decode_table_type(reader), None, start, reader.offset)
    reader.offset += 1
    if reader.u8() != 0x00:
        raise DecodeError("invalid table encoding", start)
    table_type = decode_table_type(reader)
    init = decode_const_expr(reader)
    return Table(table_type, init, start, reader.offset)


def decode_tables(reader: Reader) -> tuple[Table, ...]:
    """The table section."""
    return tuple([_table(reader) for _ in range(reader.count(limits.TABLES, "tables"))])
