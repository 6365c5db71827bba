"""The header of a line number program (DWARF 5, 6.2.4): its parameters, its directories and its files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wasmscope.errors import DecodeError
from wasmscope.source.dwarf.constants import Form
from wasmscope.source.dwarf.leb128 import unsigned
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.sections import DwarfSections
from wasmscope.source.dwarf.units import fixed, text_at, unit_length
from wasmscope.wasm.reader import Reader

MAX_FILES = 1 << 16
"""Files and directories of one program, each."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as a header has it; `directory` is the index of one of the header's directories."""

    name: str
    directory: int
    md5: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LineHeader:
    """A line number program: it is `.debug_line[program:end]`. Up to version 4 files and directories count from 1."""

    offset: int
    version: int
    program: int
    end: int
    minimum_length: int
    default_is_stmt: bool
    line_base: int
    line_range: int
    opcode_base: int
    operand_counts: tuple[int, ...]
    directories: tuple[str, ...]
    files: tuple[FileEntry, ...]

    def file(self, index: int) -> FileEntry | None:
        """The file with this number in the program."""
        index -= self.version < 5
        return self.files[index] if 0 <= index < len(self.files) else None

    def directory(self, index: int) -> str:
        """The directory with this number; empty for the unit's own up to version 4, and if there is none."""
        index -= self.version < 5
        return self.directories[index] if 0 <= index < len(self.directories) else ""


def read_line_header(sections: DwarfSections, offset: int, budget: Budget) -> LineHeader:
    """The header at `offset` of .debug_line. Raises `MalformedDwarf`."""
    section = sections.get(".debug_line")
    try:
        if offset >= len(section):
            raise DecodeError("there is no line number program", offset)
        reader = Reader(section, offset)
        offset_size, end = unit_length(reader)
        return _read(sections, Reader(section, reader.offset, end), offset, offset_size, budget)
    except (DecodeError, IndexError, ValueError) as error:
        raise MalformedDwarf(f".debug_line: {error}") from None


def _read(sections: DwarfSections, reader: Reader, offset: int, offset_size: int, budget: Budget) -> LineHeader:
    version = fixed(reader, 2)
    if not 2 <= version <= 5:
        raise DecodeError(f"line table version {version} is not supported", offset)
    if version >= 5:
        reader.skip(2)  # address_size, segment_selector_size
    length = fixed(reader, offset_size)
    program = reader.offset + length
    if program > reader.end:
        raise DecodeError("a header goes on beyond its unit", offset)
    budget.spend(length)
    minimum_length = reader.u8()
    if version >= 4:
        reader.skip(1)  # maximum_operations_per_instruction: WebAssembly has no VLIW
    default_is_stmt = reader.u8() != 0
    line_base = reader.u8()
    line_range, opcode_base = reader.u8(), reader.u8()
    operand_counts = tuple(reader.bytes(max(opcode_base - 1, 0)))
    end, reader.end = reader.end, program
    if version >= 5:
        directories = tuple(entry.name for entry in _entries(sections, reader, offset_size, budget))
        files = _entries(sections, reader, offset_size, budget)
    else:
        directories, files = _old_entries(reader)
    return LineHeader(
        offset=offset,
        version=version,
        program=program,
        end=end,
        minimum_length=minimum_length,
        default_is_stmt=default_is_stmt,
        line_base=line_base - 256 if line_base >= 128 else line_base,
        line_range=line_range,
        opcode_base=opcode_base,
        operand_counts=operand_counts,
        directories=directories,
        files=files,
    )


def _old_entries(reader: Reader) -> tuple[tuple[str, ...], tuple[FileEntry, ...]]:
    """Up to version 4 (DWARF 4, 6.2.4): strings until an empty one."""
    data, position = reader.bytecode, reader.offset
    directories: list[str] = []
    while data[position] and position < reader.end and len(directories) < MAX_FILES:
        end = data.index(0, position, reader.end)
        directories.append(data[position:end].decode(errors="replace"))
        position = end + 1
    position += 1
    files: list[FileEntry] = []
    while position < reader.end and data[position] and len(files) < MAX_FILES:
        end = data.index(0, position, reader.end)
        name = data[position:end].decode(errors="replace")
        directory, position = unsigned(data, end + 1)
        _, position = unsigned(data, position)  # when it was changed
        _, position = unsigned(data, position)  # its size
        files.append(FileEntry(name, directory))
    return tuple(directories), tuple(files)


class _Content(IntEnum):
    """What a field of an entry is (DWARF 5, 7.22), and LLVM's own for the text of a file."""

    PATH = 1
    DIRECTORY = 2
    MD5 = 5
    LLVM_SOURCE = 0x2001


def _entries(sections: DwarfSections, reader: Reader, offset_size: int, budget: Budget) -> tuple[FileEntry, ...]:
    """Directories or files from version 5 on: their format, then as many of them as it says."""
    formats = [(reader.u64(), reader.u64()) for _ in range(reader.u8())]
    count = reader.u64()
    # Each has a byte at least, or they could be without number in no space at all.
    if count > MAX_FILES or count > reader.left or (count and not formats):
        raise DecodeError(f"{count} files do not fit in a header", reader.offset)
    found: list[FileEntry] = []
    for _ in range(count):
        name, directory, md5, text = "", 0, None, None
        for content, form in formats:
            value = _value(sections, reader, form, offset_size)
            match content, value:
                case (_Content.PATH, str()):
                    name = value
                case (_Content.DIRECTORY, int()):
                    directory = value
                case (_Content.MD5, bytes()) if len(value) == 16:
                    md5 = value.hex()
                case (_Content.LLVM_SOURCE, str()):
                    budget.spend(len(value))
                    text = value or None
        found.append(FileEntry(name, directory, md5, text))
    return tuple(found)


def _value(sections: DwarfSections, reader: Reader, form: int, offset_size: int) -> str | int | bytes:
    if form == Form.STRING:
        start = reader.offset
        end = reader.bytecode.index(0, start, reader.end)
        reader.offset = end + 1
        return reader.bytecode[start:end].decode(errors="replace")
    if form == Form.LINE_STRP:
        return text_at(sections.get(".debug_line_str"), fixed(reader, offset_size))
    if form == Form.STRP:
        return text_at(sections.get(".debug_str"), fixed(reader, offset_size))
    if form == Form.UDATA:
        return reader.u64()
    if form == Form.DATA16:
        return reader.bytes(16)
    if form == Form.BLOCK:
        return reader.bytes(reader.u64())
    if form in _NUMBERS:
        return fixed(reader, _NUMBERS[form])
    raise DecodeError(f"unknown form {form:#x} in a header", reader.offset)


_NUMBERS: dict[int, int] = {Form.DATA1: 1, Form.DATA2: 2, Form.DATA4: 4, Form.DATA8: 8}
