"""Locations that change along the code (DWARF 5, 2.6.2): the expression that is in force at a pc."""

from __future__ import annotations

from wasmscope.source.dwarf.constants import At, Form
from wasmscope.source.dwarf.leb128 import unsigned
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.ranges import Ranges, indexed
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.units import Unit, Units, number_at

MAX_LOCATIONS = 1 << 14
"""Of one variable."""


class LocationLists:
    """Reads location lists as far as the entry that is looked for."""

    def __init__(self, sections: DwarfSections, units: Units, ranges: Ranges) -> None:
        self._sections = sections
        self._units = units
        self._ranges = ranges

    def find(self, unit: Unit, is_index: bool, value: int, pc: int) -> bytes | None:
        """The expression for `pc` in the list at offset or index `value`; None: the variable has no place there.

        Raises `MalformedDwarf`.
        """
        address = pc - self._sections.code.start
        try:
            if unit.sizes.version < 5:
                return self._old(unit, value, address)
            section = self._sections.get(".debug_loclists")
            form = Form.LOCLISTX if is_index else Form.SEC_OFFSET
            return self._new(unit, section, indexed(self._units, unit, section, form, value, At.LOCLISTS_BASE), address)
        except IndexError:
            raise MalformedDwarf("a location list goes on beyond its section") from None

    def _old(self, unit: Unit, offset: int, address: int) -> bytes | None:
        """DWARF 4, 2.6.2."""
        section, size = self._sections.get(".debug_loc"), unit.sizes.address
        base, base_selection = self._ranges.base(unit), (1 << 8 * size) - 1
        for _ in range(MAX_LOCATIONS):
            low, high = number_at(section, offset, size), number_at(section, offset + size, size)
            offset += 2 * size
            if low == high == 0:
                return None
            if low == base_selection:
                base = high
                continue
            length = number_at(section, offset, 2)
            offset += 2
            # One below the base selection stands for code that was dropped.
            if low != base_selection - 1 and base + low <= address < base + high:
                return _expression(section, offset, length)
            offset += length
        raise MalformedDwarf("a location list is too long")

    def _new(self, unit: Unit, section: bytes, offset: int, address: int) -> bytes | None:
        """DWARF 5, 2.6.2 and 7.29."""
        size, base = unit.sizes.address, self._ranges.base(unit)
        indexed_address = self._units.indexed_address
        default: bytes | None = None
        for _ in range(MAX_LOCATIONS):
            kind, offset = section[offset], offset + 1
            if kind == 0:
                return default
            first = second = 0
            if kind in (1, 2, 3, 4):
                first, offset = unsigned(section, offset)
            elif kind in (6, 7, 8):
                first = number_at(section, offset, size)
                offset += size
            elif kind != 5:
                raise MalformedDwarf(f"unknown kind {kind} of location")
            if kind in (2, 3, 4, 8):
                second, offset = unsigned(section, offset)
            elif kind == 7:
                second = number_at(section, offset, size)
                offset += size
            if kind == 1:  # DW_LLE_base_addressx
                base = indexed_address(unit, first)
                continue
            if kind == 6:  # DW_LLE_base_address
                base = first
                continue
            length, offset = unsigned(section, offset)
            match kind:
                case 2:  # DW_LLE_startx_endx
                    low, high = indexed_address(unit, first), indexed_address(unit, second)
                case 3:  # DW_LLE_startx_length
                    low = indexed_address(unit, first)
                    high = low + second
                case 4:  # DW_LLE_offset_pair
                    low, high = base + first, base + second
                case 5:  # DW_LLE_default_location
                    default = _expression(section, offset, length)
                    low = high = 0
                case 7:  # DW_LLE_start_end
                    low, high = first, second
                case _:  # DW_LLE_start_length
                    low, high = first, first + second
            if low <= address < high:
                return _expression(section, offset, length)
            offset += length
        raise MalformedDwarf("a location list is too long")


def _expression(section: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(section):
        raise MalformedDwarf("a location goes on beyond its section")
    return section[offset : offset + length]
