"""What a rewriter of guests can get wrong in straight code and control flow, each in a guest written by hand."""

from __future__ import annotations

import pytest

from frames.by_hand import Guest, Shown, at_calls

_OBSERVE = '(import "host" "observe" (func $observe))'


def _main(body: str, signature: str = "", more: str = "") -> str:
    return f'(module {_OBSERVE} {more} (func $main (export "main") {signature} {body}))'


def _calls(*states: tuple[tuple[object, ...], tuple[object, ...]]) -> list[list[Shown]]:
    """The frames at calls of `observe` by function 1, the only one."""
    return [[Shown(1, "call", locals, stack)] for locals, stack in states]


# -- locals and operands -----------------------------------------------------------------------------------------------


def test_all_locals_are_shown_dead_ones_too() -> None:
    text = _main(
        "(local.set 1 (i64.const 7)) call $observe (local.set 0 (i32.const 5)) call $observe",
        "(param i32) (local i64 f32)",
    )
    assert at_calls(text, 3) == _calls(((3, 7, 0.0), ()), ((5, 7, 0.0), ()))


def test_an_operand_that_came_from_a_local_outlives_its_assignment() -> None:
    text = _main("local.get 0 (local.set 0 (i32.const 9)) call $observe drop", "(param i32)")
    assert at_calls(text, 4) == _calls(((9,), (4,)))


def test_operands_are_those_before_the_instruction_arguments_included() -> None:
    text = """(module (import "host" "add" (func $add (param i32 i64) (result i32)))
      (func (export "main") (param i32) (result i32)
        i32.const 1 local.get 0 i64.const -2 call $add i32.add))"""
    assert at_calls(text, 5) == [[Shown(1, "call", (5,), (1, 5, -2))]]


def test_values_under_the_top() -> None:
    body = """global.get $g global.get $g i32.const 1 i32.add f64.const 0.5 global.get $g
      (global.set $g (i32.const 0)) call $observe drop drop drop drop"""
    assert at_calls(_main(body, more="(global $g (mut i32) (i32.const 40))")) == _calls(((), (40, 41, 0.5, 40)))


def test_a_copy_keeps_the_value_when_the_original_changes() -> None:
    body = """(local.set 1 (local.get 0)) (local.set 2 (i32.add (local.get 1) (i32.const 10)))
      (local.set 0 (i32.const 100)) call $observe (local.set 1 (i32.const 200)) call $observe"""
    assert at_calls(_main(body, "(param i32) (local i32 i32)"), 1) == _calls(((100, 1, 11), ()), ((100, 200, 11), ()))


def test_a_local_set_from_itself() -> None:
    body = """(local.set 1 (i32.mul (local.get 0) (i32.const 3))) (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (local.set 1 (i32.sub (local.get 1) (local.get 0))) call $observe"""
    assert at_calls(_main(body, "(param i32) (local i32)"), 7) == _calls(((8, 13), ()))


def test_swapped_locals() -> None:
    body = "local.get 0 local.get 1 local.set 0 local.set 1 call $observe"
    assert at_calls(_main(body, "(param i32 i32)"), 1, 2) == _calls(((2, 1), ()))


def test_a_tee_of_what_waits_below() -> None:
    body = "local.get 0 (local.tee 0 (i32.const 6)) (local.tee 0 (i32.const 7)) call $observe drop drop drop"
    assert at_calls(_main(body, "(param i32)"), 5) == _calls(((7,), (5, 6, 7)))


def test_several_results_below_others() -> None:
    text = f"""(module {_OBSERVE}
      (func $three (result i32 f64 i64) i32.const 1 f64.const 2.5 i64.const 3)
      (func (export "main") (local i64)
        i32.const 0 call $three local.set 0 f32.const 4 call $observe drop drop drop drop))"""
    assert at_calls(text) == [[Shown(2, "call", (3,), (0, 1, 2.5, 4.0))]]


def test_loaded_values_are_those_at_the_load() -> None:
    body = """(local.set 0 (i32.load (i32.const 0))) (i32.load (i32.const 0)) (i32.store (i32.const 0) (i32.const 9))
      call $observe drop"""
    more = '(memory 1) (data (i32.const 0) "\\05\\00\\00\\00")'
    assert at_calls(_main(body, "(local i32)", more)) == _calls(((5,), (5,)))


def test_loaded_values_survive_a_store_before_a_trap() -> None:
    body = """(local.set 0 (i32.load (i32.const 0))) (i32.load (i32.const 0)) (i32.store (i32.const 0) (i32.const 9))
      (i32.store8 (i32.const 1) (i32.const 1)) unreachable"""
    guest = Guest(_main(body, "(local i32)", '(memory 1) (data (i32.const 0) "\\05\\00\\00\\00")'))
    assert guest.trapped("main") == [Shown(1, "unreachable", (5,), (5,))]


def test_five_thousand_locals() -> None:
    count = 5000
    sets = " ".join(f"(local.set {n} (i32.mul (local.get 0) (i32.const {n})))" for n in range(1, count))
    body = f"{sets} call $observe (local.set 0 (i32.const 1)) call $observe"
    first, second = at_calls(_main(body, f"(param i32) (local {'i32 ' * (count - 1)})"), 3)
    products = tuple(3 * n for n in range(1, count))
    assert first == [Shown(1, "call", (3, *products))]
    assert second == [Shown(1, "call", (1, *products))]


# -- control -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leave",
    [
        "br 0",
        "i32.const 1 br_if 0 drop i32.const 0",
        "i32.const 0 br_table 0 0",
        "return",
        "block (param i32) (result i32) br 1 end",
    ],
)
def test_ways_out_of_a_function_pop_its_frame(leave: str) -> None:
    text = f"""(module {_OBSERVE}
      (func $leaves (param i32) (result i32) call $observe local.get 0 {leave})
      (func (export "main") (result i32) (call $leaves (i32.const 8)) call $observe))"""
    assert at_calls(text) == [
        [Shown(1, "call", (8,)), Shown(2, "call", (), (8,))],
        [Shown(2, "call", (), (8,))],
    ]


@pytest.mark.parametrize(("argument", "local"), [(0, 20), (1, 10)])
def test_a_local_set_on_one_path(argument: int, local: int) -> None:
    body = "(if (local.get 0) (then (local.set 1 (i32.const 10))) (else (local.set 1 (i32.const 20)))) call $observe"
    assert at_calls(_main(body, "(param i32) (local i32)"), argument) == _calls(((argument, local), ()))


@pytest.mark.parametrize(("argument", "shown"), [(0, (5, 5)), (1, (9, 5))])
def test_what_a_local_follows_from_changes_on_one_path(argument: int, shown: tuple[int, int]) -> None:
    body = """(local.set 1 (i32.const 5)) (local.set 2 (local.get 1))
      (if (local.get 0) (then (local.set 1 (i32.const 9)))) call $observe"""
    assert at_calls(_main(body, "(param i32) (local i32 i32)"), argument) == _calls(((argument, *shown), ()))


@pytest.mark.parametrize("argument", [0, 1])
def test_published_on_one_path_only(argument: int) -> None:
    body = """(local.set 1 (i32.popcnt (i32.load8_u (local.get 0))))
      (if (local.get 0) (then call $observe)) call $observe"""
    state = ((argument, 2), ())
    more = '(memory 1) (data (i32.const 0) "\\05\\06")'
    assert at_calls(_main(body, "(param i32) (local i32)", more), argument) == _calls(*[state] * (1 + argument))


def test_a_loop_that_assigns_what_was_known_before_it() -> None:
    body = """(local.set 1 (local.get 0)) (local.set 2 (i32.add (local.get 0) (i32.const 100))) local.get 0
      (loop $l call $observe (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $l (local.get 0)))
      call $observe drop"""
    states = [((n, 2, 102), (2,)) for n in (2, 1, 0)]
    assert at_calls(_main(body, "(param i32) (local i32 i32)"), 2) == _calls(*states)


def test_loop_and_block_parameters() -> None:
    body = """f32.const 1.5 local.get 0 i64.const 10
      (loop $l (param i32 i64) (result i64)
        call $observe
        local.set 1 i32.const 1 i32.sub local.tee 0
        (i64.add (local.get 1) (i64.const 1))
        (br_if $l (local.get 0))
        (block (param i32 i64) (result i64 i32) call $observe local.set 1 i64.extend_i32_s i32.const 77 call $observe)
        drop)
      call $observe drop drop"""
    assert at_calls(_main(body, "(param i32) (local i64)"), 2) == _calls(
        ((2, 0), (1.5, 2, 10)),
        ((1, 10), (1.5, 1, 11)),
        ((0, 11), (1.5, 0, 12)),
        ((0, 12), (1.5, 0, 77)),
        ((0, 12), (1.5, 0)),
    )


def test_a_switch_with_values() -> None:
    body = """(block $b (result i32) (block $a (result i32)
        i32.const 30 local.get 0 br_table $a $b)
      call $observe i32.const 1 i32.add)
      call $observe drop"""
    text = _main(body, "(param i32)")
    assert at_calls(text, 0) == _calls(((0,), (30,)), ((0,), (31,)))
    assert at_calls(text, 1) == _calls(((1,), (30,)))


def test_unreachable_code() -> None:
    body = """(block (br 0) drop i32.add (loop call $observe br 0) (if (then) (else)) select drop)
      (block (result i32) i32.const 4 br 0 call $observe i64.add unreachable) call $observe drop"""
    assert at_calls(_main(body)) == _calls(((), (4,)))


def test_select_and_its_operands() -> None:
    body = "local.get 0 i32.const 2 local.get 0 select (local.set 0 (i32.const 0)) call $observe drop"
    assert at_calls(_main(body, "(param i32)"), 6) == _calls(((0,), (6,)))
