"""Types, their equivalence and subtyping (spec 2.3, 3.1, 3.3).

Recursive types are compared by structure: inside a `RecursionGroup` a reference to a member of the same group is a
`GroupIndex`, so the structure is finite and equality of rolled-up groups is equality of types, also across modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

from reference.state import HostFunc, WasmFunction
from reference.values import I31, ArrayObject, ExnObject, StructObject, Value


@dataclass(frozen=True, slots=True)
class GroupIndex:
    """A type of the recursion group that mentions it."""

    index: int


HeapType = Union[str, GroupIndex, "DefinedType"]


@dataclass(frozen=True, slots=True)
class RefType:
    """A reference type; `heap` is the name of an abstract heap type or a defined type."""

    nullable: bool
    heap: HeapType


# A number or vector type by name, "bottom" for an operand of unreachable code, or a reference type.
ValueType = str | RefType


@dataclass(frozen=True, slots=True)
class FieldType:
    """A structure field or array element; `storage` may also be "i8" or "i16"."""

    storage: ValueType
    mutable: bool

    @property
    def unpacked(self) -> ValueType:
        """The type of the operand that a get pushes."""
        return "i32" if self.storage in ("i8", "i16") else self.storage


@dataclass(frozen=True, slots=True)
class FuncType:
    """A function type."""

    params: tuple[ValueType, ...]
    results: tuple[ValueType, ...]


@dataclass(frozen=True, slots=True)
class StructType:
    """A structure type."""

    fields: tuple[FieldType, ...]


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array type."""

    element: FieldType


@dataclass(frozen=True, slots=True)
class SubType:
    """A composite type with what it declares of its place in the hierarchy."""

    final: bool
    supertypes: tuple[HeapType, ...]
    composite: FuncType | StructType | ArrayType


class RecursionGroup:
    """A rolled-up recursion group, compared by structure."""

    def __init__(self, subtypes: tuple[SubType, ...]) -> None:
        self.subtypes = subtypes
        self._hash = hash(subtypes)
        self.members = [DefinedType(self, index) for index in range(len(subtypes))]

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, RecursionGroup) and self._hash == other._hash and self.subtypes == other.subtypes


class DefinedType:
    """One member of a recursion group."""

    def __init__(self, group: RecursionGroup, index: int) -> None:
        self.group = group
        self.index = index

    def __hash__(self) -> int:
        return hash((self.group, self.index))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, DefinedType) and self.index == other.index and self.group == other.group

    @cached_property
    def subtype(self) -> SubType:
        """The unrolled sub type: group indices replaced by the members (spec 3.1, unrolling)."""
        unrolled = _unroll(self.group.subtypes[self.index], self.group)
        assert isinstance(unrolled, SubType)
        return unrolled

    @cached_property
    def composite(self) -> FuncType | StructType | ArrayType:
        """The expansion of the type."""
        return self.subtype.composite

    @cached_property
    def function(self) -> FuncType:
        """The expansion of what validation showed to be a function type."""
        assert isinstance(self.composite, FuncType)
        return self.composite

    @cached_property
    def fields(self) -> tuple[FieldType, ...]:
        """The fields of what validation showed to be a structure type."""
        assert isinstance(self.composite, StructType)
        return self.composite.fields

    @cached_property
    def element(self) -> FieldType:
        """The element of what validation showed to be an array type."""
        assert isinstance(self.composite, ArrayType)
        return self.composite.element

    def ancestors(self) -> Iterator[DefinedType]:
        """The type itself and its declared supertypes, upwards."""
        current: DefinedType | None = self
        while current is not None:
            yield current
            above = current.subtype.supertypes
            current = above[0] if above and isinstance(above[0], DefinedType) else None


def _unroll(part: Any, group: RecursionGroup) -> Any:
    match part:
        case GroupIndex(index):
            return group.members[index]
        case tuple():
            return tuple(_unroll(each, group) for each in part)
        case RefType(nullable, heap):
            return RefType(nullable, _unroll(heap, group))
        case FieldType(storage, mutable):
            return FieldType(_unroll(storage, group), mutable)
        case FuncType(params, results):
            return FuncType(_unroll(params, group), _unroll(results, group))
        case StructType(fields):
            return StructType(_unroll(fields, group))
        case ArrayType(element):
            return ArrayType(_unroll(element, group))
        case SubType(final, supertypes, composite):
            return SubType(final, _unroll(supertypes, group), _unroll(composite, group))
    return part


def single(composite: FuncType | StructType | ArrayType) -> DefinedType:
    """The type that a plain, final definition outside any recursion group gives."""
    return RecursionGroup((SubType(True, (), composite),)).members[0]


# The abstract heap types above each abstract heap type (spec 3.3.3).
_ABOVE: dict[str, frozenset[str]] = {
    "none": frozenset({"i31", "struct", "array", "eq", "any"}),
    "i31": frozenset({"eq", "any"}),
    "struct": frozenset({"eq", "any"}),
    "array": frozenset({"eq", "any"}),
    "eq": frozenset({"any"}),
    "nofunc": frozenset({"func"}),
    "noextern": frozenset({"extern"}),
    "noexn": frozenset({"exn"}),
}
_BOTTOM = {"none": (StructType, ArrayType), "nofunc": (FuncType,)}


def heap_kind(heap: DefinedType) -> str:
    """The lowest abstract heap type above a defined type."""
    match heap.composite:
        case FuncType():
            return "func"
        case StructType():
            return "struct"
        case ArrayType():
            return "array"


def is_heap_subtype(low: HeapType, high: HeapType) -> bool:
    """Spec 3.3.3, matching of heap types."""
    if low == high:
        return True
    if isinstance(low, DefinedType):
        if isinstance(high, DefinedType):
            return any(each == high for each in low.ancestors())
        return is_heap_subtype(heap_kind(low), high)
    assert isinstance(low, str)
    if isinstance(high, DefinedType):
        return isinstance(high.composite, _BOTTOM.get(low, ()))
    return high in _ABOVE.get(low, ())


def is_subtype(low: ValueType, high: ValueType) -> bool:
    """Spec 3.3.5, matching of value types."""
    if isinstance(low, RefType) and isinstance(high, RefType):
        return (high.nullable or not low.nullable) and is_heap_subtype(low.heap, high.heap)
    return low == high


def has_type(value: Value, type: RefType) -> bool:
    """Whether a reference is of a type, what ref.test asks (spec 4.2.1 and 4.6)."""
    match value:
        case None:
            return type.nullable
        case _ if type.heap in ("any", "extern", "func", "exn"):
            # Validation keeps the four hierarchies apart.
            return True
        case I31():
            return is_heap_subtype("i31", type.heap)
        case StructObject() | ArrayObject() | WasmFunction() | HostFunc():
            return is_heap_subtype(value.type, type.heap)
        case ExnObject():
            return is_heap_subtype("exn", type.heap)
    return False


_SHORT = {"any": "anyref", "eq": "eqref", "i31": "i31ref", "struct": "structref", "array": "arrayref"}
_SHORT |= {"func": "funcref", "extern": "externref", "exn": "exnref", "none": "nullref", "nofunc": "nullfuncref"}
_SHORT |= {"noextern": "nullexternref", "noexn": "nullexnref"}


def type_name(type: ValueType, types: Sequence[DefinedType]) -> str:
    """The text format of a type; a defined type is the lowest index in `types` of an equal one."""
    if isinstance(type, str):
        return type
    if type.nullable and isinstance(type.heap, str):
        return _SHORT[type.heap]
    heap = str(types.index(type.heap)) if isinstance(type.heap, DefinedType) else type.heap
    return f"(ref null {heap})" if type.nullable else f"(ref {heap})"


FUNCREF = RefType(True, "func")
EXTERNREF = RefType(True, "extern")


def default_value(type: ValueType) -> Value:
    """Zero or null (spec 4.2.1); a local that has no default holds None until it is set."""
    if isinstance(type, RefType):
        return None
    return bytes(16) if type == "v128" else 0
