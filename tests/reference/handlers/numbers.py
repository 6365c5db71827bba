"""Constants, numeric and vector instructions (spec 4.6.1 and 4.6.2)."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any

from reference.handlers.protocol import Handler, replace, top
from reference.integers import signed
from reference.numeric import numeric_operators, wide_operators
from reference.opcodes import OPCODES
from reference.values import Value
from reference.vectors import lanes, shuffle, vector

if TYPE_CHECKING:
    from reference.machine import Call


def _const(call: Call, stack: list[Value], value: Value) -> None:
    stack.append(value)


def _unary(operator: Callable[[Value], Value]) -> Handler:
    def handler(call: Call, stack: list[Value], _: object) -> None:
        stack[-1] = operator(stack[-1])

    return handler


def _binary(operator: Callable[[Value, Value], Value]) -> Handler:
    def handler(call: Call, stack: list[Value], _: object) -> None:
        result = operator(stack[-2], stack[-1])
        stack.pop()
        stack[-1] = result

    return handler


def _ternary(operator: Callable[[Value, Value, Value], Value]) -> Handler:
    def handler(call: Call, stack: list[Value], _: object) -> None:
        replace(stack, 3, [operator(*top(stack, 3))])

    return handler


def _wide(operator: Callable[..., tuple[int, int]]) -> Handler:
    count = len(signature(operator).parameters)

    def handler(call: Call, stack: list[Value], _: object) -> None:
        replace(stack, count, operator(*top(stack, count)))

    return handler


def _shuffle(call: Call, stack: list[Value], indices: bytes) -> None:
    replace(stack, 2, [shuffle(indices, *top(stack, 2))])


def _extract(bits: int, result_bits: int, is_signed: bool) -> Handler:
    def handler(call: Call, stack: list[Value], lane: int) -> None:
        value = lanes(stack[-1], bits)[lane]
        stack[-1] = signed(value, bits) & ((1 << result_bits) - 1) if is_signed else value

    return handler


def _replace_lane(bits: int) -> Handler:
    def handler(call: Call, stack: list[Value], lane: int) -> None:
        target, value = top(stack, 2)
        changed = list(lanes(target, bits))
        changed[lane] = value & ((1 << bits) - 1)
        replace(stack, 2, [vector(changed, bits)])

    return handler


def _lane_handlers() -> dict[str, Handler]:
    table: dict[str, Handler] = {"i8x16.shuffle": _shuffle}
    for shape, bits in (("i8x16", 8), ("i16x8", 16), ("i32x4", 32), ("i64x2", 64), ("f32x4", 32), ("f64x2", 64)):
        table[f"{shape}.replace_lane"] = _replace_lane(bits)
        table[f"{shape}.extract_lane"] = table[f"{shape}.extract_lane_u"] = _extract(bits, bits, False)
        table[f"{shape}.extract_lane_s"] = _extract(bits, 32, True)
    return table


def _number_handlers() -> dict[str, Handler]:
    wrap: list[Callable[[Callable[..., Any]], Handler]] = [_unary, _unary, _binary, _ternary]  # by arity
    arities = {opcode.name: len(opcode.params or ()) for opcode in OPCODES.values()}
    operators = numeric_operators()
    table = {name: wrap[arities[name]](operator) for name, operator in operators.items() if name in arities}
    table |= {name: _wide(operator) for name, operator in wide_operators().items()}
    table |= {f"{type}.const": _const for type in ("i32", "i64", "f32", "f64", "v128")}
    return table | _lane_handlers()


NUMBERS = _number_handlers()
