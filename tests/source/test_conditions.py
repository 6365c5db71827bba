"""Expressions as conditions: compiled and run by the stock engine, they are true where the evaluator says so."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from mirror.condition_module import CONTENTS, GLOBAL_VALUES, GLOBALS, LOCALS, OPERAND_VALUES, OPERANDS, Conditions
from source.fakes import (
    CHAR,
    COLOUR,
    DOUBLE,
    FLOAT,
    INT,
    INT128,
    LONG,
    POINT,
    SHORT,
    UCHAR,
    UINT,
    ULONG,
    USHORT,
    FakeMachine,
    FakeNames,
    array,
    bits,
    member,
    pointer,
    struct_of,
    variable,
)
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.errors import ExpressionError
from wasmscope.source.expressions import KeptValues, check, compile_condition, is_true
from wasmscope.source.locations import (
    FrameValues,
    InMemory,
    InWasm,
    Known,
    Located,
    Locator,
    Piece,
    Pieces,
    WasmNumber,
    WasmSpace,
)
from wasmscope.source.model import Variable
from wasmscope.source.types import Type
from wasmscope.wasm.types import F32, F64, I32, I64, ValType

ARGUMENTS: tuple[object, ...] = (0x4000, -3, 1 << 33, 0x100, 0.1, -0.0, 0.25, float("inf"), None, None, 0x200)
"""The locals of the module: i32 i32 i64 i64 f32 f32 f64 f64, references, i64."""

FIELDS = struct_of("fields", 8, bits("lo", UINT, 0, 3), bits("mid", INT, 3, 14), bits("far", ULONG, 17, 40))
NESTED = struct_of(
    "nested",
    24,
    member("head", CHAR, 0),
    member("p", POINT, 4),
    member("bf", FIELDS, 16),
    member("next", pointer(POINT), 4),
)


@dataclass(frozen=True)
class FrameBase:
    """As compilers have it: so many bytes from the value of a local."""

    local: int
    offset: int

    def locate(self, pc: int, values: FrameValues) -> Located:
        base = values.number(WasmSpace.LOCAL, self.local)
        return base if isinstance(base, Unavailable) else InMemory((base.bits + self.offset) % (1 << 32))


@dataclass(frozen=True)
class Curved:
    """No compiler has it: a place that is no fixed distance from anything."""

    def locate(self, pc: int, values: FrameValues) -> Located:
        base = values.number(WasmSpace.LOCAL, 0)
        return base if isinstance(base, Unavailable) else InMemory(base.bits * 2 % (1 << 32))


@dataclass(frozen=True)
class Remembered:
    """Where it was when the function was entered."""

    def locate(self, pc: int, values: FrameValues) -> Located:
        entry = values.parameter_at_entry(0)
        return entry if isinstance(entry, Unavailable) else InMemory(entry.bits)


def placed(name: str, type_: Type, locator: Locator) -> Variable:
    return replace(variable(name, type_, 0), locator=locator)


VARIABLES = (
    placed("i", INT, FrameBase(0, 16)),
    placed("u", UINT, FrameBase(0, 20)),
    placed("c", CHAR, FrameBase(0, -7)),
    placed("uc", UCHAR, FrameBase(0, 3)),
    placed("s", SHORT, FrameBase(0, 24)),
    placed("us", USHORT, FrameBase(0, 26)),
    placed("l", LONG, FrameBase(0, 32)),
    placed("ul", ULONG, FrameBase(0, 40)),
    placed("f", FLOAT, FrameBase(0, 48)),
    placed("d", DOUBLE, FrameBase(0, 56)),
    placed("n", NESTED, FrameBase(0, 64)),
    placed("a", array(INT, 10), FrameBase(0, 96)),
    placed("m", array(SHORT, 3, 4), FrameBase(0, 140)),
    placed("e", COLOUR, FrameBase(0, 180)),
    variable("g", LONG, 0x80),
    variable("ip", pointer(INT), InWasm(WasmSpace.LOCAL, 0)),
    variable("pp", pointer(NESTED), InWasm(WasmSpace.LOCAL, 0)),
    variable("r", INT, InWasm(WasmSpace.LOCAL, 1)),
    variable("rc", CHAR, InWasm(WasmSpace.LOCAL, 2)),
    variable("ru", USHORT, InWasm(WasmSpace.LOCAL, 10)),
    variable("rl", LONG, InWasm(WasmSpace.LOCAL, 2)),
    variable("rf", FLOAT, InWasm(WasmSpace.LOCAL, 4)),
    variable("rd", DOUBLE, InWasm(WasmSpace.LOCAL, 7)),
    variable("rbits", UINT, InWasm(WasmSpace.LOCAL, 4)),
    variable("rs", FIELDS, InWasm(WasmSpace.LOCAL, 2)),
    variable("k", INT, Known(struct.pack("<i", -5))),
    variable("kf", FLOAT, Known(struct.pack("<f", -1.5))),
    variable("wild", pointer(INT), InWasm(WasmSpace.GLOBAL, 1)),
)


def bits_of(value_type: ValType, value: object) -> int:
    layouts = {I32: ("<i", "<I"), I64: ("<q", "<Q"), F32: ("<f", "<I"), F64: ("<d", "<Q")}
    packed, unpacked = layouts[value_type]
    number: int = struct.unpack(unpacked, struct.pack(packed, value))[0]
    return number


def frame(arguments: Sequence[object] = ARGUMENTS) -> FakeNames:
    """The state that the module of conditions has when it is called with these arguments."""
    machine = FakeMachine(bytearray(CONTENTS[0]))
    for space, types, values in (
        (WasmSpace.LOCAL, LOCALS, arguments),
        (WasmSpace.OPERAND, OPERANDS, OPERAND_VALUES),
        (WasmSpace.GLOBAL, GLOBALS, GLOBAL_VALUES),
    ):
        for index, (value_type, value) in enumerate(zip(types, values, strict=False)):
            if value_type in (I32, I64, F32, F64):
                machine.numbers[space, index] = value_type, bits_of(value_type, value)
    return FakeNames(machine, VARIABLES, types={"struct point": POINT, "colour": COLOUR})


def outcomes(texts: Sequence[str], arguments: Sequence[object] = ARGUMENTS) -> list[tuple[object, object]]:
    """Of each expression what its condition says and what the evaluator says; faults and no value are None."""
    names, kept = frame(arguments), KeptValues()
    compiled = [compile_condition(text, names) for text in texts]
    spelled = [each for each in compiled if isinstance(each, str)]
    assert len(spelled) == len(texts), [each for each in compiled if not isinstance(each, str)]
    conditions = Conditions(spelled)
    found: list[tuple[object, object]] = []
    for index, text in enumerate(texts):
        outcome = conditions.run(index, arguments)
        truth = is_true(check(text, names, kept), names.machine, kept)
        found.append(
            (None if outcome.fault else bool(outcome.value), None if isinstance(truth, Unavailable) else truth)
        )
    return found


class Generator:
    """Expressions at random; some have no meaning, which the checker finds."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def leaf(self) -> str:
        rng = self.rng
        names = [each.name for each in VARIABLES if each.name not in ("n", "a", "m", "rs")]
        parts = (
            "n.head n.p.x n.p.tag n.bf.lo n.bf.mid n.bf.far pp->p.y pp->bf.mid rs.lo rs.mid rs.far a[3] m[1][2] *a "
            "$local0 $local1 $local2 "
            "$local4 $local6 $global0 $global3 $stack0 $stack1 $pc GREEN==e *ip ip[2] &a[2] &n.p *wild"
        )
        match rng.randrange(6):
            case 0 | 1 | 2:
                return rng.choice(names)
            case 3:
                return f"({rng.choice(parts.split())})"
            case 4:
                return rng.choice(
                    (
                        "0",
                        "1",
                        "2",
                        "7",
                        "-1",
                        "255",
                        "0x7fffffff",
                        "0x80000000",
                        "3000000000",
                        "1ull<<63",
                        "5ll",
                        "'a'",
                    )
                )
            case _:
                return rng.choice(("0.5", "1e10", "0.1f", "-2.5", "1e300", "3", "100"))

    def expression(self, depth: int) -> str:
        rng = self.rng
        if depth == 0:
            return self.leaf()
        binary = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&&", "||")
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                return f"({self.expression(depth - 1)} {rng.choice(binary)} {self.expression(rng.randrange(depth))})"
            case 5:
                return f"{rng.choice('-~!+')}({self.expression(depth - 1)})"
            case 6:
                types = (
                    "char",
                    "unsigned char",
                    "short",
                    "int",
                    "unsigned",
                    "long long",
                    "unsigned long long",
                    "float",
                    "double",
                    "_Bool",
                    "colour",
                    "int *",
                )
                return f"({rng.choice(types)})({self.expression(depth - 1)})"
            case 7:
                return rng.choice(
                    (
                        "a[{}]",
                        "ip[{}]",
                        "m[1][{}]",
                        "m[{}][1]",
                        "*(ip + ({}))",
                        "*(ip - ({}) % 100)",
                        "((ip + ({})) - &a[1])",
                    )
                ).format(self.expression(depth - 1))
            case 8:
                yes, no = self.expression(depth - 1), self.expression(rng.randrange(depth))
                return f"({self.expression(depth - 1)} ? {yes} : {no})"
            case _:
                return f"*({rng.choice(('int', 'char', 'float', 'unsigned short'))} *)({self.expression(depth - 1)})"


@pytest.mark.parametrize("seed", range(4))
def test_random_conditions_hold_where_the_evaluator_says_so(seed: int) -> None:
    generator, names = Generator(seed), frame()
    texts: list[str] = []
    refusals = 0
    while len(texts) < 150:
        text = generator.expression(generator.rng.randrange(1, 5))
        try:
            compiled = compile_condition(text, names)
        except ExpressionError:
            continue
        if isinstance(compiled, Unavailable):
            refusals += 1
            assert any(
                word in compiled.reason for word in ("too long", "128 bits", "not in memory", "not all there")
            ), (text, compiled)
            continue
        texts.append(text)
    rng = random.Random(seed)
    for arguments in (
        ARGUMENTS,
        (
            rng.randrange(0xFFF0),
            rng.getrandbits(31),
            *(rng.getrandbits(63) for _ in range(2)),
            1e10,
            0.0,
            1e-300,
            float("nan"),
            None,
            None,
            -1,
        ),
    ):
        found = outcomes(texts, arguments)
        assert [(text, *each) for text, each in zip(texts, found, strict=True) if each[0] is not each[1]] == []
        assert {True, False, None} <= {each[0] for each in found}


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("i == 5", "i32(i32[u64(u32(local[0]) + u32(16))] == 5)"),
        ("r < 0", "i32(i32(u32(local[1])) < 0)"),
        ("pp->p.x", "i32[u64(u32(local[0])) + 4]"),
        ("g > 1", "i32(i64[u64(128)] > i64(1))"),
        ("*(ip - 1)", "i32[u64((u32(local[0]) - u32(1) * u32(4)))]"),
        ("$local1 == 1", "i32(i32(u32(local[1])) == 1)"),
    ],
)
def test_a_condition_speaks_of_locals_and_memory(text: str, condition: str) -> None:
    assert compile_condition(text, frame()) == condition


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("i = 5", "assigns or calls"), ("x1 == 1", "depends on more than one value"),
        ("x2 == 1", "on what it was at first"), ("x3", "x3: optimised out here"),
        ("x4", "several pieces"), ("x5 == 1", "128 bits"), ("ks[r]", "not in memory"), ("*x6", "in an integer"),
        ("i" + " + i" * 140, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_condition_is_refused_with_the_reason(text: str, reason: str) -> None:
    names = frame()
    more = (
        placed("x1", INT, Curved()), placed("x2", INT, Remembered()),
        variable("x3", INT, Unavailable("optimised out here")),
        variable("x4", INT, Pieces((Piece(InMemory(0), 16), Piece(InMemory(8), 16)))), variable("x5", INT128, 0),
        variable("ks", array(INT, 2), Known(bytes(8))), variable("x7", FLOAT, InWasm(WasmSpace.LOCAL, 0)),
    )  # fmt: skip
    names.locals = [*VARIABLES, *more]
    compiled = compile_condition(text.replace("*x6", "x7 > 1"), names)
    assert isinstance(compiled, Unavailable)
    assert reason in compiled.reason


def test_a_variable_at_a_wrapped_distance_is_found_where_the_sum_wraps_too() -> None:
    arguments = (3, *ARGUMENTS[1:])
    names = frame(arguments)
    assert isinstance(names.machine.number(WasmSpace.LOCAL, 0), WasmNumber)
    assert outcomes(["c == c", "i == i", "uc >= 0"], arguments) == [(None, None), (True, True), (True, True)]
