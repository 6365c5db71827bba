"""Whether the DWARF in a module can still be used: optimisers often leave it behind with its addresses gone.

The line table is what everything else leans on, so that is looked at: of each unit the line number program is run until
it sets an address that lies in the code section (DWARF 5, sections 6.2.4 and 6.2.5).
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmscope.cli.inspection.model import Dwarf
from wasmscope.errors import DecodeError
from wasmscope.wasm.module import Module, Section
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.sections import SectionId

_END_SEQUENCE, _SET_ADDRESS = 1, 2
_ADVANCE_PC, _FIXED_ADVANCE_PC = 2, 9

_DWARF64 = 0xFFFFFFFF
_RESERVED = 0xFFFFFFF0

_SOME = 0.5
"""Units of dead code are normal; where fewer than this part of them is live, the rest was lost."""


def inspect_dwarf(module: Module, elsewhere: str | None) -> Dwarf:
    """What the DWARF of `module` is worth; `elsewhere` is the address of a file that holds it."""
    sections = {item.name: item for item in module.sections if item.name.startswith(".debug_")}
    sizes = {name: section.end - section.payload_start for name, section in sections.items()}
    if not sections:
        if elsewhere is not None:
            return Dwarf("elsewhere", sizes, 0, 0, f"it was moved to {elsewhere}")
        return Dwarf("absent", sizes, 0, 0, "compile with -g, and keep wasm-opt from stripping it, to have it")
    line = sections.get(".debug_line")
    if line is None or line.end == line.payload_start:
        return Dwarf("no line table", sizes, 0, 0, "without .debug_line, code has no source lines")
    code = next((item for item in module.sections if item.id == SectionId.CODE), None)
    try:
        units = _units(module.bytecode, line, code.end - code.payload_start if code is not None else 0)
    except DecodeError as error:
        return Dwarf("malformed", sizes, 0, 0, f".debug_line: {error}")
    live = sum(unit.live for unit in units)
    with_code = sum(unit.live or unit.sets_address for unit in units)
    if live == 0:
        note = "no line table row is at an address of the code: an optimiser such as wasm-opt dropped them"
        return Dwarf("addresses gone", sizes, len(units), live, note)
    if live < _SOME * max(with_code, 1):
        return Dwarf("partial", sizes, len(units), live, "most units have no line table rows for code that is there")
    return Dwarf("usable", sizes, len(units), live, "")


@dataclass(frozen=True, slots=True)
class _Unit:
    live: bool
    sets_address: bool
    """Whether it has rows at all: those of functions the linker dropped have an address outside the code."""


def _units(bytecode: bytes, section: Section, code_size: int) -> list[_Unit]:
    reader = Reader(bytecode, section.payload_start, section.end)
    units: list[_Unit] = []
    while not reader.at_end():
        length, offset_size = _u32(reader), 4
        if length == _DWARF64:
            length, offset_size = _fixed(reader, 8), 8
        elif length >= _RESERVED:
            raise DecodeError("reserved unit length", reader.offset - 4)
        start = reader.skip(length)
        units.append(_unit(Reader(bytecode, start, start + length), offset_size, code_size))
    return units


def _unit(reader: Reader, offset_size: int, code_size: int) -> _Unit:
    """The header as far as the program needs it, then the program."""
    version = _fixed(reader, 2)
    if not 2 <= version <= 5:
        raise DecodeError(f"line table version {version}", reader.offset - 2)
    if version >= 5:
        reader.skip(2)  # address_size, segment_selector_size
    header_length = _fixed(reader, offset_size)
    program = reader.offset + header_length
    reader.skip(5 if version >= 4 else 4)  # up to line_range
    opcode_base = reader.u8()
    lengths = [reader.u8() for _ in range(opcode_base - 1)]
    reader.skip(program - reader.offset if program >= reader.offset else reader.left + 1)
    return _run(reader, opcode_base, lengths, code_size)


def _run(reader: Reader, opcode_base: int, lengths: list[int], code_size: int) -> _Unit:
    """Run the program until an address in the code is set."""
    sets_address = False
    while not reader.at_end():
        opcode = reader.u8()
        if opcode >= opcode_base:
            continue
        if opcode == _FIXED_ADVANCE_PC:
            reader.skip(2)
        elif opcode:
            for _ in range(lengths[opcode - 1]):
                _skip_leb128(reader)
        else:
            length = reader.u32()
            if length == 0:
                continue
            extended = Reader(reader.bytecode, reader.skip(length), reader.offset)
            if extended.u8() == _SET_ADDRESS:
                sets_address = True
                # Offset 0 of the code section is no instruction: it stands for a function that was dropped.
                if 0 < _fixed(extended, extended.left) < code_size:
                    return _Unit(live=True, sets_address=True)
    return _Unit(live=False, sets_address=sets_address)


def _u32(reader: Reader) -> int:
    return _fixed(reader, 4)


def _fixed(reader: Reader, size: int) -> int:
    return int.from_bytes(reader.bytes(size), "little")


def _skip_leb128(reader: Reader) -> None:
    while reader.u8() & 0x80:
        pass
