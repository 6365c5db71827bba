"""Lines and inlined calls against other readers of DWARF: wasm-tools' (gimli), LLVM's and pyelftools'."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from source.programs import FOLDER, NAMES, info_of, line_of, module_of
from support.wasmtools import WASM_TOOLS_ABSENT, wasm_tools
from wasmscope.analysis.tokenizer import tokenize
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.dwarf.line_header import read_line_header
from wasmscope.source.dwarf.lines import Flag, read_lines
from wasmscope.source.dwarf.malformed import Budget
from wasmscope.source.dwarf.sections import read_sections
from wasmscope.source.model import Place
from wasmscope.wasm.module import Module

PROGRAM = pytest.mark.parametrize("name", NAMES)


def pcs_of(module: Module) -> list[int]:
    """Every instruction of a module."""
    found: list[int] = []
    for code in module.codes:
        pc = code.code_start
        for token in tokenize(module.bytecode, code.code_start, code.end):
            found.append(pc)
            pc += len(token)
    return found


def shown(info: DwarfInfo, pc: int) -> list[tuple[str, str, int, int]]:
    """The frames at `pc`: function, path, line and column."""
    return [
        (frame.function.name, frame.location.file.path, frame.location.line, frame.location.column)
        if frame.location is not None
        else (frame.function.name, "", 0, 0)
        for frame in info.frames_at(pc)
    ]


def by_wasm_tools(path: Path, pcs: list[int]) -> list[list[tuple[str, str, int, int]]]:
    """The same by `wasm-tools addr2line`; of the demangled names that it shows, the last part is kept."""
    text = wasm_tools("addr2line", str(path), *(hex(pc) for pc in pcs)).decode()
    answers: list[list[tuple[str, str, int, int]]] = []
    for line in text.splitlines():
        if line.startswith("0x"):
            answers.append([])
        found = re.fullmatch(r"(?:0x[0-9a-f]+:|\t) ?(.*?) (\S*?)(?::(\d+))?(?::(\d+))?", line)
        if found:
            name = found[1].partition("(")[0].rpartition("::")[2]
            path_ = found[2] if found[3] else ""
            answers[-1].append((name, path_, int(found[3] or 0), int(found[4] or 0)))
    return answers


@pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)
@PROGRAM
def test_frames_are_those_of_wasm_tools(name: str) -> None:
    module, info = module_of(name), info_of(name)
    pcs = pcs_of(module)
    theirs = by_wasm_tools(FOLDER / name, pcs)
    ours = [[(each[0].partition("(")[0], *each[1:]) for each in shown(info, pc)] for pc in pcs]
    assert len(theirs) == len(pcs) > 20
    assert dict(zip(pcs, ours, strict=True)) == dict(zip(pcs, theirs, strict=True))


Row = tuple[int, int, int, int, bool, bool]
"""Address, file, line, column, whether it is recommended for breakpoints, whether the prologue ends."""


def our_rows(name: str) -> list[Row]:
    """The rows of the program's only unit."""
    sections = read_sections(module_of(name))
    header = read_line_header(sections, 0, Budget(sections.size))
    table = read_lines(sections.get(".debug_line"), header, sections.code)
    rows = zip(table.pcs, table.files, table.lines, table.columns, table.flags, strict=True)
    return [
        (pc - sections.code.start, file, line, column, bool(flags & Flag.IS_STMT), bool(flags & Flag.PROLOGUE_END))
        for pc, file, line, column, flags in rows
        if not flags & Flag.END_SEQUENCE
    ]


def rows_of_pyelftools(name: str) -> list[Row]:
    """The same by pyelftools; sequences of code that was dropped are left out."""
    sections = read_sections(module_of(name)).sections
    names = (
        "debug_info", "debug_aranges", "debug_abbrev", "debug_frame", "eh_frame", "debug_str", "debug_loc",
        "debug_ranges", "debug_line", "debug_pubtypes", "debug_pubnames", "debug_addr", "debug_str_offsets",
        "debug_line_str", "debug_loclists", "debug_rnglists", "debug_sup", "gnu_debugaltlink", "debug_types",
    )  # fmt: skip
    described = {
        f"{each}_sec": DebugSectionDescriptor(BytesIO(sections[f".{each}"]), f".{each}", None, len(content), 0)
        if (content := sections.get(f".{each}")) is not None
        else None
        for each in names
    }
    dwarf = DWARFInfo(config=DwarfConfig(True, "wasm", 4), **described)
    (unit,) = dwarf.iter_CUs()
    program = dwarf.line_program_for_CU(unit)
    assert program is not None
    sequences: list[list[Row]] = [[]]
    for entry in program.get_entries():
        state = entry.state
        if state is not None and state.end_sequence:
            sequences.append([])
        elif state is not None:
            sequences[-1].append(
                (state.address, state.file, state.line, state.column, bool(state.is_stmt), bool(state.prologue_end))
            )
    live = [rows for rows in sequences if rows and 0 < rows[0][0] < 0xFFFFFFFE]
    return [row for rows in sorted(live) for row in rows]


@PROGRAM
def test_rows_are_those_of_pyelftools(name: str) -> None:
    ours = our_rows(name)
    assert ours == rows_of_pyelftools(name)
    assert len(ours) > 10


@pytest.mark.skipif(shutil.which("llvm-dwarfdump") is None, reason="llvm-dwarfdump is not installed")
@PROGRAM
def test_rows_are_those_of_llvm(name: str) -> None:
    run = subprocess.run(
        ["llvm-dwarfdump", "--debug-line", str(FOLDER / name)], capture_output=True, text=True, check=True
    )
    theirs: list[Row] = []
    for line in run.stdout.splitlines():
        if found := re.fullmatch(r"(0x[0-9a-f]{16}) +(\d+) +(\d+) +(\d+) +\d+ +\d+ +(.*?) *", line):
            flags = found[5].split()
            row = (int(found[1], 16), int(found[4]), int(found[2]), int(found[3]))
            if "end_sequence" not in flags and 0 < row[0] < 0xFFFFFFFE:
                theirs.append((*row, "is_stmt" in flags, "prologue_end" in flags))
    assert our_rows(name) == theirs


def lines_of(places: tuple[Place, ...]) -> list[tuple[str, int]]:
    return [(place.function.name if place.function is not None else "", place.location.line) for place in places]


def test_a_breakpoint_on_a_line_is_at_its_first_instruction() -> None:
    info = info_of("types_O0.wasm")
    line = line_of("types.c", "e->c = -1")
    found = info.places("types.c", line)
    (place,) = found.places
    assert (found.line, found.is_moved, lines_of(found.places)) == (line, False, [("fill", line)])
    assert info.location_at(place.pc - 1) != info.location_at(place.pc)
    assert place.pc in pcs_of(module_of("types_O0.wasm"))


def test_a_breakpoint_on_a_line_without_code_moves_to_the_next_that_has_some() -> None:
    info = info_of("types_O0.wasm")
    comment = line_of("types.c", "struct everything all;") + 1
    found = info.places("/programs/types.c", comment)
    assert found.is_moved
    assert found.requested_line == comment
    # It is the line that opens the function, so it goes behind the prologue.
    assert found.line == line_of("types.c", "int fill(")
    assert lines_of(found.places) == [("fill", line_of("types.c", "const int fixed"))]


def test_a_breakpoint_behind_the_last_line_or_in_no_file_has_no_place() -> None:
    info = info_of("types_O0.wasm")
    assert info.places("types.c", 10_000).places == ()
    assert info.places("ypes.c", 74).places == ()
    assert info.places("elsewhere/types.c", 74).places == ()


@pytest.mark.parametrize("name", ["inlined_O2.wasm", "inlined_O2_v5.wasm"])
def test_a_breakpoint_on_a_line_has_a_place_in_every_inlined_copy(name: str) -> None:
    info = info_of(name)
    line = line_of("inlined.c", "emit(result);")
    places = info.places("inlined.c", line).places
    assert lines_of(places) == [("square", line)] * 2
    callers = [[frame.function.name for frame in info.frames_at(place.pc)] for place in places]
    assert callers == [["square", "sum_of_squares", "run"]] * 2


def test_a_breakpoint_on_a_function_is_behind_its_prologue() -> None:
    info = info_of("types_O0.wasm")
    (run,) = info.functions_named("run")
    place = info.entry_place(run)
    assert place is not None
    assert place.location.line == line_of("types.c", "long long big")
    row = info.row_at(place.pc)
    assert row is not None
    assert row.prologue_end
    assert run.entry is not None
    assert place.pc > run.entry


def test_a_step_over_a_line_goes_through_all_rows_of_it() -> None:
    info = info_of("types_O0.wasm")
    (place,) = info.places("types.c", line_of("types.c", "int result = fill")).places
    (whole,) = info.ranges_of_line(place.pc)
    lines = {location.line for pc in range(whole.start, whole.end) if (location := info.location_at(pc))}
    assert lines == {place.location.line}
    before, behind = info.location_at(whole.start - 1), info.location_at(whole.end)
    assert before is not None
    assert behind is not None
    assert place.location.line not in (before.line, behind.line)


def test_functions_are_found_by_their_names_in_every_copy() -> None:
    info = info_of("inlined_O2.wasm")
    copies = info.functions_named("square")
    assert [copy.is_inlined for copy in copies] == [True, True]
    assert len({copy.key for copy in copies}) == 1
    assert info.functions_named("dropped") == ()
    assert info.functions_named("nothing") == ()
    cpp = info_of("classes_O0.wasm")
    for name in ("shapes::Square::area", "Square::area", "area", "_ZNK6shapes6Square4areaEv"):
        (area,) = cpp.functions_named(name)
        assert area.qualified_name == "shapes::Square::area"
    assert [each.name for each in cpp.functions_named("largest")] == ["largest<int>", "largest<double>"]
    assert [each.name for each in cpp.functions_named("shapes::largest<double>")] == ["largest<double>"]


def test_the_text_and_checksum_of_a_source_are_those_embedded() -> None:
    (file,) = info_of("inlined_O2_v5.wasm").files()
    assert file.path == "/programs/inlined.c"
    assert file.text == (FOLDER / "inlined.c").read_text()
    assert file.md5 is not None


def test_no_dwarf_is_a_problem_that_is_told() -> None:
    module = Module(b"\0asm\1\0\0\0")
    info = DwarfInfo(read_sections(module))
    assert "no DWARF" in info.problems()[0]
    assert (info.files(), info.location_at(8), info.frames_at(8), info.variables_at(8)) == ((), None, (), ())
