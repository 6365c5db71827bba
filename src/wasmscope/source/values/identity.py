"""Whether two types are the same one, whichever unit of the debug information they were read from."""

from __future__ import annotations

from wasmscope.source.types import (
    ArrayType,
    BaseType,
    EnumType,
    FunctionType,
    PointerType,
    StructType,
    Type,
    TypeRef,
    UnspecifiedType,
    WasmType,
    stripped,
)

_DEEPEST = 20


def same_type(left: Type | None, right: Type | None, depth: int = 0) -> bool:
    """Whether both are one type but for typedefs and qualifiers; structures and enumerations by name and size."""
    left, right = stripped(left), stripped(right)
    if left is right:
        return True
    if depth > _DEEPEST:
        return False
    match left, right:
        case BaseType(), BaseType():
            return (left.size, left.encoding, left.bit_size) == (right.size, right.encoding, right.bit_size)
        case PointerType(), PointerType():
            return left.size == right.size and _same(left.target, right.target, depth)
        case ArrayType(), ArrayType():
            return left.counts == right.counts and _same(left.element, right.element, depth)
        case StructType(), StructType():
            named = bool(left.qualified_name) and left.qualified_name == right.qualified_name
            return named and (left.size == right.size or left.is_declaration or right.is_declaration)
        case EnumType(), EnumType():
            return bool(left.qualified_name) and left.qualified_name == right.qualified_name
        case FunctionType(), FunctionType():
            if len(left.parameters) != len(right.parameters) or not _same(left.result, right.result, depth):
                return False
            pairs = zip(left.parameters, right.parameters, strict=True)
            return all(_same(mine, other, depth) for mine, other in pairs)
        case (UnspecifiedType(), UnspecifiedType()) | (WasmType(), WasmType()):
            return left == right
        case _:
            return False


def _same(left: TypeRef | None, right: TypeRef | None, depth: int) -> bool:
    if left == right:
        return True
    return same_type(left.get() if left else None, right.get() if right else None, depth + 1)
