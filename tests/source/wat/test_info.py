"""The text format as debug information: what every module can be debugged with."""

from __future__ import annotations

import time

import pytest

from support.wasmtools import WASM_TOOLS_ABSENT, wat
from wasm.modules import function, leb, module_of, section
from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.source.locations import Fixed, InWasm, WasmSpace
from wasmscope.source.model import DebugInfo, Language, VariableKind
from wasmscope.source.names import ModuleNames
from wasmscope.source.types import WasmType
from wasmscope.source.wat.info import MOST_FILES, WatInfo
from wasmscope.source.without_dwarf import without_dwarf
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameSection, decode_names
from wasmscope.wasm.types import F64, I32

needs_wasm_tools = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

TEXT = """
(module $demo
  (import "env" "log" (func $log (param i32)))
  (memory 1) (global $count (mut i32) (i32.const 7)) (data (i32.const 0) "hello\\00")
  (func $add (param $a i32) (param $b i32) (result i32) (local f64)
    (i32.add (local.get $a) (local.get $b)))
  (func (export "main") (call $log (call $add (i32.const 1) (i32.const 2))))
  (func $"odd name/../é" nop))
"""


def opened(text: str = TEXT) -> tuple[Module, WatInfo]:
    module = decode_module(wat(text))
    return module, WatInfo(module, ModuleNames(module, decode_names(module)))


@needs_wasm_tools
def test_every_function_is_a_file() -> None:
    _, info = opened()
    assert [file.path for file in info.files()] == [
        "demo/module.wat",
        "demo/1.add.wat",
        "demo/2.main.wat",
        "demo/3.odd_name_.wat",
    ]
    assert info.text("demo/1.add.wat") == (
        "(func $add (;1;) (type $type1) (param $a i32) (param $b i32) (result i32)",
        "  (local $var2 f64)",
        "  local.get $a",
        "  local.get $b",
        "  i32.add",
        ")",
    )
    assert info.num_lines("demo/1.add.wat") == 6
    assert info.text("demo/1.add.wat", 3, 4) == ("  local.get $a", "  local.get $b")


@needs_wasm_tools
@pytest.mark.parametrize("path", ["demo/1.add.wat", "1.add.wat", "1.wat", "1.other.wat", "add.wat", "$add.wat"])
def test_a_file_is_found_by_number_or_name(path: str) -> None:
    _, info = opened()
    (place,) = info.places(path, 5).places
    assert place.location.file.path == "demo/1.add.wat"


@needs_wasm_tools
@pytest.mark.parametrize("path", ["", "0.wat", "4.wat", "9999999999.wat", "nothing.wat", "other/1.wat", "add", ".wat"])
def test_other_files_are_not(path: str) -> None:
    _, info = opened()
    assert info.places(path, 1).places == ()
    assert info.text(path) is None
    assert info.num_lines(path) is None


@needs_wasm_tools
def test_the_rest_of_the_module_is_a_file_too() -> None:
    _, info = opened()
    text = info.text("demo/module.wat")
    assert text is not None
    assert '(import "env" "log" (func $log (;0;) (type $type0) (param $var0 i32)))' in text
    assert "(global $count (;0;) (mut i32) i32.const 7)" in text
    assert text[-1] == '(data $data0 (;0;) (i32.const 0) "hello\\00")'
    assert info.text("demo/module.wat", 2, 3) == text[1:3]


@needs_wasm_tools
def test_every_instruction_has_its_line_and_every_line_its_pc() -> None:
    module, info = opened()
    for code in module.codes:
        for pc in instruction_offsets(module, code):
            row = info.row_at(pc)
            assert row is not None
            assert (row.pc, info.location_at(pc)) == (pc, row.location)
            (place,) = info.places(row.location.file.path, row.location.line).places
            assert (place.pc, place.location) == (pc, row.location)
            assert info.ranges_of_line(pc)[0].start == pc
    assert info.row_at(0) is None
    assert info.ranges_of_line(0) == ()


@needs_wasm_tools
def test_lines_above_the_code_mean_its_first_instruction() -> None:
    module, info = opened()
    for line in (-1, 0, 1, 2):
        places = info.places("1.wat", line)
        assert (places.is_moved, places.line) == (True, 3)
        assert places.places[0].pc == module.codes[0].code_start
    assert info.places("1.wat", 7).places == ()
    (row, after) = (info.row_at(module.codes[0].code_start + offset) for offset in (0, 2))
    assert row is not None
    assert row.prologue_end
    assert after is not None
    assert not after.prologue_end


@needs_wasm_tools
def test_a_function_is_entered_at_its_first_instruction() -> None:
    module, info = opened()
    (add,) = info.functions_named("add")
    place = info.entry_place(add)
    assert place is not None
    assert (place.pc, place.location.line, place.function) == (module.codes[0].code_start, 3, add)
    assert add.language is Language.WAT
    assert info.functions_named("main")[0].key == 2
    assert info.functions_named("log") == ()  # an import has no code


@needs_wasm_tools
def test_locals_and_globals_are_variables() -> None:
    module, info = opened()
    a, b, unnamed = info.variables_at(module.codes[0].code_start)
    assert [each.name for each in (a, b, unnamed)] == ["a", "b", "var2"]
    assert [each.kind for each in (a, b, unnamed)] == [VariableKind.PARAMETER] * 2 + [VariableKind.LOCAL]
    assert unnamed.locator == Fixed(InWasm(WasmSpace.LOCAL, 2))
    assert unnamed.type is not None
    assert unnamed.type.get() == WasmType(F64)
    assert not unnamed.is_artificial
    (count,) = info.statics()
    assert count.name == "count"
    assert count.locator == Fixed(InWasm(WasmSpace.GLOBAL, 0))
    assert info.statics_named("$count") == (count,)
    assert count.type is not None
    assert count.type.get() == WasmType(I32)


@needs_wasm_tools
def test_the_text_format_satisfies_the_protocol() -> None:
    module, info = opened()
    general: DebugInfo = info
    assert general.problems() == ()
    (frame,) = general.frames_at(module.codes[1].code_start)
    assert frame.function.name == "main"
    assert frame.location == general.location_at(module.codes[1].code_start)


def test_a_module_with_nothing_else_is_shown_so() -> None:
    module = decode_module(function(b"\0\x0b"))
    found = without_dwarf(module, ModuleNames(module, NameSection()), label="a b/c.wasm")
    assert found.best is found.wat
    assert found.note == ""
    (_, file) = found.best.files()
    assert file.path == "a_b_c_wasm/0.func0.wat"


def many_functions(count: int) -> bytes:
    return module_of(
        section(1, b"\x01\x60\0\0"),
        section(3, leb(count) + b"\0" * count),
        section(10, leb(count) + b"\x02\0\x0b" * count),
    )


def test_a_module_of_many_functions_is_not_printed() -> None:
    count = 300_000
    module = decode_module(many_functions(count))
    info = WatInfo(module, ModuleNames(module, NameSection()))
    start = time.process_time()
    assert info.text(f"{count - 1}.wat") == (f"(func $func{count - 1} (;{count - 1};) (type $type0)", ")")
    (place,) = info.places(f"{count - 1}.wat", 2).places
    assert place.pc == module.codes[-1].code_start
    assert info.location_at(place.pc) == place.location
    assert len(info.files()) == MOST_FILES + 1
    assert "are not listed" in info.problems()[0]
    assert time.process_time() - start < 5
    for index in range(1000):  # what was counted is not all kept
        assert info.num_lines(f"{index}.wat") == 2
    assert len(info._texts) < 500


def test_a_function_that_is_malformed_is_a_problem_and_nothing_more() -> None:
    module = decode_module(function(b"\0\xff\x0b"))
    info = WatInfo(module, ModuleNames(module, NameSection()))
    assert info.text("0.wat") is None
    assert info.places("0.wat", 1).places == ()
    assert info.location_at(module.codes[0].code_start) is None
    assert info.function_at(module.codes[0].code_start) is not None
    (problem,) = info.problems()
    assert "function 0 cannot be shown" in problem


def test_a_search_among_very_many_mangled_names_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    module = decode_module(many_functions(200))
    section_ = NameSection(functions={index: f"_ZN4same{'1a' * 50}{index}bE" for index in range(200)})
    monkeypatch.setattr("wasmscope.source.wasm_functions.MOST_SEARCHED", 1000)
    info = WatInfo(module, ModuleNames(module, section_))
    assert info.functions_named("a") == ()
    assert info.problems() == ("some functions were not found: too many have names that may be meant",)
