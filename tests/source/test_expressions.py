"""Expressions: what they mean, what they are refused for, and what they change."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from source.fakes import (
    BOOL,
    CHAR,
    COLOUR,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    POINT,
    SHORT,
    UCHAR,
    UINT,
    FakeMachine,
    FakeNames,
    array,
    at,
    bits,
    member,
    node_type,
    pointer,
    ref,
    struct_of,
    variable,
)  # fmt: skip
from source.test_values import option
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.errors import ExpressionError
from wasmscope.source.expressions import KeptValues, check, complete, evaluate, has_effects
from wasmscope.source.formatting import FormatOptions, format_value, type_name
from wasmscope.source.locations import InWasm, WasmNumber, WasmSpace
from wasmscope.source.model import Language
from wasmscope.source.target import GuestFunction
from wasmscope.source.types import Base, EnumType, FunctionType, Method, PointerKind, StructKind, StructType
from wasmscope.source.values import TypedValue, scalar
from wasmscope.wasm.types import F64, I32, I64, FuncType

BINARY = FunctionType(ref(INT), (ref(INT), ref(INT)))


class Guest:
    """A guest whose variables cover the types, and what expressions say of it."""

    def __init__(self, language: Language = Language.C) -> None:
        self.machine = machine = FakeMachine()
        self.kept = KeptValues()
        machine.put(0x100, "i", 7)  # i
        machine.put(0x104, "I", 0xFFFF_FFFF)  # u
        machine.put(0x108, "b", -3)  # c
        machine.put(0x110, "d", 2.5)  # d
        machine.put(0x118, "f", 0.1)  # f
        machine.put(0x120, "5i", 10, 20, 30, 40, 50)  # a
        machine.put(0x140, "iib", 3, 4, 65)  # p
        machine.put(0x150, "I", 0x140)  # pp
        machine.put(0x154, "I", 0x120)  # ip
        machine.put(0x158, "iI", 1, 0x158)  # n
        machine.put(0x160, "q", -(1 << 40))  # l
        machine.put(0x168, "I", 5)  # colour
        machine.put(0x16C, "I", 0b1011_101)  # bf
        machine.put(0x170, "I", 1)  # fp: entry 1 of the table
        machine.put(0x174, "I", 0x100)  # r: a reference to i
        machine.memory[0x200:0x20C] = b"hello\0world\0"
        machine.put(0x178, "I", 0x200)  # s
        machine.put(0x17C, "I", 0)  # null
        machine.numbers[WasmSpace.LOCAL, 0] = I32, 0xFFFF_FFFE
        machine.numbers[WasmSpace.LOCAL, 1] = F64, 0x3FF8_0000_0000_0000
        machine.numbers[WasmSpace.GLOBAL, 0] = I32, 0x1000
        machine.numbers[WasmSpace.OPERAND, 0] = I64, 99
        signature = FuncType((I32, I32), (I32,))
        self.called: list[Sequence[WasmNumber]] = []
        machine.functions = {
            3: ("add", signature, self._add),
            4: ("trap", FuncType((), (I32,)), lambda: Unavailable("trap trapped: unreachable")),
            5: ("sum", FuncType((I32,), (I32,)), self._sum),
        }
        machine.table = {1: 3}
        field = struct_of("bf", 4, bits("lo", UINT, 0, 3), bits("hi", INT, 3, 4))
        functions = (
            GuestFunction(3, "add", BINARY, signature),
            GuestFunction(4, "trap", FunctionType(ref(INT), ()), FuncType((), (I32,))),
            GuestFunction(3, "plain", None, signature),
            GuestFunction(3, "wrong", FunctionType(ref(LONG), (ref(INT),)), signature),
            GuestFunction(3, "whole", FunctionType(ref(INT), (ref(POINT), ref(INT))), signature),
            GuestFunction(3, "printf", FunctionType(ref(INT), (ref(pointer(CHAR)),), has_more=True), signature),
        )
        variables = (
            variable("i", INT, 0x100), variable("u", UINT, 0x104), variable("c", CHAR, 0x108),
            variable("d", DOUBLE, 0x110),
            variable("f", FLOAT, 0x118), variable("a", array(INT, 5), 0x120), variable("p", POINT, 0x140),
            variable("pp", pointer(POINT), 0x150), variable("ip", pointer(INT), 0x154), variable("n", node_type(),
            0x158),
            variable("l", LONG, 0x160), variable("colour", COLOUR, 0x168), variable("bf", field, 0x16C),
            variable("fp", pointer(BINARY), 0x170), variable("r", pointer(INT, PointerKind.REFERENCE), 0x174),
            variable("s", pointer(CHAR), 0x178), variable("null", pointer(INT), 0x17C),
            variable("reg", INT, InWasm(WasmSpace.LOCAL, 0)), variable("v", pointer(None), 0x150),
            variable("gone", INT, Unavailable("optimised out here")),
        )  # fmt: skip
        self.names = FakeNames(
            machine, variables, [variable("static", INT, 0x100), variable("i", UINT, 0x104)],
            {"point": POINT, "struct point": POINT, "colour": COLOUR, "std::pair<int, int>": POINT},
            functions, {7: GuestFunction(5, "sum", None)}, {"__stack_pointer": (WasmSpace.GLOBAL, 0),
            "x": (WasmSpace.LOCAL, 0)},
            language,
        )  # fmt: skip

    def _add(self, *arguments: WasmNumber) -> Sequence[WasmNumber]:
        self.called.append(arguments)
        return [WasmNumber((arguments[0].bits + arguments[1].bits) & 0xFFFF_FFFF, 4)]

    def _sum(self, this: WasmNumber) -> Sequence[WasmNumber]:
        self.called.append((this,))
        return [WasmNumber(77, 4)]

    def value(self, text: str) -> TypedValue:
        return evaluate(check(text, self.names, self.kept), self.machine, self.kept)

    def number(self, text: str) -> object:
        return scalar(self.value(text))

    def shown(self, text: str) -> str:
        return format_value(self.value(text), FormatOptions(self.names.language))

    def reason(self, text: str) -> str:
        value = self.number(text)
        assert isinstance(value, Unavailable), value
        return value.reason

    def refused(self, text: str) -> str:
        with pytest.raises(ExpressionError) as error:
            check(text, self.names, self.kept)
        return str(error.value)


@pytest.fixture
def guest() -> Guest:
    return Guest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("-7 / 2", -3), ("-7 % 2", -1), ("7 - 2 - 1", 4), ("1 << 4 >> 2", 4),
        ("0x10 + 010 + 0b11 + 0o7", 34), ("~0", -1), ("!5", 0), ("1 < 2 == 1", 1), ("6 & 3 | 8", 10), ("6 ^ 3", 5),
        ("1 ? 2 : 3", 2), ("0 ? 2 : 0 ? 3 : 4", 4), ("1, 2", 2), ("'a'", 97), ("'\\n'", 10), ("'\\x80'", -128),
        ("1.5 + 1", 2.5), ("0x1p4", 16.0), ("1e3f", 1000.0), ("2147483647 + 1", -2147483648),
        ("2147483648 + 1", 2147483649),
        ("0xffffffff + 1", 0), ("4294967295u + 1", 0), ("1ull << 40", 1 << 40), ("-1 < 1u", 0), ("-1 >> 1", -1),
        ("7u / 2", 3), ("1 << 33", 2), ("0 && 1 / 0", 0), ("1 || 1 / 0", 1), ("true + true", 2), ("1_000", 1000),
        ("i", 7), ("u", (1 << 32) - 1), ("c", -3), ("d * 2", 5.0), ("l >> 38", -4), ("i + d", 9.5), ("f == 0.1", 0),
        ("f == 0.1f", 1),
        ("a[2]", 30), ("*a", 10), ("*(a + 3)", 40), ("a[i - 5]", 30), ("ip[4]", 50), ("*ip", 10),
        ("&a[4] - &a[1]", 3), ("&a[4] == ip + 4", 1), ("ip + 1 > ip", 1), ("*(ip + 1)", 20),
        ("ip - 1 == (int *) 0x11c", 1),
        ("p.x + p.y", 7), ("pp->y", 4), ("pp.y", 4), ("(*pp).x", 3), ("(&p)->y", 4), ("*&i", 7),
        ("n.next->next->value", 1),
        ("bf.lo", 5), ("bf.hi", -5), ("colour == BLUE", 1), ("BLUE != colour", 0), ("colour::GREEN + 1", 2),
        ("colour", 5), ("r + 1", 8),
        ("*&r", 7), ("null == 0", 1), ("!null", 1), ("ip && 1", 1), ("(char) 300", 44), ("(unsigned char) -1", 255),
        ("(int) 2.9", 2), ("(int) -2.9", -2), ("(int) 1e20", (1 << 31) - 1), ("(double) 1 / 4", 0.25),
        ("(long) 5", 5),
        ("(unsigned long long) -1", (1 << 64) - 1), ("*(unsigned short *) ip", 10), ("*(int *) 0x120", 10),
        ("{int} 0x124", 20),
        ("((struct point *) 0x140)->y", 4), ("((point *) v)->y", 4), ("(*(std::pair<int, int> *) pp).x", 3),
        ("(i)", 7), ("(i) - 1", 6),
        ("sizeof(int)", 4), ("sizeof p", 12), ("sizeof(struct point)", 12), ("sizeof a / sizeof a[0]", 5),
        ("sizeof(int *)", 4),
        ("sizeof(int[3][4])", 48), ("sizeof(long)", 4), ("sizeof(char (*)(int))", 4), ("sizeof(1 / 0)", 4),
        ("$local0", -2), ("$local1 * 2", 3.0), ("$stack0", 99), ("$global0", 0x1000), ("$sp", 0x1000),
        ("$pc", 0x100), ("$x", -2),
        ('$"x"', -2), ("reg", -2), ("static", 7), ("::i", (1 << 32) - 1), ("i as u8 + 1", 8), ("300 as u8", 44),
        ("u8(300)", 44), ("*s", 104),
        ("s[1] == 'e'", 1), ('"abc"[1]', 98), ("a[1:3][1]", 30), ("a[1..3][0]", 20), ("ip[1:3][1]", 30),
        ("a[3:][1]", 50), ("(*ip@5)[4]", 50),
        ("not 0 and 1", 1), ("add(2, 3)", 5), ("add(i, add(1, 1))", 9), ("fp(2, 3)", 5), ("(*fp)(2, -3)", -1),
        ("plain(1, 2)", 3),
        ("1'000'000", 1_000_000), ("1.0L / 3 == 1.0 / 3", 0), ("18446744073709551615", (1 << 64) - 1),
        ("-9223372036854775807 - 1", -(1 << 63)),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_c_gives_it(guest: Guest, text: str, expected: object) -> None:
    assert guest.number(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p", "{x = 3, y = 4, tag = 65 'A'}"), ("a", "{10, 20, 30, 40, 50}"), ("&p", "(struct point *) 0x140"),
        ("s", '0x200 "hello"'),
        ("colour", "BLUE"), ("i < 8", "1"), ("*ip@2", "{10, 20}"), ("a[1:3]", "{20, 30}"),
        ("fp", "(int (*)(int, int)) 0x1 <add>"),
        ("gone", "<optimized out>"), ("n", "{value = 1, next = 0x158}"), ("(char) 65", "65 'A'"),
        ('"a\\x1b"', '"a\\033"'), ("v", "(void *) 0x140"),
        ("(void) 0", "void"), ("r", "7"), ("bf", "{lo = 5, hi = -5}"), ("(float) 0.1", "0.1"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_gdb_would(guest: Guest, text: str, shown: str) -> None:
    assert guest.shown(text) == shown


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1", "int"), ("1u", "unsigned int"), ("1 << 1ll", "int"), ("c + c", "int"), ("i < 1", "int"),
        ("l + 1", "long long"),
        ("f + 1", "float"),
        ("&a", "int (*)[5]"), ("&a[0]", "int *"), ("a + 1", "int *"), ("sizeof 1", "size_t"),
        ("ip - ip", "ptrdiff_t"), ("u + u", "unsigned int"),
        ("(char *) 0", "char *"), ("1 ? i : l", "long long"), ("fp", "int (*)(int, int)"), ("1.5f", "float"),
        ("'a'", "char"), ("pp->y", "int"),
    ],
)  # fmt: skip
def test_an_expression_has_the_type_that_c_gives_it(guest: Guest, text: str, name: str) -> None:
    assert type_name(check(text, guest.names, guest.kept).type) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty (at column 1)"), ("1 +", "an operand is expected instead of the end (at column 4)"),
        ("(1", "'(' is not closed (at column 1)"),
        ("1)", "nothing is open that ')' closes (at column 2)"),
        ("1 2", "an operator is missing before '2' (at column 3)"),
        ("a[1", "']' is expected instead of the end"), ("'ab'", "one character"),
        ("'a", "the quote ' is not closed"), ("1 # 2", "unexpected '#'"),
        ("nme", "no variable or function has the name nme"), ("colur", "did you mean colour?"),
        ("p.z", "has no member z (at column 3)"),
        ("i.x", "a value of type int has no members"), ("*i", "an integer is no pointer: cast it"),
        ("*v", "a void pointer cannot be dereferenced"),
        ("&1", "only what is stored has an address"), ("&bf.lo", "a bit-field has no address"),
        ("1 = 2", "has to be stored somewhere"),
        ("1.5 % 2", "% needs integers, this is a value of type double"),
        ("p + 1", "+ is not for a value of type struct point"),
        ("(struct point) 1", "cannot be cast"), ("(struct what *) 1", "no type has the name struct what"),
        ("ip + 1.5", "an integer is needed"), ("ip + ip", "+ is not for"),
        ("p ? 1 : 2", "neither true nor false"), ("add(1)", "it takes 2 arguments, not 1"),
        ("printf(s)", "a variable number of arguments"),
        ("i(1)", "only functions"), ("add(p, 1)", "cannot be assigned"), ("p = i", "cannot be assigned"),
        ("$nothing", "$nothing has no value"),
        ("$5", "no value has that number"), ("$local7", "there is no local 7 here"), ("ip[1:]", "say where to end"),
        ("99999999999999999999999999999999999999999", "128 bits"),
        ("0x", "is no number"), ("09", "is no number"), ("1e99999", "out of range"), ("'\\q'", "no such escape"),
        ("(int *) 1.5", "a float cannot become"),
        ("!add", "neither true nor false"), ("a[", "an operand is expected"), ("sizeof(void)", "is not known"),
        ("p.", "a member's name is expected"),
        ("$1 = 2", "does not change"), ("1 as", "a type is expected"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_with_the_place(guest: Guest, text: str, message: str) -> None:
    assert message in guest.refused(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "division by zero"), ("1 % (i - 7)", "division by zero"),
        ("(-2147483647 - 1) / -1", "division overflow"),
        ("*(int *) 0xffffffff", "outside of memory"), ("gone + 1", "optimised out here"),
        ("trap()", "trap trapped: unreachable"),
        ("a[1 / 0]", "division by zero"), ("wrong(1)", "is not what its types make of it"),
        ("whole(p, 1)", "hidden pointer"),
        ("((int (*)(int)) 9)(1)", "no entry 9"), ("(*ip@0)[0]", "cannot have 0 elements"),
        ("c = 300", "range from -128 to 127"), ("i = 2.5", "is no integer"),
        ("i = gone", "optimised out here"), ("pp->x / 0", "division by zero"),
        ("*(int *) 0x10000 = 1", "outside of memory"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_says_why(guest: Guest, text: str, reason: str) -> None:
    assert reason in guest.reason(text)
    assert guest.machine.writes == []


def test_address_0_is_memory_like_any_other(guest: Guest) -> None:
    assert guest.number("*null") == 0


@pytest.mark.parametrize(
    ("text", "look", "expected"),
    [
        ("i = 5", "i", 5), ("i += 3", "i", 10), ("i <<= 2", "i", 28), ("i++", "i", 8), ("--i", "i", 6),
        ("c = 'x'", "c", 120), ("c += 200", "c", -59),
        ("p.y = -1", "p.y", -1), ("pp->x = 9", "p.x", 9), ("a[1] = a[2] = 8", "a[1] + a[2]", 16),
        ("*ip = 1", "a[0]", 1), ("bf.hi = 7", "bf.hi", 7),
        ("bf.lo++", "bf.lo", 6), ("d = 1", "d", 1.0), ("ip = 0", "ip", 0), ("ip++", "*ip", 20),
        ("ip += 2", "*ip", 30), ("colour = GREEN", "colour", 1), ("$local0 = 5", "reg", 5),
        ("reg = -9", "$local0", -9), ("$sp -= 16", "$global0", 0xFF0), ("r = 3", "i", 3), ("$t = i * 2", "$t", 14),
        ("u = -1", "u", (1 << 32) - 1),
        ("i = (1, 2)", "i", 2), ("i ? i = 1 : (i = 2)", "i", 1), ("$stack0 = 7", "$stack0", 7),
        ("{int} 0x100 = 12", "i", 12),
    ],
)  # fmt: skip
def test_an_assignment_changes_what_it_says(guest: Guest, text: str, look: str, expected: object) -> None:
    assert not isinstance(guest.number(text), Unavailable)
    assert guest.number(look) == expected


def test_a_postfix_increment_is_the_value_before(guest: Guest) -> None:
    assert guest.number("i++") == 7
    assert guest.number("++i") == 9
    assert guest.number("bf.lo++") == 5


def test_a_structure_is_assigned_whole(guest: Guest) -> None:
    guest.machine.put(0x180, "iib", 9, 8, 66)
    guest.value("*pp = *(struct point *) 0x180")
    assert guest.shown("p") == "{x = 9, y = 8, tag = 66 'B'}"


def test_checking_reads_and_changes_nothing(guest: Guest) -> None:
    node = check("i = *ip + add(1, 2)", guest.names, guest.kept)
    assert has_effects(node)
    assert not has_effects(check("*ip + a[1]", guest.names, guest.kept))
    assert (guest.machine.reads, guest.machine.writes, guest.called) == ([], [], [])


def test_only_what_is_needed_is_worked_out(guest: Guest) -> None:
    guest.value("0 && (i = 5)")
    guest.value("1 ? 2 : (i = 5)")
    guest.value("sizeof(i = 5)")
    assert guest.machine.writes == []


def test_a_compound_assignment_works_its_target_out_once(guest: Guest) -> None:
    assert guest.number("a[add(0, 1)] += 5") == 25
    assert len(guest.called) == 1


def test_arguments_are_extended_by_their_sign(guest: Guest) -> None:
    guest.number("add(c, (unsigned char) 255)")
    assert [each.bits for each in guest.called[0]] == [0xFFFF_FFFD, 255]


def test_a_history_value_keeps_what_the_guest_changes_later(guest: Guest) -> None:
    assert guest.kept.keep(guest.value("i")) == 1
    guest.value("i = 99")
    assert (guest.number("$1"), guest.number("$"), guest.number("$1 + i")) == (7, 7, 106)


def test_variables_hide_types_and_convenience_variables_hide_names_of_the_name_section(guest: Guest) -> None:
    guest.names.types = {**guest.names.types, "i": POINT}
    assert guest.number("(i) + 1") == 8
    guest.value("$y = 3")
    guest.value("$y += 1")
    assert guest.number("$y * $x") == -8


def test_members_of_this_need_no_this() -> None:
    guest = Guest(Language.CPP)
    this = variable("this", pointer(POINT), 0x150)
    guest.names.locals = [*guest.names.locals, this]
    assert guest.number("x + y") == 7
    assert guest.shown("this->x == 3") == "true"


def test_members_of_base_classes_and_anonymous_unions_are_found() -> None:
    guest = Guest(Language.CPP)
    inner = struct_of("", 4, member("whole", INT, 0), member("part", SHORT, 0), kind=StructKind.UNION)
    derived = replace(struct_of("derived", 20, member("", inner, 12)), bases=(Base(ref(POINT), 0),))
    guest.machine.put(0x300, "iibxxxi", 1, 2, 3, 0x10002)
    guest.names.locals = [variable("o", derived, 0x300)]
    assert (guest.number("o.y"), guest.number("o.whole"), guest.number("o.part")) == (2, 0x10002, 2)
    assert guest.shown("o") == "{<point> = {x = 1, y = 2, tag = 3 '\\003'}, {whole = 65538, part = 2}}"


def test_a_member_function_gets_its_object() -> None:
    guest = Guest(Language.CPP)
    type_ = FunctionType(ref(INT), (ref(pointer(POINT)),))
    methods = (
        Method("sum", "_sum", ref(type_), False, False, False, 7),
        Method("v", "_v", ref(type_), False, True, False, 8),
    )
    class_ = StructType("C", "C", 12, StructKind.CLASS, POINT.members, methods=methods)
    guest.names.locals = [variable("o", class_, 0x140), variable("op", pointer(class_), 0x150)]
    assert (guest.number("o.sum()"), guest.number("op->sum()")) == (77, 77)
    assert [each.bits for (each,) in guest.called] == [0x140, 0x140]
    assert "virtual" in guest.refused("o.v()")
    assert "it takes 1 argument, not 2" in guest.refused("o.sum(1)")


def test_rust_literals_take_the_type_beside_them_and_tuples_have_numbers() -> None:
    guest = Guest(Language.RUST)
    pair = struct_of("(i32, f32)", 8, member("__0", INT, 0), member("__1", FLOAT, 4))
    guest.machine.put(0x300, "if", 5, 0.1)
    guest.names.locals = [variable("t", pair, 0x300), variable("o", array(pair, 2), 0x300)]
    assert guest.shown("t.1 == 0.1") == "true"
    assert guest.number("t.0 as u8 + 1") == 6
    assert guest.number("o[0].0") == 5
    assert guest.shown("t") == "(5, 0.1)"


def test_zig_dereferences_behind_and_slices_have_elements() -> None:
    guest = Guest(Language.ZIG)
    slice_ = struct_of("[]i32", 8, member("ptr", pointer(INT), 0), member("len", UINT, 4))
    guest.machine.put(0x300, "II", 0x120, 5)
    guest.names.locals = [*guest.names.locals, variable("slice", slice_, 0x300)]
    assert (guest.number("ip.*"), guest.number("pp.*.y"), guest.number("slice[2]"), guest.number("slice[1..3][1]")) == (
        10,
        4,
        30,
        30,
    )
    assert guest.shown("slice") == ".{ 10, 20, 30, 40, 50 }"


def test_a_member_of_a_variant_that_is_not_there_has_no_value() -> None:
    guest = Guest(Language.RUST)
    guest.names.locals = [variable("o", option(), 0x300)]
    assert "it is not there: the value is None" in guest.reason("o.Some.0")
    guest.machine.put(0x300, "II", 1, 42)
    assert guest.number("o.Some.0") == 42
    assert guest.shown("o") == "Some(42)"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("col", ("colour",)), ("p.", ("x", "y", "tag")), ("pp->y", ("y",)), ("1 + a[pp->x].", ()),
        ("n.next->", ("value", "next")),
        ("(*pp).t", ("tag",)), ("$lo", ("$local0", "$local1", "$local2")), ("$__", ("$__stack_pointer",)),
        ("i +* .", ()), ("zzz", ()),
    ],
)  # fmt: skip
def test_completion_gives_the_names_that_could_follow(guest: Guest, text: str, names: tuple[str, ...]) -> None:
    assert complete(text, guest.names, guest.kept) == names


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000, "(" * 20 + "1" + ")" * 20, "-" * 4000 + "1", "1" + "+1" * 2000, "a" + "[0]" * 1300, "i" * 4096,
        "1" * 4096, "f(" * 2000, "(int" + "*" * 4000 + ")1",
        "{" * 4000, "&" * 4000, "1?" * 2000, "i=" * 2000, "((((((((((int)))", "$" * 4000, "'" * 99, "x<" * 2000,
        "a.b" * 1300, "::" * 2000, "int " * 1000, "(int (" * 600,
        "sizeof " * 580, "a[0:" * 1000, "1 as " * 800, "\x00", "1e" * 2000, "(int[9])" * 500, "\\" * 50,
    ],
    ids=range(28),
)  # fmt: skip
def test_hostile_text_is_refused_or_worked_out_in_bounded_depth(guest: Guest, text: str) -> None:
    try:
        value = guest.value(text)
    except ExpressionError:
        return
    format_value(value)


def test_random_token_soup_only_raises_expression_errors(guest: Guest) -> None:
    rng = random.Random(5)
    soup = (
        "i u c d f a p pp ip n s fp r gone add ( ) [ ] { } . -> * & + - / % == < && || ! ~ , ; ? : = += ++ 1 2.5 'x' "
        '"s" int point sizeof $1 $local0 as @ .. struct colour RED'
    )
    words = soup.split()
    evaluated = 0
    for _ in range(4000):
        text = " ".join(rng.choice(words) for _ in range(rng.randrange(1, 9)))
        try:
            node = check(text, guest.names, guest.kept)
        except ExpressionError:
            continue
        format_value(evaluate(node, guest.machine, guest.kept))
        evaluated += 1
    assert evaluated > 100


def test_booleans_of_cpp_and_enumerators_of_scoped_enumerations() -> None:
    guest = Guest(Language.CPP)
    scoped = EnumType("E", "ns::E", 4, None, False, COLOUR.enumerators, is_scoped=True)
    guest.names.locals = [variable("e", scoped, 0x168), variable("b", BOOL, 0x100)]
    guest.names.types = {"ns::E": scoped}
    assert guest.shown("e") == "ns::E::BLUE"
    assert guest.shown("e == ns::E::BLUE && !0") == "true"
    assert scalar(at(guest.machine, UCHAR, 0x108)) == 253
