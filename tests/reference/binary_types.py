"""Reading types (spec 5.3)."""

from __future__ import annotations

from collections.abc import Callable

from reference.errors import DecodeError
from reference.reader import Reader
from reference.state import GlobalType, MemoryType, TableType
from reference.types import (
    ArrayType,
    DefinedType,
    FieldType,
    FuncType,
    GroupIndex,
    HeapType,
    RecursionGroup,
    RefType,
    StructType,
    SubType,
    ValueType,
)

Resolve = Callable[[int], HeapType]

_NUMBERS = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}
_PACKED = {0x78: "i8", 0x77: "i16"}
_ABSTRACT = {
    0x74: "noexn",
    0x73: "nofunc",
    0x72: "noextern",
    0x71: "none",
    0x70: "func",
    0x6F: "extern",
    0x6E: "any",
    0x6D: "eq",
    0x6C: "i31",
    0x6B: "struct",
    0x6A: "array",
    0x69: "exn",
}
_REF, _REF_NULL = 0x64, 0x63


def heap_type(reader: Reader, resolve: Resolve) -> HeapType:
    """An abstract heap type or a type index."""
    start = reader.position
    number = reader.signed()
    if number >= 0:
        return resolve(number)
    if number & 0x7F not in _ABSTRACT:
        raise DecodeError("unknown heap type", start)
    return _ABSTRACT[number & 0x7F]


def value_type(reader: Reader, resolve: Resolve) -> ValueType:
    """A number, vector or reference type."""
    code = reader.byte()
    if code in _NUMBERS:
        return _NUMBERS[code]
    if code in (_REF, _REF_NULL):
        return RefType(code == _REF_NULL, heap_type(reader, resolve))
    if code in _ABSTRACT:
        return RefType(True, _ABSTRACT[code])
    raise DecodeError("unknown value type", reader.position - 1)


def ref_type(reader: Reader, resolve: Resolve) -> RefType:
    """A value type that is a reference type."""
    type = value_type(reader, resolve)
    assert isinstance(type, RefType)
    return type


def block_type(reader: Reader, types: list[DefinedType]) -> FuncType:
    """A block type: none, one result, or a type index (spec 5.4.1)."""
    code = reader.data[reader.position]
    if code == 0x40:
        reader.byte()
        return FuncType((), ())
    if 0x40 < code < 0x80:
        return FuncType((), (value_type(reader, types.__getitem__),))
    return types[reader.signed()].function


def global_type(reader: Reader, resolve: Resolve) -> GlobalType:
    """A global type."""
    return GlobalType(value_type(reader, resolve), reader.byte() == 1)


def table_type(reader: Reader, resolve: Resolve) -> TableType:
    """A table type."""
    element = ref_type(reader, resolve)
    flags = reader.byte()
    minimum = reader.unsigned()
    maximum = reader.unsigned() if flags & 1 else None
    return TableType(element, minimum, maximum, "i64" if flags & 4 else "i32")


def memory_type(reader: Reader) -> MemoryType:
    """A memory type, with the flags of threads (2), memory64 (4) and custom-page-sizes (8)."""
    flags = reader.byte()
    minimum = reader.unsigned()
    maximum = reader.unsigned() if flags & 1 else None
    page_size = 1 << reader.unsigned() if flags & 8 else 65536
    return MemoryType(minimum, maximum, bool(flags & 2), "i64" if flags & 4 else "i32", page_size)


def tag_type(reader: Reader, types: list[DefinedType]) -> DefinedType:
    """A tag type: a zero byte and the index of its function type."""
    reader.byte()
    return types[reader.unsigned()]


def recursion_group(reader: Reader, types: list[DefinedType]) -> RecursionGroup:
    """One entry of the type section; `types` are those before it."""
    first = len(types)

    def resolve(index: int) -> HeapType:
        return types[index] if index < first else GroupIndex(index - first)

    if reader.data[reader.position] != 0x4E:
        return RecursionGroup((_sub_type(reader, resolve),))
    reader.byte()
    return RecursionGroup(tuple(reader.vector(lambda: _sub_type(reader, resolve))))


def _sub_type(reader: Reader, resolve: Resolve) -> SubType:
    code = reader.byte()
    if code not in (0x50, 0x4F):
        return SubType(True, (), _composite_type(reader, resolve, code))
    supertypes = tuple(reader.vector(lambda: resolve(reader.unsigned())))
    return SubType(code == 0x4F, supertypes, _composite_type(reader, resolve, reader.byte()))


def _composite_type(reader: Reader, resolve: Resolve, code: int) -> FuncType | StructType | ArrayType:
    def value() -> ValueType:
        return value_type(reader, resolve)

    def field() -> FieldType:
        if reader.data[reader.position] in _PACKED:
            return FieldType(_PACKED[reader.byte()], reader.byte() == 1)
        return FieldType(value(), reader.byte() == 1)

    match code:
        case 0x60:
            return FuncType(tuple(reader.vector(value)), tuple(reader.vector(value)))
        case 0x5F:
            return StructType(tuple(reader.vector(field)))
        case 0x5E:
            return ArrayType(field())
    raise DecodeError("unknown composite type", reader.position - 1)
