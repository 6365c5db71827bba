"""Reports of what the command line alone does not bring about: host functions, nested activations, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import wasmscope
from wasmscope.report import Limits, Report, capture, format_report
from wasmscope.report.model import CaughtException, Frame, HostError, HostFrame, OmittedFrames, Trap


class Collector:
    """A handler that takes every event down."""

    def __init__(self, limits: Limits) -> None:
        self.reports: list[Report] = []
        self._limits = limits

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        self.reports.append(capture(store, event, limits=self._limits))


def run(wat: str, host: Callable[..., Any], *arguments: Any, limits: Limits | None = None) -> list[Report]:
    """Call `main` of the guest, which may import `env.host`, and return the reports of how that ended."""
    engine = wasmscope.Engine()
    store = wasmscope.Store(engine)
    collector = Collector(limits or Limits())
    store.set_debug_handler(collector)
    linker = wasmscope.Linker(engine)
    linker.define_func("env", "host", wasmscope.FuncType([], []), host, access_caller=True)
    instance = linker.instantiate(store, wasmscope.Module(engine, wat))
    main = instance.exports(store)["main"]
    assert isinstance(main, wasmscope.Func)
    with pytest.raises((wasmscope.Trap, wasmscope.WasmtimeError, ValueError)):
        main(store, *arguments)
    return collector.reports


NESTED = """(module (import "env" "host" (func $host))
  (func (export "main") (call $host))
  (func $inner (export "inner") unreachable))"""


def test_host_between_activations_is_shown() -> None:
    def host(caller: wasmscope.Caller) -> None:
        caller.get("inner")(caller)

    inner, outer = run(NESTED, host)
    assert isinstance(inner.reason, Trap)
    assert [type(entry) for entry in inner.stack] == [Frame, HostFrame, Frame]
    assert "#0   inner (function 2)" in format_report(inner).plain
    assert "\n    -- host --\n#1   main (function 1)" in format_report(inner).plain
    assert isinstance(outer.reason, HostError)
    assert outer.depth == 1


def test_host_error_is_shown_with_the_guest_that_called() -> None:
    def host(caller: wasmscope.Caller) -> None:
        raise ValueError("no such\nfile \x1b[31m")

    (report,) = run(NESTED, host)
    assert report.reason == HostError("ValueError", "no such\nfile \\u{1b}[31m", "env::host")
    assert report.depth == 1
    assert format_report(report).plain.startswith(
        "host function env::host raised ValueError: no such\nfile \\u{1b}[31m\n"
    )


class Silent:
    """Its `repr` fails."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "'text'"),
        ("a\x1b", "'a\\x1b'"),
        ("long" * 1000, "'" + "long" * 29 + "lo…"),
        (Silent(), "<Silent: its repr raised RuntimeError>"),
        (None, "null"),
    ],
    ids=["text", "control character", "long", "repr fails", "null"],
)
def test_externref_is_shown_by_its_repr(value: object, text: str) -> None:
    (report,) = run('(module (func (export "main") (param externref) unreachable))', lambda caller: None, value)
    frame = report.stack[0]
    assert isinstance(frame, Frame)
    assert frame.locals[0].value.text == text


def test_too_many_locals_and_operands_are_counted() -> None:
    wat = f'(module (func (export "main") (local {"i32 " * 50}) {"i64.const 7 " * 20} unreachable))'
    (report,) = run(wat, lambda caller: None, limits=Limits(variables=8))
    frame = report.stack[0]
    assert isinstance(frame, Frame)
    assert (len(frame.locals), frame.more_locals) == (8, 42)
    assert ([operand.index for operand in frame.stack], frame.more_operands) == ([*range(12, 20)], 12)
    text = format_report(report).plain
    assert "        0-7  i32  0 (0x0)\n        ... 42 more\n" in text
    assert "        ... 12 more\n        12-19  i64  7 (0x7)\n" in text


def test_deep_stack_is_cut_in_the_middle() -> None:
    wat = '(module (func $main (export "main") (param i64) (call $main (i64.add (local.get 0) (i64.const 1)))))'
    (report,) = run(wat, lambda caller: None, 0, limits=Limits(frames=8))
    assert isinstance(report.reason, Trap)
    assert report.reason.code == "STACK_OVERFLOW"
    assert report.depth > 1000
    *inner, omitted, outer, outermost = report.stack
    assert [entry.number for entry in inner if isinstance(entry, Frame)] == [*range(6)]
    assert omitted == OmittedFrames(report.depth - 8, ("main",))
    assert isinstance(outermost, Frame)
    assert outermost.locals[0].value.text == "0 (0x0)"
    assert isinstance(outer, Frame)
    assert outer.locals[0].value.text == "1 (0x1)"


def test_json_is_the_report() -> None:
    (report,) = run('(module (func (export "main") (param f64) unreachable))', lambda caller: None, 0.5)
    assert msgspec.json.decode(report.to_json(), type=Report) == report


def test_an_exception_that_the_guest_catches() -> None:
    wat = """(module (tag $refused (param i32))
      (func (export "main") (param i32)
        (block $h (result i32) (try_table (catch $refused $h) (throw $refused (local.get 0))) return)
        unreachable))"""
    caught, trap = run(wat, lambda caller: None, 5)
    assert isinstance(caught.reason, CaughtException)
    assert isinstance(trap.reason, Trap)
    lines = format_report(caught).plain.splitlines()
    assert lines[:2] == ["exception refused, which the guest catches", "  payload: i32 5 (0x5)"]
    assert msgspec.json.decode(caught.to_json())["reason"]["kind"] == "caught-exception"


def test_neighbours_of_one_name_share_a_line_only_with_one_value() -> None:
    wat = """(module (import "env" "host" (func))
      (func (export "main") (param $a (@name "x") i32) (param $b (@name "x") i32) (param $c (@name "x") i32)
        unreachable))"""
    different, same = (format_report(run(wat, lambda _: None, *given)[0]).plain for given in ((1, 2, 3), (4, 4, 4)))
    lines = [line.split() for line in different.splitlines()]
    assert [line for line in lines if "x" in line[1:2]] == [
        [str(n), "x", "i32", str(n + 1), f"({n + 1:#x})"] for n in range(3)
    ]
    assert "0-2  x  i32  4" in same
