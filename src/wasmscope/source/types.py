"""The types of variables, in the terms of DWARF 5, chapter 5, for all languages.

A type refers to others through `TypeRef`, which reads them when asked: types refer to themselves (a list's node), and a
program has very many of them. What cannot be read is a `BrokenType`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from wasmscope.wasm.types import ValType


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type not read yet; `key` names it among those of its debug information."""

    key: int
    load: Callable[[int], Type] = field(repr=False)

    def get(self) -> Type:
        """The type; a `BrokenType` if it cannot be read."""
        return self.load(self.key)


class Encoding(StrEnum):
    """How the bits of a base type are read (DWARF 5, 5.1.1)."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    BOOLEAN = "boolean"
    FLOAT = "float"
    COMPLEX = "complex"
    """Two floats, the real part first."""
    SIGNED_CHAR = "signed char"
    UNSIGNED_CHAR = "unsigned char"
    UTF = "UTF"
    """A code unit of UTF-8, UTF-16 or UTF-32, by its size."""
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BaseType:
    """A number, boolean or character. `bit_size` is given where not all bits of its `size` bytes count."""

    name: str
    size: int
    encoding: Encoding
    bit_size: int | None = None


class PointerKind(StrEnum):
    """What points."""

    POINTER = "pointer"
    REFERENCE = "reference"
    RVALUE_REFERENCE = "rvalue reference"


@dataclass(frozen=True, slots=True)
class PointerType:
    """A pointer or reference of `size` bytes; `target` None is `void`. `name` is empty except where it is recorded."""

    name: str
    size: int
    target: TypeRef | None
    kind: PointerKind


@dataclass(frozen=True, slots=True)
class MemberPointerType:
    """C++'s pointer to a member of `container`."""

    name: str
    size: int | None
    target: TypeRef | None
    container: TypeRef | None


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array; `counts` are the elements of each dimension, the outermost first, None: not known (`int a[]`).

    `lower_bounds` are the indices of the first ones. `size` in bytes is given where it is recorded, or else it follows
    from the elements. A vector is an array for the debugger.
    """

    name: str
    size: int | None
    element: TypeRef
    counts: tuple[int | None, ...]
    lower_bounds: tuple[int, ...]
    is_vector: bool = False


class Access(StrEnum):
    """Who may use a member (DWARF 5, 2.9)."""

    PUBLIC = "public"
    PROTECTED = "protected"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a structure at `offset` bytes from its start.

    Of a bit-field `bit_size` is given, and `bit_offset` counts bits from the structure's start, so from its lowest bit;
    `offset` is then that of the byte which this bit is in. `name` is empty for an anonymous structure or union.
    """

    name: str
    type: TypeRef | None
    offset: int
    bit_size: int | None = None
    bit_offset: int = 0
    is_artificial: bool = False
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class StaticMember:
    """A class's variable, found by `qualified_name` among the statics. `constant` is its value if recorded."""

    name: str
    qualified_name: str
    type: TypeRef | None
    constant: int | bytes | None = None
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """A base class; `offset` in bytes is None for a virtual one, whose place is in the object's virtual table."""

    type: TypeRef
    offset: int | None
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A member function's declaration. `key` is that of its `SourceFunction`s."""

    name: str
    linkage_name: str
    type: TypeRef
    is_static: bool
    is_virtual: bool
    is_artificial: bool
    key: int
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class TemplateArgument:
    """A template's or generic's argument: a type, or a value of that type."""

    name: str
    type: TypeRef | None
    value: int | bytes | None = None
    is_value: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """What is there when the discriminant has one of `values`, ranges from and to; None: when no other one is there."""

    values: tuple[tuple[int, int], ...] | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class VariantPart:
    """The part of a structure that depends on a `discriminant`, such as of a Rust enum (DWARF 5, 5.7.10)."""

    discriminant: Member | None
    variants: tuple[Variant, ...]


class StructKind(StrEnum):
    """The keyword."""

    STRUCT = "struct"
    CLASS = "class"
    UNION = "union"
    INTERFACE = "interface"


@dataclass(frozen=True, slots=True)
class StructType:
    """A structure, class or union of `size` bytes; Rust's and Zig's slices, tuples and enums with data too.

    `is_declaration`: nothing but its name is known; `size` is None and it has no members. `qualified_name` has the
    namespaces.
    """

    name: str
    qualified_name: str
    size: int | None
    kind: StructKind
    members: tuple[Member, ...] = ()
    bases: tuple[Base, ...] = ()
    variant_parts: tuple[VariantPart, ...] = ()
    static_members: tuple[StaticMember, ...] = ()
    methods: tuple[Method, ...] = ()
    template_arguments: tuple[TemplateArgument, ...] = ()
    is_declaration: bool = False


@dataclass(frozen=True, slots=True)
class Enumerator:
    """A named constant."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enumeration; `is_scoped` is C++'s `enum class`. `is_signed` says how to read its `size` bytes."""

    name: str
    qualified_name: str
    size: int | None
    underlying: TypeRef | None
    is_signed: bool
    enumerators: tuple[Enumerator, ...]
    is_scoped: bool = False
    is_declaration: bool = False


@dataclass(frozen=True, slots=True)
class TypedefType:
    """Another name for `target`; None is `void`."""

    name: str
    qualified_name: str
    target: TypeRef | None


class Qualifier(StrEnum):
    """The keyword (DWARF 5, 5.3)."""

    CONST = "const"
    VOLATILE = "volatile"
    RESTRICT = "restrict"
    ATOMIC = "_Atomic"
    IMMUTABLE = "immutable"
    PACKED = "packed"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class QualifiedType:
    """`target` with a qualifier; None is `void`."""

    qualifier: Qualifier
    target: TypeRef | None


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A function's type; `result` None is `void`. `has_more`: `...` follows the parameters."""

    result: TypeRef | None
    parameters: tuple[TypeRef | None, ...]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class UnspecifiedType:
    """A type that is just a name, such as `decltype(nullptr)`."""

    name: str


@dataclass(frozen=True, slots=True)
class WasmType:
    """A value type of WebAssembly itself, for locals without debug information."""

    value_type: ValType


@dataclass(frozen=True, slots=True)
class BrokenType:
    """A type that cannot be read, and why."""

    reason: str


Type = (
    BaseType
    | PointerType
    | MemberPointerType
    | ArrayType
    | StructType
    | EnumType
    | TypedefType
    | QualifiedType
    | FunctionType
    | UnspecifiedType
    | WasmType
    | BrokenType
)
"""Every type; `match` and `assert_never` take it apart."""

_MAX_STEPS = 100
"""More typedefs and qualifiers around one type, or dimensions of arrays in arrays, are a loop."""


def stripped(type_: Type | None) -> Type | None:
    """`type_` without typedefs and qualifiers; None is `void`. A loop of typedefs is a `BrokenType`."""
    for _ in range(_MAX_STEPS):
        if not isinstance(type_, TypedefType | QualifiedType):
            return type_
        type_ = type_.target.get() if type_.target is not None else None
    return BrokenType("its typedefs form a loop")


def size_of(type_: Type | None) -> int | None:
    """How many bytes a value has; None where that is not known, and for `void` and functions."""
    factor = 1
    for _ in range(_MAX_STEPS):
        type_ = stripped(type_)
        match type_:
            case ArrayType(size=None, element=element, counts=counts):
                for count in counts:
                    if count is None:
                        return None
                    factor *= count
                type_ = element.get()
            case BaseType() | PointerType() | ArrayType() | StructType() | EnumType() | MemberPointerType():
                return type_.size * factor if type_.size is not None else None
            case _:
                return None
    return None
