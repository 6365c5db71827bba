"""What source maps and modules say together: of AssemblyScript, and of C as Emscripten maps it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.source.locations import Fixed, InWasm, WasmSpace
from wasmscope.source.model import DebugInfo, Language, VariableKind
from wasmscope.source.names import ModuleNames
from wasmscope.source.source_map.info import SourceMapInfo
from wasmscope.source.types import WasmType
from wasmscope.source.without_dwarf import without_dwarf
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import decode_names
from wasmscope.wasm.types import I32

PROGRAMS = Path(__file__).with_name("programs")


@cache
def opened(program: str) -> tuple[Module, SourceMapInfo]:
    module = decode_module((PROGRAMS / f"{program}.wasm").read_bytes())
    found = without_dwarf(module, ModuleNames(module, decode_names(module)), program, [PROGRAMS])
    assert isinstance(found.best, SourceMapInfo)
    return module, found.best


def line_of(file: str, text: str) -> int:
    lines = (PROGRAMS / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize("program", ["fib", "hello"])
def test_every_instruction_is_where_another_reader_says(program: str) -> None:
    module, info = opened(program)
    traced = [line.split(" ", 1) for line in (PROGRAMS / f"{program}.traced").read_text().splitlines()]
    compared = mapped = 0
    for code in module.codes:
        for pc in instruction_offsets(module, code):
            begin, expected = [(int(start), place) for start, place in traced if int(start) <= pc][-1]
            location = info.location_at(pc)
            if begin < code.start:
                expected = "-"  # a mapping of the function before
            if location is None:
                assert expected == "-", pc
            else:
                path = str(Path(location.file.path).relative_to(PROGRAMS.resolve()))
                found = f"{path}:{location.line}:{location.column - 1}"
                assert found == re.sub(r"^\./", "", expected), pc
                mapped += 1
            compared += 1
    assert compared > 20
    assert mapped > compared / 3


def test_a_line_has_a_place_in_each_function() -> None:
    module, info = opened("fib")
    line = line_of("fib.ts", "return fibonacci(n - 1)")
    places = info.places("fib.ts", line)
    assert not places.is_moved
    (place,) = places.places
    assert place.location.line == line
    assert place.function is not None
    assert place.function.name == "fibonacci"
    assert place.function.qualified_name == "fib/fibonacci"
    assert info.function_at(place.pc) == place.function
    assert place.pc in instruction_offsets(module, module.codes[place.function.key - module.num_imported_functions])


def test_a_line_without_code_moves_to_the_next_one() -> None:
    _, info = opened("fib")
    empty = line_of("fib.ts", "let total") + 1
    places = info.places("fib.ts", empty)
    assert places.is_moved
    assert places.line == empty + 1
    assert info.places("fib.ts", 10_000).places == ()
    assert info.places("other.ts", 1).places == ()


def test_the_lines_of_c() -> None:
    _, info = opened("hello")
    assert [file.name for file in info.files()] == ["src/helper.c", "src/hello.c"]
    for path, line in (("helper.c", 4), ("src/hello.c", 10), ("hello.c", 15)):
        (place,) = info.places(path, line).places
        assert (place.location.line, info.location_at(place.pc)) == (line, place.location)


def test_a_function_is_entered_at_its_first_line() -> None:
    _, info = opened("hello")
    (main,) = info.functions_named("main")
    place = info.entry_place(main)
    assert place is not None
    assert (place.location.line, place.location.column, place.location.file.name) == (10, 8, "src/hello.c")
    assert main.language is Language.C


def test_functions_are_found_by_all_their_names() -> None:
    _, info = opened("fib")
    (whole,) = info.functions_named("fib/fibonacci")
    assert info.functions_named("fibonacci") == (whole,)
    assert info.functions_named("$fib/fibonacci") == (whole,)
    (method,) = info.functions_named("sum")
    assert method.qualified_name == "fib/Pair#sum"
    assert info.functions_named("") == info.functions_named("nothing") == ()


def test_locals_are_variables_of_wasm_types() -> None:
    _, info = opened("fib")
    (function,) = info.functions_named("fibonacci")
    assert function.entry is not None
    assert function.language is Language.ASSEMBLYSCRIPT
    (first, *_) = info.variables_at(function.entry)
    assert (first.name, first.kind, first.is_artificial) == ("n", VariableKind.PARAMETER, False)
    assert first.locator == Fixed(InWasm(WasmSpace.LOCAL, 0))
    assert first.type is not None
    assert first.type.get() == WasmType(I32)
    assert info.variables_at(function.entry, depth=1) == ()
    assert info.variables_at(0) == ()


def test_globals_are_statics() -> None:
    _, info = opened("fib")
    (calls,) = info.statics_named("calls")
    assert calls in info.statics()
    assert calls.qualified_name == "fib/calls"
    assert isinstance(calls.locator, Fixed)
    assert isinstance(calls.locator.where, InWasm)
    assert calls.locator.where.space is WasmSpace.GLOBAL


def test_there_is_one_frame_a_pc() -> None:
    _, info = opened("hello")
    (place,) = info.places("helper.c", 4).places
    (frame,) = info.frames_at(place.pc)
    assert (frame.depth, frame.function, frame.location) == (0, place.function, place.location)
    assert info.frames_at(3) == ()


def test_a_step_goes_through_the_line() -> None:
    module, info = opened("hello")
    (place,) = info.places("helper.c", 4).places
    (range_,) = info.ranges_of_line(place.pc)
    code = module.codes[0]
    lines = {pc: info.location_at(pc) for pc in instruction_offsets(module, code)}
    inside = {pc for pc, location in lines.items() if location is not None and location.line == 4}
    assert inside == {pc for pc in lines if pc in range_}
    assert info.ranges_of_line(0) == ()


def test_source_maps_satisfy_the_protocol() -> None:
    info: DebugInfo = opened("fib")[1]
    assert info.problems() == ()
    assert info.types_named("i32") == (WasmType(I32),)
    assert info.types_named("struct nothing") == ()
