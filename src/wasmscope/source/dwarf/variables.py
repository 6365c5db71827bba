"""Variables from their entries, and where they are (DWARF 5, 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.dwarf.constants import Tag
from wasmscope.source.dwarf.entries import Entries, Entry
from wasmscope.source.dwarf.expressions import OPTIMISED_OUT, evaluate
from wasmscope.source.dwarf.functions import Functions
from wasmscope.source.dwarf.location_lists import LocationLists
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.naming import Naming, Node
from wasmscope.source.dwarf.types import Types
from wasmscope.source.dwarf.units import Unit, Units
from wasmscope.source.locations import Fixed, FrameValues, InMemory, InWasm, Known, Located, Locator
from wasmscope.source.model import Variable, VariableKind
from wasmscope.source.types import BaseType, TypeRef, stripped

_ADDR, _ADDRX = 0x03, 0xA1

_CONSTANT_BYTES = 16
"""Of a number that is a variable's value: more than any type of one has."""


class Variables:
    """Reads variables."""

    def __init__(
        self,
        units: Units,
        entries: Entries,
        naming: Naming,
        functions: Functions,
        types: Types,
        lists: LocationLists,
    ) -> None:
        self.units = units
        self.entries = entries
        self.types = types
        self.lists = lists
        """What locators need when they are asked."""
        self._naming = naming
        self._functions = functions

    def of(self, node: Node, function: Node | None) -> Variable:
        """The variable of an entry; `function` is the one whose frame it is in. Raises `MalformedDwarf`."""
        unit, tree, index = node
        entry = self.entries.of(unit, tree, index)
        chain = self._chain(entry)
        locator, is_static = self._locator(chain, function)
        kind = VariableKind.STATIC if is_static else VariableKind.LOCAL
        if entry.tag == Tag.FORMAL_PARAMETER:
            kind = VariableKind.PARAMETER
        name = next((text for each in chain if (text := each.text("DW_AT_name"))), "")
        return Variable(
            name=name,
            qualified_name=self._naming.qualified_name(node) if is_static else name,
            linkage_name=next((text for each in chain if (text := each.text("DW_AT_linkage_name"))), ""),
            type=self._type(chain),
            kind=kind,
            is_artificial=any(each.flag("DW_AT_artificial") for each in chain),
            declaration=self._functions.declaration(node),
            locator=locator,
            language=self._naming.language(unit),
        )

    def locator_at(self, offset: int) -> Locator:
        """What finds the variable whose entry is at an offset of .debug_info, if that does not need a frame."""
        try:
            return self._locator(self._chain(self.entries.at(offset)), None)[0]
        except MalformedDwarf as error:
            return Fixed(Unavailable(str(error)))

    def _chain(self, entry: Entry) -> list[Entry]:
        """The entry, then those it is a copy of or completes."""
        chain = [entry]
        for _ in range(8):
            for name in ("DW_AT_abstract_origin", "DW_AT_specification"):
                if (offset := self.entries.reference(chain[-1], name)) is not None:
                    chain.append(self.entries.at(offset))
                    break
            else:
                break
        return chain

    def _type(self, chain: list[Entry]) -> TypeRef | None:
        # A definition may complete its declaration's type: an array's size.
        return next((found for each in chain if (found := self.types.reference(each)) is not None), None)

    def _locator(self, chain: list[Entry], function: Node | None) -> tuple[Locator, bool]:
        """What finds it, and whether it has a fixed address."""
        for entry in chain:
            expression = entry.block("DW_AT_location")
            if expression is not None:
                is_static = bool(expression) and expression[0] in (_ADDR, _ADDRX)
                return DwarfLocator(self, entry.unit, expression, None, False, function), is_static
            if (form := entry.form("DW_AT_location")) in _LIST_FORMS:
                value = entry.raw("DW_AT_location")
                is_index = form == "DW_FORM_loclistx"
                return DwarfLocator(self, entry.unit, None, value, is_index, function), False
        for entry in chain:
            if "DW_AT_const_value" in entry.attributes:
                return Fixed(Known(_constant(entry))), False
        if any(entry.flag("DW_AT_declaration") for entry in chain):
            return Fixed(Unavailable("only its declaration is here")), False
        return Fixed(OPTIMISED_OUT), False


_LIST_FORMS = ("DW_FORM_sec_offset", "DW_FORM_loclistx", "DW_FORM_data4", "DW_FORM_data8")


def _constant(entry: Entry) -> bytes:
    block = entry.block("DW_AT_const_value")
    if block is not None:
        return block
    number = entry.number("DW_AT_const_value")
    if number is not None:
        return (number & ((1 << 8 * _CONSTANT_BYTES) - 1)).to_bytes(_CONSTANT_BYTES, "little")
    return entry.text("DW_AT_const_value").encode() + b"\0"


@dataclass(frozen=True, slots=True)
class DwarfLocator:
    """Finds a variable by its expression, or by the one that a location list has for the pc."""

    variables: Variables = field(repr=False)
    unit: Unit
    expression: bytes | None
    list_value: int | None
    is_index: bool
    function: Node | None = field(repr=False)

    def locate(self, pc: int, values: FrameValues) -> Located:
        """As `Locator` says."""
        try:
            expression = self.expression
            if expression is None:
                assert self.list_value is not None
                expression = self.variables.lists.find(self.unit, self.is_index, self.list_value, pc)
                if expression is None:
                    return OPTIMISED_OUT
            operations = self.variables.entries.expression(self.unit, expression)
            context = _Context(self, pc)
            return evaluate(operations, len(expression), values, context, self.unit.sizes.address)
        except MalformedDwarf as error:
            return Unavailable(f"its location: {error}")


@dataclass(frozen=True, slots=True)
class _Context:
    """What a variable's expression may refer to."""

    locator: DwarfLocator
    pc: int

    def frame_base(self, values: FrameValues) -> int | Unavailable:
        function = self.locator.function
        if function is None:
            return Unavailable("it is in a frame, and there is none")
        variables = self.locator.variables
        unit, tree, index = function
        entry = variables.entries.of(unit, tree, index)
        expression = entry.block("DW_AT_frame_base")
        if expression is None:
            if entry.form("DW_AT_frame_base") not in _LIST_FORMS:
                return Unavailable("its function has no frame base")
            is_index = entry.form("DW_AT_frame_base") == "DW_FORM_loclistx"
            expression = variables.lists.find(unit, is_index, entry.raw("DW_AT_frame_base"), self.pc)
            if expression is None:
                return Unavailable("its function has no frame base here")
        # A frame base does not count from a frame base.
        locator = DwarfLocator(variables, unit, expression, None, False, None)
        operations = variables.entries.expression(unit, expression)
        context = _Context(locator, self.pc)
        found = evaluate(operations, len(expression), values, context, unit.sizes.address)
        match found:
            case InMemory(address):
                return address
            case InWasm(space, index):
                number = values.number(space, index)
                return number if isinstance(number, Unavailable) else number.bits
            case Known(value):
                return int.from_bytes(value[:8], "little")
            case Unavailable():
                return found
            case _:
                return Unavailable("its function's frame base is no address")

    def indexed_address(self, index: int) -> int:
        return self.locator.variables.units.indexed_address(self.locator.unit, index)

    def base_type(self, offset: int) -> BaseType | None:
        found = stripped(self.locator.variables.types.get(self.locator.unit.start + offset))
        return found if isinstance(found, BaseType) else None

    def variable(self, offset: int) -> Locator:
        return self.locator.variables.locator_at(offset)
