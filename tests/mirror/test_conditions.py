"""What conditions can say, one fact a test; arithmetic as such is in `test_condition_values.py`."""

from __future__ import annotations

import dataclasses
import math
import struct
import time
from fractions import Fraction
from typing import Any

import pytest

from mirror.condition_module import ARGUMENTS, CONTENTS, LOCALS, SCOPE, Conditions, compiled, evaluate
from reference.floats import F32, F64
from wasmscope import ConditionError
from wasmscope.instrument.condition import compile_condition
from wasmscope.wasm.types import I32, I64

pytestmark = pytest.mark.spread


def holding(texts: list[str]) -> list[str]:
    """Those of the conditions that do not hold, or do so because of a fault."""
    conditions = Conditions(texts)
    outcomes = [conditions.run(index, ARGUMENTS) for index in range(len(texts))]
    return [text for text, outcome in zip(texts, outcomes, strict=True) if outcome.value != 1]


TRUE = [
    # places
    "local[0] == 5 && local[1] == -3 && local[2] == 0x200000000 && local[3] == -1",
    "local[4] == 0.1 && local[5] == 0.0 && local[6] == 0.1 && local[7] == -inf",
    "stack[0] == -7 && stack[1] == 1 << 20 << 10 << 10 == false",
    "stack[1] == i64(1) << 40 && stack[2] == 0.5 && stack[3] == -2.25",
    "stack[-6] == stack[0] && stack[-3] == stack[3]",
    "global[0] == 1000 && global[1] == -(i64(1) << 62) && global[2] == 1.5 && global[3] == 1e300",
    # names
    "local.count == 5 && local.total == -1 && $total == local[3]",
    "global.count == global[1] && $__stack_pointer == 1000 && global.π == 1.5 && $π == 1.5",
    '$p.0 == 0.1 && local."p.0" == 0.1 && $"p.0" == 0.1 && $"two words" == 0.0 && local."two\\x20words" == 0.0',
    # references
    "local[8] != null && !(local[8] == null) && local[9] == null && null == local[9] && null != local[8]",
    "local[12] != null && stack[5] == null && global[5] == null",
    # vectors
    "i8x16(local[11])[3] == -128 && u8x16(local[11])[3] == 128 && i8x16(local[11])[2] == 127",
    "i16x8(local[11])[1] == -32641 && u16x8(local[11])[1] == 0x807f && i16x8(local[11])[3] == 0x7fff",
    "i32x4(stack[4])[1] == 0x7fff00ff && u32x4(stack[4])[3] == 0xff800000 && i32x4(stack[4])[3] < 0",
    "f32x4(global[4])[2] == -1.5 && f32x4(stack[-2])[3] == -inf",
    "i64x2(local[11])[1] < 0 && u64x2(local[11])[1] > 0 && bits(f64x2(local[11])[1]) == 0xff800000bfc00000",
    # literals
    "0xff == 255 && 0XFF == 255 && 0b1010 == 10 && 0B1 == 1 && 0o17 == 15 && 1_000_000 == 1000000 && 0xffff_ffff > 0",
    "'a' == 97 && '\\n' == 10 && '\\0' == 0 && '\\'' == 39 && '\\x41' == 'A' && '\\u{1f41b}' == 0x1f41b && 'é' == 233",
    "1.5 == 3 / 2.0 && .5 == 0.5 && 5. == 5 && 1e3 == 1000 && 1E-3 == 0.001 && 1_0.5 == 10.5",
    "0x1p3 == 8 && 0x1.8p1 == 3 && 0x.8p0 == 0.5 && 0x1.8 == 1.5 && 0x1P-2 == 0.25",
    "1e400 == inf && 0x1p9999999 == inf",
    "nan != nan && !(nan == nan) && !(nan < 1) && inf > 1e308 && -inf < 0 && true && !false",
    "nan && 0.1 && -1 && !0.0 && !-0.0 && !0 && (nan ? true : false)",
    # the types of literals
    "-2147483648 < 0 && -2147483648 == 1 << 31 && -9223372036854775808 == i64(1) << 63 && -9223372036854775808 < 0",
    "-1 > 0xffffffff == false && -1 == 0xffffffff && -1 < 4294967295 && -1 > 0x100000000 == false",
    "18446744073709551615 == -1 && 0xffffffffffffffff == -1 && 18446744073709551615 > i64(1)",
    "local[1] == 0xfffffffd && local[1] != 4294967293 && u32(local[1]) == 4294967293",
    # floats: a literal beside an f32 is one
    "local[4] == 0.1 && local[4] == +0.1 && -local[4] == -0.1 && f64(local[4]) != 0.1 && f32(0.1) == local[4]",
    "local[4] < 0.2 && 0.1 == local[4] && (true ? 0.1 : local[4]) == local[4] && local[4] != local[6]",
    "bits(-0.0) == 0x8000000000000000 && bits(local[5]) == 0x80000000",
    "bits(local[1]) == 0xfffffffd && bits(true) == 1",
    # precedence is C's
    "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4 && 2 * 7 / 3 % 3 == 1 && 1 << 2 + 1 == 8",
    "(6 & 3 == 3) == 0 && (6 & 3) == 2 && (1 | 6 ^ 2 & 3) == 5 && (4 < 3 == 0) && 3 > 2 > 0",
    "false && false || true && (true || false && false) && !(false ? true : false)",
    "false ? 1 : false ? 2 : 3 && true ? true ? 1 : 0 : 0",
    "- - 5 == 5 && -~4 == 5 && !!7 == 1 && ~0 == -1 && 5 - -5 == 10 && 5--5 == 10 && 2+-3 == -1",
    # truth values count as 0 and 1
    "true + true == 2 && -true == -1 && ~true == -2",
    "(3 > 2) * 10 == 10 && i64(true) == 1 && f32(true) == 1.0 && true << 3 == 8",
    " \t\r\n local [ 0 ]\n==\t5 ",
    "0 || local[0] == 5 ? 1.5 : 0",
]


@pytest.mark.parametrize("text", TRUE)
def test_a_condition_that_holds(text: str) -> None:
    outcome = evaluate(text)
    assert (outcome.value, outcome.fault) == (1, None)


FALSE = [
    "0",
    "false",
    "0.0",
    "-0.0",
    "local[5]",
    "i64(0)",
    "local[0] == 6",
    "null == local[8]",
    "local[0] && 0",
    "0 || 0.0",
]


@pytest.mark.parametrize("text", FALSE)
def test_a_condition_that_does_not_hold(text: str) -> None:
    assert evaluate(text).value == 0


@pytest.mark.parametrize("memory", [0, 1, 2])
@pytest.mark.parametrize("access", ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"])
def test_memory_is_read_up_to_its_last_byte_and_no_further(memory: int, access: str) -> None:
    size = int(access[1:]) // 8
    end = len(CONTENTS[memory])
    code = "<" + {"i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q"}.get(
        access, "d" if access == "f64" else "f"
    )
    text = f"bits(memory[{memory}].{access}[local[2]]) == u64(local[10])"
    conditions = Conditions([text])

    def run(address: int, pattern: int = 0) -> Any:
        return conditions.run(0, (*ARGUMENTS[:2], address, *ARGUMENTS[3:10], pattern))

    for address in (0, 1, 2, 3, 5, 7, end - size - 1, end - size):
        raw = CONTENTS[memory][address : address + size]
        value = struct.unpack(code, raw)[0]
        pattern = int.from_bytes(raw, "little") if access[0] == "f" or size >= 4 else value & 0xFFFFFFFF
        outcome = run(address, pattern - (pattern >> 63 << 64))
        assert (outcome.value, outcome.fault) == (1, None), address
    for address in (end - size + 1, end, end + 1, 1 << 16, 1 << 32, (1 << 63) - 1, -1 << 63, -size, -size - 1, -1):
        assert run(address).fault == (6, f"{access} out of bounds of memory {memory}"), address


@pytest.mark.parametrize("address", [(1 << 32), -(1 << 32), (1 << 32) - 8, (1 << 63)])
def test_an_address_of_64_bits_does_not_wrap_around_in_a_memory_of_32(address: int) -> None:
    assert evaluate(f"u8[i64({address})]").fault == (1, "u8 out of bounds of memory 0")


def test_an_address_of_32_bits_is_unsigned_in_a_memory_of_32_and_a_value_in_one_of_64() -> None:
    last = len(CONTENTS[1])
    assert evaluate(f"memory[1].u8[{last - 1}] == {CONTENTS[1][-1]}").value == 1
    assert evaluate(f"memory[1].u8[u32({last - 1})] == {CONTENTS[1][-1]}").value == 1
    for text in ("u8[-1]", "memory[1].u8[-1]", "memory[1].u8[0xffffffff]", "u8[local[1]]"):
        assert evaluate(text).fault is not None, text


def test_a_memory_without_pages_has_no_byte() -> None:
    assert evaluate("memory[3].u8[0]").fault == (1, "u8 out of bounds of memory 3")
    assert evaluate("memory[3].f64[0]").fault == (1, "f64 out of bounds of memory 3")


def test_reads_nest() -> None:
    once = CONTENTS[0][7]
    twice = CONTENTS[0][once]
    thrice = CONTENTS[0][twice]
    texts = [f"u8[u8[7]] == {twice}", f"u8[u8[u8[6 + 1]] - 0] - u8[u8[7]] * u8[7] == {thrice - twice * once}"]
    assert holding(texts) == []


FAULTS = [
    ("local[0] / (local[0] - 5)", 10, "division by zero"),
    ("local[2] % 0", 10, "division by zero"),
    ("u32(7) / u32(0)", 8, "division by zero"),
    ("i64(7) % i64(0)", 8, "division by zero"),
    ("(1 << 31) / -1", 11, "division overflow"),
    ("(i64(1) << 63) / i64(-1)", 16, "division overflow"),
    ("true / false", 6, "division by zero"),
    ("1 + u8[0x10000]", 5, "u8 out of bounds of memory 0"),
    ("memory.heap.u16[65535]", 1, "u16 out of bounds of memory 1"),
    ("i32[u8[70000]]", 5, "u8 out of bounds of memory 0"),
    ("true && 1 / 0", 11, "division by zero"),
    ("false || 1 / 0", 12, "division by zero"),
    ("!(1 / 0)", 5, "division by zero"),
    ("1 / 0 && false", 3, "division by zero"),
    ("1 / 0 * 0 == 1", 3, "division by zero"),
    ("true ? 1 / 0 : 0", 10, "division by zero"),
    ("1 / 0 ? 0 : 0", 3, "division by zero"),
    ("1 % 0 + u8[-1]", 3, "division by zero"),
    ("u8[-1] + 1 % 0", 1, "u8 out of bounds of memory 0"),
]


@pytest.mark.parametrize(("text", "column", "reason"), FAULTS)
def test_what_would_trap_is_a_fault_that_says_where_and_why(text: str, column: int, reason: str) -> None:
    outcome = evaluate(text)
    assert outcome.fault == (column, reason)
    assert outcome.value >= 2


NO_FAULTS = [
    "false && 1 / 0",
    "!(true || 1 / 0)",
    "true ? 0 : 1 / 0",
    "false ? u8[-1] : 0",
    "local[0] == 4 && u8[-1]",
    "(1 << 31) % -1",
    "u32(1 << 31) / u32(-1)",
    "(i64(1) << 63) % i64(-1)",
    "1 / 0.0 < 0",
    "false && (true && 1 / 0)",
]


@pytest.mark.parametrize("text", NO_FAULTS)
def test_what_is_not_worked_out_or_is_defined_is_no_fault(text: str) -> None:
    outcome = evaluate(text)
    assert (outcome.value, outcome.fault) == (0, None)


ERRORS = [
    ("", 1, "empty"),
    ("  \n ", 1, "empty"),
    ("local[0] == ", 13, "an operand is expected instead of the end"),
    ("local[0] ==* 3", 12, "an operand is expected instead of '*'"),
    ("1 2", 3, "an operator is missing before '2'"),
    ("local[0] local[1]", 10, "an operator is missing"),
    ("(1 + 2", 1, "'(' is not closed"),
    ("1 + (2 * (3 + 4)", 5, "'(' is not closed"),
    ("1 + 2)", 6, "nothing is open that ')' closes"),
    ("1]", 2, "nothing is open that ']' closes"),
    ("u8[(1]", 4, "'(' is not closed"),
    ("(u8[1)", 4, "'[' is not closed"),
    ("u8[1", 3, "'[' is not closed"),
    ("i32(1", 4, "'(' is not closed"),
    ("()", 2, "an operand is expected"),
    ("1 ? 2", 3, "without a ':'"),
    ("(1 ? 2)", 4, "without a ':'"),
    ("1 : 2", 3, "without a '?'"),
    ("(1 : 2)", 4, "without a '?'"),
    ("true ? 1 : 2 : 3", 14, "without a '?'"),
    ("local[0] = 5", 10, "equality is =="),
    ("local[0] == 5;", 14, "unexpected ';'"),
    ("1 @ 2", 3, "unexpected '@'"),
    ("1 \0", 3, "unexpected '\\x00'"),
    ("\ud800", 1, "unexpected '\\ud800'"),
    ("'a", 1, "the quote ' is not closed"),
    ('$"a', 2, 'the quote " is not closed'),
    ("''", 1, "one character"),
    ("'ab'", 1, "one character"),
    ("1 + 'a\\q'", 7, "no such escape"),
    ("'\\u{110000}'", 2, "no such escape"),
    ("x == 1", 1, "unknown word 'x'"),
    ("local[0] == 1 and true", 15, "an operator is missing before 'and'"),
    # numbers
    ("1 + 0x", 5, "'0x' is no number"),
    ("0b12", 1, "no number"),
    ("0o8", 1, "no number"),
    ("12abc", 1, "'12abc' is no number"),
    ("1.2.3", 1, "no number"),
    ("1e", 1, "no number"),
    ("1e_", 1, "no number"),
    ("0x_", 1, "no number"),
    ("0x.p1", 1, "no number"),
    ("1²", 1, "no number"),
    ("017", 1, "0o17"),
    ("00", 1, "0o0"),
    ("18446744073709551616", 1, "does not fit in 64 bits"),
    ("0x10000000000000000", 1, "does not fit in 64 bits"),
    ("1" * 501, 1, "a number of more than 500 characters"),
    # places
    ("local[13]", 1, "there is no local 13: there are 13 locals"),
    ("1 + global[6]", 5, "there is no global 6: there are 6 globals"),
    ("stack[6]", 1, "there is no stack[6]: there are 6 operands here"),
    ("stack[-7]", 1, "there is no stack[-7]"),
    ("memory[4].u8[0]", 1, "there is no memory 4: there are 4 memories"),
    ("local[-1]", 7, "an index is an integer"),
    ("local[local[0]]", 7, "an index is an integer"),
    ("local[1.5]", 7, "an index is an integer"),
    ("local[1 + 1]", 9, "']' is expected instead of '+'"),
    ("local 1", 7, "'[' is expected instead of '1'"),
    ("local", 6, "'[' is expected instead of the end"),
    ("stack.x", 6, "'[' is expected instead of '.'"),
    ("local[99999999999999999999]", 7, "does not fit"),
    # names
    ("local.cuont", 1, "no local has the name cuont; did you mean local.count?"),
    ("$totl", 1, "no local or global has the name totl; did you mean $total?"),
    ('1 + $"two  words"', 5, 'did you mean $"two words"?'),
    ("$nowhere", 1, "no local or global has the name nowhere"),
    ("local.zzzzz", 1, "no local has the name zzzzz"),
    ("$count", 1, "write local.count or global.count"),
    ("local.x", 1, "local[1] and local[2] have that name"),
    ("$x", 1, "local[1] and local[2] have that name"),
    ("memory.heep.u8[0]", 1, "did you mean memory.heap?"),
    ("local.", 7, "a name is expected instead of the end"),
    ("local.0", 6, "'[' is expected"),
    ("$ + 1", 3, "a name is expected"),
    # memory
    ("memory[0]", 10, "'.' is expected"),
    ("memory[0].v8[1]", 11, "memory is read as one of"),
    ("memory[0].u8 + 1", 14, "'[' is expected"),
    ("u8[1.5]", 4, "an address is an integer, this is an f64"),
    ("u8[local[8]]", 4, "a reference can only be compared with null"),
    ("u8 + 1", 1, "u8 reads memory"),
    ("u8(1)", 1, "u8 reads memory"),
    ("i32 + 1", 1, "i32 converts"),
    ("bits + 1", 1, "bits converts"),
    # types
    ("local[8]", 1, "a reference can only be compared with null"),
    ("local[8] == local[9]", 1, "a reference can only be compared with null"),
    ("!local[8]", 2, "a reference can only be compared with null"),
    ("1 + global[5]", 5, "a reference can only be compared with null"),
    ("true && local[8]", 9, "a reference can only be compared with null"),
    ("local[8] < null", 1, "a reference can only be compared with null"),
    ("i32(local[8])", 5, "a reference can only be compared with null"),
    ("local[8] ? 1 : 0", 1, "a reference can only be compared with null"),
    ("null", 1, "null can only be compared with a reference"),
    ("null == null", 6, "null is compared with a reference, not with null"),
    ("local[0] == null", 10, "null is compared with a reference, not with an i32"),
    ("null != 1.5", 6, "not with an f64"),
    ("true == null", 6, "not with a truth value"),
    ("local[11]", 1, "i32x4(local[0])[2]"),
    ("local[11] == local[11]", 1, "i32x4(local[0])[2]"),
    ("local[11] == null", 11, "not with a v128"),
    ("i32x4(local[0])[0]", 7, "i32x4 needs a v128, this is an i32"),
    ("i32x4(5)[0]", 7, "i32x4 is of a local, an operand or a global"),
    ("i32x4(local[11])[4]", 18, "the lanes of i32x4 are 0 to 3"),
    ("i32x4(local[11])", 17, "'[' is expected"),
    ("i32x4(local[11])[local[0]]", 18, "an index is an integer"),
    ("f64x2(local[11])[2]", 18, "the lanes of f64x2 are 0 to 1"),
    ("1.5 % 2", 1, "% needs integers, this is an f64"),
    ("2 % local[4]", 5, "% needs integers, this is an f32"),
    ("1 & 1.5", 5, "& needs integers"),
    ("1 << 1.5", 6, "<< needs integers"),
    ("~1.5", 2, "~ needs an integer"),
]


@pytest.mark.parametrize(("text", "column", "message"), ERRORS)
def test_what_is_no_condition_is_refused_with_the_column(text: str, column: int, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compiled(text)
    assert (caught.value.column, message in caught.value.message) == (column, True), caught.value


def test_where_there_is_nothing_the_error_says_so() -> None:
    empty = dataclasses.replace(SCOPE, locals=(), operands=(), globals=(), memories=())
    for text, message in (
        ("local[0]", "there is no local 0: there is no local"),
        ("stack[-1]", "there is no stack[-1]: there is no operand here"),
        ("u8[0]", "there is no memory 0: there is no memory"),
        ("$count", "no local or global has the name count"),
    ):
        with pytest.raises(ConditionError, match="^" + message.replace("[", r"\[")):
            compile_condition(text, empty)


DEEP = [
    "(" * 4000,
    "(" * 2000 + "1" + ")" * 2000,
    "!" * 4000 + "1",
    "- " * 2000 + "1",
    "u8[" * 1300,
    "1 ? " * 1000,
    "i32(" * 1000,
    "1+(" * 1300,
    "[" * 4000,
    "0 ? 0 : " * 500 + "0",
    "(" * 4097,
    "9" * 4096,
    "0x" + "f" * 4000,
    "1e" + "9" * 400,
    "$" + "x" * 4000,
    "'" + "\\n" * 2000 + "'",
    "$" * 4000,
    "local." + "a." * 2000,
    "." * 4096,
    "&" * 4096,
]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_hostile_texts_are_refused_at_once(text: str) -> None:
    began = time.monotonic()
    if text == "1e" + "9" * 400:
        compiled(text)
    else:
        with pytest.raises(ConditionError):
            compiled(text)
    assert time.monotonic() - began < 2


LONG = [
    "1" + "+1" * 2047,
    "1" + "||1" * 1365,
    "local[0]" + "/local[0]" * 454,
    "0" + "|u8[1]" * 682,
    "(" * 199 + "1" + ")" * 199,
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_long_chains_and_deep_nesting_within_the_limits_run(text: str) -> None:
    began = time.monotonic()
    assert evaluate(text).fault is None
    assert time.monotonic() - began < 5


def test_many_names_and_long_ones_do_not_make_errors_slow() -> None:
    names = {index: f"{'n' * (index % 3000)}{index}" for index in range(20000)}
    scope = dataclasses.replace(SCOPE, locals=LOCALS[:1] * 20000, local_names=names)
    began = time.monotonic()
    with pytest.raises(ConditionError, match="did you mean"):
        compile_condition("local.nnnnnnnnnnnnnnnn", scope)
    assert time.monotonic() - began < 5


def test_a_name_that_is_suggested_can_be_written_as_it_is_said() -> None:
    for name in ("a b", 'quote"d', "back\\slash", "new\nline", "dotted.name", "1st", "\u202e", "ünï", "", "a.", "$d"):
        scope = dataclasses.replace(SCOPE, local_names={0: name}, global_names={})
        with pytest.raises(ConditionError) as caught:
            compile_condition(f'$"{name.translate({34: None, 92: None, 10: None})}?"', scope)
        meant = caught.value.message.partition("did you mean ")[2].removesuffix("?")
        if name not in ("", "\u202e"):
            assert meant
            assert compile_condition(meant, scope).code == compile_condition("local[0]", scope).code
            assert meant.isprintable()


def test_what_a_condition_uses_is_told() -> None:
    condition = compiled("global[1] > 0 && memory.heap.u8[local[0]] / global[0] == u8[i64(3)]")
    assert (condition.globals, condition.memories) == ({0, 1}, {0, 1})
    assert [fault.reason for fault in condition.faults] == [
        "u8 out of bounds of memory 1",
        "division by zero",
        "division overflow",
        "u8 out of bounds of memory 0",
    ]
    assert set(condition.locals) == {I32, I64}
    plain = compiled("local[0] == 5")
    assert (plain.globals, plain.memories, plain.locals, plain.faults) == (frozenset(), frozenset(), (), ())


def test_indices_are_asked_for_only_of_what_is_used() -> None:
    asked: list[int] = []

    def index(guest: int) -> int:
        asked.append(guest)
        return guest

    compile_condition("global[1] == 0", dataclasses.replace(SCOPE, global_index=index))
    assert asked == [1]


@pytest.mark.parametrize(
    "text",
    [
        "0.1",
        "16777217.0",  # halfway between two floats
        "16777217.00000000000000000000001",  # rounds to halfway as an f64
        "16777218.99999999999999999999999",
        "0x1.000001p0",
        "0x1.00000100000000000000000000000001p0",
        "0x1.000002fffffffffffffffffffffffp0",
        "340282356779733661637539395458142568447.9999999999",  # just below what becomes infinite
        "340282356779733661637539395458142568448.0",
        "1e-45",
        "7.006492321624085e-46",  # half of the smallest number
        "7.0064923216240853546186479164495806564013097093825788587853e-46",
        "1e-400",
        "3.4028234663852886e38",
        "1e39",
        "123456789.123456789",
    ],
)
def test_float_literals_are_rounded_once(text: str) -> None:
    if text.startswith("0x"):
        whole, _, rest = text.removeprefix("0x").partition(".")
        digits = rest.partition("p")[0]
        exact = Fraction(int(whole + digits, 16), 16 ** len(digits))
    else:
        exact = Fraction(text)
    wanted = [f"bits({text}) == {F64.round(exact):#x}", f"bits(f32({text})) == {F32.round(exact):#x}"]
    assert holding(wanted) == []


def test_the_bits_of_a_nan_in_a_place_are_kept() -> None:
    nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0123))[0]
    assert math.isnan(nan)
    arguments = (*ARGUMENTS[:7], nan, *ARGUMENTS[8:])
    assert evaluate("bits(local[7]) == 0xfff8000000000123", arguments).value == 1
