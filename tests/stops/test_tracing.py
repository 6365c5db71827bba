"""Traces: what is in them, and what ends them, as docs/stepping.md says."""

from __future__ import annotations

import time
from typing import Any

import pytest

import wasmscope
from stops.test_stepping import FACTORIAL, Steps
from wasmscope import DebugEvent, Debuggee, Trace

LOOP = """(module (func $loop (export "run") (param i32) (result i32)
  (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 0)))"""


class Tracing(Steps):
    """A guest whose handler asks for traces of these lengths, one at each event."""

    def __init__(self, text: str, *counts: int, hosts: tuple[Any, ...] = ()) -> None:
        super().__init__(text, hosts=hosts)
        self.counts = list(counts)
        self.traces: list[Trace] = []

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        super().handle(store, event)
        if self.counts:
            self.traces.append(store.request_trace(self.counts.pop(0)))

    def names_in(self, trace: Trace) -> list[str]:
        """The instructions of a trace."""
        table = self.module.frame_table
        return [table.typed(each.function).at(each.pc).instruction.opcode.name for each in trace]


def test_a_trace_begins_with_the_instruction_that_the_guest_stands_before_and_ends_before_the_next() -> None:
    tracing = Tracing(LOOP, 3, 2)
    tracing.stop_at("loop", "local.get", temporary=True)
    assert tracing.run("run", 2) == 0
    assert tracing.stops == ["loop local.get 2", "loop local.tee 2", "loop local.get 1"]
    first, second = tracing.traces
    assert tracing.names_in(first) == ["local.get", "i32.const", "i32.sub"]
    assert tracing.names_in(second) == ["local.tee", "br_if"]
    assert first.event is tracing.events[1]
    assert second.event == DebugEvent.Step()
    assert first[0] == (tracing.instance, 0, first[0].pc)
    assert [each.pc for each in first[1:]] == [each.pc for each in first][1:]


def test_a_trace_asked_for_before_a_call_needs_no_handler() -> None:
    tracing = Tracing(LOOP)
    tracing.store.clear_debug_handler()
    trace = tracing.store.request_trace(4)
    assert tracing.run("run", 1000) == 0
    assert tracing.names_in(trace) == ["loop", "local.get", "i32.const", "i32.sub"]
    assert trace.is_done
    trace = tracing.store.request_trace(1000)
    assert not trace.is_done
    tracing.run("run", 1)
    assert tracing.names_in(trace)[-2:] == ["local.get", "end"]
    assert trace.is_done
    assert trace.event is None


@pytest.mark.parametrize("count", [65_536, 65_537, 1_000_000])
def test_a_trace_may_be_longer_than_the_guest_has_room_for(count: int) -> None:
    tracing = Tracing(LOOP)
    trace = tracing.store.request_trace(count)
    tracing.run("run", count // 4)
    rounds = (count - 1 + 4) // 5
    assert (
        tracing.names_in(trace)
        == (["loop"] + ["local.get", "i32.const", "i32.sub", "local.tee", "br_if"] * rounds)[:count]
    )


def test_a_trace_keeps_the_latest_only() -> None:
    tracing = Tracing(LOOP)
    trace = tracing.store.request_trace(200_000, keep=3)
    tracing.run("run", 100_000)
    assert trace.steps == 200_000
    assert tracing.names_in(trace) == ["i32.const", "i32.sub", "local.tee"]


def test_a_breakpoint_ends_a_trace_before_its_instruction() -> None:
    tracing = Tracing(FACTORIAL)
    trace = tracing.store.request_trace(1000)
    breakpoint_ = tracing.stop_at("fac", "i32.const", condition="local[0] == 0")
    tracing.run("run", 2)
    assert tracing.names_in(trace)[-3:] == ["local.get", "i32.eqz", "if"]
    assert trace.event == DebugEvent.Breakpoint((breakpoint_,))


def test_breakpoints_that_are_not_told_do_not_end_a_trace() -> None:
    tracing = Tracing(LOOP)
    tracing.stop_at("loop", "i32.sub", condition=lambda frame: False)
    tracing.stop_at("loop", "local.tee", ignore_count=100)
    trace = tracing.store.request_trace(11)
    tracing.run("run", 10)
    assert tracing.names_in(trace) == ["loop"] + ["local.get", "i32.const", "i32.sub", "local.tee", "br_if"] * 2


def test_a_condition_that_calls_the_guest_is_no_part_of_a_trace() -> None:
    tracing = Tracing(LOOP)

    asked: list[int] = []

    def asks(frame: wasmscope.FrameHandle) -> bool:
        value = frame.local(0).value
        if value == 7:
            tracing.run("run", 3)
        asked.append(value)
        return False

    tracing.stop_at("loop", "i32.sub", condition=asks)
    trace = tracing.store.request_trace(6)
    tracing.run("run", 7)
    assert tracing.names_in(trace) == ["loop", "local.get", "i32.const", "i32.sub", "local.tee", "br_if"]
    assert asked == [3, 2, 1, 7, 6, 5, 4, 3, 2, 1]


def test_what_traps_is_the_last_of_a_trace() -> None:
    tracing = Tracing('(module (func $f (export "run") (result i32) (i32.div_u (i32.const 1) (i32.const 0))))')
    trace = tracing.store.request_trace(10)
    with pytest.raises(wasmscope.Trap):
        tracing.run()
    assert tracing.names_in(trace) == ["i32.const", "i32.const", "i32.div_u"]
    assert isinstance(trace.event, DebugEvent.Trap)


def test_a_watchpoint_ends_a_trace_before_the_access() -> None:
    tracing = Tracing("""(module (memory (export "m") 1) (func $f (export "run")
      (i32.store (i32.const 8) (i32.const 1)) (i32.store (i32.const 0) (i32.const 1)) (nop)))""")
    memory: Any = tracing.instance.exports(tracing.store)["m"]
    with tracing.store.edit_breakpoints() as edit:
        edit.add_watchpoint(memory, 0, 4)
    trace = tracing.store.request_trace(10)
    tracing.run()
    assert tracing.names_in(trace) == ["i32.const", "i32.const", "i32.store", "i32.const", "i32.const"]
    assert isinstance(trace.event, DebugEvent.Watchpoint)


CALLS = """(module
  (import "" "host" (func $host (param i32) (result i32)))
  (tag $t (param i32))
  (func $leaf (export "leaf") (param i32) (result i32) (local.get 0))
  (func $tail (param i32) (result i32) (return_call $leaf (local.get 0)))
  (func $throws (param i32) (throw $t (local.get 0)))
  (func $run (export "run") (param i32) (result i32)
    (drop (call $tail (call $host (local.get 0))))
    (block $caught (result i32)
      (try_table (catch $t $caught) (call $throws (local.get 0)))
      (unreachable))))"""


def test_a_trace_goes_through_the_host_tail_calls_and_exceptions() -> None:
    def host(value: int) -> int:
        return int(tracing.instance.exports(tracing.store)["leaf"](tracing.store, value))

    tracing = Tracing(CALLS, hosts=(host,))
    tracing.store.set_debug_handler(tracing, caught_exceptions=False)
    trace = tracing.store.request_trace(100)
    assert tracing.run("run", 4) == 4
    functions = [tracing.names[each.function + 1] for each in trace]
    leaf = ["local.get", "end"]
    tail = ["local.get", "return_call"]
    before = ["local.get", "call", *leaf, "call", *tail, *leaf, "drop"]
    assert tracing.names_in(trace) == [
        *before,
        *("block", "try_table", "local.get", "call"),
        *("local.get", "throw", "end"),
    ]
    assert functions[2:4] == ["leaf", "leaf"]
    assert functions[5:9] == ["tail", "tail", "leaf", "leaf"]


def test_a_trace_goes_through_instances() -> None:
    tracing = Tracing(LOOP)
    caller = wasmscope.Module(
        tracing.store.engine,
        """(module (import "" "f" (func $f (param i32) (result i32)))
          (func (export "run") (call $f (i32.const 1)) drop))""",
    )
    exports = tracing.instance.exports(tracing.store)
    outer = wasmscope.Instance(tracing.store, caller, [exports["run"]])
    trace = tracing.store.request_trace(100)
    outer.exports(tracing.store)["run"](tracing.store)
    owners = [each.instance for each in trace]
    assert owners == [outer] * 2 + [tracing.instance] * 9 + [outer] * 2


def test_another_step_ends_a_trace_and_single_steps_wait_for_it() -> None:
    tracing = Tracing(LOOP)
    store = tracing.store
    first = store.request_trace(5)
    second = store.request_trace(2)
    assert first.is_done
    assert len(first) == 0
    with store.edit_breakpoints() as edit:
        edit.single_step(True)
    tracing.run("run", 1)
    assert tracing.names_in(second) == ["loop", "local.get"]
    assert tracing.stops[0] == "loop i32.const 1"
    assert len(tracing.stops) == 7


def test_an_interrupted_loop_is_traced_from_where_it_stands() -> None:
    """Also where the loop runs in code that was made for frames to leave their mirrors."""
    tracing = Tracing(LOOP)
    store = tracing.store
    store.tiers.leave_at_once()
    tracing.stop_at("loop", "i32.sub", temporary=True)  # in its mirror, which it leaves
    traces: list[Trace] = []

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            match event:
                case DebugEvent.Breakpoint():
                    store.interrupt()
                case DebugEvent.Interrupted():
                    traces.append(store.request_trace(7))
                case DebugEvent.Step() if len(traces) < 4:
                    store.interrupt()

    store.set_debug_handler(Handler())
    assert tracing.run("run", 1000) == 0
    assert len(traces) == 4
    for trace in traces:
        assert trace.steps == 7
        assert set(tracing.names_in(trace)) <= {"loop", "local.get", "i32.const", "i32.sub", "local.tee", "br_if"}
        assert trace.event == DebugEvent.Step()


def test_a_step_of_an_interrupted_loop_does_not_leave_the_mirror() -> None:
    tracing = Steps(LOOP)
    store = tracing.store
    store.tiers.leave_at_once()
    tracing.stop_at("loop", "i32.sub", temporary=True)
    seen: list[str] = []

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            seen.append(f"{type(event).__name__} {tracing.here()}")
            if isinstance(event, DebugEvent.Breakpoint):
                store.interrupt()
            elif len(seen) < 6:
                store.request_step("into")

    store.set_debug_handler(Handler())
    assert tracing.run("run", 1000) == 0
    interrupted = seen[1].split()
    assert interrupted[:3] == ["Interrupted", "loop", "local.get"]
    left = int(interrupted[3])
    expected = [("i32.const", left), ("i32.sub", left), ("local.tee", left), ("br_if", left - 1)]
    assert seen[2:] == [f"Step loop {name} {value}" for name, value in expected]


@pytest.mark.parametrize("count", [0, -1])
def test_a_trace_of_nothing_is_refused(count: int) -> None:
    store = wasmscope.Store(wasmscope.Engine())
    with pytest.raises(ValueError, match="one instruction at least"):
        store.request_trace(count)
    with pytest.raises(ValueError, match="keeps one at least"):
        store.request_trace(1, keep=count)


def test_a_debuggee_is_traced_up_to_its_end() -> None:
    tracing = Tracing(FACTORIAL)
    run: Any = tracing.instance.exports(tracing.store)["run"]
    with Debuggee(tracing.store) as debuggee:
        debuggee.launch(run, 1)
        first = debuggee.trace(5)
        assert tracing.names_in(first) == ["local.get", "i32.eqz", "if", "local.get", "local.get"]
        assert debuggee.event == first.event == DebugEvent.Step()
        second = debuggee.trace(100)
        assert debuggee.event == DebugEvent.Completed(1)
        assert second.is_done
        assert second.event is None
        assert tracing.names_in(second)[:3] == ["i32.const", "i32.sub", "call"]


def test_a_million_instructions_are_traced_within_a_second() -> None:
    tracing = Tracing(LOOP)
    tracing.run("run", 10)
    trace = tracing.store.request_trace(1_000_000)
    started = time.process_time()
    tracing.run("run", 200_000)
    assert trace.steps == 1_000_000
    assert time.process_time() - started < 1
