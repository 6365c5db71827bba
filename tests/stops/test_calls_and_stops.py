"""Every kind of call, with every kind of stop in the function that is called."""

from __future__ import annotations

from typing import Any

import pytest

import wasmscope
from wasmscope import DebugEvent

from .calls import ADD, CALLS, LOOP, THROW, TRAP, Call, Guest, Place

AT_ADD = Place("t", "i32.add", (5,), (5, 7))
AT_END = Place("t", "end", (5,), (12,))
RESULT = 112


def behind(call: Call, result: int = 12) -> Place | None:
    """Where the guest is when `$t` has returned; None: not in a guest any more."""
    if not call.returns_to:
        return None
    if call.returns_to == "r":
        return Place("r", "end", (5, 0), (result,))
    return Place("run", "end", (5,), (result,))


every_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)


@every_call
def test_a_breakpoint(call: Call) -> None:
    guest = call.make(ADD)
    breakpoint_ = guest.add("t", "i32.add")
    assert guest.run(5) == RESULT
    assert guest.events == [(DebugEvent.Breakpoint((breakpoint_,)), AT_ADD)]
    assert breakpoint_.hits == 1


@every_call
@pytest.mark.parametrize(
    ("condition", "stops", "fault"),
    [
        ("local[0] == 5 && stack[1] == 7", True, ""),
        ("local[0] != 5", False, ""),
        ("1 / (local[0] - 5) == 3", True, "division by zero (at column 3)"),
        (lambda frame: frame.stack(0).value == 5, True, ""),
        (lambda frame: frame.local(0).value == 6, False, ""),
    ],
    ids=["true", "false", "faulting", "Python, true", "Python, false"],
)
def test_a_condition(call: Call, condition: Any, stops: bool, fault: str) -> None:
    guest = call.make(ADD)
    breakpoint_ = guest.add("t", "i32.add", condition=condition)
    assert guest.run(5) == RESULT
    assert guest.places == [AT_ADD] * stops
    assert (breakpoint_.hits, breakpoint_.fault) == (int(stops), fault)


@every_call
def test_a_temporary_breakpoint(call: Call) -> None:
    guest = call.make(ADD)
    guest.add("t", "i32.add", temporary=True)
    assert [guest.run(5), guest.run(5)] == [RESULT, RESULT]
    assert guest.places == [AT_ADD]
    assert guest.store.breakpoints() == []


@every_call
def test_ignored_hits(call: Call) -> None:
    guest = call.make(ADD)
    breakpoint_ = guest.add("t", "i32.add", ignore_count=2)
    assert [guest.run(n) for n in (3, 4, 5)] == [110, 111, RESULT]
    assert guest.places == [AT_ADD]
    assert (breakpoint_.hits, breakpoint_.ignore_count) == (3, 0)


@every_call
def test_single_steps(call: Call) -> None:
    guest = call.make(ADD)
    with guest.store.edit_breakpoints() as edit:
        edit.single_step(True)
    assert guest.store.is_single_step()
    assert guest.run(5) == RESULT
    assert set(guest.kinds) == {"Step"}
    begin = guest.places.index(Place("t", "local.get", (5,), ()))
    found = [*guest.places[begin : begin + 5], None]
    assert found[:4] == [Place("t", "local.get", (5,), ()), Place("t", "i32.const", (5,), (5,)), AT_ADD, AT_END]
    assert found[4] == behind(call)


def stepping(guest: Guest, *kinds: str) -> None:
    """Ask for these steps, one after the other."""
    left = list(kinds)

    def then(event: DebugEvent, place: Place) -> None:
        if left:
            guest.store.request_step(left.pop(0))  # type: ignore[arg-type]  # a kind

    guest.then = then


@every_call
@pytest.mark.parametrize(
    ("kinds", "places"),
    [
        (("into",), [AT_END]),
        (("over",), [AT_END]),
        (("out",), ["behind"]),
        (("over", "over"), [AT_END, "behind"]),
        (("into", "into"), [AT_END, "behind"]),
        (("into", "out"), [AT_END, "behind"]),
    ],
    ids=["into", "over", "out", "over over", "into into", "into out"],
)
def test_steps_out_of_it(call: Call, kinds: tuple[str, ...], places: list[Place | str]) -> None:
    guest = call.make(ADD)
    guest.add("t", "i32.add")
    stepping(guest, *kinds)
    assert guest.run(5) == RESULT
    expected = [behind(call) if place == "behind" else place for place in places]
    assert guest.places == [AT_ADD, *(place for place in expected if place is not None)]


with_caller = pytest.mark.parametrize("call", [call for call in CALLS if call.returns_to], ids=lambda call: call.name)


@with_caller
def test_a_step_to_the_next_entry(call: Call) -> None:
    guest = call.make(ADD)
    guest.add("run", "block", temporary=True)
    entries: list[Place] = []

    def then(event: DebugEvent, place: Place) -> None:
        entries.append(place)
        if place.function != "t":
            guest.store.request_step("entry")

    guest.then = then
    assert guest.run(5) == RESULT
    assert entries[-1] == Place("t", "local.get", (5,), ())
    assert {place.function for place in entries[1:-1]} <= {"mid", "r"}
    assert len(set(entries)) == len(entries)


@with_caller
def test_steps_into_it(call: Call) -> None:
    guest = call.make(ADD)
    guest.add("run", "block", temporary=True)
    seen: list[Place] = []

    def then(event: DebugEvent, place: Place) -> None:
        seen.append(place)
        if place.function != "t":
            guest.store.request_step("into")

    guest.then = then
    assert guest.run(5) == RESULT
    assert seen[-1] == Place("t", "local.get", (5,), ())


@with_caller
def test_a_step_over_the_call(call: Call) -> None:
    guest = call.make(ADD)
    guest.add("run", "block", temporary=True)
    guest.then = lambda event, place: guest.store.request_step("over")
    assert guest.run(5) == RESULT
    assert {place.function for place in guest.places} <= {"run", "start"}
    final = [place for place in guest.places if place.function == "run"]
    assert final[-1] == Place("run", "end", (5,), (RESULT,))
    assert any(place.stack == (12,) for place in final)


@every_call
def test_an_interruption(call: Call) -> None:
    guest = call.make(LOOP)
    breakpoint_ = guest.add("t", "i32.lt_s", temporary=True)
    guest.then = lambda event, place: guest.store.interrupt() if guest.kinds == ["Breakpoint"] else None
    assert guest.run(5) == RESULT
    assert guest.events[0] == (DebugEvent.Breakpoint((breakpoint_,)), Place("t", "i32.lt_s", (5, 1), (1, 3)))
    assert guest.events[1:] == [(DebugEvent.Interrupted(), Place("t", "local.get", (5, 1), ()))]


@every_call
def test_a_step_after_an_interruption_moves(call: Call) -> None:
    guest = call.make(LOOP)
    guest.add("t", "i32.lt_s", temporary=True)

    def then(event: DebugEvent, place: Place) -> None:
        if len(guest.events) == 1:
            guest.store.interrupt()
        elif len(guest.events) == 2:
            guest.store.request_step("into")

    guest.then = then
    assert guest.run(5) == RESULT
    assert guest.kinds == ["Breakpoint", "Interrupted", "Step"]
    assert guest.places[2] == Place("t", "i32.const", (5, 1), (1,))


@every_call
def test_a_trap(call: Call) -> None:
    guest = call.make(TRAP)
    guest.add("t", "i32.const")
    with pytest.raises((wasmscope.Trap, wasmscope.WasmtimeError)):
        guest.run(5)
    assert guest.kinds == ["Breakpoint", "Trap", *["HostcallError"] * call.through_host]
    assert guest.places[1] == Place("t", "i32.div_s", (5,), (5, 0))


@every_call
def test_an_exception(call: Call) -> None:
    guest = call.make(THROW)
    guest.add("t", "i32.add")
    if call.is_caught:
        assert guest.run(5) == RESULT
    else:
        with pytest.raises((wasmscope.Trap, wasmscope.WasmtimeError)):
            guest.run(5)
    kind = "CaughtExceptionThrown" if call.is_caught else "UncaughtExceptionThrown"
    assert guest.kinds[:2] == ["Breakpoint", kind]
    assert guest.places[:2] == [AT_ADD, Place("t", "throw", (5,), (12,))]


@pytest.mark.parametrize("call", [call for call in CALLS if call.is_caught], ids=lambda call: call.name)
@pytest.mark.parametrize("kind", ["into", "over", "out"])
def test_a_step_at_a_throw_ends_where_it_is_caught(call: Call, kind: str) -> None:
    guest = call.make(THROW)
    guest.add("t", "throw")

    def then(event: DebugEvent, place: Place) -> None:
        if not isinstance(event, DebugEvent.Step):
            guest.store.request_step(kind)  # type: ignore[arg-type]  # a kind

    guest.then = then
    assert guest.run(5) == RESULT
    assert guest.kinds[-1] == "Step"
    assert guest.places[-1] == Place("run", "i32.const", (5,), (12,))
