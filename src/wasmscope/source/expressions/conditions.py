"""Expressions as conditions of breakpoints: the language of `docs/conditions.md`, which is compiled into the guest.

A condition is true exactly where the evaluator says that the expression is, and has no value where that has none. What
cannot be said in that language is refused, with the reason; whoever set the breakpoint evaluates it then at each hit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.expressions.arithmetic import Kind, Number, kind_of
from wasmscope.source.expressions.check_operators import is_address
from wasmscope.source.expressions.condition_places import Place, Places, Refused
from wasmscope.source.expressions.nodes import (
    AddressOf,
    Choice,
    Comparison,
    Constant,
    Convert,
    Dereference,
    Element,
    Logical,
    MemberNode,
    Node,
    Operation,
    PointerDistance,
    PointerStep,
    Register,
    VariableNode,
    has_effects,
)
from wasmscope.source.target import Names
from wasmscope.source.types import Type
from wasmscope.source.values.scalars import decode, floating, integral, is_bool, value_size

MAX_LENGTH = 4096
MAX_DEPTH = 60
"""The limits of a condition; each bracket may have a few operators open before it."""
_KINDS = (Kind.I32, Kind.U32, Kind.I64, Kind.U64, Kind.F32, Kind.F64)


@dataclass(frozen=True, slots=True)
class _Code:
    """A condition's text whose value is of `kind`, and in the range of the node's type."""

    text: str
    kind: Kind

    def to(self, kind: Kind) -> str:
        return self.text if kind is self.kind else f"{kind}({self.text})"


def condition(node: Node, names: Names) -> str | Unavailable:
    """The condition that a checked expression is; `Unavailable` says why it cannot be one."""
    if has_effects(node):
        return Unavailable("it assigns or calls something")
    try:
        text = _Translator(names).code(node).text
    except Refused as refused:
        return Unavailable(refused.reason)
    if len(text) > MAX_LENGTH or _depth(text) > MAX_DEPTH:
        return Unavailable("as a condition it would be too long")
    return text


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        deepest = max(deepest, depth)
    return deepest


class _Translator:
    def __init__(self, names: Names) -> None:
        self._address = Kind.U64 if names.pointer_size == 8 else Kind.U32
        self._places = Places(names)

    def code(self, node: Node) -> _Code:
        match node:
            case Constant(type_, value):
                return _constant(value, self._kind(type_))
            case VariableNode() | Register() | MemberNode() | Dereference() | Element():
                bit_size = node.bit_size if isinstance(node, MemberNode) else None
                return self._load(self.place(node), node.type, bit_size)
            case AddressOf(place=place):
                return _Code(f"{self._address}({self.place(place).address()})", self._address)
            case Convert(type_, operand):
                return self._convert(type_, self.code(operand))
            case Operation(_, operator, left, None, kind):
                return _Code(f"({operator}{self.code(left).to(self._known(kind))})", kind)
            case Operation(_, operator, left, right, kind):
                assert right is not None
                mine, other = self.code(left).to(self._known(kind)), self.code(right).to(kind)
                return _Code(f"({mine} {operator} {other})", kind)
            case Comparison(_, operator, left, right, kind):
                mine, other = self.code(left).to(self._known(kind)), self.code(right).to(kind)
                return _Code(f"i32({mine} {operator} {other})", Kind.I32)
            case PointerStep():
                sign = "+" if node.sign > 0 else "-"
                step = f"{self.code(node.index).to(self._address)} * {self._address}({node.stride})"
                return _Code(f"({self.code(node.pointer).to(self._address)} {sign} {step})", self._address)
            case PointerDistance(_, left, right, stride):
                kind = Kind.I64 if self._address is Kind.U64 else Kind.I32
                mine, other = self.code(left).to(kind), self.code(right).to(kind)
                return _Code(f"(({mine} - {other}) / {stride})", kind)
            case Logical(_, _, left, None):
                return _Code(f"i32(!({self.code(left).text}))", Kind.I32)
            case Logical(_, operator, left, right):
                assert right is not None
                return _Code(f"i32(({self.code(left).text}) {operator} ({self.code(right).text}))", Kind.I32)
            case Choice(_, test, yes, no):
                chosen, otherwise = self.code(yes), self.code(no)
                kind = chosen.kind
                return _Code(f"({self.code(test).text} ? {chosen.text} : {otherwise.to(kind)})", kind)
            case _:
                raise Refused("a condition has only numbers, pointers and what they are in")

    def place(self, node: Node) -> Place:
        match node:
            case VariableNode(variable=variable):
                return self._places.of_variable(variable)
            case Register(space=space, index=index):
                return self._places.of_register(space, index)
            case MemberNode(guards=guards) if guards:
                raise Refused("which variant of a type is there, a condition cannot ask")
            case MemberNode(structure=structure, bit_offset=bit_offset):
                return self.place(structure).moved(bit_offset)
            case Dereference(pointer=pointer):
                return self._places.at(self.code(pointer).to(Kind.U64))
            case Element(_, array, index, stride, first):
                place = self.place(array)
                if isinstance(index, Constant) and isinstance(index.value, int):
                    return place.moved((index.value - first) * stride * 8)
                return place.stepped(f"{self.code(index).to(Kind.U64)} * u64({stride})").moved(-first * stride * 8)
            case _:
                raise Refused("it is not stored anywhere")

    def _kind(self, type_: Type | None, bit_size: int | None = None) -> Kind:
        if is_address(type_):
            return self._address
        return self._known(kind_of(type_, bit_size))

    def _known(self, kind: Kind | None) -> Kind:
        if kind is None:
            raise Refused("it is no number")
        if kind not in _KINDS:
            raise Refused("a condition has no numbers of 128 bits")
        return kind

    def _load(self, place: Place, type_: Type | None, bit_size: int | None) -> _Code:
        kind = self._kind(type_, bit_size)
        if as_integer := integral(type_, bit_size):
            found = place.integer(as_integer, None if bit_size is not None else value_size(type_))
            if isinstance(found, int):
                return _constant(as_integer.wrapped(found), kind)
            text, have = found
            return _Code(_Code(text, have).to(kind), kind)
        as_float = floating(type_)
        if as_float is None or as_float.size not in (4, 8):
            raise Refused("a condition has floats of 32 and 64 bits only")
        value = place.float(as_float.size)
        if isinstance(value, int):
            number = decode(type_, value)
            assert isinstance(number, float)
            return _constant(number, kind)
        return _Code(value, kind)

    def _convert(self, type_: Type, operand: _Code) -> _Code:
        if is_bool(type_):
            return _Code(f"i32({operand.text} != 0)", Kind.I32)
        kind = self._kind(type_)
        as_integer = integral(type_)
        if as_integer is None:
            if kind.bits // 8 != getattr(floating(type_), "size", 0):
                raise Refused("a condition has floats of 32 and 64 bits only")
            return _Code(f"{kind}({operand.text})", kind)
        text = operand.to(kind)
        if as_integer.bits < kind.bits:
            unused = kind.bits - as_integer.bits
            if as_integer.is_signed:
                text = f"({text} << {unused} >> {unused})"
            else:
                text = f"({text} & {kind}({as_integer.highest}))"
        return _Code(text, kind)


def _constant(value: Number, kind: Kind) -> _Code:
    if kind.is_float:
        number = float(value)
        if math.isnan(number):
            return _Code(f"{kind}(nan)", kind)
        if math.isinf(number):
            return _Code(f"{kind}({'-' if number < 0 else ''}inf)", kind)
        sign = "-" if math.copysign(1, number) < 0 else ""
        return _Code(f"({sign}{kind}({abs(number).hex()}))" if sign else f"{kind}({number.hex()})", kind)
    bits = int(value) & ((1 << kind.bits) - 1)
    return _Code(str(bits) if kind is Kind.I32 and bits < 1 << 31 else f"{kind}({bits})", kind)
