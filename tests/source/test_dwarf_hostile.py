"""Debug information that nobody's compiler made: every question has an answer, soon, and nothing is raised."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace

import pytest

from source.programs import NAMES, info_of, module_of
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.dwarf.sections import DwarfSections, code_map, read_sections
from wasmscope.source.locations import FrameValues, WasmNumber, WasmSpace
from wasmscope.source.types import StructType, Type, TypedefType, TypeRef, size_of, stripped
from wasmscope.wasm.module import Code, Module, Section
from wasmscope.wasm.sections import SectionId

VARIANTS = int(os.environ.get("WASMSCOPE_DWARF_VARIANTS", "300"))
"""Mutated programs a test; there are as many tests as programs."""

LONGEST = 10.0
"""Seconds of processor time that all questions about one variant may take: other processes do not count."""


class AnyValues:
    """A frame in which everything has some value."""

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        return WasmNumber(index * 0x10001 & 0xFFFFFFFF, 4) if index < 100 else Unavailable("out of range")

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        return WasmNumber(index & 0xFF, 4)

    def read(self, address: int, size: int) -> bytes | Unavailable:
        return bytes(size) if size <= 16 and address < 1 << 16 else Unavailable("out of bounds")


def walk_types(type_: Type | None, left: int) -> None:
    """Looks at a type and those it is made of, a few levels deep."""
    size_of(type_)
    stripped(type_)
    references: list[TypeRef] = []
    match type_:
        case StructType():
            references = [member.type for member in type_.members if member.type is not None]
            references += [base.type for base in type_.bases] + [method.type for method in type_.methods]
        case TypedefType(target=target) if target is not None:
            references = [target]
        case _:
            element = getattr(type_, "element", None) or getattr(type_, "target", None)
            references = [element] if element is not None else []
    if left:
        for reference in references[:5]:
            walk_types(reference.get(), left - 1)


def ask_everything(info: DwarfInfo, module: Module, values: FrameValues) -> None:
    """Every question there is, about some places of the module."""
    for file in info.files()[:3]:
        for line in (1, 30, 75):
            for place in info.places(file.path, line).places[:3]:
                assert any(code.code_start <= place.pc < code.end for code in module.codes)
    pcs = [
        pc for code in module.codes[:5] for pc in range(code.code_start, code.end, max((code.end - code.start) // 3, 1))
    ]
    for pc in pcs:
        info.location_at(pc)
        info.ranges_of_line(pc)
        for frame in info.frames_at(pc):
            info.entry_place(frame.function)
            for variable in info.variables_at(pc, frame.depth):
                variable.locator.locate(pc, values)
                if variable.type is not None:
                    walk_types(variable.type.get(), 3)
    for name in ("run", "square", "shapes::Square::area"):
        info.functions_named(name)
    for variable in info.statics():
        variable.locator.locate(0, values)
    info.statics_named("count")
    for type_ in info.types_named("everything") + info.types_named("int"):
        walk_types(type_, 2)
    assert all(isinstance(each, str) for each in info.problems())


def mutated(sections: DwarfSections, chance: random.Random) -> DwarfSections:
    """One to three things changed in the sections."""
    changed = dict(sections.sections)
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(sorted(changed))
        content = bytearray(changed[name])
        at = chance.randrange(len(content)) if content else 0
        match chance.randrange(7):
            case 0:
                del content[at:]
            case 1:
                del changed[name]
                continue
            case 2:
                del content[at : at + chance.choice((1, 4, 50))]
            case 3:
                content[at:at] = content[: chance.choice((1, 8, 100))]
            case 4:
                content[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x80" * 12)
                )
            case 5:
                content[at : at + 4] = chance.randrange(len(content) + 1).to_bytes(4, "little")
            case _:
                for _ in range(chance.choice((1, 3, 10))):
                    content[chance.randrange(len(content))] = chance.randrange(256)
        changed[name] = bytes(content)
        if not changed[name]:
            del changed[name]
    return replace(sections, sections=changed)


@pytest.mark.spread
@pytest.mark.parametrize("name", NAMES)
def test_every_question_about_mutated_debug_information_has_an_answer(name: str) -> None:
    module = module_of(name)
    sections = read_sections(module)
    for seed in range(VARIANTS):
        variant = mutated(sections, random.Random(f"{name} {seed}"))
        start = time.thread_time()
        ask_everything(DwarfInfo(variant), module, AnyValues())
        assert time.thread_time() - start < LONGEST, f"seed {seed}"


def test_every_question_about_what_was_not_mutated_has_an_answer_without_problems() -> None:
    for name in NAMES:
        info = info_of(name)
        ask_everything(info, module_of(name), AnyValues())
        assert info.problems() == ()


def hand_made(info: bytes, abbreviations: bytes, **others: bytes) -> DwarfInfo:
    """Debug information of a unit whose entries are `info`, for a module with one function of 1000 bytes."""
    code = Code(start=101, body_start=103, code_start=104, end=1100, locals=())
    module = Module(bytes(1200), (Section(SectionId.CODE, "", 98, 100, 1100),), codes=(code,))
    header = (4).to_bytes(2, "little") + bytes(4) + b"\4"
    unit = (len(header) + len(info)).to_bytes(4, "little") + header + info
    sections = {".debug_info": unit, ".debug_abbrev": abbreviations}
    sections |= {f".debug_{name}": content for name, content in others.items()}
    return DwarfInfo(DwarfSections(sections, code_map(module)))


UNIT = b"\1\x11\1\x11\1\x12\6\0\0"
"""Kind 1: a unit with low_pc and high_pc."""
TOP = b"\1" + (3).to_bytes(4, "little") + (997).to_bytes(4, "little")


def test_a_typedef_of_itself_is_a_loop_that_is_noticed() -> None:
    # Kind 2: a typedef with a name and a type, ref4.
    abbreviations = UNIT + b"\2\x16\0\3\x08\x49\x13\0\0" + b"\0"
    start = 11 + len(TOP)
    info = hand_made(TOP + b"\2me\0" + start.to_bytes(4, "little") + b"\0", abbreviations)
    (found,) = info.types_named("me")
    assert isinstance(found, TypedefType)
    assert size_of(found) is None
    assert "loop" in str(stripped(found))


def test_an_enumeration_below_itself_is_noticed() -> None:
    abbreviations = UNIT + b"\2\x04\0\3\x08\x49\x13\0\0" + b"\0"
    start = 11 + len(TOP)
    info = hand_made(TOP + b"\2me\0" + start.to_bytes(4, "little") + b"\0", abbreviations)
    (found,) = info.types_named("me")
    assert size_of(found) is None


def test_an_array_of_itself_has_no_size() -> None:
    abbreviations = UNIT + b"\2\x01\0\x49\x13\0\0" + b"\3\x16\0\3\x08\x49\x13\0\0" + b"\0"
    start = 11 + len(TOP)
    reference = start.to_bytes(4, "little")
    info = hand_made(TOP + b"\2" + reference + b"\3me\0" + reference + b"\0", abbreviations)
    (found,) = info.types_named("me")
    assert size_of(found) is None


def test_entries_in_one_another_without_end_take_no_recursion() -> None:
    # Kind 2: a block without a range, with children: 200,000 of them in one another.
    abbreviations = UNIT + b"\2\x0b\1\0\0" + b"\3\x2e\1\x11\1\x12\6\0\0" + b"\0"
    function = b"\3" + (3).to_bytes(4, "little") + (900).to_bytes(4, "little")
    info = hand_made(TOP + function + b"\2" * 200_000, abbreviations)
    start = time.thread_time()
    assert len(info.frames_at(200)) == 1
    assert len(info.scopes_at(200)) <= 256
    assert time.thread_time() - start < LONGEST


def test_a_table_of_files_that_takes_no_space_is_refused() -> None:
    # DWARF 5: no format for directories, and 2^63 of them.
    header = b"\5\0" + b"\4\0" + (12).to_bytes(4, "little") + b"\1\1\1\xfb\x0e\1" + b"\0" + b"\xff" * 9 + b"\1"
    line = len(header).to_bytes(4, "little") + header
    abbreviations = b"\1\x11\1\x11\1\x12\6\x10\x17\0\0" + b"\0"
    info = hand_made(TOP + bytes(4) + b"\0", abbreviations, line=line)
    start = time.thread_time()
    assert info.files() == ()
    assert time.thread_time() - start < LONGEST
    assert ".debug_line" in str(info.problems())


def test_a_million_lines_are_read_in_bounded_time() -> None:
    parameters = b"\1\1\1\xfb\x0e\4" + b"\0\1\1"
    files = b"\0" + b"a\0\0\0\0" + b"\0"
    header = b"\4\0" + len(parameters + files).to_bytes(4, "little") + parameters + files
    # Each row is on the next line at the same address; the last has one byte of code.
    program = b"\0\5\2" + (4).to_bytes(4, "little") + b"\x0a" * 1_000_000 + b"\2\1\0\1\1"
    line = len(header + program).to_bytes(4, "little") + header + program
    abbreviations = b"\1\x11\1\x11\1\x12\6\x10\x17\0\0" + b"\0"
    info = hand_made(TOP + bytes(4) + b"\0", abbreviations, line=line)
    start = time.thread_time()
    found = info.places("a", 500_000)
    assert (found.line, [place.pc for place in found.places]) == (500_000, [104])
    last = info.location_at(104)
    assert last is not None
    assert last.line == 1_000_001
    assert info.ranges_of_line(104)
    assert time.thread_time() - start < 3 * LONGEST


def test_an_expression_that_never_ends_is_given_up() -> None:
    # Kind 2: a variable with a name and a location that jumps back to its start.
    abbreviations = UNIT + b"\2\x34\0\3\x08\2\x18\0\0" + b"\0"
    info = hand_made(TOP + b"\2x\0" + b"\4\x31\x2f\xfc\xff" + b"\0", abbreviations)
    (variable,) = info.statics_named("x")
    found = variable.locator.locate(103, AnyValues())
    assert isinstance(found, Unavailable)
    assert "steps" in found.reason or "stack" in found.reason


def test_units_that_share_a_long_table_of_kinds_are_not_read_again_and_again() -> None:
    kinds = b"".join(bytes((0x80 | n & 0x7F, 0x80 | n >> 7 & 0x7F, n >> 14)) + b"\x34\0\0\0" for n in range(1, 40_000))
    version, size, address_size, entry = (4).to_bytes(2, "little"), (8).to_bytes(4, "little"), b"\4", b"\1"
    units = b"".join(
        size + version + (table * 7).to_bytes(4, "little") + address_size + entry for table in range(20_000)
    )
    code = Code(start=101, body_start=103, code_start=104, end=1100, locals=())
    module = Module(bytes(1200), (Section(SectionId.CODE, "", 98, 100, 1100),), codes=(code,))
    info = DwarfInfo(DwarfSections({".debug_info": units, ".debug_abbrev": kinds + b"\0"}, code_map(module)))
    start = time.thread_time()
    assert info.frames_at(200) == ()
    assert info.statics() == ()
    assert time.thread_time() - start < 3 * LONGEST
    assert info.problems()
