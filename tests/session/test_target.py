"""Expressions over real guests that are paused: C, C++, Zig, and a module without debug information."""

# Tables of expressions and values are easier to read in long lines, and addresses as C prints them.
# ruff: noqa: E501, UP031

from __future__ import annotations

import pytest

import wasmscope as wasmtime
from session.paused import Paused, paused_at
from wasmscope import Debuggee
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.errors import ExpressionError
from wasmscope.session.function_table import function_table
from wasmscope.source.expressions import check, compile_condition
from wasmscope.source.locations import WasmSpace

AT_THE_END = "return calls + fixed"
IN_CPP = "result += (square.*method)"


@pytest.mark.parametrize("name", ["types_O0.wasm", "types_v5.wasm"])
def test_expressions_see_every_type_of_a_c_program(name: str) -> None:
    with paused_at(name, "types.c", AT_THE_END) as program:
        for text, expected in {
            "e->c": -1, "e->uc": 255, "e->us + 1": 65536, "e->u": 4_000_000_000, "e->ll": -4_000_000_000_000, "e->d * 2": -4.5,
            "e->color == BLUE": 1, "e->numbers[2]": 8, "e->matrix[1][2]": 12, "e->list->next->value": 2, "e->list->next->next == 0": 1,
            "e->flags.mode": 5, "e->flags.level": -6, "e->flags.wide": 0x123456789A, "*e->pinned": 42, "e->number.i": 0x3F800000,
            "e->anonymous.inner + (int)(e->anonymous.right * 2)": 78, "sizeof(struct everything) == sizeof *e": 1, "e == &all": 1,
            "matrix[1][1] + limit": 46, "all.text[1] == 'i'": 1, "calls": 8, "fixed": 9, "first.next == &second": 1,
            "((struct node *) &first)->value": 1, "(short) e->i": -3, "e->op(2, 3)": 5,
        }.items():  # fmt: skip
            assert program.number(text) == expected, text
            if "(2, 3)" in text:
                break  # the guest went on


def test_values_of_a_c_program_are_shown_as_gdb_would() -> None:
    with paused_at("types_O0.wasm", "types.c", AT_THE_END) as program:
        for text, expected in {
            "e->flags": "{ready = 1, mode = 5, level = -6, wide = 78187493530}", "e->text": '"hi"', "e->color": "BLUE", "e->b": "true",
            "first": "{value = 1, next = %#x}" % program.number("&second"),
            "e->numbers": "{4, 5, 8}", "*e->list": "{value = 1, next = %#x}" % program.number("&second"),
            "e->matrix": "{{0, 0, 0}, {0, 0, 12}}", "e->name": '%#x "wasm"' % program.number("e->name"),
            "e->vector": "{0, 0, 0, 8}",
            "e->nothing": "(void *) 0x0", "e->number": "{i = 1065353216, f = 1, bytes = {0 '\\000', 0 '\\000', 128 '\\200', 63 '?'}}", "e->level": "HIGH",
            "e->anonymous": "{inner = 77, {left = 1056964608, right = 0.5}}",
        }.items():  # fmt: skip
            assert program.shown(text).replace("000'", "'") == expected or program.shown(text) == expected, (
                program.shown(text)
            )
        assert program.shown("e->op").endswith("<add>")
        assert program.shown("e->u", "x") == "0xee6b2800"


def test_a_paused_guest_is_changed_by_assignments() -> None:
    with paused_at("types_O0.wasm", "types.c", AT_THE_END) as program:
        program.value("calls = 100")
        program.value("e->flags.mode = 2, e->numbers[0] += 7")
        assert (program.number("calls"), program.number("e->flags.mode"), program.number("e->numbers[0]")) == (
            100,
            2,
            11,
        )
        assert (program.number("e->flags.ready"), program.number("e->flags.level")) == (1, -6)
        assert "range" in program.reason("e->uc = 256")


def test_a_call_runs_the_guest_and_leaves_it_where_it_was() -> None:
    with paused_at("types_O0.wasm", "types.c", "return calls + fixed") as program:
        pc = program.machine.pc
        assert program.number("add(40, e->uc - 253)") == 42
        assert program.number("add(fixed, 1) + e->i + add(e->i, 3)") == 7
        again = Paused(program.store, program.debuggee, program.info)
        assert (again.machine.pc, again.number("calls")) == (pc, 8)
        program.debuggee.resume()
        assert "gone on" in program.reason("e->i")


def test_a_call_leaves_what_a_function_keeps_below_the_stack_pointer() -> None:
    with paused_at("types_O0.wasm", "types.c", AT_THE_END) as program:
        # It calls nothing, so the compiler did not move the stack pointer for its variables.
        address = program.number("(char *) &n")
        stack_pointer = program.number("$sp")
        assert isinstance(address, int)
        assert isinstance(stack_pointer, int)
        assert address < stack_pointer
        assert program.number("add(40, 2) == 42 && n == 4 && e == &all") == 1
        assert program.number("$sp") == stack_pointer


def test_a_call_from_the_frame_of_a_caller_leaves_it_readable() -> None:
    with paused_at("types_O0.wasm", "types.c", AT_THE_END) as program:
        caller = Paused(program.store, program.debuggee, program.info, 1)
        assert caller.number("add(n, 1) + big % 7") == 5 + 5_000_000_000 % 7


def test_the_frames_of_callers_have_their_own_variables() -> None:
    with paused_at("types_O0.wasm", "types.c", AT_THE_END) as program:
        caller = Paused(program.store, program.debuggee, program.info, 1)
        assert (caller.number("big % 7"), caller.number("ratio")) == (5_000_000_000 % 7, 0.125)
        with pytest.raises(ExpressionError, match="no variable or function has the name fixed"):
            caller.value("fixed")


def test_conditions_on_variables_stop_a_guest_where_they_hold() -> None:
    with paused_at("types_O0.wasm", "types.c", "e->numbers[i] = square") as program:
        condition = compile_condition("i == 2 && e->numbers[i - 1] == n + 1 && square < 5", program.names)
        assert isinstance(condition, str)
        module = program.frame.module()
        with program.store.edit_breakpoints() as edit:
            edit.remove_breakpoint(module, program.machine.pc)
            edit.add_breakpoint(module, program.machine.pc, condition=condition)
        program.debuggee.resume()
        again = Paused(program.store, program.debuggee, program.info)
        assert (again.number("i"), again.number("square")) == (2, 4)


def test_expressions_see_classes_references_and_member_functions() -> None:
    with paused_at("classes_O0.wasm", "classes.cpp", IN_CPP) as program:
        assert program.number("square.side_ * 2") == 8
        assert program.shown("square.kind_") == "shapes::Kind::Square"
        assert program.shown("shape.kind_ == shapes::Kind::Square") == "true"
        assert program.number("buffer.items[2]") == 3
        assert program.number("temporary") == 5
        assert program.shown("wide") == "233 u'é'"
        assert program.shown("nothing") == "nullptr"
        assert program.number("shapes::Shape::count") == 4
        assert program.number("twice.n") == 4
        assert program.number("buffer.size()") == 4


def test_libcxx_strings_and_containers_are_shown_as_what_they_hold() -> None:
    with paused_at("library_O0.wasm.xz", "library.cpp", "return sum + by_number") as program:
        for text, expected in {
            "short_text": '"hi\\n"', "long_text": f'"{"x" * 40}"', "wide": '"hé"', "view": '"hi\\n"', "numbers": "{1, 2, 3, 4}",
            "points": "{{x = 1, y = 2}, {x = 3, y = 4}}", "truths": "{true, false, true}", "words": '{"one", "two"}',
            "three": "{7, 8, 9}", "some": "5", "none": "nullopt", "by_number": '{[1] = "one", [2] = "two", [3] = "three"}',
            "unique": "{10, 20, 30}", "hashed": "{[4] = 16}", "hashed_set": "{9}", "chain": "{5, 6, 7}",
            "pair": "{first = 1, second = 97 'a'}",
        }.items():  # fmt: skip
            assert program.shown(text) == expected


def test_a_container_that_is_overwritten_is_shown_as_it_is_built() -> None:
    with paused_at("library_O0.wasm.xz", "library.cpp", "return sum + by_number") as program:
        for name in ("numbers", "short_text", "by_number", "hashed", "chain", "words"):
            address = program.number(f"(char *) &{name}")
            assert isinstance(address, int)
            size = program.value(name).size or 0
            assert program.machine.write(address, b"\xfd" * size) is None
            assert len(program.shown(name)) < 20_000


def test_zig_values_are_shown_as_zig_writes_them() -> None:
    with paused_at("values_zig.wasm.xz", "values.zig", "return sum + n") as program:
        for text, expected in {
            "text": '"hello"', "numbers": ".{ 20, 30 }", "some": "5", "none": "null", "found": "8", "missing": "error.NotFound",
            "colour": ".green", "point": ".{ .x = -1, .y = 100 }", "shape": ".{ .square = .{ .x = 3, .y = 4 } }", "fixed": ".{ 1, 2, 3 }",
            "numbers[1]": "30", "pointer.x": "-1", "pointer.*": ".{ .x = -1, .y = 100 }", "colour == green": "true", "some.?": "5",
            "point.y + 1": "101", "numbers[0..2]": ".{ 20, 30 }",
        }.items():  # fmt: skip
            assert program.shown(text) == expected, text


WAT = """(module
  (memory (export "m") 1) (global $counter (mut i32) (i32.const 5)) (table 2 funcref) (elem (i32.const 1) $double)
  (func $double (param $x i32) (result i32) (i32.mul (local.get $x) (i32.const 2)))
  (func $trap (unreachable))
  (func (export "run") (param $a i32) (param $f f64) (param $r externref) (local $v v128) (local $n i64)
    (i32.store (i32.const 16) (i32.const 99)) (i32.const 7) (drop) (nop)))"""


@pytest.fixture
def plain() -> object:
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, WAT), [])
    with Debuggee(store) as debuggee:
        debuggee.launch(instance.exports(store)["run"], -3, 1.5, "host")
        for _ in range(20):
            debuggee.step()
            if [debuggee.frames()[0].stack(i).value for i in range(debuggee.frames()[0].num_stacks())] == [7]:
                break
        yield Paused(store, debuggee, None)


def test_a_module_without_debug_information_has_names_and_registers(plain: Paused) -> None:
    for text, expected in {
        "$a": -3, "$f * 2": 3.0, "$local0 < 0": 1, "$stack0": 7, "$counter + $global0": 10, "*(int *) 16": 99, "$n": 0, "{u8} 16": 99,
        "double($a)": -6,
    }.items():  # fmt: skip
        assert plain.number(text) == expected, text


def test_registers_of_every_type_are_shown_and_set(plain: Paused) -> None:
    assert plain.shown("$v") == "i32x4 0x00000000 0x00000000 0x00000000 0x00000000"
    assert "host" in plain.shown("$r")
    for text in ("$a = 12", "$f = 0.5", "$counter = -1", "$stack0 = 8", "$n = 1ll << 40"):
        assert not isinstance(plain.number(text), Unavailable)
    assert [plain.number(text) for text in ("$a", "$f", "$counter", "$stack0", "$n")] == [12, 0.5, -1, 8, 1 << 40]
    assert "is a reference" in str(plain.machine.number(WasmSpace.LOCAL, 2))


def test_a_function_pointer_is_called_through_the_table(plain: Paused) -> None:
    assert plain.shown("(int (*)(int)) 1") == "(int (*)(int)) 0x1 <double>"
    assert plain.number("((int (*)(int)) 1)(21)") == 42


def test_a_call_that_traps_has_no_value_and_the_guest_stands_as_it_did(plain: Paused) -> None:
    with pytest.raises(ExpressionError):
        check("trap(1) +", plain.names, plain.kept)
    value = plain.value("trap()")
    assert isinstance(value.where, Unavailable)
    assert "trap did not return" in value.where.reason
    again = Paused(plain.store, plain.debuggee, None)
    assert again.number("$a") == -3


def test_entries_of_the_table_that_are_not_there_are_said_to_be(plain: Paused) -> None:
    assert plain.machine.table_function(1) == 0
    for entry in (0, 2, 1 << 40, -1):
        found = plain.machine.table_function(entry)
        assert isinstance(found, Unavailable)
        assert "no function is at entry" in found.reason


def test_a_table_that_code_may_change_is_not_trusted() -> None:
    store = wasmtime.Store()
    wat = "(module (table 1 funcref) (func $f (table.set (i32.const 0) (ref.null func))) (elem (i32.const 0) $f))"
    plan = wasmtime.Module(store.engine, wat).frame_table.plan
    assert isinstance(function_table(plan), Unavailable)
