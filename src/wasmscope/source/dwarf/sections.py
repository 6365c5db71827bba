"""Where a module's DWARF is: in its custom sections, or in another file (WebAssembly tool conventions, "Debugging")."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from wasmscope.errors import WasmscopeError
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Code, Module
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.sections import SectionId

EXTERNAL_SECTION = "external_debug_info"
_PREFIX = ".debug_"

LONGEST_STRING = 1 << 14
"""Bytes of a name. What is longer is cut off there: it costs time whenever it is read."""

_STRINGS = (".debug_str", ".debug_line_str")


@dataclass(frozen=True, slots=True)
class CodeMap:
    """The module's code, in which DWARF's addresses count from the start of the code section's content."""

    start: int
    size: int
    codes: tuple[Code, ...]
    starts: tuple[int, ...]

    def pc(self, address: int) -> int | None:
        """The pc of an address; None: of code that was dropped.

        Linkers put 0, -1 or -2 in place of the address of what they drop. Offset 0 of the section is its count.
        """
        return self.start + address if 0 < address <= self.size else None

    def code_at(self, pc: int) -> Code | None:
        """The function body that `pc` is in, the sizes and locals before its instructions included."""
        index = bisect_right(self.starts, pc) - 1
        return self.codes[index] if index >= 0 and pc < self.codes[index].end else None

    def is_entry(self, pc: int) -> bool:
        """Whether a function's code can be said to begin at `pc`: it is before or at its first instruction."""
        code = self.code_at(pc)
        return code is not None and pc <= code.code_start

    def instruction_at(self, pc: int) -> int:
        """`pc`, or the first instruction of the body in whose locals it is: compilers let functions begin there."""
        code = self.code_at(pc)
        return max(pc, code.code_start) if code is not None else pc


@dataclass(frozen=True, slots=True)
class DwarfSections:
    """The debug sections by name, `.debug_info` and so on, and the code they are about. `note` says what is amiss."""

    sections: Mapping[str, bytes]
    code: CodeMap
    note: str = ""

    def get(self, name: str) -> bytes:
        """A section's content; empty if it is not there."""
        return self.sections.get(name, b"")

    @property
    def size(self) -> int:
        """How many bytes there are in all sections."""
        return sum(map(len, self.sections.values()))


def code_map(module: Module) -> CodeMap:
    """Where the code of `module` is."""
    section = next((item for item in module.sections if item.id == SectionId.CODE), None)
    starts = tuple(code.start for code in module.codes)
    if section is None:
        return CodeMap(0, 0, (), ())
    return CodeMap(section.payload_start, section.end - section.payload_start, module.codes, starts)


def external_name(module: Module) -> str | None:
    """The path or URL of the file with the debug information that the module names; None: it names none."""
    for section in module.sections:
        if section.id == SectionId.CUSTOM and section.name == EXTERNAL_SECTION:
            try:
                return Reader(module.bytecode, section.payload_start, section.end).name()
            except WasmscopeError:
                return None
    return None


def read_sections(module: Module, external: bytes | None = None) -> DwarfSections:
    """The debug sections of `module`, or those of the module in `external`, made for the same code.

    Raises `DecodeError` or `UnsupportedFeature` if `external` is no module.
    """
    code = code_map(module)
    if external is None:
        return DwarfSections(_custom_sections(module), code, _missing(module))
    other = decode_module(external)
    theirs = code_map(other)
    sections = _custom_sections(other)
    note = ""
    if theirs.size and other.bytecode[theirs.start :][: theirs.size] != module.bytecode[code.start :][: code.size]:
        note = "the separate debug file is of another build: its code differs from the module's"
    return DwarfSections(sections, code, note)


def find_external(module: Module, folders: tuple[Path, ...]) -> Path | None:
    """The file that the module names, if it is in one of `folders`; no other file is ever looked at.

    Only the last part of the name counts: a module cannot point outside of the folders, not by links either.
    """
    name = external_name(module)
    if name is None:
        return None
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", ".", "..") or "\0" in last:
        return None
    for folder in folders:
        try:
            path = (folder / last).resolve(strict=True)
            if path.is_relative_to(folder.resolve(strict=True)) and path.is_file():
                return path
        except (OSError, RuntimeError):
            continue
    return None


def _missing(module: Module) -> str:
    if (name := external_name(module)) is not None:
        return f"the debug information is in a separate file, which was not given: {name}"
    return ""


def _custom_sections(module: Module) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for section in module.sections:
        if section.id == SectionId.CUSTOM and section.name.startswith(_PREFIX) and section.name not in found:
            content = module.bytecode[section.payload_start : section.end]
            found[section.name] = _cut(content) if section.name in _STRINGS else content
    return MappingProxyType(found)


def _cut(strings: bytes) -> bytes:
    """`strings` with those that are too long ended early."""
    cut: bytearray | None = None
    position = 0
    while len(strings) - position > LONGEST_STRING:
        end = strings.rfind(0, position, position + LONGEST_STRING + 1)
        if end < 0:
            end = position + LONGEST_STRING
            cut = cut or bytearray(strings)
            cut[end] = 0
        position = end + 1
    return strings if cut is None else bytes(cut)
