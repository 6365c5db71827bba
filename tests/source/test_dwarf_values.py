"""Variables of programs that run, against the values that their sources give them."""

from __future__ import annotations

import pytest

from source.on_engine import paused
from source.programs import line_of
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import InWasm, WasmSpace
from wasmscope.source.types import PointerType

EVERYTHING = {
    "c": -1,
    "uc": 255,
    "s": -2,
    "us": 65535,
    "i": -3,
    "u": 4000000000,
    "ll": -4000000000000,
    "ull": 18446744073709551615,
    "f": 1.5,
    "d": -2.25,
    "b": True,
    "color": "BLUE",
    "level": "HIGH",
    "numbers": [4, 5, 8],
    "matrix": [[0, 0, 0], [0, 0, 12]],
    "text": [ord("h"), ord("i"), 0, 0, 0, 0, 0, 0],
    "number": {"i": 0x3F800000, "f": 1.0, "bytes": [0, 0, 0x80, 0x3F]},
    "flags": {"ready": 1, "mode": 5, "level": -6, "wide": 0x123456789A},
    "nothing": 0,
    "vector": [0.0, 0.0, 0.0, 8.0],
    "anonymous": {"inner": 77, "": {"left": 0x3F000000, "right": 0.5}},
}


@pytest.mark.parametrize("name", ["types_O0.wasm", "types_v5.wasm"])
def test_every_type_of_c_has_its_value(name: str) -> None:
    with paused(name, line_of("types.c", "return calls + fixed")) as program:
        shown = program.value("all")
        assert isinstance(shown, dict)
        assert {key: value for key, value in shown.items() if key in EVERYTHING} == EVERYTHING
        assert program.value("calls") == 8
        assert program.value("fixed") == 9
        assert program.value("n") == 4
        assert program.value("limit") == 42
        assert program.value("matrix") == [[1, 2], [3, 4]]
        assert program.value("second") == {"value": 2, "next": 0}
        assert program.values.read(shown["name"], 5) == b"wasm\0"
        assert isinstance(program.value("e"), int)
        listed = program.variable("e").type
        assert listed is not None
        pointer = listed.get()
        assert isinstance(pointer, PointerType)


def test_a_list_can_be_followed_through_a_type_that_refers_to_itself() -> None:
    with paused("types_O0.wasm", line_of("types.c", "return calls + fixed")) as program:
        shown = program.value("all")
        first = program.value("first")
        assert isinstance(shown, dict)
        assert isinstance(first, dict)
        assert first["value"] == 1
        assert program.values.read(shown["list"], 4) == b"\1\0\0\0"
        assert program.values.read(first["next"], 4) == b"\2\0\0\0"


def test_inner_scopes_come_before_outer_ones() -> None:
    line = line_of("types.c", "e->numbers[i] = square + n")
    with paused("types_O0.wasm", line, hits=3) as program:
        assert (program.value("i"), program.value("square")) == (2, 4)
        names = [variable.name for variable in program.info.variables_at(program.pc)]
        assert names[:2] == ["square", "i"]
        assert names.index("i") < names.index("e")


def test_a_variable_beyond_its_scope_is_not_there() -> None:
    with paused("types_O0.wasm", line_of("types.c", "e->matrix[1][2]")) as program:
        assert "square" not in {variable.name for variable in program.info.variables_at(program.pc)}


@pytest.mark.parametrize("name", ["inlined_O2.wasm", "inlined_O2_v5.wasm"])
def test_values_in_wasm_locals_are_found_in_inlined_calls(name: str) -> None:
    # The fourth time it is the inlined call of `square` for `right`, when `i` is 1.
    with paused(name, line_of("inlined.c", "emit(result);"), hits=4) as program:
        frames = program.info.frames_at(program.pc)
        assert [frame.function.name for frame in frames] == ["square", "sum_of_squares", "run"]
        assert [frame.function.is_inlined for frame in frames] == [True, True, False]
        assert program.value("n", 2) == 4
        variable = program.variable("n", 2)
        assert variable.locator.locate(program.pc, program.values) == InWasm(WasmSpace.LOCAL, 0)
        for depth, name_ in ((2, "i"), (2, "total"), (1, "left"), (0, "result")):
            value = program.value(name_, depth)
            known = {"i": 1, "total": 16, "left": 1, "result": 16}[name_]
            assert value == known or isinstance(value, Unavailable), name_


def test_what_is_optimised_out_of_an_inlined_copy_is_there_and_says_so() -> None:
    with paused("inlined_O2.wasm", line_of("inlined.c", "emit(result);")) as program:
        assert program.value("x", 0) == Unavailable("optimised out here")


def test_a_class_has_its_bases_and_members() -> None:
    with paused("classes_O0.wasm", line_of("classes.cpp", "result += (square.*method)")) as program:
        square = program.value("square")
        assert isinstance(square, dict)
        assert square["side_"] == 4
        assert square["Shape"]["kind_"] == "Square"
        assert program.values.read(square["Named"]["name"], 6) == b"shape\0"
        assert program.value("buffer") == {"items": [1, 2, 3, 4]}
        assert program.value("wide") == 0xE9
        assert program.value("twice") == {"n": 4}
        assert program.value("hidden") == 11
        assert program.value("count") == 4
        # A reference is where it refers to.
        shape = program.value("shape")
        assert isinstance(shape, int)
        assert program.values.read(program.value("temporary"), 4) == b"\5\0\0\0"


def test_this_is_a_parameter_that_the_compiler_made() -> None:
    with paused("classes_O0.wasm", line_of("classes.cpp", "int result = side_")) as program:
        this = program.variable("this")
        assert this.is_artificial
        assert this.kind == "parameter"
