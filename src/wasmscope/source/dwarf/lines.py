"""Line number programs (DWARF 5, 6.2.5) run into tables: which place of the source each pc comes from."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

from wasmscope.source.dwarf.leb128 import signed, unsigned
from wasmscope.source.dwarf.line_header import LineHeader
from wasmscope.source.dwarf.malformed import MalformedDwarf
from wasmscope.source.dwarf.sections import CodeMap
from wasmscope.source.model import PcRange

MAX_ROWS = 1 << 22
"""Of one program; SQLite, 250,000 lines in one unit, has 100,000."""


class Flag(IntFlag):
    """What a row says besides its place."""

    IS_STMT = 1
    PROLOGUE_END = 2
    EPILOGUE_BEGIN = 4
    END_SEQUENCE = 8


@dataclass(frozen=True, slots=True)
class LineTable:
    """Rows by their pc, in arrays of equal length. A row reaches to the next; one with `END_SEQUENCE` has no code.

    `dropped` counts the sequences of code that is not in the module.
    """

    pcs: array[int]
    files: array[int]
    lines: array[int]
    columns: array[int]
    flags: array[int]
    discriminators: array[int]
    dropped: int
    problem: str = ""

    def row_of(self, pc: int) -> int | None:
        """The index of the row that covers `pc`."""
        index = bisect_right(self.pcs, pc) - 1
        return index if index >= 0 and not self.flags[index] & Flag.END_SEQUENCE else None

    def end_of(self, index: int) -> int:
        """The pc behind a row: that of the next one with another pc."""
        pc, following = self.pcs[index], index + 1
        while following < len(self.pcs) - 1 and self.pcs[following] == pc:
            following += 1
        return self.pcs[following] if following < len(self.pcs) else pc

    def rows_between(self, start: int, end: int) -> Iterator[int]:
        """The rows whose pc is from `start` up to, not including, `end`."""
        index = bisect_right(self.pcs, start - 1)
        while index < len(self.pcs) and self.pcs[index] < end:
            if not self.flags[index] & Flag.END_SEQUENCE:
                yield index
            index += 1

    def sequences(self) -> Iterator[PcRange]:
        """The code that is covered without a gap."""
        start: int | None = None
        for pc, flags in zip(self.pcs, self.flags, strict=True):
            if start is None:
                start = pc
            if flags & Flag.END_SEQUENCE:
                yield PcRange(start, pc)
                start = None


_Row = tuple[int, int, int, int, int, int]
"""As the arrays of `LineTable`, with an address in place of the pc."""


_EXTENDED, _COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE, _SET_COLUMN, _NEGATE_STMT = range(7)
_SET_BASIC_BLOCK, _CONST_ADD_PC, _FIXED_ADVANCE_PC, _SET_PROLOGUE_END, _SET_EPILOGUE_BEGIN = range(7, 12)
"""DWARF 5, 7.22: the standard opcodes; of others the header says how many operands they have."""

_END_SEQUENCE, _SET_ADDRESS, _SET_DISCRIMINATOR = 1, 2, 4
"""DWARF 5, 7.22: the extended opcodes that matter; files are not defined in programs any more."""


def read_lines(section: bytes, header: LineHeader, code: CodeMap) -> LineTable:
    """Runs the program; what is malformed ends it early."""
    sequences: list[list[_Row]] = []
    problem = ""
    try:
        _run(section, header, sequences)
    except MalformedDwarf as error:
        problem = f".debug_line: {error} (in the program at {header.offset:#x})"
    except IndexError:
        problem = f".debug_line: the program at {header.offset:#x} goes on beyond the section"
    live: list[list[_Row]] = []
    dropped = 0
    for rows in sequences:
        start = code.pc(rows[0][0])
        if start is None or code.pc(rows[-1][0]) is None:
            dropped += 1
        else:
            live.append(rows)
    live.sort(key=lambda rows: (rows[0][0], rows[-1][0]))
    kept: list[_Row] = []
    for rows in live:
        if kept and rows[0][0] < kept[-1][0]:
            problem = problem or f".debug_line: the program at {header.offset:#x} has sequences that overlap"
        elif any(rows[i][0] > rows[i + 1][0] for i in range(len(rows) - 1)):
            problem = problem or f".debug_line: the program at {header.offset:#x} has addresses that go back"
        else:
            kept += rows
    return _table(kept, code.start, dropped, problem)


def _table(rows: list[_Row], code_start: int, dropped: int, problem: str) -> LineTable:
    pcs = array("Q", (row[0] + code_start for row in rows))
    files, lines, columns, flags, discriminators = (
        array(kind, (row[place] for row in rows)) for place, kind in ((1, "L"), (2, "L"), (3, "L"), (4, "B"), (5, "L"))
    )
    return LineTable(pcs, files, lines, columns, flags, discriminators, dropped, problem)


_MASK = 0xFFFFFFFF
"""What a row's numbers are cut to: more is malformed, and would grow without bound."""


def _run(data: bytes, header: LineHeader, sequences: list[list[_Row]]) -> None:
    """The state machine of DWARF 5, 6.2.2; each sequence ends with a row that has `END_SEQUENCE`."""
    position, end = header.program, header.end
    opcode_base, line_range = header.opcode_base, header.line_range or 1
    line_base, minimum_length = header.line_base, header.minimum_length
    const_add_pc = (255 - opcode_base) // line_range * minimum_length
    start = Flag.IS_STMT.value if header.default_is_stmt else 0
    address, file, line, column, flags, discriminator = 0, 1, 1, 0, start, 0
    rows: list[_Row] = []
    once = ~(Flag.PROLOGUE_END | Flag.EPILOGUE_BEGIN)
    left = MAX_ROWS
    while position < end:
        opcode = data[position]
        position += 1
        if opcode >= opcode_base:
            opcode -= opcode_base
            address += opcode // line_range * minimum_length
            line += line_base + opcode % line_range
            rows.append((address, file, line & _MASK, column, flags, discriminator))
            flags &= once
            discriminator = 0
        elif opcode == _ADVANCE_PC:
            value, position = unsigned(data, position)
            address += value * minimum_length
        elif opcode == _ADVANCE_LINE:
            value, position = signed(data, position)
            line += value
        elif opcode == _SET_COLUMN:
            value, position = unsigned(data, position)
            column = value & _MASK
        elif opcode == _COPY:
            rows.append((address, file, line & _MASK, column, flags, discriminator))
            flags &= once
            discriminator = 0
        elif opcode == _SET_FILE:
            value, position = unsigned(data, position)
            file = value & _MASK
        elif opcode == _NEGATE_STMT:
            flags ^= 1
        elif opcode == _CONST_ADD_PC:
            address += const_add_pc
        elif opcode == _SET_PROLOGUE_END:
            flags |= 2
        elif opcode == _EXTENDED:
            size, position = unsigned(data, position)
            following = position + size
            if following > end:
                raise MalformedDwarf("an opcode goes on beyond its program")
            extended = data[position] if size else 0
            if extended == _SET_ADDRESS:
                address = int.from_bytes(data[position + 1 : min(following, position + 9)], "little")
            elif extended == _SET_DISCRIMINATOR:
                discriminator = unsigned(data, position + 1)[0] & _MASK
            elif extended == _END_SEQUENCE:
                rows.append((address, file, line & _MASK, column, Flag.END_SEQUENCE.value, 0))
                left -= len(rows)
                sequences.append(rows)
                rows = []
                address, file, line, column, flags, discriminator = 0, 1, 1, 0, start, 0
            position = following
        elif opcode == _SET_EPILOGUE_BEGIN:
            flags |= 4
        elif opcode == _FIXED_ADVANCE_PC:
            address += int.from_bytes(data[position : position + 2], "little")
            position += 2
        elif opcode != _SET_BASIC_BLOCK:
            for _ in range(header.operand_counts[opcode - 1]):
                _, position = unsigned(data, position)
        if len(rows) > left:
            raise MalformedDwarf("too many rows")
    if rows:
        raise MalformedDwarf("a sequence has no end")
