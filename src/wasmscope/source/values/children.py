"""The parts of a value: members, base classes, the variant that is there, elements, what a pointer points to.

Structures may be hostile: of themselves, of 2^60 elements. Parts are given by page, and none is read to be given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import ImplicitPointer, InMemory, Known
from wasmscope.source.types import (
    ArrayType,
    BrokenType,
    FunctionType,
    Member,
    PointerType,
    StructType,
    Type,
    Variant,
    VariantPart,
    size_of,
    stripped,
)
from wasmscope.source.values.scalars import scalar
from wasmscope.source.values.value import TypedValue, loaded, unavailable

MAX_PAGE = 10_000
"""Children that are given at once."""
_ADDRESSES = 1 << 64


@dataclass(frozen=True, slots=True)
class Child:
    """A part of a value. `name` is empty for an anonymous structure or union; a base class is called by its type."""

    name: str
    value: TypedValue
    is_base: bool = False
    is_artificial: bool = False


def member_value(value: TypedValue, member: Member) -> TypedValue:
    """That member of a structure."""
    if member.bit_size is not None:
        return value.part(loaded(member.type), member.bit_offset, member.bit_size)
    if member.type is None:
        return unavailable(None, "its type is not recorded", value.machine)
    return value.part(member.type.get(), member.offset * 8)


def members(value: TypedValue, start: int = 0, count: int = MAX_PAGE) -> tuple[Child, ...]:
    """The base classes and members of a structure that are there, those of the active variants last; else nothing."""
    type_ = stripped(value.type)
    if not isinstance(type_, StructType):
        return ()
    return tuple(islice(_members(value, type_), max(start, 0), max(start, 0) + min(count, MAX_PAGE)))


def _members(value: TypedValue, type_: StructType) -> Iterator[Child]:
    for base in type_.bases:
        base_type = base.type.get()
        name = getattr(stripped(base_type), "name", "") or "(base)"
        if base.offset is None:
            reason = "it is a virtual base class, whose place only the object's virtual table tells"
            yield Child(name, unavailable(base_type, reason, value.machine), is_base=True)
        else:
            yield Child(name, value.part(base_type, base.offset * 8), is_base=True)
    for member in type_.members:
        yield Child(member.name, member_value(value, member), is_artificial=member.is_artificial)
    for part in type_.variant_parts:
        active = active_variant(value, part)
        if isinstance(active, Unavailable):
            yield Child("", unavailable(BrokenType(active.reason), active, value.machine))
            continue
        for member in active.members:
            yield Child(member.name, member_value(value, member), is_artificial=member.is_artificial)


def active_variant(value: TypedValue, part: VariantPart) -> Variant | Unavailable:
    """The variant of a structure that is there, by its discriminant."""
    default = next((variant for variant in part.variants if variant.values is None), None)
    if part.discriminant is None:
        if len(part.variants) == 1:
            return part.variants[0]
        return default or Unavailable("which variant is there is not recorded")
    number = scalar(member_value(value, part.discriminant))
    if isinstance(number, Unavailable):
        return number
    if not isinstance(number, int):
        return Unavailable("the discriminant is no integer")
    bits = (part.discriminant.bit_size or 8 * (size_of(loaded(part.discriminant.type)) or 8)) if number < 0 else 0
    # A discriminant may be listed by its bits, signed or not.
    spellings = {number, number + (1 << bits)} if number < 0 else {number}
    for variant in part.variants:
        if variant.values is not None and any(
            low <= spelling <= high for low, high in variant.values for spelling in spellings
        ):
            return variant
    return default or Unavailable(f"no variant has the discriminant {number}")


def element_type(type_: ArrayType) -> Type:
    """The type of what one index picks: of an array with several dimensions, an array with one less."""
    if len(type_.counts) <= 1:
        return type_.element.get()
    return ArrayType("", None, type_.element, type_.counts[1:], type_.lower_bounds[1:], type_.is_vector)


def element_count(value: TypedValue) -> int | None:
    """How many elements an array has; None: it is no array, or that is not known."""
    type_ = stripped(value.type)
    if not isinstance(type_, ArrayType):
        return None
    if type_.counts and type_.counts[0] is not None:
        return max(type_.counts[0], 0)
    stride = size_of(element_type(type_))
    if type_.size is not None and stride:
        return max(type_.size, 0) // stride
    return len(value.where.value) // stride if isinstance(value.where, Known) and stride else None


def element(value: TypedValue, index: int) -> TypedValue:
    """The element of an array at `index`, by the array's own bounds; beyond them is what is in memory there."""
    type_ = stripped(value.type)
    if not isinstance(type_, ArrayType):
        return unavailable(BrokenType("it is no array"), "it is no array", value.machine)
    inner = element_type(type_)
    stride = size_of(inner)
    if stride is None:
        return unavailable(inner, "the size of its elements is not known", value.machine)
    position = index - (type_.lower_bounds[0] if type_.lower_bounds else 0)
    count = element_count(value)
    if not isinstance(value.where, InMemory) and (position < 0 or (count is not None and position >= count)):
        return unavailable(inner, f"there is no element {index}", value.machine)
    moved = value.part(inner, position * stride * 8)
    if isinstance(moved.where, InMemory):
        return TypedValue(inner, InMemory(moved.where.address % _ADDRESSES), value.machine)
    return moved


def elements(value: TypedValue, start: int, count: int) -> tuple[TypedValue, ...]:
    """`count` elements of an array from the one that is `start` places behind its first; fewer at its end."""
    type_ = stripped(value.type)
    total = element_count(value)
    if not isinstance(type_, ArrayType) or total is None:
        return ()
    first = type_.lower_bounds[0] if type_.lower_bounds else 0
    start = max(start, 0)
    return tuple(element(value, first + i) for i in range(start, min(start + min(count, MAX_PAGE), total)))


def dereference(value: TypedValue) -> TypedValue:
    """What a pointer or reference points to."""
    type_ = stripped(value.type)
    if not isinstance(type_, PointerType):
        return unavailable(BrokenType("it is no pointer"), "it is no pointer", value.machine)
    target = loaded(type_.target)
    if isinstance(value.where, ImplicitPointer):
        found = value.where.target.locate(value.machine.pc, value.machine)
        return TypedValue(type_, found, value.machine).part(target, value.where.offset * 8)
    if target is None:
        return unavailable(None, "it points to void: cast it to another type", value.machine)
    if isinstance(stripped(target), FunctionType):
        return unavailable(target, "functions are not in memory", value.machine)
    address = scalar(value)
    if isinstance(address, Unavailable):
        return unavailable(target, address, value.machine)
    if not isinstance(address, int):
        return unavailable(target, "it is no address", value.machine)
    return TypedValue(target, InMemory(address), value.machine)
