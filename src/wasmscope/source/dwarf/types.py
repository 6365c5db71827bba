"""Types from their entries (DWARF 5, chapter 5)."""

from __future__ import annotations

from collections.abc import Callable

from wasmscope.source.dwarf.constants import Tag
from wasmscope.source.dwarf.entries import Entries, Entry
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.naming import Naming
from wasmscope.source.dwarf.structures import Structures
from wasmscope.source.model import Language
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    BrokenType,
    Encoding,
    Enumerator,
    EnumType,
    FunctionType,
    MemberPointerType,
    PointerKind,
    PointerType,
    QualifiedType,
    Qualifier,
    StructKind,
    Type,
    TypedefType,
    TypeRef,
    UnspecifiedType,
    stripped,
)

MAX_DIMENSIONS = 64

MAX_OPEN = 16
"""Types that are being read because another one needs them."""

_ENCODINGS = {
    0x01: Encoding.ADDRESS,
    0x02: Encoding.BOOLEAN,
    0x03: Encoding.COMPLEX,
    0x04: Encoding.FLOAT,
    0x05: Encoding.SIGNED,
    0x06: Encoding.SIGNED_CHAR,
    0x07: Encoding.UNSIGNED,
    0x08: Encoding.UNSIGNED_CHAR,
    0x10: Encoding.UTF,
    0x11: Encoding.UTF,
    0x12: Encoding.UTF,
}
"""DWARF 5, 7.8; UCS and ASCII code units are read as UTF's."""

_POINTERS = {0x0F: PointerKind.POINTER, 0x10: PointerKind.REFERENCE, 0x42: PointerKind.RVALUE_REFERENCE}
_QUALIFIERS = {
    0x26: Qualifier.CONST,
    0x35: Qualifier.VOLATILE,
    0x37: Qualifier.RESTRICT,
    0x47: Qualifier.ATOMIC,
    0x4B: Qualifier.IMMUTABLE,
    0x2D: Qualifier.PACKED,
    0x40: Qualifier.SHARED,
}
_STRUCTS = {
    Tag.STRUCTURE_TYPE: StructKind.STRUCT,
    Tag.CLASS_TYPE: StructKind.CLASS,
    Tag.UNION_TYPE: StructKind.UNION,
    Tag.INTERFACE_TYPE: StructKind.INTERFACE,
}
_SUBROUTINE_TYPE, _PTR_TO_MEMBER_TYPE, _GENERIC_SUBRANGE = 0x15, 0x1F, 0x45
_TEMPLATE_ALIAS = 0x43


class Types:
    """Reads types, each once."""

    def __init__(self, entries: Entries, naming: Naming) -> None:
        self._entries = entries
        self._naming = naming
        self._structures = Structures(entries, naming, self.get)
        self._found: dict[int, Type] = {}
        self._open: set[int] = set()
        """Those that are being read."""

    def get(self, offset: int) -> Type:
        """The type whose entry is at an offset of .debug_info; a `BrokenType` if it cannot be read."""
        found = self._found.get(offset)
        if found is not None:
            return found
        # An enumeration is read with the type below it: where that is malformed, it may be itself, or a long chain.
        if len(self._open) >= MAX_OPEN:
            return BrokenType("too many types that depend on one another")
        if offset in self._open:
            return BrokenType("it depends on itself")
        self._open.add(offset)
        try:
            found = self._read(self._entries.at(offset))
        except MalformedDwarf as error:
            found = BrokenType(str(error))
        finally:
            self._open.discard(offset)
        self._found[offset] = found
        return found

    def reference(self, entry: Entry, name: str = "DW_AT_type") -> TypeRef | None:
        """The type that an attribute refers to; None: it is not there. Raises `MalformedDwarf`."""
        offset = self._entries.reference(entry, name)
        return TypeRef(offset, self.get) if offset is not None else None

    def function(self, entry: Entry) -> FunctionType:
        """The type of a function, of a function type's or a function's entry. Raises `MalformedDwarf`."""
        parameters: list[TypeRef | None] = []
        has_more = False
        for child in self._entries.children(entry):
            if child.tag == Tag.FORMAL_PARAMETER:
                parameters.append(self.reference(child))
            elif child.tag == Tag.UNSPECIFIED_PARAMETERS:
                has_more = True
        return FunctionType(self.reference(entry), tuple(parameters), has_more)

    def _read(self, entry: Entry) -> Type:
        tag = entry.tag
        name = entry.text("DW_AT_name")
        size = entry.number("DW_AT_byte_size")
        if tag in _POINTERS:
            pointer_size = size if size is not None else entry.unit.sizes.address
            return PointerType(name, pointer_size, self.reference(entry), _POINTERS[tag])
        if tag in _QUALIFIERS:
            return QualifiedType(_QUALIFIERS[tag], self.reference(entry))
        if tag in (Tag.TYPEDEF, _TEMPLATE_ALIAS):
            return TypedefType(name, self._qualified(entry), self.reference(entry))
        if tag in _STRUCTS:
            signature = self._entries.reference(entry, "DW_AT_signature")
            if signature is not None and signature != entry.offset:
                return self.get(signature) if self._is_struct(signature) else BrokenType("its type unit has no type")
            return self._structures.read(entry, _STRUCTS[Tag(tag)])
        reader = _READERS.get(tag)
        if reader is None:
            raise MalformedDwarf(f"entry {entry.offset:#x} is no type (tag {tag:#x})")
        return reader(self, entry, name, size)

    def _is_struct(self, offset: int) -> bool:
        """Whether a type unit's type is one at last: of types that only refer to others there could be loops."""
        entry = self._entries.at(offset)
        return entry.tag in _STRUCTS and "DW_AT_signature" not in entry.attributes

    def _qualified(self, entry: Entry) -> str:
        return self._naming.qualified_name((entry.unit, entry.tree, entry.index))

    def _base(self, entry: Entry, name: str, size: int | None) -> Type:
        bit_size = entry.number("DW_AT_bit_size")
        if size is None:
            size = ((bit_size or 0) + 7) // 8
        encoding = _ENCODINGS.get(entry.number("DW_AT_encoding") or 0, Encoding.OTHER)
        return BaseType(name, size, encoding, bit_size if bit_size != size * 8 else None)

    def _array(self, entry: Entry, name: str, size: int | None) -> Type:
        element = self.reference(entry)
        if element is None:
            raise MalformedDwarf(f"array {entry.offset:#x} has no elements' type")
        counts: list[int | None] = []
        bounds: list[int] = []
        for child in self._entries.children(entry):
            if child.tag in (Tag.SUBRANGE_TYPE, _GENERIC_SUBRANGE, Tag.ENUMERATION_TYPE):
                lower = child.number("DW_AT_lower_bound")
                lower = lower if lower is not None else self._default_lower(entry)
                bounds.append(lower)
                counts.append(_count(child, lower))
            if len(counts) > MAX_DIMENSIONS:
                raise MalformedDwarf(f"array {entry.offset:#x} has too many dimensions")
        if not counts:
            counts, bounds = [None], [self._default_lower(entry)]
        return ArrayType(name, size, element, tuple(counts), tuple(bounds), entry.flag("DW_AT_GNU_vector"))

    def _default_lower(self, entry: Entry) -> int:
        """DWARF 5, 7.12: where a language's arrays begin."""
        return int(self._naming.language(entry.unit) is Language.FORTRAN)

    def _enumeration(self, entry: Entry, name: str, size: int | None) -> Type:
        underlying = self.reference(entry)
        enumerators: list[Enumerator] = []
        for child in self._entries.children(entry):
            if child.tag == Tag.ENUMERATOR:
                value = child.number("DW_AT_const_value")
                if value is not None:
                    enumerators.append(Enumerator(child.text("DW_AT_name"), value))
        is_signed = any(each.value < 0 for each in enumerators)
        # Of the type itself, whatever its size: a C++ enumeration over `int` is signed without a negative value.
        base = stripped(underlying.get()) if underlying is not None else None
        if isinstance(base, BaseType):
            is_signed = base.encoding in (Encoding.SIGNED, Encoding.SIGNED_CHAR)
            size = size if size is not None else base.size
        return EnumType(
            name=name,
            qualified_name=self._qualified(entry),
            size=size,
            underlying=underlying,
            is_signed=is_signed,
            enumerators=tuple(enumerators),
            is_scoped=entry.flag("DW_AT_enum_class"),
            is_declaration=entry.flag("DW_AT_declaration"),
        )

    def _function(self, entry: Entry, name: str, size: int | None) -> Type:
        return self.function(entry)

    def _member_pointer(self, entry: Entry, name: str, size: int | None) -> Type:
        return MemberPointerType(name, size, self.reference(entry), self.reference(entry, "DW_AT_containing_type"))

    def _unspecified(self, entry: Entry, name: str, size: int | None) -> Type:
        return UnspecifiedType(name)

    def _subrange(self, entry: Entry, name: str, size: int | None) -> Type:
        """A type of its own in Pascal and Ada; its values are those of the type it is a part of."""
        return TypedefType(name, self._qualified(entry), self.reference(entry))


_READERS: dict[int, Callable[[Types, Entry, str, int | None], Type]] = {
    Tag.BASE_TYPE: Types._base,
    Tag.ARRAY_TYPE: Types._array,
    Tag.ENUMERATION_TYPE: Types._enumeration,
    Tag.UNSPECIFIED_TYPE: Types._unspecified,
    Tag.SUBRANGE_TYPE: Types._subrange,
    Tag.SUBPROGRAM: Types._function,
    _SUBROUTINE_TYPE: Types._function,
    _PTR_TO_MEMBER_TYPE: Types._member_pointer,
}


def _count(subrange: Entry, lower: int) -> int | None:
    """How many elements a dimension has; None: not known, or only while the program runs."""
    for name, first in (("DW_AT_count", 1), ("DW_AT_upper_bound", lower)):
        last = subrange.number(name)
        # A reference is to the variable that has the number; -1, in whatever size, says that there is none.
        if last is not None and not subrange.form(name).startswith("DW_FORM_ref") and last not in _MINUS_ONE:
            return max(last - first + 1, 0)
    return None


_MINUS_ONE = (-1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
