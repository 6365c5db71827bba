"""Which code an entry covers (DWARF 5, 2.17): one range, or a list in .debug_ranges or .debug_rnglists."""

from __future__ import annotations

from wasmscope.source.dwarf.constants import At, Form
from wasmscope.source.dwarf.leb128 import unsigned
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.tree import Values
from wasmscope.source.dwarf.units import Unit, Units, number_at
from wasmscope.source.model import PcRange

MAX_RANGES = 1 << 17
"""Of one entry; a unit has one for each of its functions."""


class Ranges:
    """Reads the ranges of entries."""

    def __init__(self, sections: DwarfSections, units: Units, budget: Budget) -> None:
        self._sections = sections
        self._units = units
        self._budget = budget
        self._lists: dict[tuple[int, int, int], list[tuple[int, int]]] = {}

    def of(self, unit: Unit, values: Values) -> tuple[PcRange, ...]:
        """The code of an entry; empty if it has none, or was dropped. Raises `MalformedDwarf`."""
        if At.RANGES in values:
            found = self._list(unit, *values[At.RANGES])
        elif At.LOW_PC in values:
            low = self._units.address(unit, *values[At.LOW_PC])
            form, high = values.get(At.HIGH_PC, (Form.DATA1, 1))
            if form in (Form.ADDR, Form.ADDRX, Form.ADDRX1, Form.ADDRX2, Form.ADDRX3, Form.ADDRX4):
                high = self._units.address(unit, form, high)
            else:
                high += low
            found = [(low, high)]
        else:
            return ()
        code = self._sections.code
        live: list[PcRange] = []
        for low, high in found:
            start, end = code.pc(low), code.pc(high)
            if low == 0 and high in (code.size - 1, code.size):
                # All the code, as wasm-tools has it, and not something that was dropped.
                start, end = code.start, code.start + code.size
            if start is not None and end is not None and start < end:
                live.append(PcRange(start, end))
        return tuple(live)

    def base(self, unit: Unit) -> int:
        """The address that the unit's lists count from (DWARF 5, 3.1.1)."""
        low = self._units.top(unit).get(At.LOW_PC)
        return self._units.address(unit, *low) if low is not None else 0

    def _list(self, unit: Unit, form: int, value: int) -> list[tuple[int, int]]:
        key = (unit.number, form, value)
        found = self._lists.get(key)
        if found is None:
            if unit.sizes.version < 5:
                found = self._old_list(unit, value)
            else:
                section = self._sections.get(".debug_rnglists")
                offset = indexed(self._units, unit, section, form, value, At.RNGLISTS_BASE)
                found = self._new_list(unit, section, offset)
            self._lists[key] = found
        return found

    def _old_list(self, unit: Unit, offset: int) -> list[tuple[int, int]]:
        """DWARF 4, 2.17.3: pairs of addresses."""
        section, size = self._sections.get(".debug_ranges"), unit.sizes.address
        base, base_selection = self.base(unit), (1 << 8 * size) - 1
        found: list[tuple[int, int]] = []
        for _ in range(MAX_RANGES):
            self._budget.spend(2 * size)
            low, high = number_at(section, offset, size), number_at(section, offset + size, size)
            offset += 2 * size
            if low == high == 0:
                return found
            if low == base_selection:
                base = high
            elif low != base_selection - 1:  # of code that was dropped
                found.append((low + base, high + base))
        raise MalformedDwarf("a list of ranges is too long")

    def _new_list(self, unit: Unit, section: bytes, offset: int) -> list[tuple[int, int]]:
        """DWARF 5, 2.17.3 and 7.25."""
        size, base = unit.sizes.address, self.base(unit)
        address = self._units.indexed_address
        found: list[tuple[int, int]] = []
        try:
            for _ in range(MAX_RANGES):
                start = offset
                kind, offset = section[offset], offset + 1
                if kind == 0:
                    return found
                if kind in (5, 6, 7):
                    first = number_at(section, offset, size)
                    offset += size
                elif kind in (1, 2, 3, 4):
                    first, offset = unsigned(section, offset)
                else:
                    raise MalformedDwarf(f"unknown kind {kind} of range")
                if kind in (2, 3, 4, 7):
                    second, offset = unsigned(section, offset)
                elif kind == 6:
                    second = number_at(section, offset, size)
                    offset += size
                match kind:
                    case 1:  # DW_RLE_base_addressx
                        base = address(unit, first)
                    case 2:  # DW_RLE_startx_endx
                        found.append((address(unit, first), address(unit, second)))
                    case 3:  # DW_RLE_startx_length
                        found.append((address(unit, first), address(unit, first) + second))
                    case 4:  # DW_RLE_offset_pair
                        found.append((base + first, base + second))
                    case 5:  # DW_RLE_base_address
                        base = first
                    case 6:  # DW_RLE_start_end
                        found.append((first, second))
                    case _:  # DW_RLE_start_length
                        found.append((first, first + second))
                self._budget.spend(offset - start)
        except IndexError:
            raise MalformedDwarf("a list of ranges goes on beyond its section") from None
        raise MalformedDwarf("a list of ranges is too long")


def indexed(units: Units, unit: Unit, section: bytes, form: int, value: int, base_attribute: At) -> int:
    """The offset of a list: as it is, or by its index in the unit's table (DWARF 5, 7.28). Raises `MalformedDwarf`."""
    if form not in (Form.RNGLISTX, Form.LOCLISTX):
        return value
    size = unit.sizes.offset
    # Without the attribute the table is behind the section's first header, which has 12 or 20 bytes.
    base = units.top(unit).get(base_attribute, (0, 12 if size == 4 else 20))[1]
    return base + number_at(section, base + value * size, size)
