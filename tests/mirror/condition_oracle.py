"""Random conditions with what they mean, worked out in Python; shares nothing with the compiler."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mirror.condition_module import CONTENTS, GLOBAL_VALUES, LANES, OPERAND_VALUES
from reference.floats import F32, F64, FloatFormat, float_operators


class Faulted(Exception):
    """The condition has no value; says why and how the source begins where that is."""

    def __init__(self, reason: str, *starts: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.starts = starts


class Unpredictable(Exception):
    """The bits of a NaN that was worked out: the processor's choice."""


INTEGERS = ("i32", "u32", "i64", "u64")
FLOATS = ("f32", "f64")
ORDER = (*INTEGERS, *FLOATS)
FORMATS: dict[str, FloatFormat] = {"f32": F32, "f64": F64}
OPERATORS = {type: float_operators(format) for type, format in FORMATS.items()}


def bits_of(type: str) -> int:
    return int(type[1:])


def wrapped(value: int, type: str) -> int:
    bits = bits_of(type)
    value &= (1 << bits) - 1
    return value - (1 << bits) if type[0] == "i" and value >> (bits - 1) else value


def rounded(value: Any, type: str) -> float:
    format = FORMATS[type]
    if isinstance(value, int):
        return format.unpack(format.round(Fraction(value)))
    return format.unpack(format.pack(value))


def converted(value: Any, source: str, target: str) -> Any:
    if source == "bool":
        value, source = int(value), "i32"
    if target in FLOATS:
        return rounded(value, target)
    if source in INTEGERS:
        return wrapped(value, target)
    if math.isnan(value):
        return 0
    low, high = (-1 << 31, (1 << 31) - 1) if target == "i32" else (-1 << 63, (1 << 63) - 1)
    if target[0] == "u":
        low, high = 0, (1 << bits_of(target)) - 1
    return max(low, min(high, math.trunc(value))) if math.isfinite(value) else (high if value > 0 else low)


@dataclass(frozen=True)
class Node:
    """An expression: its text, how tightly it binds, its type, and its value given the values of the parameters."""

    text: str
    level: int
    type: str
    value: Callable[[Sequence[Any]], Any]
    literal: float | None = None
    """The exact number of a float literal."""

    def at(self, level: int, rng: random.Random) -> str:
        return f"({self.text})" if self.level < level or rng.random() < 0.1 else self.text


ATOM, PREFIX = 12, 11
LEVELS = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7, ">=": 7,
    "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1, "?": 0,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
WORDS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
READS = {
    "i8": ("<b", "i32"), "u8": ("<B", "i32"), "i16": ("<h", "i32"), "u16": ("<H", "i32"), "i32": ("<i", "i32"),
    "u32": ("<I", "u32"), "i64": ("<q", "i64"), "u64": ("<Q", "u64"), "f32": ("<f", "f32"), "f64": ("<d", "f64"),
}  # fmt: skip
LANES_OF = {
    "i8x16": "i8", "u8x16": "u8", "i16x8": "i16", "u16x8": "u16", "i32x4": "i32", "u32x4": "u32", "i64x2": "i64",
    "u64x2": "u64", "f32x4": "f32", "f64x2": "f64",
}  # fmt: skip
LOCAL_TYPES = ("i32", "i32", "i64", "i64", "f32", "f32", "f64", "f64")
PLACE_TYPES = ("i32", "i64", "f32", "f64")


def common(a: Node, b: Node) -> str:
    for literal, other in ((a, b), (b, a)):
        if literal.literal is not None and other.type == "f32":
            return "f32"
    types = [each.type if each.type != "bool" else "i32" for each in (a, b)]
    return max(types, key=ORDER.index)


def as_type(node: Node, target: str, arguments: Sequence[Any]) -> Any:
    if target == "f32" and node.literal is not None:
        return rounded(node.literal, "f32")
    return converted(node.value(arguments), node.type, target)


def arithmetic(operator: str, type: str, a: Any, b: Any) -> Any:
    if type in FLOATS:
        format = FORMATS[type]
        return format.unpack(OPERATORS[type][WORDS[operator]](format.pack(a), format.pack(b)))
    if operator in "/%":
        if b == 0:
            raise Faulted("division by zero", operator)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        if operator == "%":
            return a - b * quotient
        if quotient != wrapped(quotient, type):
            raise Faulted("division overflow", operator)
        return quotient
    integer: dict[str, Callable[[int, int], int]] = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
        "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
    }  # fmt: skip
    return wrapped(integer[operator](a, b), type)


class Generator:
    """Makes expressions of a depth at random."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def expression(self, depth: int) -> Node:
        if depth <= 0:
            return self.rng.choice((self.place, self.place, self.integer, self.float, self.lane, self.truth))()
        makers = (self.binary,) * 8 + (self.unary, self.cast, self.cast, self.read, self.read, self.choice, self.bits)
        return self.rng.choice(makers)(depth - 1)

    def of(self, depth: int, types: Sequence[str]) -> Node:
        node = self.expression(depth)
        if node.type in types:
            return node
        target = self.rng.choice([each for each in types if each != "bool"])
        return Node(f"{target}({node.text})", ATOM, target, lambda arguments: as_type(node, target, arguments))

    def place(self) -> Node:
        rng = self.rng
        match rng.randrange(3):
            case 0:
                index = rng.randrange(len(LOCAL_TYPES))
                return Node(f"local[{index}]", ATOM, LOCAL_TYPES[index], lambda arguments: arguments[index])
            case 1:
                index = rng.randrange(4)
                shown = rng.choice((index, index - len(OPERAND_VALUES)))
                return Node(f"stack[{shown}]", ATOM, PLACE_TYPES[index], lambda _: OPERAND_VALUES[index])
            case _:
                index = rng.randrange(4)
                return Node(f"global[{index}]", ATOM, PLACE_TYPES[index], lambda _: GLOBAL_VALUES[index])

    def integer(self) -> Node:
        rng = self.rng
        value = rng.choice((rng.getrandbits(rng.randrange(65)), rng.randrange(4), (1 << rng.choice((31, 32, 63))) - 1))
        if rng.random() < 0.5:
            type = "i32" if value < 1 << 31 else "i64" if value < 1 << 63 else "u64"
            return Node(f"{value}", ATOM, type, lambda _: value)
        type = "i32" if value < 1 << 31 else "u32" if value < 1 << 32 else "i64" if value < 1 << 63 else "u64"
        return Node(rng.choice((hex, oct, bin))(value), ATOM, type, lambda _: value)

    def float(self) -> Node:
        rng = self.rng
        value = rng.choice(
            (0.0, 0.1, 1.5, 1e-320, 3e38, 4e38, math.inf, math.nan, rng.uniform(-1, 1) * 2.0 ** rng.randrange(70))
        )
        value = abs(value)
        text = value.hex() if math.isfinite(value) and rng.random() < 0.5 else repr(value)
        return Node(text, ATOM, "f64", lambda _: value, value)

    def truth(self) -> Node:
        value = self.rng.random() < 0.5
        return Node(str(value).lower(), ATOM, "bool", lambda _: value)

    def lane(self) -> Node:
        shape, access = self.rng.choice(list(LANES_OF.items()))
        format, type = READS[access]
        lane = self.rng.randrange(int(shape.split("x")[1]))
        place = self.rng.choice(("local[11]", "stack[4]", "stack[-2]", "global[4]"))
        value = struct.unpack_from(format, LANES, lane * struct.calcsize(format))[0]
        return Node(f"{shape}({place})[{lane}]", ATOM, type, lambda _: value)

    def binary(self, depth: int) -> Node:
        rng = self.rng
        operator = rng.choice([each for each in LEVELS if each != "?"])
        integral = operator in ("%", "&", "|", "^", "<<", ">>")
        a = self.of(depth, (*INTEGERS, "bool")) if integral else self.expression(depth)
        b = self.of(depth, (*INTEGERS, "bool")) if integral else self.expression(rng.randrange(depth + 1))
        level = LEVELS[operator]
        space = rng.choice(("", " "))
        right = b.at(level + 1, rng)
        text = f"{a.at(level, rng)}{space}{operator}{space or ' ' * right.startswith(('-', '+', '&'))}{right}"
        if operator in ("&&", "||"):

            def logical(arguments: Sequence[Any]) -> bool:
                left = bool(a.value(arguments))
                return bool(b.value(arguments)) if left == (operator == "&&") else left

            return Node(text, level, "bool", logical)
        if operator in ("<<", ">>"):
            shifted = "i32" if a.type == "bool" else a.type

            def shift(arguments: Sequence[Any]) -> int:
                value, count = int(a.value(arguments)), int(b.value(arguments)) % bits_of(shifted)
                return wrapped(value << count if operator == "<<" else value >> count, shifted)

            return Node(text, level, shifted, shift)
        type = common(a, b)

        def operate(arguments: Sequence[Any]) -> Any:
            left, right = as_type(a, type, arguments), as_type(b, type, arguments)
            return COMPARE[operator](left, right) if operator in COMPARE else arithmetic(operator, type, left, right)

        return Node(text, level, "bool" if operator in COMPARE else type, operate)

    def unary(self, depth: int) -> Node:
        rng = self.rng
        operator = rng.choice("-+~!")
        operand = self.of(depth, (*INTEGERS, "bool")) if operator == "~" else self.expression(depth)
        inner = operand.at(PREFIX, rng)
        text = f"{operator}{' ' * inner.startswith(operator)}{inner}"
        if operator == "!":
            return Node(text, PREFIX, "bool", lambda arguments: not operand.value(arguments))
        type = "i32" if operand.type == "bool" else operand.type
        if operator == "-" and inner.strip("(").rstrip(")").isdecimal():
            value = -int(inner.strip("()"))
            if value >= -1 << 63:
                type = "i32" if value >= -1 << 31 else "i64"
                return Node(text, PREFIX, type, lambda _: value)
        literal = None if operand.literal is None else -operand.literal if operator == "-" else operand.literal

        def apply(arguments: Sequence[Any]) -> Any:
            value = as_type(operand, type, arguments)
            if type in FLOATS:
                return -value if operator == "-" else value
            return wrapped({"-": -value, "+": value, "~": ~value}[operator], type)

        return Node(text, PREFIX, type, apply, literal)

    def cast(self, depth: int) -> Node:
        operand, target = self.expression(depth), self.rng.choice(ORDER)
        return Node(f"{target}({operand.text})", ATOM, target, lambda arguments: as_type(operand, target, arguments))

    def bits(self, depth: int) -> Node:
        operand = self.expression(depth)
        type = {"i64": "u64", "u64": "u64", "f64": "u64"}.get(operand.type, "u32")

        def reinterpret(arguments: Sequence[Any]) -> int:
            value = operand.value(arguments)
            if operand.type not in FLOATS:
                return wrapped(int(value), type)
            if math.isnan(value):
                raise Unpredictable
            return FORMATS[operand.type].pack(value)

        return Node(f"bits({operand.text})", ATOM, type, reinterpret)

    def choice(self, depth: int) -> Node:
        condition, yes, no = (self.expression(depth) for _ in range(3))
        type = "bool" if yes.type == no.type == "bool" else common(yes, no)
        rng = self.rng
        text = f"{condition.at(1, rng)} ? {yes.at(0, rng)} : {no.at(0, rng)}"

        def choose(arguments: Sequence[Any]) -> Any:
            chosen = yes if condition.value(arguments) else no
            return chosen.value(arguments) if type == "bool" else as_type(chosen, type, arguments)

        return Node(text, 0, type, choose)

    def read(self, depth: int) -> Node:
        rng = self.rng
        access = rng.choice(list(READS))
        format, type = READS[access]
        size = struct.calcsize(format)
        memory = rng.choice((0, 0, 1, 2, 3))
        address = self.of(depth, (*INTEGERS, "bool"))
        if rng.random() < 0.9:
            limit = len(CONTENTS[memory]) - rng.choice((0, size, size - 1)) or 1
            address = self.reduced(address, max(limit, 1))
        written = access if memory == 0 else f"memory[{memory}].{access}"

        def load(arguments: Sequence[Any]) -> Any:
            place = int(address.value(arguments))
            place %= 1 << (32 if memory != 1 and address.type in ("i32", "bool") else 64)
            if place + size > len(CONTENTS[memory]):
                raise Faulted(f"{access} out of bounds of memory {memory}", f"{written}[")
            return struct.unpack_from(format, CONTENTS[memory], place)[0]

        return Node(f"{written}[{address.text}]", ATOM, type, load)

    def reduced(self, address: Node, limit: int) -> Node:
        return Node(
            f"u32({address.text}) % {limit}", 10, "u32", lambda arguments: as_type(address, "u32", arguments) % limit
        )


INTERESTING = {
    "i32": (0, 1, -1, 7, -1 << 31, (1 << 31) - 1, 65533),
    "i64": (0, 1, -1, 9, -1 << 63, (1 << 63) - 1, 1 << 32, (1 << 53) + 1, -1 << 31),
    "f32": (0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan, 2.0**31, -(2.0**63), rounded(0.1, "f32")),
    "f64": (0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan, 2.0**32, -(2.0**64), 0.1, 5e-324, 1.7e308),
}


def arguments(rng: random.Random) -> tuple[Any, ...]:
    """Values for the parameters but the last, mostly at the edges of their types."""

    def value(type: str) -> Any:
        if rng.random() < 0.7:
            return rng.choice(INTERESTING[type])
        if type in INTEGERS:
            return wrapped(rng.getrandbits(64), type)
        return rounded(rng.uniform(-1, 1) * 2.0 ** rng.randrange(-20, 70), type)

    return (*map(value, LOCAL_TYPES), None, None)


EXPECTED = "u64(local[10])"
"""Where a condition finds the bits that its expression should have."""


def bits(value: Any, type: str) -> int:
    """The bits of a value as the i64 that is passed for them."""
    if type in FLOATS:
        if math.isnan(value):
            raise Unpredictable
        return wrapped(FORMATS[type].pack(value), "i64")
    return wrapped(wrapped(int(value), "u32" if type in ("bool", "i32", "u32") else "u64"), "i64")
