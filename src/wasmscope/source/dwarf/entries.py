"""Debugging entries with all their attributes, as pyelftools decodes them: the one place where it is called.

What it is given was measured first: an entry's size, its kind's number of attributes. What it raises, whatever that is,
becomes `MalformedDwarf`: it was written for files that compilers made, and fails on others in many ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarf_expr import DWARFExprOp, DWARFExprParser
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from wasmscope.source.dwarf.constants import Form
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.tree import UnitTree
from wasmscope.source.dwarf.units import Unit, Units

MAX_ENTRY_SIZE = 1 << 16
"""Bytes. What takes more is a constant of that size, which nobody needs to see."""

MAX_CHILDREN = 1 << 14
"""Of one entry, that are looked at: members, enumerators, variables of a scope."""

_SECTIONS = (
    "debug_info", "debug_abbrev", "debug_str", "debug_line", "debug_line_str", "debug_addr", "debug_str_offsets",
    "debug_loclists", "debug_rnglists",
)  # fmt: skip
_OTHERS = (
    "debug_aranges", "debug_frame", "eh_frame", "debug_loc", "debug_ranges", "debug_pubtypes", "debug_pubnames",
    "debug_sup", "gnu_debugaltlink", "debug_types",
)  # fmt: skip
"""What pyelftools knows and is not asked about."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A debugging entry: `attributes` by name (`DW_AT_name`), as pyelftools' `AttributeValue`."""

    unit: Unit
    tree: UnitTree
    index: int
    attributes: Mapping[str, Any]

    @property
    def offset(self) -> int:
        """Where it is in .debug_info."""
        return self.tree.offsets[self.index]

    @property
    def tag(self) -> int:
        """What it is, a `Tag`."""
        return self.tree.tags[self.index]

    def number(self, name: str) -> int | None:
        """An attribute that is a number; None if it is not there, or no number."""
        value = self._value(name)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str:
        """An attribute that is a string; empty if it is not there."""
        value = self._value(name)
        return value.decode(errors="replace") if isinstance(value, bytes) else ""

    def flag(self, name: str) -> bool:
        """Whether a flag is there and set."""
        return bool(self._value(name))

    def block(self, name: str) -> bytes | None:
        """An attribute that is an expression or a block of bytes; None otherwise."""
        value = self._value(name)
        return bytes(value) if isinstance(value, list) else None

    def form(self, name: str) -> str:
        """The form of an attribute; empty if it is not there."""
        attribute = self.attributes.get(name)
        return str(attribute.form) if attribute is not None else ""

    def raw(self, name: str) -> int:
        """A number as it is in the entry: of what has an index, the index."""
        value = self.attributes[name].raw_value
        return value if isinstance(value, int) else 0

    def _value(self, name: str) -> object:
        attribute = self.attributes.get(name)
        return attribute.value if attribute is not None else None


class Entries:
    """Reads debugging entries, by their offset in .debug_info."""

    def __init__(self, sections: DwarfSections, units: Units) -> None:
        self.units = units
        """The units they are in."""
        self._info = sections.get(".debug_info")
        described = {f"{name}_sec": _descriptor(name, sections.get(f".{name}")) for name in _SECTIONS}
        absent = {f"{name}_sec": None for name in _OTHERS}
        config = DwarfConfig(little_endian=True, machine_arch="wasm", default_address_size=4)
        self._dwarf = DWARFInfo(config=config, **described, **absent)
        self._compile_units: dict[int, CompileUnit] = {}

    def at(self, offset: int) -> Entry:
        """The entry at an offset of .debug_info. Raises `MalformedDwarf` if there is none, or it cannot be read."""
        unit = self.units.at(offset)
        if unit is None:
            raise MalformedDwarf(f"offset {offset:#x} is in no unit")
        tree = self.units.tree(unit)
        index = tree.index_of(offset)
        if index is None:
            raise MalformedDwarf(f"no entry begins at {offset:#x}")
        return self.of(unit, tree, index)

    def of(self, unit: Unit, tree: UnitTree, index: int) -> Entry:
        """The entry of that index. Raises `MalformedDwarf`."""
        offset = tree.offsets[index]
        end = tree.offsets[index + 1] if index + 1 < len(tree.offsets) else unit.end
        if end - offset > MAX_ENTRY_SIZE:
            raise MalformedDwarf(f"entry {offset:#x} takes {end - offset} bytes")
        try:
            compile_unit = self._compile_unit(unit)
            die = DIE(compile_unit, self._dwarf.debug_info_sec.stream, offset)  # type: ignore[union-attr]
            return Entry(unit, tree, index, die.attributes)
        except MalformedDwarf:
            raise
        except Exception as error:
            raise MalformedDwarf(f"entry {offset:#x}: {_said(error)}") from None

    def children(self, entry: Entry) -> Iterator[Entry]:
        """The entries below; those that cannot be read are left out. Raises `MalformedDwarf` if they are too many."""
        for count, index in enumerate(entry.tree.children(entry.index)):
            if count == MAX_CHILDREN:
                raise MalformedDwarf(f"entry {entry.offset:#x} has more than {MAX_CHILDREN} parts")
            yield self.of(entry.unit, entry.tree, index)

    def reference(self, entry: Entry, name: str) -> int | None:
        """The offset in .debug_info of the entry that an attribute refers to; None: it is not there.

        Raises `MalformedDwarf`.
        """
        attribute = entry.attributes.get(name)
        if attribute is None:
            return None
        form = _REFERENCES.get(attribute.form)
        if form is None or not isinstance(attribute.raw_value, int):
            raise MalformedDwarf(f"a reference has form {attribute.form}")
        return self.units.reference(entry.unit, form, attribute.raw_value)

    def expression(self, unit: Unit, expression: bytes) -> list[DWARFExprOp]:
        """The operations of an expression. Raises `MalformedDwarf`."""
        if len(expression) > MAX_ENTRY_SIZE:
            raise MalformedDwarf(f"an expression takes {len(expression)} bytes")
        try:
            return DWARFExprParser(self._compile_unit(unit).structs).parse_expr(list(expression))
        except MalformedDwarf:
            raise
        except KeyError as error:
            raise MalformedDwarf(f"unknown operation {error} in an expression") from None
        except Exception as error:
            raise MalformedDwarf(f"an expression: {_said(error)}") from None

    def _compile_unit(self, unit: Unit) -> CompileUnit:
        found = self._compile_units.get(unit.number)
        if found is None:
            self.units.check_kinds(unit)
            found = self._dwarf.get_CU_at(unit.start)
            found.get_top_DIE()
            self._compile_units[unit.number] = found
        return found


_REFERENCES = {
    "DW_FORM_ref1": Form.REF1,
    "DW_FORM_ref2": Form.REF2,
    "DW_FORM_ref4": Form.REF4,
    "DW_FORM_ref8": Form.REF8,
    "DW_FORM_ref_udata": Form.REF_UDATA,
    "DW_FORM_ref_addr": Form.REF_ADDR,
    "DW_FORM_ref_sig8": Form.REF_SIG8,
}


def _descriptor(name: str, content: bytes) -> DebugSectionDescriptor:
    return DebugSectionDescriptor(BytesIO(content), f".{name}", None, len(content), 0)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
