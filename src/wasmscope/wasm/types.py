"""The types of WebAssembly (Wasm spec 2.3 and 5.3), as immutable values.

A `ValType` is interned: equal types are the same object, so `is` and `==` agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from wasmscope.wasm.writer import signed

HeapType = str | int
"""An abstract heap type by its name in the text format ("func", "any", ...), or a type index (Wasm spec 2.3.4)."""


@dataclass(frozen=True, slots=True, eq=False)
class ValType:
    """A value type (Wasm spec 2.3.6). Made by the constants below and by `ref_type`, never directly.

    `encoding` is the shortest binary form, `heap` and `nullable` describe a reference type.
    """

    name: str
    encoding: bytes
    heap: HeapType | None = None
    nullable: bool = False

    @property
    def is_ref(self) -> bool:
        """Whether this is a reference type."""
        return self.heap is not None

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<ValType {self.name}>"

    def __reduce__(self) -> tuple[object, ...]:
        # A copy or an unpickled value has to be the same object again.
        if self.heap is None:
            return number_type, (self.name,)
        return ref_type, (self.heap, self.nullable)


NUMBER_CODES = {"i32": 0x7F, "i64": 0x7E, "f32": 0x7D, "f64": 0x7C, "v128": 0x7B}
"""Number and vector types, with their codes (Wasm spec 5.3.1 and 5.3.2)."""

HEAP_CODES = {
    "nocont": 0x75,
    "noexn": 0x74,
    "nofunc": 0x73,
    "noextern": 0x72,
    "none": 0x71,
    "func": 0x70,
    "extern": 0x6F,
    "any": 0x6E,
    "eq": 0x6D,
    "i31": 0x6C,
    "struct": 0x6B,
    "array": 0x6A,
    "exn": 0x69,
    "cont": 0x68,
}
"""Abstract heap types, with their codes (Wasm spec 5.3.3; the continuations are of the stack switching proposal)."""

REF_NULL_CODE = 0x63
REF_CODE = 0x64

_NULL_NAMES = {
    "none": "nullref",
    "nofunc": "nullfuncref",
    "noextern": "nullexternref",
    "noexn": "nullexnref",
    "nocont": "nullcontref",
}


@cache
def number_type(name: str) -> ValType:
    """The number or vector type of that name."""
    return ValType(name, bytes([NUMBER_CODES[name]]))


@cache
def ref_type(heap: HeapType, nullable: bool) -> ValType:
    """The reference type to `heap`: `(ref null heap)` when `nullable`, else `(ref heap)`."""
    name = f"(ref {'null ' if nullable else ''}{heap})"
    prefix = bytes([REF_NULL_CODE if nullable else REF_CODE])
    if isinstance(heap, int):
        return ValType(name, prefix + signed(heap), heap, nullable)
    code = bytes([HEAP_CODES[heap]])
    if nullable:
        return ValType(_NULL_NAMES.get(heap, f"{heap}ref"), code, heap, True)
    return ValType(name, prefix + code, heap, False)


I32 = number_type("i32")
I64 = number_type("i64")
F32 = number_type("f32")
F64 = number_type("f64")
V128 = number_type("v128")
FUNCREF = ref_type("func", True)
EXTERNREF = ref_type("extern", True)
ANYREF = ref_type("any", True)
EQREF = ref_type("eq", True)
I31REF = ref_type("i31", True)
STRUCTREF = ref_type("struct", True)
ARRAYREF = ref_type("array", True)
EXNREF = ref_type("exn", True)
NULLREF = ref_type("none", True)


class PackedType(StrEnum):
    """What a field holds besides value types (Wasm spec 2.3.9)."""

    I8 = "i8"
    I16 = "i16"


@dataclass(frozen=True, slots=True)
class FuncType:
    """A function type (Wasm spec 2.3.8)."""

    params: tuple[ValType, ...]
    results: tuple[ValType, ...]


@dataclass(frozen=True, slots=True)
class FieldType:
    """A field of a struct, or the elements of an array (Wasm spec 2.3.9)."""

    storage: ValType | PackedType
    mutable: bool


@dataclass(frozen=True, slots=True)
class StructType:
    """A struct type (Wasm spec 2.3.9)."""

    fields: tuple[FieldType, ...]


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array type (Wasm spec 2.3.9)."""

    element: FieldType


CompositeType = FuncType | StructType | ArrayType


@dataclass(frozen=True, slots=True)
class SubType:
    """A defined type: a composite type and its place in the type hierarchy (Wasm spec 2.3.10)."""

    composite: CompositeType
    final: bool = True
    supertypes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Size bounds of a memory, in pages, or of a table, in elements (Wasm spec 2.3.11).

    `is64` says that addresses are i64. Pages have `2 ** page_size_log2` bytes.
    """

    minimum: int
    maximum: int | None = None
    shared: bool = False
    is64: bool = False
    page_size_log2: int = 16


@dataclass(frozen=True, slots=True)
class TableType:
    """A table type (Wasm spec 2.3.15)."""

    element: ValType
    limits: Limits


@dataclass(frozen=True, slots=True)
class MemoryType:
    """A memory type (Wasm spec 2.3.14)."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class GlobalType:
    """A global type (Wasm spec 2.3.13)."""

    value: ValType
    mutable: bool


@dataclass(frozen=True, slots=True)
class TagType:
    """A tag type: the function type whose parameters are the payload (Wasm spec 2.3.12)."""

    type_index: int
