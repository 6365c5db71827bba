"""Finds members of structures by name: their own, those of anonymous ones in them, of variants and of bases."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from wasmscope.source.expressions.nodes import Guard
from wasmscope.source.types import Base, Member, Method, StructType, Type, stripped
from wasmscope.source.values.value import loaded

_MOST_STRUCTURES = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A member: where it is in the structure that was asked, and what has to be there for it to be."""

    name: str
    type: Type | None
    bit_offset: int
    bit_size: int | None
    guards: tuple[Guard, ...]


def find_member(type_: StructType, name: str) -> Found | None:
    """The member of that name that is nearest."""
    return next((found for found in all_members(type_) if found.name == name), None)


def all_members(type_: StructType) -> Iterator[Found]:
    """Every member with a name, nearest first; not those of virtual bases, whose place only the object tells."""
    pending: deque[tuple[StructType, int, tuple[Guard, ...]]] = deque([(type_, 0, ())])
    for _ in range(_MOST_STRUCTURES):
        if not pending:
            return
        structure, offset, guards = pending.popleft()
        for member in structure.members:
            yield from _given(member, offset, guards, pending)
        for part in structure.variant_parts:
            for variant in part.variants:
                for member in variant.members:
                    guard = Guard(part, variant, offset, structure, member.name)
                    yield from _given(member, offset, (*guards, guard), pending)
        pending += list(_bases(structure.bases, offset, guards))


def _given(
    member: Member, offset: int, guards: tuple[Guard, ...], pending: deque[tuple[StructType, int, tuple[Guard, ...]]]
) -> Iterator[Found]:
    type_ = loaded(member.type)
    if member.name:
        start = member.bit_offset if member.bit_size is not None else member.offset * 8
        yield Found(member.name, type_, offset + start, member.bit_size, guards)
    elif isinstance(inner := stripped(type_), StructType):
        pending.appendleft((inner, offset + member.offset * 8, guards))


def _bases(
    bases: tuple[Base, ...], offset: int, guards: tuple[Guard, ...]
) -> Iterator[tuple[StructType, int, tuple[Guard, ...]]]:
    for base in bases:
        inner = stripped(base.type.get())
        if isinstance(inner, StructType) and base.offset is not None:
            yield inner, offset + base.offset * 8, guards


def find_method(type_: StructType, name: str, count: int) -> tuple[Method, int] | None:
    """The member function of that name that takes `count` arguments, with the offset in bits of its class."""
    pending: deque[tuple[StructType, int, tuple[Guard, ...]]] = deque([(type_, 0, ())])
    for _ in range(_MOST_STRUCTURES):
        if not pending:
            return None
        structure, offset, guards = pending.popleft()
        named = [method for method in structure.methods if method.name == name and not method.is_artificial]
        for method in named:
            parameters = getattr(stripped(method.type.get()), "parameters", ())
            if len(parameters) - (not method.is_static) == count:
                return method, offset
        if named:
            return named[0], offset
        pending += list(_bases(structure.bases, offset, guards))
    return None
