"""Global types and the global section (Wasm spec 5.3.13 and 5.5.9)."""

from __future__ import annotations

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.decode.const_expr import decode_const_expr
from wasmscope.wasm.decode.types import decode_val_type
from wasmscope.wasm.module import Global
from wasmscope.wasm.opcodes import Feature
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import GlobalType


def decode_global_type(reader: Reader) -> GlobalType:
    """A global type."""
    value = decode_val_type(reader)
    start = reader.offset
    flags = reader.u8()
    if flags > 3:
        raise DecodeError("malformed mutability", start)
    if flags & 2:
        feature = Feature.SHARED_EVERYTHING
        raise UnsupportedFeature(f"shared globals are of the {feature} proposal", feature.value, start)
    return GlobalType(value, bool(flags))


def _global(reader: Reader) -> Global:
    start = reader.offset
    global_type = decode_global_type(reader)
    init = decode_const_expr(reader)
    return Global(global_type, init, start, reader.offset)


def decode_globals(reader: Reader) -> tuple[Global, ...]:
    """The global section."""
    return tuple([_global(reader) for _ in range(reader.count(limits.GLOBALS, "globals"))])
