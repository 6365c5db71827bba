"""What can be seen of a guest at one point, in one form for wasmscope and for the reference interpreter.

A value is its type and its content: a bit pattern for numbers and vectors; for a reference `None` when it is null, and
otherwise a description that goes a few levels into structs, arrays and exceptions. A function is its index where it can
be told, which takes an export; a host object is itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import wasmscope
from reference import I31, ArrayObject, ExnObject, Frame, HostFunc, StructObject, WasmFunction
from reference.types import type_name
from wasmscope import FrameHandle, Unavailable
from wasmscope.runtime.val import AnyRef, ArrayRef, ExnRef, HostRef, I31Ref, Kind, StructRef, Val
from wasmscope.wasm.types import ValType, ref_type

#: levels of a structure that are described, and elements of an array
DEPTH, ELEMENTS = 3, 6


@dataclass(frozen=True, slots=True)
class Seen:
    """A value: its static type in the text format, and its content."""

    type: str
    content: Any

    def __repr__(self) -> str:
        return f"{self.type}={self.content:#x}" if isinstance(self.content, int) else f"{self.type}={self.content!r}"


UNSET = "unset"
"""The content of a local that has no default value and was not set yet."""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One frame; `function` counts imports, `pc` is the offset in the original module."""

    activation: int
    function: int
    pc: int
    locals: tuple[Seen, ...]
    stack: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """All frames at one point, innermost first; `why` says what kind of point it is, `thrown` what is thrown there."""

    why: str
    frames: tuple[SeenFrame, ...]
    thrown: Any = None


# -- wasmscope ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """What wasmscope's frames do not say themselves."""

    functions: Mapping[bytes, int]
    """Index of each exported function, by its identity in the engine."""
    types: Sequence[int]
    """For each type index the lowest index of an equal type: which of them a value's type names is nobody's concern."""

    def type(self, value_type: ValType) -> str:
        """The text form of a type."""
        if isinstance(value_type.heap, int):
            return str(ref_type(self.types[value_type.heap], value_type.nullable))
        return str(value_type)


def from_wasmscope(why: str, handles: Iterable[FrameHandle], names: Names, thrown: ExnRef | None = None) -> Observation:
    """The frames as wasmscope shows them."""
    frames = tuple(_from_handle(handle, names) for handle in handles)
    return Observation(why, frames, _referent(thrown, names.functions, DEPTH))


def handles_of(store: wasmscope.Store) -> list[FrameHandle]:
    """A handle on every frame of the store, through the public cursor."""
    cursor = store.debug_frames()
    assert cursor is not None
    handles = []
    while not cursor.done():
        handles.append(cursor.handle())
        cursor.move_to_parent()
    return handles


def _from_handle(handle: FrameHandle, names: Names) -> SeenFrame:
    place = handle.wasm_function_index_and_pc()
    assert place is not None
    return SeenFrame(
        handle.activation(),
        handle.function_index,
        place[1],
        tuple(
            Seen(names.type(handle.local_type(i)), _shown(handle.local(i), names.functions))
            for i in range(handle.num_locals())
        ),
        tuple(
            Seen(names.type(handle.stack_type(i)), _shown(handle.stack(i), names.functions))
            for i in range(handle.num_stacks())
        ),
    )


def _shown(value: Val | Unavailable, functions: Mapping[bytes, int]) -> Any:
    if isinstance(value, Unavailable):
        return UNSET if value.reason.startswith("not set yet") else value
    return _content(value, functions, DEPTH)


def _content(value: Val, functions: Mapping[bytes, int], depth: int) -> Any:
    if value.kind <= Kind.V128:
        return value.bits
    referent = value.value
    if value.kind is Kind.FUNCREF and referent is not None:
        return "function", functions.get(bytes(referent._func))
    return _referent(referent, functions, depth)


def _referent(referent: Any, functions: Mapping[bytes, int], depth: int) -> Any:
    match referent:
        case I31Ref():
            return "i31", referent.unsigned
        case HostRef():
            return referent.value
        case StructRef():
            fields = referent.fields() if depth else ()
            return "struct", tuple(_content(field, functions, depth - 1) for field in fields)
        case ArrayRef():
            elements = [referent[i] for i in range(min(len(referent), ELEMENTS))] if depth else ()
            return "array", len(referent), tuple(_content(element, functions, depth - 1) for element in elements)
        case ExnRef():
            fields = referent.fields() if depth else ()
            return "exception", tuple(_content(field, functions, depth - 1) for field in fields)
        case AnyRef():
            return "reference"
    return referent


# -- the reference interpreter -----------------------------------------------------------------------------------------


def from_reference(
    why: str, frames: Sequence[Frame], exported: frozenset[int], thrown: ExnObject | None = None
) -> Observation:
    """The frames as they are; only functions in `exported` show their index."""
    return Observation(
        why,
        tuple(
            SeenFrame(
                frame.activation,
                frame.function_index,
                frame.pc,
                tuple(Seen(type_, _expected_local(type_, value, exported)) for type_, value in frame.locals),
                tuple(Seen(type_, _expected(value, exported, DEPTH)) for type_, value in frame.stack),
            )
            for frame in frames
        ),
        _expected(thrown, exported, DEPTH),
    )


def _expected_local(type_: str, value: Any, exported: frozenset[int]) -> Any:
    if value is None and type_.startswith("(ref ") and not type_.startswith("(ref null "):
        return UNSET
    return _expected(value, exported, DEPTH)


def _expected(value: Any, exported: frozenset[int], depth: int) -> Any:
    match value:
        case bytes():
            return int.from_bytes(value, "little")
        case I31():
            return "i31", value.value
        case WasmFunction():
            return "function", value.index if value.index in exported else None
        case HostFunc():
            return "function", None
        case StructObject():
            fields = value.fields if depth else ()
            return "struct", tuple(_expected(field, exported, depth - 1) for field in fields)
        case ArrayObject():
            elements = value.elements[:ELEMENTS] if depth else ()
            return "array", len(value.elements), tuple(_expected(each, exported, depth - 1) for each in elements)
        case ExnObject():
            return "exception", tuple(
                _expected(field, exported, depth - 1) for field in (value.values if depth else ())
            )
    return value


def type_names(types: Iterable[Any]) -> list[str]:
    """The reference interpreter's types of a signature, in the text format."""
    return [type_name(each, ()) for each in types]
