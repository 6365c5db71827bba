"""The element section (Wasm spec 5.5.12)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.decode.const_expr import decode_const_expr
from wasmscope.wasm.decode.types import decode_ref_type
from wasmscope.wasm.module import ConstExpr, Element
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import FUNCREF, ValType, ref_type

NOT_ACTIVE = 0x01
EXPLICIT = 0x02
"""An active segment names its table; another one is declarative."""
EXPRESSIONS = 0x04


def _kind(reader: Reader) -> ValType:
    start = reader.offset
    if reader.u8() != 0x00:
        raise DecodeError("malformed element kind", start)
    return ref_type("func", False)


def _element_type(reader: Reader, flags: int) -> ValType:
    if flags & EXPRESSIONS:
        return decode_ref_type(reader) if flags & (NOT_ACTIVE | EXPLICIT) else FUNCREF
    return _kind(reader) if flags & (NOT_ACTIVE | EXPLICIT) else ref_type("func", False)


def _element(reader: Reader) -> Element:
    start = reader.offset
    flags = reader.u32()
    if flags > 7:
        raise DecodeError(f"malformed element segment flags {flags:#x}", start)
    table: int | None = None
    offset: ConstExpr | None = None
    if not flags & NOT_ACTIVE:
        table = reader.u32() if flags & EXPLICIT else 0
        offset = decode_const_expr(reader)
    element_type = _element_type(reader, flags)
    count = reader.count(limits.ELEMENTS, "elements")
    functions: tuple[int, ...] | None = None
    expressions: tuple[ConstExpr, ...] | None = None
    if flags & EXPRESSIONS:
        expressions = tuple([decode_const_expr(reader) for _ in range(count)])
    else:
        functions = tuple([reader.u32() for _ in range(count)])
    return Element(
        start=start,
        end=reader.offset,
        mode="active" if offset else "declared" if flags & EXPLICIT else "passive",
        table=table,
        offset=offset,
        element_type=element_type,
        functions=functions,
        expressions=expressions,
    )


def decode_elements(reader: Reader) -> tuple[Element, ...]:
    """The element section."""
    return tuple([_element(reader) for _ in range(reader.count(limits.ELEMENT_SEGMENTS, "element segments"))])
