"""The compiled programs of tests/source/programs, and what their debug information says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.dwarf.sections import read_sections
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module

FOLDER = Path(__file__).with_name("programs")

NAMES = tuple(sorted(path.name for path in FOLDER.glob("*.wasm")))


@cache
def module_of(name: str) -> Module:
    """A program, decoded."""
    return decode_module((FOLDER / name).read_bytes())


def info_of(name: str) -> DwarfInfo:
    """What its DWARF says, not asked anything yet."""
    return DwarfInfo(read_sections(module_of(name)))


def line_of(name: str, text: str) -> int:
    """The line of a source file that has `text` in it: the first one."""
    lines = (FOLDER / name).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)
