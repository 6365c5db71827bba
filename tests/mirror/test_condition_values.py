"""Conditions, compiled and run by the engine, are what Python says: random ones, and the corners of every operator."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from mirror.condition_module import Conditions
from mirror.condition_oracle import (
    COMPARE,
    EXPECTED,
    INTERESTING,
    LEVELS,
    ORDER,
    Faulted,
    Generator,
    Node,
    Unpredictable,
    arguments,
    arithmetic,
    bits,
    common,
    converted,
    wrapped,
)

pytestmark = pytest.mark.spread

CONDITIONS = 100
VALUES = 12


def value_of(node: Node, values: tuple[Any, ...]) -> tuple[int, bool] | Faulted | None:
    """The bits and the truth of an expression; None if they are the processor's choice."""
    try:
        value = node.value(values)
        return bits(value, node.type), bool(value)
    except Unpredictable:
        return None
    except Faulted as fault:
        return fault


@pytest.mark.parametrize("seed", range(12))
def test_random_conditions_are_what_python_says(seed: int) -> None:
    generator = Generator(seed)
    nodes = [generator.expression(generator.rng.randrange(1, 6)) for _ in range(CONDITIONS)]
    nodes = [node for node in nodes if len(node.text) < 4000]
    exact = [f"{EXPECTED} == bits({node.text})" for node in nodes]
    conditions = Conditions([*(node.text for node in nodes), *exact])
    seen = {"true": 0, "false": 0, "fault": 0}
    for index, node in enumerate(nodes):
        for _ in range(VALUES):
            values = arguments(generator.rng)
            expected = value_of(node, values)
            if expected is None:
                continue
            pattern = expected[0] if isinstance(expected, tuple) else 0
            outcome = conditions.run(index, (*values, pattern))
            exactly = conditions.run(len(nodes) + index, (*values, pattern))
            if isinstance(expected, Faulted):
                assert outcome.fault is not None, (node.text, values)
                assert exactly.fault is not None, (node.text, values)
                column, reason = outcome.fault
                assert reason == expected.reason, (node.text, values)
                assert node.text[column - 1 :].startswith(expected.starts), (node.text, column)
                seen["fault"] += 1
            else:
                assert (bool(outcome.value), outcome.fault) == (expected[1], None), (node.text, values)
                assert (exactly.value, exactly.fault) == (1, None), (node.text, values, pattern)
                seen[str(expected[1]).lower()] += 1
    assert min(seen.values()) > 20


def test_random_conditions_have_every_operator_type_and_fault() -> None:
    generator = Generator(0)
    nodes = [generator.expression(3) for _ in range(3000)]
    text = " ".join(node.text for node in nodes)
    wanted = [
        *LEVELS,
        "~",
        "!",
        "bits(",
        "memory[1].u64[",
        "memory[2].i8[",
        "u8x16(",
        "f64x2(",
        "0o",
        "0b",
        "inf",
        "nan",
    ]
    assert {node.type for node in nodes} == {*ORDER, "bool"}
    assert [each for each in wanted if each not in text] == []
    found = [value_of(node, arguments(generator.rng)) for node in nodes]
    reasons = {fault.reason.partition(" of memory")[0] for fault in found if isinstance(fault, Faulted)}
    assert {"division by zero", "u8 out of bounds", "i64 out of bounds", "f64 out of bounds"} <= reasons


PLACES = {"i32": (0, 1), "i64": (2, 3), "f32": (4, 5), "f64": (6, 7), "u32": (0, 1), "u64": (2, 3)}


def operands(left: str, right: str) -> tuple[str, str]:
    """Two parameters of these types, as expressions."""
    texts = [f"local[{PLACES[type][side]}]" for side, type in enumerate((left, right))]
    return tuple(f"{type}({text})" if type[0] == "u" else text for type, text in zip((left, right), texts, strict=True))  # type: ignore[return-value]


def corners(type: str) -> list[Any]:
    return [wrapped(value, type) if type[0] in "iu" else value for value in INTERESTING[type.replace("u", "i")]]


def placed(left: str, a: Any, right: str, b: Any, pattern: int) -> tuple[Any, ...]:
    """Arguments with `a` and `b` where `operands` finds them."""
    values: list[Any] = [0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, None, None, pattern]
    for side, (type, value) in enumerate(((left, a), (right, b))):
        values[PLACES[type][side]] = wrapped(value, type.replace("u", "i")) if type[0] == "u" else value
    return tuple(values)


@pytest.mark.parametrize("operator", [each for each in LEVELS if each not in ("?", "&&", "||")])
def test_every_operator_on_every_pair_of_types_at_the_corners(operator: str) -> None:
    types = [each for each in ORDER if operator not in ("%", "&", "|", "^", "<<", ">>") or each[0] in "iu"]
    pairs = list(itertools.product(types, types))
    texts = []
    for left, right in pairs:
        first, second = operands(left, right)
        texts.append(f"{EXPECTED} == bits({first} {operator} {second})")
    conditions = Conditions(texts)
    compared = 0
    for index, (left, right) in enumerate(pairs):
        for a, b in itertools.product(corners(left), corners(right)):
            expected = result(operator, left, a, right, b)
            if isinstance(expected, Faulted):
                outcome = conditions.run(index, placed(left, a, right, b, 0))
                column = texts[index].index(f" {operator} ", len(EXPECTED) + 4) + 2
                assert outcome.fault == (column, expected.reason), (texts[index], a, b)
            elif expected is not None:
                outcome = conditions.run(index, placed(left, a, right, b, expected))
                assert (outcome.value, outcome.fault) == (1, None), (texts[index], a, b)
                compared += 1
    assert compared > 500


def result(operator: str, left: str, a: Any, right: str, b: Any) -> int | Faulted | None:
    """The bits that the operator gives; None if they are the processor's choice."""
    if operator in ("<<", ">>"):
        count = b % int(left[1:])
        return bits(wrapped(a << count if operator == "<<" else a >> count, left), left)
    type = common(node(left), node(right))
    first, second = converted(a, left, type), converted(b, right, type)
    if operator in COMPARE:
        return int(COMPARE[operator](first, second))
    try:
        return bits(arithmetic(operator, type, first, second), type)
    except Unpredictable:
        return None
    except Faulted as fault:
        return fault


def node(type: str) -> Node:
    return Node("", 0, type, lambda _: 0)


def test_every_cast_from_every_type_at_the_corners() -> None:
    pairs = list(itertools.product(ORDER, ORDER))
    conditions = Conditions([f"{EXPECTED} == bits({to}({operands(source, 'i32')[0]}))" for source, to in pairs])
    for index, (source, to) in enumerate(pairs):
        for value in corners(source):
            try:
                pattern = bits(converted(value, source, to), to)
            except Unpredictable:
                continue
            outcome = conditions.run(index, placed(source, value, "i32", 0, pattern))
            assert (outcome.value, outcome.fault) == (1, None), (source, to, value)
