"""Arithmetic of expressions: the usual conversions of C (C17 6.3.1), with what C leaves undefined defined as in Wasm.

Integers wrap around; shift counts are taken modulo the width; floats become integers by truncation, saturating, NaN as
0. A division by zero, and that of the lowest integer by -1, has no value, as Wasm's traps.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction

from wasmscope.source.model import Language
from wasmscope.source.types import BaseType, Encoding, Type, stripped
from wasmscope.source.values.floats import Real, rounded
from wasmscope.source.values.scalars import Integral, floating, integral, is_bool


class Kind(StrEnum):
    """What is computed with, in the order in which two kinds become the later one."""

    I32 = "i32"
    U32 = "u32"
    I64 = "i64"
    U64 = "u64"
    I128 = "i128"
    U128 = "u128"
    F32 = "f32"
    F64 = "f64"
    F128 = "f128"

    @property
    def is_float(self) -> bool:
        """Whether its numbers are floats."""
        return self.value[0] == "f"

    @property
    def bits(self) -> int:
        """How many bits its numbers have."""
        return int(self.value[1:])

    @property
    def integral(self) -> Integral:
        """As an integer type. Of integers only."""
        return Integral(self.bits, self.value[0] == "i")


ORDER = tuple(Kind)
Number = int | Real

_C_NAMES = {
    Kind.I32: "int", Kind.U32: "unsigned int", Kind.I64: "long long", Kind.U64: "unsigned long long",
    Kind.I128: "__int128", Kind.U128: "unsigned __int128", Kind.F32: "float", Kind.F64: "double",
    Kind.F128: "long double",
}  # fmt: skip


class NoValue(Exception):
    """The operation has no value; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def kind_of(type_: Type | None, bit_size: int | None = None) -> Kind | None:
    """What a type is computed as; None: it is no number, or one too wide."""
    inner = stripped(type_)
    if as_integer := integral(inner, bit_size):
        if as_integer.bits < 32:
            return Kind.I32
        kinds = ORDER[:6] if as_integer.is_signed else (Kind.U32, Kind.U64, Kind.U128)
        return next(
            (k for k in kinds if k.bits >= as_integer.bits and k.integral.is_signed == as_integer.is_signed), None
        )
    if as_float := floating(inner):
        return {2: Kind.F32, 4: Kind.F32, 8: Kind.F64, 16: Kind.F128}[as_float.size]
    return None


def common(left: Kind, right: Kind) -> Kind:
    """What both become."""
    return max(left, right, key=ORDER.index)


def type_of(kind: Kind, language: Language) -> BaseType:
    """The type of what is computed."""
    name = kind.value if language in (Language.RUST, Language.ZIG, Language.WAT) else _C_NAMES[kind]
    encoding = Encoding.FLOAT if kind.is_float else Encoding.SIGNED if kind.integral.is_signed else Encoding.UNSIGNED
    return BaseType(name, kind.bits // 8, encoding)


def truth_type(language: Language) -> BaseType:
    """The type of comparisons."""
    if language in (Language.C, Language.OBJECTIVE_C, Language.UNKNOWN):
        return type_of(Kind.I32, Language.C)
    return BaseType("bool", 1, Encoding.BOOLEAN)


def to_kind(number: Number, kind: Kind) -> Number:
    """`number` converted to a kind."""
    if kind.is_float:
        return rounded(number, kind.bits // 8)
    return kind.integral.wrapped(number) if isinstance(number, int) else saturated(number, kind.integral)


def saturated(number: Real, target: Integral) -> int:
    """A float as an integer (Wasm spec 4.3.4, trunc_sat)."""
    if isinstance(number, float) and not math.isfinite(number):
        return 0 if math.isnan(number) else target.highest if number > 0 else target.lowest
    return max(target.lowest, min(target.highest, int(number)))


def to_type(number: Number, type_: Type | None, bit_size: int | None = None) -> Number:
    """`number` as a cast to that type gives it."""
    if is_bool(type_):
        return int(number != 0)
    if as_integer := integral(type_, bit_size):
        if not isinstance(number, int):
            # Narrow integers are made of 32 bits, as code for Wasm makes them.
            wide = as_integer if as_integer.bits >= 32 else Integral(32, True)
            number = saturated(number, wide)
        return as_integer.wrapped(number)
    if as_float := floating(type_):
        return rounded(number, as_float.size)
    raise NoValue("a number cannot become that")


def compare(comparison: str, left: Number, right: Number) -> bool:
    """Of numbers of one kind; a NaN is unequal to everything."""
    return _COMPARISONS[comparison](left, right)


_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS = tuple(_COMPARISONS)
INTEGERS_ONLY = ("%", "&", "|", "^", "<<", ">>")


def operate(operation: str, left: Number, right: Number, kind: Kind) -> Number:
    """`left operation right` of numbers of one kind; of a shift, `right` is any integer. Raises `NoValue`."""
    if kind.is_float:
        apply = _exact_operation if kind is Kind.F128 else _float_operation
        return rounded(apply(operation, left, right), kind.bits // 8)
    assert isinstance(left, int)
    assert isinstance(right, int)
    target = kind.integral
    if operation in ("/", "%"):
        if right == 0:
            raise NoValue("division by zero")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        if operation == "%":
            return left - right * quotient
        if not target.lowest <= quotient <= target.highest:
            raise NoValue("division overflow")
        return quotient
    match operation:
        case "+":
            return target.wrapped(left + right)
        case "-":
            return target.wrapped(left - right)
        case "*":
            return target.wrapped(left * right)
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case "<<":
            return target.wrapped(left << right % kind.bits)
        case ">>":
            return left >> right % kind.bits
        case _:
            raise AssertionError(operation)


def _float_operation(operation: str, left: Number, right: Number) -> float:
    """Rounded to binary64. Rounded once more, to binary32, that is the exact result rounded once."""
    a, b = float(left), float(right)
    match operation:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/" if b != 0:
            return a / b
        case "/":
            if a == 0 or math.isnan(a):
                return math.nan
            return math.copysign(math.inf, a) * math.copysign(1, b)
        case _:
            raise AssertionError(operation)


def _exact_operation(operation: str, left: Number, right: Number) -> Number:
    """The exact result; what is about infinities, NaNs and the sign of zeros is the same for all formats."""
    stand_ins = [each if _is_special(each) else math.copysign(1.0, each) for each in (left, right)]
    if any(_is_special(each) and not math.isfinite(each) for each in (left, right)) or (
        operation == "/" and right == 0
    ):
        return _float_operation(operation, *stand_ins)
    a, b = Fraction(left), Fraction(right)
    match operation:
        case "+":
            exact = a + b
        case "-":
            exact = a - b
        case "*":
            exact = a * b
        case _:
            exact = a / b
    if exact == 0:
        return _float_operation(operation, *stand_ins) if a == 0 or b == 0 else 0.0
    return exact


def _is_special(number: Number) -> bool:
    """Whether it is a zero, an infinity or a NaN."""
    return isinstance(number, float) and (number == 0 or not math.isfinite(number))
