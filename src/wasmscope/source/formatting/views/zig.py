"""Zig's slices, optionals, error unions and tagged unions, as its LLVM backend has them (`src/codegen/llvm.zig`)."""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting.views.view import (
    EmptyView,
    View,
    WrappedView,
    contiguous,
    count,
    integer,
    member,
    pointed_type,
    text_at,
)
from wasmscope.source.types import BaseType, EnumType, StructKind, StructType, size_of, stripped
from wasmscope.source.values.value import TypedValue

_MOST_LOOKED_AT = 256


def slice_(value: TypedValue, type_: StructType) -> View | None:
    """`[]T`; bytes that are text are shown as that."""
    pointer, length = member(value, "ptr"), count(member(value, "len"))
    element, address = pointed_type(pointer), integer(pointer)
    stride = size_of(element)
    if element is None or address is None or length is None or stride is None:
        return None
    base = stripped(element)
    if isinstance(base, BaseType) and base.name == "u8":
        text = text_at(pointer, length)
        if text is not None and _is_text(text.start.read(min(length, _MOST_LOOKED_AT)), length):
            return text
    return contiguous(value, address, element, stride, length)


def _is_text(data: bytes | Unavailable, length: int) -> bool:
    if isinstance(data, Unavailable):
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if length <= len(data) or error.start < len(data) - 3:
            return False
        text = data[: error.start].decode()  # cut inside a character
    return all(each.isprintable() or each in "\n\r\t" for each in text)


def shaped(value: TypedValue, type_: StructType) -> View | None:
    """Optionals, error unions and tagged unions, which have names of their own members only."""
    names = tuple(sorted(each.name for each in type_.members))
    makers = {
        ("data", "some"): _optional, ("payload", "some"): _optional,
        ("error", "payload"): _error_union, ("tag", "value"): _error_union, ("payload", "tag"): _tagged_union,
    }  # fmt: skip
    maker = makers.get((names[0], names[-1])) if len(names) == 2 else None
    return maker(value) if maker is not None else None


def _optional(value: TypedValue) -> View | None:
    """`?T`; of pointers it is just the pointer."""
    inner, some = member(value, "payload") or member(value, "data"), integer(member(value, "some"))
    if inner is None or some not in (0, 1):
        return None
    return WrappedView("", inner) if some else EmptyView("null")


def _error_union(value: TypedValue) -> View | None:
    """`E!T`."""
    inner, error = member(value, "payload") or member(value, "value"), member(value, "error") or member(value, "tag")
    code = integer(error)
    if error is None or code is None:
        return None
    if code == 0:
        return WrappedView("", inner) if inner is not None else None
    enum = stripped(error.type)
    names = {each.value: each.name for each in enum.enumerators} if isinstance(enum, EnumType) else {}
    return EmptyView(f"error.{names[code].removeprefix('error.')}") if code in names else None


def _tagged_union(value: TypedValue) -> View | None:
    """`union(enum)`: a payload and the tag that says which member it is."""
    payload, tag = member(value, "payload"), member(value, "tag")
    if payload is None or tag is None:
        return None
    union, enum = stripped(payload.type), stripped(tag.type)
    if not isinstance(union, StructType) or union.kind is not StructKind.UNION or not isinstance(enum, EnumType):
        return None
    code = integer(tag)
    name = next((each.name for each in enum.enumerators if each.value == code), None)
    inner = member(payload, name) if name is not None else None
    if name is None:
        return None
    return WrappedView(f".{name} = ", inner) if inner is not None else EmptyView(f".{name}")
