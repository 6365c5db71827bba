"""Types and the type section (Wasm spec 5.3 and 5.5.4)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.types import (
    HEAP_CODES,
    ArrayType,
    CompositeType,
    FieldType,
    FuncType,
    HeapType,
    PackedType,
    StructType,
    SubType,
    ValType,
)

_PACKED_CODES = {PackedType.I8: b"\x78", PackedType.I16: b"\x77"}


def encode_heap_type(heap: HeapType) -> bytes:
    """A heap type (Wasm spec 5.3.3)."""
    return writer.signed(heap) if isinstance(heap, int) else bytes([HEAP_CODES[heap]])


def encode_val_types(types: Sequence[ValType]) -> bytes:
    """A vector of value types (Wasm spec 5.3.6)."""
    return writer.vector([value_type.encoding for value_type in types])


def _field_type(field: FieldType) -> bytes:
    storage = _PACKED_CODES[field.storage] if isinstance(field.storage, PackedType) else field.storage.encoding
    return storage + bytes([field.mutable])


def _composite_type(composite: CompositeType) -> bytes:
    match composite:
        case FuncType(params, results):
            return b"\x60" + encode_val_types(params) + encode_val_types(results)
        case StructType(fields):
            return b"\x5f" + writer.vector([_field_type(field) for field in fields])
        case ArrayType(element):
            return b"\x5e" + _field_type(element)


def encode_sub_type(sub_type: SubType) -> bytes:
    """A defined type (Wasm spec 5.3.10)."""
    composite = _composite_type(sub_type.composite)
    if sub_type.final and not sub_type.supertypes:
        return composite
    supertypes = writer.vector([writer.unsigned(index) for index in sub_type.supertypes])
    return (b"\x4f" if sub_type.final else b"\x50") + supertypes + composite


def encode_rec_group(types: Sequence[SubType]) -> bytes:
    """A recursion group; one of a single type is that type."""
    encoded = [encode_sub_type(sub_type) for sub_type in types]
    return encoded[0] if len(encoded) == 1 else b"\x4e" + writer.vector(encoded)


def encode_types(types: Sequence[SubType], rec_groups: Sequence[tuple[int, int]]) -> bytes:
    """The payload of the type section."""
    return writer.vector([encode_rec_group(types[first : first + count]) for first, count in rec_groups])
