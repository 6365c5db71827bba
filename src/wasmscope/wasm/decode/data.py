"""The data section (Wasm spec 5.5.14)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.decode.const_expr import decode_const_expr
from wasmscope.wasm.module import ConstExpr, Data
from wasmscope.wasm.reader import Reader

PASSIVE = 1
EXPLICIT = 2


def _data(reader: Reader) -> Data:
    start = reader.offset
    flags = reader.u32()
    if flags > EXPLICIT:
        raise DecodeError(f"malformed data segment flags {flags:#x}", start)
    memory: int | None = None
    offset: ConstExpr | None = None
    if flags != PASSIVE:
        memory = reader.u32() if flags == EXPLICIT else 0
        offset = decode_const_expr(reader)
    size = reader.u32()
    init_start = reader.skip(size)
    return Data(start, reader.offset, "active" if offset else "passive", memory, offset, init_start, reader.offset)


def decode_data(reader: Reader) -> tuple[Data, ...]:
    """The data section."""
    return tuple([_data(reader) for _ in range(reader.count(limits.DATA_SEGMENTS, "data segments"))])
