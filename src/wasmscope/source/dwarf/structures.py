"""Structures, classes and unions from their entries, Rust's enums with data among them (DWARF 5, 5.7)."""

from __future__ import annotations

from collections.abc import Callable

from wasmscope.source.dwarf.constants import Tag
from wasmscope.source.dwarf.entries import Entries, Entry
from wasmscope.source.dwarf.languages import separator
from wasmscope.source.dwarf.leb128 import signed, unsigned
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.naming import Naming
from wasmscope.source.types import (
    Access,
    Base,
    BaseType,
    Encoding,
    EnumType,
    Member,
    Method,
    StaticMember,
    StructKind,
    StructType,
    TemplateArgument,
    Type,
    TypeRef,
    Variant,
    VariantPart,
    size_of,
    stripped,
)

_ACCESS = {1: Access.PUBLIC, 2: Access.PROTECTED, 3: Access.PRIVATE}

_PLUS_UCONST = 0x23

MAX_VALUES = 4096
"""Ranges of a discriminant that one variant has."""


class Structures:
    """Reads them; `load` reads the type at an offset of .debug_info."""

    def __init__(self, entries: Entries, naming: Naming, load: Callable[[int], Type]) -> None:
        self._entries = entries
        self._naming = naming
        self._load = load

    def read(self, entry: Entry, kind: StructKind) -> StructType:
        """The structure. Raises `MalformedDwarf`."""
        members: list[Member] = []
        bases: list[Base] = []
        parts: list[VariantPart] = []
        statics: list[StaticMember] = []
        methods: list[Method] = []
        arguments: list[TemplateArgument] = []
        qualified_name = self._naming.qualified_name((entry.unit, entry.tree, entry.index))
        for child in self._entries.children(entry):
            match child.tag:
                case Tag.MEMBER if _is_static(child):
                    statics.append(self._static(child, qualified_name))
                case Tag.VARIABLE:
                    statics.append(self._static(child, qualified_name))
                case Tag.MEMBER:
                    members.append(self._member(child))
                case Tag.INHERITANCE:
                    bases.append(self._base(child))
                case Tag.VARIANT_PART:
                    parts.append(self._variant_part(child))
                case Tag.SUBPROGRAM:
                    methods.append(self._method(child))
                case Tag.TEMPLATE_TYPE_PARAMETER | Tag.TEMPLATE_VALUE_PARAMETER:
                    arguments.append(self._argument(child))
        return StructType(
            name=entry.text("DW_AT_name"),
            qualified_name=qualified_name,
            size=entry.number("DW_AT_byte_size"),
            kind=kind,
            members=tuple(members),
            bases=tuple(bases),
            variant_parts=tuple(parts),
            static_members=tuple(statics),
            methods=tuple(methods),
            template_arguments=tuple(arguments),
            is_declaration=entry.flag("DW_AT_declaration"),
        )

    def _reference(self, entry: Entry, name: str) -> TypeRef | None:
        offset = self._entries.reference(entry, name)
        return TypeRef(offset, self._load) if offset is not None else None

    def _member(self, entry: Entry) -> Member:
        type_ = self._reference(entry, "DW_AT_type")
        offset = _member_offset(entry)
        if offset is None:
            raise MalformedDwarf(f"where member {entry.offset:#x} is, is only known while the program runs")
        bit_size = entry.number("DW_AT_bit_size")
        bit_offset = 0
        if bit_size is not None:
            bit_offset = self._bit_offset(entry, type_, offset, bit_size)
            offset = bit_offset // 8
        return Member(
            name=entry.text("DW_AT_name"),
            type=type_,
            offset=offset,
            bit_size=bit_size,
            bit_offset=bit_offset,
            is_artificial=entry.flag("DW_AT_artificial"),
            access=_access(entry),
        )

    def _bit_offset(self, entry: Entry, type_: TypeRef | None, offset: int, bit_size: int) -> int:
        """Where a bit-field begins (DWARF 5, 5.7.6), counted from its lowest bit."""
        bits = entry.number("DW_AT_data_bit_offset")
        if bits is not None:
            return offset * 8 + bits
        # Up to DWARF 3: from the highest bit of a unit as large as the type.
        from_top = entry.number("DW_AT_bit_offset")
        if from_top is None:
            return offset * 8
        unit = entry.number("DW_AT_byte_size")
        if unit is None and type_ is not None:
            unit = size_of(type_.get())
        if unit is None:
            raise MalformedDwarf(f"bit-field {entry.offset:#x} has no size")
        return offset * 8 + unit * 8 - from_top - bit_size

    def _static(self, entry: Entry, container: str) -> StaticMember:
        name, type_ = entry.text("DW_AT_name"), self._reference(entry, "DW_AT_type")
        joined = f"{container}{separator(self._naming.language(entry.unit))}{name}"
        return StaticMember(name, joined, type_, _constant(entry), _access(entry))

    def _base(self, entry: Entry) -> Base:
        type_ = self._reference(entry, "DW_AT_type")
        if type_ is None:
            raise MalformedDwarf(f"base {entry.offset:#x} has no type")
        is_virtual = bool(entry.number("DW_AT_virtuality"))
        return Base(type_, None if is_virtual else _member_offset(entry), _access(entry))

    def _method(self, entry: Entry) -> Method:
        return Method(
            name=entry.text("DW_AT_name"),
            linkage_name=entry.text("DW_AT_linkage_name") or entry.text("DW_AT_MIPS_linkage_name"),
            type=TypeRef(entry.offset, self._load),
            is_static=not self._has_object(entry),
            is_virtual=bool(entry.number("DW_AT_virtuality")),
            is_artificial=entry.flag("DW_AT_artificial"),
            key=entry.offset,
            access=_access(entry),
        )

    def _has_object(self, method: Entry) -> bool:
        """Whether a method is called on an object: its first parameter is then one that the compiler made."""
        if "DW_AT_object_pointer" in method.attributes:
            return True
        for child in self._entries.children(method):
            if child.tag == Tag.FORMAL_PARAMETER:
                return child.flag("DW_AT_artificial")
        return False

    def _argument(self, entry: Entry) -> TemplateArgument:
        is_value = entry.tag == Tag.TEMPLATE_VALUE_PARAMETER
        value = _constant(entry) if is_value else None
        return TemplateArgument(entry.text("DW_AT_name"), self._reference(entry, "DW_AT_type"), value, is_value)

    def _variant_part(self, entry: Entry) -> VariantPart:
        discriminant_at = self._entries.reference(entry, "DW_AT_discr")
        discriminant: Member | None = None
        variants: list[Variant] = []
        for child in self._entries.children(entry):
            if child.tag == Tag.MEMBER and child.offset == discriminant_at:
                discriminant = self._member(child)
        for child in self._entries.children(entry):
            if child.tag == Tag.VARIANT:
                members = [self._member(each) for each in self._entries.children(child) if each.tag == Tag.MEMBER]
                variants.append(Variant(_values(child, discriminant), tuple(members)))
        return VariantPart(discriminant, tuple(variants))


def _is_static(entry: Entry) -> bool:
    """Up to DWARF 4 a class's variables are members that are declared (DWARF 4, 5.5.6)."""
    return entry.flag("DW_AT_external") or entry.flag("DW_AT_declaration")


def _member_offset(entry: Entry) -> int | None:
    """Bytes from the start of the structure; None: an expression has to be worked out for each object."""
    expression = entry.block("DW_AT_data_member_location")
    if expression is not None:
        try:
            if expression[0] == _PLUS_UCONST:
                value, end = unsigned(expression, 1)
                return value if end == len(expression) else None
        except IndexError:
            pass
        return None
    return entry.number("DW_AT_data_member_location") or 0


def _access(entry: Entry) -> Access | None:
    return _ACCESS.get(entry.number("DW_AT_accessibility") or 0)


def _constant(entry: Entry) -> int | bytes | None:
    return entry.block("DW_AT_const_value") or entry.number("DW_AT_const_value")


def _values(variant: Entry, discriminant: Member | None) -> tuple[tuple[int, int], ...] | None:
    """The values of the discriminant that a variant is there for (DWARF 5, 5.7.10), in the discriminant's type."""
    type_ = stripped(discriminant.type.get()) if discriminant is not None and discriminant.type is not None else None
    size = size_of(type_)
    is_signed = isinstance(type_, BaseType) and type_.encoding in (Encoding.SIGNED, Encoding.SIGNED_CHAR)
    is_signed = is_signed or (isinstance(type_, EnumType) and type_.is_signed)

    def fit(value: int) -> int:
        """A value as the discriminant has it: the form says neither its size nor whether it is signed."""
        if size is None or not 1 <= size <= 16:
            return value
        value &= (1 << 8 * size) - 1
        return value - (1 << 8 * size) if is_signed and value >> (8 * size - 1) else value

    single = variant.number("DW_AT_discr_value")
    if single is not None:
        return ((fit(single), fit(single)),)
    block = variant.block("DW_AT_discr_list")
    if block is None:
        return None
    read = signed if is_signed else unsigned
    found: list[tuple[int, int]] = []
    position = 0
    try:
        while position < len(block) and len(found) < MAX_VALUES:
            is_range, position = block[position], position + 1
            low, position = read(block, position)
            high = low
            if is_range:
                high, position = read(block, position)
            found.append((fit(low), fit(high)))
    except IndexError:
        raise MalformedDwarf(f"variant {variant.offset:#x} has a malformed list of values") from None
    return tuple(found)
