"""The units of .debug_info (DWARF 5, 7.5.1): their headers, and what their top entries say of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from wasmscope.errors import DecodeError
from wasmscope.source.dwarf.abbreviations import Abbreviations, Sizes
from wasmscope.source.dwarf.constants import At, Form, Tag
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.tree import UnitTree, Values, read_tree
from wasmscope.wasm.reader import Reader

_DWARF64 = 0xFFFFFFFF
_RESERVED = 0xFFFFFFF0

MAX_UNITS = 1 << 18

_TYPE_UNIT, _SKELETON, _SPLIT_COMPILE, _SPLIT_TYPE = 2, 4, 5, 6
"""DWARF 5, 7.5.1: the unit types whose headers have more in them."""

_TOP = frozenset(
    (
        At.NAME, At.STMT_LIST, At.LOW_PC, At.HIGH_PC, At.RANGES, At.LANGUAGE, At.COMP_DIR, At.PRODUCER,
        At.STR_OFFSETS_BASE, At.ADDR_BASE, At.RNGLISTS_BASE, At.LOCLISTS_BASE, At.GNU_ADDR_BASE,
    )
)  # fmt: skip
_CODE = frozenset((At.LOW_PC, At.HIGH_PC, At.RANGES))
_NAMED = frozenset((At.NAME, At.LINKAGE_NAME, At.MIPS_LINKAGE_NAME, At.DECLARATION))
_COPY = frozenset((At.ABSTRACT_ORIGIN, At.SPECIFICATION))
WANTED: Mapping[int, frozenset[int]] = {
    Tag.COMPILE_UNIT: _TOP,
    Tag.PARTIAL_UNIT: _TOP,
    Tag.SUBPROGRAM: _CODE | _NAMED | _COPY,
    Tag.INLINED_SUBROUTINE: _CODE | _COPY,
    Tag.LEXICAL_BLOCK: _CODE,
    Tag.TRY_BLOCK: _CODE,
    Tag.CATCH_BLOCK: _CODE,
    Tag.VARIABLE: _NAMED | _COPY,
    Tag.MEMBER: _NAMED,
    **dict.fromkeys(
        (
            Tag.NAMESPACE, Tag.MODULE, Tag.STRUCTURE_TYPE, Tag.CLASS_TYPE, Tag.UNION_TYPE, Tag.ENUMERATION_TYPE,
            Tag.INTERFACE_TYPE, Tag.TYPEDEF, Tag.BASE_TYPE, Tag.UNSPECIFIED_TYPE,
        ),
        _NAMED | _COPY,
    ),
}  # fmt: skip
"""The attributes that the tree of a unit has of each kind of entry."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its header: `start` to `end` in .debug_info. `signature` and `type_offset` are a type unit's."""

    number: int
    start: int
    end: int
    top: int
    abbreviations: int
    sizes: Sizes
    signature: int | None = None
    type_offset: int = 0


class Units:
    """Every unit, its tree when it is asked for, and the values that its entries share with it."""

    def __init__(self, sections: DwarfSections, budget: Budget) -> None:
        self._sections = sections
        self._budget = budget
        self._info = sections.get(".debug_info")
        self.problems: list[str] = []
        """What is malformed."""
        self.all = self._headers()
        """The units in their order."""
        self._starts = [unit.start for unit in self.all]
        self._tables: dict[tuple[int, Sizes], Abbreviations] = {}
        self._tops: dict[int, Values] = {}
        self._trees: dict[int, UnitTree] = {}

    def at(self, offset: int) -> Unit | None:
        """The unit that an offset of .debug_info is in."""
        index = bisect_right(self._starts, offset) - 1
        return self.all[index] if index >= 0 and offset < self.all[index].end else None

    def by_signature(self, signature: int) -> Unit | None:
        """The type unit with that signature."""
        return next((unit for unit in self.all if unit.signature == signature), None)

    def top(self, unit: Unit) -> Values:
        """The attributes of the unit's top entry; none if it is malformed."""
        found = self._tops.get(unit.number)
        if found is None:
            found = self._tops[unit.number] = self._read(unit, 1).of(0)
        return found

    def tree(self, unit: Unit) -> UnitTree:
        """The unit's entries."""
        found = self._trees.get(unit.number)
        if found is None:
            found = self._read(unit, None)
            self.keep(unit, found)
        return found

    def read_tree(self, unit: Unit) -> UnitTree:
        """As `tree`, for somebody who looks at it once: it is not kept."""
        return self._trees.get(unit.number) or self._read(unit, None)

    def keep(self, unit: Unit, tree: UnitTree) -> None:
        """Keeps what `read_tree` gave: the unit is of interest after all."""
        if self._trees.setdefault(unit.number, tree) is tree and tree.problem:
            self.problems.append(f"unit {unit.start:#x}: {tree.problem}")

    def refers_outside(self, unit: Unit) -> bool:
        """Whether copies of functions in the unit may be of functions in others."""
        try:
            return self._table(unit).has_form(Form.REF_ADDR)
        except MalformedDwarf:
            return False

    def check_kinds(self, unit: Unit) -> None:
        """Reads all kinds of entries the unit may have. Raises `MalformedDwarf`."""
        self._table(unit).read_all()

    def _read(self, unit: Unit, most: int | None) -> UnitTree:
        return read_tree(self._info, unit.top, unit.end, self._table(unit), unit.sizes, most)

    def _table(self, unit: Unit) -> Abbreviations:
        key = (unit.abbreviations, unit.sizes)
        found = self._tables.get(key)
        if found is None:
            section = self._sections.get(".debug_abbrev")
            found = Abbreviations(section, unit.abbreviations, unit.sizes, WANTED, self._budget)
            self._tables[key] = found
        return found

    def _headers(self) -> tuple[Unit, ...]:
        units: list[Unit] = []
        reader = Reader(self._info)
        try:
            while not reader.at_end():
                if len(units) == MAX_UNITS:
                    raise DecodeError("too many units", reader.offset)
                start = reader.offset
                offset_size, end = unit_length(reader)
                try:
                    units.append(_header(Reader(self._info, reader.offset, end), len(units), start, offset_size))
                except DecodeError as error:
                    self.problems.append(f".debug_info: {error}")
                    if len(self.problems) > MAX_PROBLEMS:
                        break
                reader.offset = end
        except DecodeError as error:
            self.problems.append(f".debug_info: {error}")
        return tuple(units)

    def string(self, unit: Unit, form: int, value: int) -> str:
        """A name, by the form and value of its attribute (DWARF 5, 7.5.5, class string). Raises `MalformedDwarf`."""
        if form == Form.STRING:
            return text_at(self._info, value)
        if form == Form.STRP:
            return text_at(self._sections.get(".debug_str"), value)
        if form == Form.LINE_STRP:
            return text_at(self._sections.get(".debug_line_str"), value)
        if form in (Form.STRX, Form.STRX1, Form.STRX2, Form.STRX3, Form.STRX4):
            size = unit.sizes.offset
            base = self._base(unit, At.STR_OFFSETS_BASE, 4 + size)
            offset = number_at(self._sections.get(".debug_str_offsets"), base + value * size, size)
            return text_at(self._sections.get(".debug_str"), offset)
        raise MalformedDwarf(f"a string has form {form:#x}")

    def address(self, unit: Unit, form: int, value: int) -> int:
        """An address, likewise (class address). Raises `MalformedDwarf`."""
        if form in (Form.ADDR, Form.DATA4, Form.DATA8):  # wasm-tools writes it as a number
            return value
        if form in (Form.ADDRX, Form.ADDRX1, Form.ADDRX2, Form.ADDRX3, Form.ADDRX4):
            return self.indexed_address(unit, value)
        raise MalformedDwarf(f"an address has form {form:#x}")

    def indexed_address(self, unit: Unit, index: int) -> int:
        """An entry of the unit's part of .debug_addr (DWARF 5, 7.27). Raises `MalformedDwarf`."""
        base = self._base(unit, At.ADDR_BASE, 8)
        return number_at(self._sections.get(".debug_addr"), base + index * unit.sizes.address, unit.sizes.address)

    def reference(self, unit: Unit, form: int, value: int) -> int:
        """The offset in .debug_info of the entry referred to (class reference). Raises `MalformedDwarf`."""
        if form in (Form.REF1, Form.REF2, Form.REF4, Form.REF8, Form.REF_UDATA):
            return unit.start + value
        if form == Form.REF_ADDR:
            return value
        if form == Form.REF_SIG8:
            other = self.by_signature(value)
            if other is not None:
                return other.start + other.type_offset
            raise MalformedDwarf(f"there is no type unit with signature {value:#018x}")
        raise MalformedDwarf(f"a reference has form {form:#x}")

    def _base(self, unit: Unit, attribute: At, header: int) -> int:
        """Where the unit's part of a section begins; without the attribute, behind the section's first header."""
        return self.top(unit).get(attribute, (0, header))[1]


MAX_PROBLEMS = 100


def unit_length(reader: Reader) -> tuple[int, int]:
    """The initial length of a unit (DWARF 5, 7.2.2): the size of offsets in it, and where it ends."""
    start = reader.offset
    length, offset_size = fixed(reader, 4), 4
    if length == _DWARF64:
        length, offset_size = fixed(reader, 8), 8
    elif length >= _RESERVED:
        raise DecodeError("reserved unit length", start)
    if length > reader.left:
        raise DecodeError("a unit goes on beyond the section", start)
    return offset_size, reader.offset + length


def fixed(reader: Reader, size: int) -> int:
    """An unsigned integer of `size` bytes."""
    return int.from_bytes(reader.bytes(size), "little")


def _header(reader: Reader, number: int, start: int, offset_size: int) -> Unit:
    version = fixed(reader, 2)
    if not 2 <= version <= 5:
        raise DecodeError(f"DWARF version {version} is not supported", start)
    kind, signature, type_offset = 1, None, 0
    if version >= 5:
        kind, address_size = reader.u8(), reader.u8()
        abbreviations = fixed(reader, offset_size)
    else:
        abbreviations, address_size = fixed(reader, offset_size), reader.u8()
    if address_size not in (4, 8):
        raise DecodeError(f"addresses of {address_size} bytes", start)
    if kind in (_TYPE_UNIT, _SPLIT_TYPE):
        signature, type_offset = fixed(reader, 8), fixed(reader, offset_size)
    elif kind in (_SKELETON, _SPLIT_COMPILE):
        reader.skip(8)
    sizes = Sizes(address_size, offset_size, version)
    return Unit(number, start, reader.end, reader.offset, abbreviations, sizes, signature, type_offset)


def number_at(section: bytes, offset: int, size: int) -> int:
    """An unsigned integer in a section. Raises `MalformedDwarf` beyond its end."""
    if not 0 <= offset <= len(section) - size:
        raise MalformedDwarf(f"offset {offset:#x} is beyond the end of its section")
    return int.from_bytes(section[offset : offset + size], "little")


def text_at(section: bytes, offset: int) -> str:
    """A string that ends with 0. Raises `MalformedDwarf` beyond the end of the section."""
    if not 0 <= offset < len(section):
        raise MalformedDwarf(f"there is no string at {offset:#x}")
    end = section.find(0, offset)
    return section[offset : end if end >= 0 else len(section)].decode(errors="replace")
