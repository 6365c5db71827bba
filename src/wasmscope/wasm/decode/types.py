"""Types and the type section (Wasm spec 5.3 and 5.5.4)."""

from __future__ import annotations

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.opcodes import Feature
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import (
    HEAP_CODES,
    NUMBER_CODES,
    REF_CODE,
    REF_NULL_CODE,
    ArrayType,
    CompositeType,
    FieldType,
    FuncType,
    HeapType,
    PackedType,
    StructType,
    SubType,
    ValType,
    number_type,
    ref_type,
)

_NUMBER_TYPES = {code: number_type(name) for name, code in NUMBER_CODES.items()}
_HEAP_TYPES = {code: name for name, code in HEAP_CODES.items()}
_PACKED_TYPES = {0x78: PackedType.I8, 0x77: PackedType.I16}

_UNSUPPORTED_TYPES = {
    0x4C: Feature.CUSTOM_DESCRIPTORS,  # describes
    0x4D: Feature.CUSTOM_DESCRIPTORS,  # descriptor
    0x5D: Feature.STACK_SWITCHING,  # cont
    0x62: Feature.CUSTOM_DESCRIPTORS,  # exact
    0x65: Feature.SHARED_EVERYTHING,  # shared
}


def decode_heap_type(reader: Reader) -> HeapType:
    """A heap type (Wasm spec 5.3.3)."""
    start = reader.offset
    code = reader.peek()
    if code & 0xC0 == 0x40:
        reader.offset += 1
        return _abstract_heap_type(code, start)
    index = reader.s33()
    if index < 0:
        raise DecodeError("invalid heap type", start)
    return index


def _abstract_heap_type(code: int, offset: int) -> str:
    name = _HEAP_TYPES.get(code)
    if name in ("cont", "nocont"):
        raise _unsupported(Feature.STACK_SWITCHING, code, offset)
    if name is None:
        raise _no_type(code, offset)
    return name


def _no_type(code: int, offset: int) -> DecodeError | UnsupportedFeature:
    if code in _UNSUPPORTED_TYPES:
        return _unsupported(_UNSUPPORTED_TYPES[code], code, offset)
    return DecodeError(f"invalid type {code:#04x}", offset)


def _unsupported(feature: Feature, code: int, offset: int) -> UnsupportedFeature:
    return UnsupportedFeature(f"type {code:#04x} is of the {feature} proposal", feature.value, offset)


def decode_val_type(reader: Reader) -> ValType:
    """A value type (Wasm spec 5.3.5)."""
    number = _NUMBER_TYPES.get(reader.peek())
    if number is None:
        return decode_ref_type(reader)
    reader.offset += 1
    return number


def decode_ref_type(reader: Reader) -> ValType:
    """A reference type (Wasm spec 5.3.4)."""
    start = reader.offset
    code = reader.u8()
    if code in (REF_CODE, REF_NULL_CODE):
        return ref_type(decode_heap_type(reader), code == REF_NULL_CODE)
    return ref_type(_abstract_heap_type(code, start), True)


def _field_type(reader: Reader) -> FieldType:
    packed = _PACKED_TYPES.get(reader.peek())
    if packed is not None:
        reader.offset += 1
    storage = packed or decode_val_type(reader)
    start = reader.offset
    mutability = reader.u8()
    if mutability > 1:
        raise DecodeError("malformed mutability", start)
    return FieldType(storage, bool(mutability))


def _val_types(reader: Reader, limit: int, what: str) -> tuple[ValType, ...]:
    return tuple([decode_val_type(reader) for _ in range(reader.count(limit, what))])


def _composite_type(reader: Reader) -> CompositeType:
    start = reader.offset
    match reader.u8():
        case 0x60:
            params = _val_types(reader, limits.FUNCTION_PARAMS, "function parameters")
            return FuncType(params, _val_types(reader, limits.FUNCTION_RESULTS, "function results"))
        case 0x5F:
            count = reader.count(limits.STRUCT_FIELDS, "struct fields")
            return StructType(tuple([_field_type(reader) for _ in range(count)]))
        case 0x5E:
            return ArrayType(_field_type(reader))
        case code:
            raise _no_type(code, start)


def _sub_type(reader: Reader) -> SubType:
    code = reader.peek()
    if code not in (0x4F, 0x50):
        return SubType(_composite_type(reader))
    reader.offset += 1
    supertypes = tuple([reader.u32() for _ in range(reader.count(limits.SUPERTYPES, "supertypes"))])
    return SubType(_composite_type(reader), code == 0x4F, supertypes)


def decode_types(reader: Reader) -> tuple[tuple[SubType, ...], tuple[tuple[int, int], ...]]:
    """The type section: its types in order, and first index and count of each recursion group."""
    types: list[SubType] = []
    groups: list[tuple[int, int]] = []
    for _ in range(reader.count(limits.TYPES, "recursion groups")):
        first = len(types)
        count = 1
        start = reader.offset
        if reader.peek() == 0x4E:
            reader.offset += 1
            count = reader.count(limits.TYPES, "types")
        if first + count > limits.TYPES:
            raise DecodeError("too many types", start)
        types.extend(_sub_type(reader) for _ in range(count))
        groups.append((first, count))
    return tuple(types), tuple(groups)
