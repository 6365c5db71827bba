"""Where steps end, as docs/stepping.md says: recursion, tail calls, exceptions, the host, nested activations."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from wasmscope import DebugEvent


class Steps:
    """A guest whose handler asks for the given steps, one at each event, and keeps where it stopped."""

    def __init__(self, text: str, *kinds: str, hosts: tuple[Any, ...] = ()) -> None:
        config = wasmscope.Config()
        config.wasm_exceptions = True
        config.wasm_tail_call = True
        self.store = wasmscope.Store(wasmscope.Engine(config))
        self.module = wasmscope.Module(self.store.engine, text)
        i32 = wasmscope.ValType.i32
        kind = wasmscope.FuncType([i32()], [i32()])
        given = [wasmscope.Func(self.store, kind, host) for host in hosts]
        self.instance = wasmscope.Instance(self.store, self.module, given)
        self.names = self.module.frame_table.names.functions
        self.left = list(kinds)
        self.stops: list[str] = []
        self.events: list[DebugEvent] = []
        self.store.set_debug_handler(self)

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        self.events.append(event)
        self.stops.append(self.here())
        if self.left:
            store.request_step(self.left.pop(0))  # type: ignore[arg-type]  # a kind

    def here(self) -> str:
        """The function, the instruction, and the first local, of the innermost frame."""
        frames = self.store.debug_frames()
        assert frames is not None
        frame = frames.handle()
        raw = frame.raw
        name = raw.table.typed(raw.function).at(raw.pc).instruction.opcode.name
        local = frame.local(0).value if frame.num_locals() else ""
        return f"{self.names[frame.function_index]} {name} {local}"

    def stop_at(self, function: str, instruction: str, **how: Any) -> wasmscope.Breakpoint:
        index = next(n for n, name in self.names.items() if name == function)
        typed = self.module.frame_table.typed(index - self.module.original.num_imported_functions)
        pc = next(each.pc for each in typed.instructions if each.instruction.opcode.name == instruction)
        with self.store.edit_breakpoints() as edit:
            return edit.add_breakpoint(self.module, pc, **how)

    def run(self, name: str = "run", *arguments: int) -> Any:
        return self.instance.exports(self.store)[name](self.store, *arguments)


FACTORIAL = """(module (func $fac (export "run") (param i32) (result i32)
  (if (result i32) (i32.eqz (local.get 0))
    (then (i32.const 1))
    (else (i32.mul (local.get 0) (call $fac (i32.sub (local.get 0) (i32.const 1))))))))"""


def test_over_a_recursive_call_stays_in_the_frame() -> None:
    steps = Steps(FACTORIAL, "over", "over")
    steps.stop_at("fac", "call", condition="local[0] == 3")
    assert steps.run("run", 5) == 120
    assert steps.stops == ["fac call 3", "fac i32.mul 3", "fac end 3"]


def test_out_of_a_recursive_call_ends_in_its_caller() -> None:
    steps = Steps(FACTORIAL, "out", "out")
    steps.stop_at("fac", "i32.const", temporary=True)
    assert steps.run("run", 3) == 6
    assert steps.stops == ["fac i32.const 0", "fac i32.mul 1", "fac i32.mul 2"]


def test_a_breakpoint_in_a_call_that_is_stepped_over_ends_the_step() -> None:
    steps = Steps(FACTORIAL, "over")
    steps.stop_at("fac", "call", condition="local[0] == 3")
    steps.stop_at("fac", "call", condition="local[0] == 1")
    assert steps.run("run", 4) == 24
    assert steps.stops == ["fac call 3", "fac call 1"]
    assert [type(event) for event in steps.events] == [DebugEvent.Breakpoint] * 2


TAIL = """(module
  (func $a (export "run") (param i32) (result i32) (i32.add (call $b (local.get 0)) (i32.const 1)))
  (func $b (param i32) (result i32) (return_call $c (i32.add (local.get 0) (i32.const 10))))
  (func $c (param i32) (result i32) (i32.add (local.get 0) (i32.const 100))))"""


@pytest.mark.parametrize("watched", [False, True], ids=["", "with a breakpoint in the callee"])
@pytest.mark.parametrize(("kind", "end"), [("over", "a i32.const 1"), ("out", "a i32.const 1")])
def test_beyond_a_tail_call_is_the_caller(kind: str, end: str, watched: bool) -> None:
    steps = Steps(TAIL, kind)
    steps.stop_at("b", "return_call")
    if watched:  # its frame is where the one was that is stepped from
        steps.stop_at("c", "i32.add", condition="local[0] == 0")
    assert steps.run("run", 1) == 112
    assert steps.stops == ["b return_call 1", end]


def test_into_a_tail_call_is_the_callee() -> None:
    steps = Steps(TAIL, "into", "out")
    steps.stop_at("b", "return_call")
    assert steps.run("run", 1) == 112
    assert steps.stops == ["b return_call 1", "c local.get 11", "a i32.const 1"]


LOOP = """(module (func $count (export "run") (param i32) (result i32)
  (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))"""


def test_over_goes_round_a_loop() -> None:
    steps = Steps(LOOP, *["over"] * 6)
    steps.stop_at("count", "br_if", temporary=True)
    assert steps.run("run", 2) == 0
    assert [stop.split()[1] for stop in steps.stops] == [
        *("br_if", "local.get", "i32.const", "i32.sub", "local.tee", "br_if", "end"),
    ]


def test_a_loop_of_one_instruction_is_stepped_each_time() -> None:
    steps = Steps(
        """(module (global $n (mut i32) (i32.const 3)) (func $f (export "run")
          (loop $l (global.set $n (i32.sub (global.get $n) (i32.const 1))) (br_if $l (global.get $n)))))""",
    )
    with steps.store.edit_breakpoints() as edit:
        edit.single_step(True)
    steps.run()
    assert [stop.split()[1] for stop in steps.stops].count("br_if") == 3


THROWS = """(module (tag $e (param i32)) (tag $other)
  (func $outer (export "run") (param i32) (result i32)
    (block $h (result i32) (try_table (result i32) (catch $e $h) (call $middle (local.get 0)))))
  (func $middle (param i32) (result i32)
    (block $h (try_table (catch $other $h) (drop (call $thrower (local.get 0))))) (i32.const 0))
  (func $thrower (param i32) (result i32) (throw $e (local.get 0))))"""


@pytest.mark.parametrize("kind", ["into", "over", "out"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize(
    ("function", "instruction"), [("thrower", "throw"), ("thrower", "local.get"), ("middle", "call")]
)
def test_an_exception_ends_a_step_where_it_is_caught(function: str, instruction: str, kind: str, told: bool) -> None:
    steps = Steps(THROWS, *[kind] * 8)
    steps.store.set_debug_handler(steps, caught_exceptions=told)
    steps.stop_at(function, instruction, temporary=True)
    assert steps.run("run", 7) == 7
    assert steps.stops[0] == f"{function} {instruction} 7"
    assert "outer end 7" in steps.stops
    assert all(stop.startswith(("outer", function, "thrower")) for stop in steps.stops)
    if kind == "out":
        index = steps.stops.index("outer end 7")
        assert set(steps.stops[1:index]) <= {"thrower throw 7"}
        assert [type(event) for event in steps.events[1:index]] == [DebugEvent.CaughtExceptionThrown] * told


@pytest.mark.parametrize("kind", ["into", "over", "out"])
def test_a_step_that_is_asked_for_at_a_throw_ends_where_it_is_caught(kind: str) -> None:
    steps = Steps(THROWS, kind)
    assert steps.run("run", 7) == 7
    assert steps.stops == ["thrower throw 7", "outer end 7"]
    assert [type(event) for event in steps.events] == [DebugEvent.CaughtExceptionThrown, DebugEvent.Step]


def test_a_step_that_is_asked_for_where_a_host_function_throws_ends_where_that_is_caught() -> None:
    steps: Steps

    def host(value: int) -> int:
        tag = steps.instance.exports(steps.store)["e"]
        raise wasmscope.runtime.capi.EndHostCall(wasmscope.ExnRef(steps.store, tag, [wasmscope.Val.i32(value)]))

    steps = Steps(
        """(module (import "" "h" (func $host (param i32) (result i32))) (tag $e (export "e") (param i32))
          (func $run (export "run") (param i32) (result i32)
            (block $h (result i32) (try_table (result i32) (catch $e $h) (call $host (local.get 0))))))""",
        "over",
        hosts=(host,),
    )
    assert steps.run("run", 7) == 7
    assert steps.stops == ["run call 7", "run end 7"]


def test_a_step_ends_with_the_call_that_an_exception_ends() -> None:
    steps = Steps(THROWS.replace("(catch $e $h)", ""), "over", "over", "over")
    steps.stop_at("thrower", "throw")
    with pytest.raises(wasmscope.Trap):
        steps.run("run", 7)
    steps.left.clear()
    steps.stops.clear()
    with pytest.raises(wasmscope.Trap):
        steps.run("run", 7)
    assert steps.stops == ["thrower throw 7"] * 2


NESTED = """(module
  (import "" "h" (func $host (param i32) (result i32)))
  (func $run (export "run") (param i32) (result i32) (i32.add (call $host (local.get 0)) (i32.const 1)))
  (func $in (export "in") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))"""


def nested(*kinds: str, times: int = 1) -> Steps:
    """A guest that calls the host, which calls the guest so many times."""
    steps: Steps

    def host(value: int) -> int:
        return sum(steps.run("in", value) for _ in range(times))

    steps = Steps(NESTED, *kinds, hosts=(host,))
    return steps


def test_over_a_call_of_the_host_goes_over_what_it_calls() -> None:
    steps = nested("over", times=2)
    steps.stop_at("run", "call")
    assert steps.run("run", 5) == 21
    assert steps.stops == ["run call 5", "run i32.const 5"]


def test_into_a_call_of_the_host_goes_into_what_it_calls() -> None:
    steps = nested("into", "out", times=2)
    steps.stop_at("run", "call")
    assert steps.run("run", 5) == 21
    assert steps.stops == ["run call 5", "in local.get 5", "run i32.const 5"]


def test_into_a_call_of_the_host_that_calls_no_guest_goes_behind_it() -> None:
    steps = Steps(NESTED, "into", hosts=(lambda value: value,))
    steps.stop_at("run", "call")
    assert steps.run("run", 5) == 6
    assert steps.stops == ["run call 5", "run i32.const 5"]


@pytest.mark.parametrize("kind", ["over", "out"])
def test_a_step_that_leaves_for_the_host_ends_in_the_guest_outside(kind: str) -> None:
    steps = nested(kind, times=3)
    steps.stop_at("in", "end", temporary=True)
    steps.stop_at("in", "i32.const", condition="local[0] == 0")
    assert steps.run("run", 5) == 31
    assert steps.stops == ["in end 5", "run i32.const 5"]


def test_a_step_into_that_leaves_for_the_host_ends_in_whatever_it_calls() -> None:
    steps = nested("into", times=2)
    steps.stop_at("in", "end", temporary=True)
    assert steps.run("run", 5) == 21
    assert steps.stops == ["in end 5", "in local.get 5"]


def test_a_step_ends_with_the_outermost_call() -> None:
    steps = nested("over")
    steps.stop_at("run", "end", temporary=True)
    assert steps.run("run", 5) == 11
    assert steps.run("run", 5) == 11
    assert steps.stops == ["run end 5"]


def test_a_step_that_is_asked_for_before_a_call_ends_at_its_first_instruction() -> None:
    steps = nested()
    steps.store.request_step("into")
    assert steps.run("run", 5) == 11
    assert steps.stops == ["run local.get 5"]


def test_a_host_function_may_ask_for_a_step() -> None:
    steps: Steps

    def host(value: int) -> int:
        steps.store.request_step("into")
        return value

    steps = Steps(NESTED, hosts=(host,))
    assert steps.run("run", 5) == 6
    assert steps.stops == ["run i32.const 5"]


def test_what_a_handler_calls_is_no_part_of_the_step_that_it_asked_for() -> None:
    steps = nested()
    steps.stop_at("run", "call")

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            steps.stops.append(steps.here())
            if len(steps.stops) == 1:
                store.request_step("into")
                assert steps.run("in", 1) == 2

    steps.store.set_debug_handler(Handler())
    assert steps.run("run", 5) == 11
    assert steps.stops == ["run call 5", "in local.get 5"]


def test_a_step_within_what_a_handler_calls_ends_there() -> None:
    steps = nested()
    steps.stop_at("run", "call")
    steps.stop_at("in", "end", condition="local[0] == 1")

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            steps.stops.append(steps.here())
            if len(steps.stops) == 1:
                assert steps.run("in", 1) == 2
            else:
                store.request_step("into")

    steps.store.set_debug_handler(Handler())
    assert steps.run("run", 5) == 11
    assert steps.stops == ["run call 5", "in end 1"]


def test_the_breakpoint_where_a_frame_stands_is_told_once_though_frames_are_moved() -> None:
    """A handler that sets breakpoints in callers has them moved; then it goes on where it stood."""
    steps = nested()
    breakpoint_ = steps.stop_at("in", "local.get")

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            steps.stops.append(steps.here())
            if len(steps.stops) == 1:
                steps.stop_at("in", "i32.const")
                store.interrupt()

    steps.store.set_debug_handler(Handler())
    assert steps.run("run", 5) == 11
    assert breakpoint_.hits == 1
    assert [stop for stop in steps.stops if stop == "in local.get 5"] == ["in local.get 5"]


def test_a_breakpoint_at_a_loop_header_is_told_once_though_an_interruption_comes_between() -> None:
    """The frame goes on at the header: there attention comes before the stop."""
    steps = Steps(
        """(module
          (func $caller (export "run") (param i32) (result i32) (i32.add (call $loop (local.get 0)) (i32.const 0)))
          (func $loop (param i32) (result i32)
            (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))"""
    )
    breakpoint_ = steps.stop_at("loop", "local.get", temporary=False)

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            steps.events.append(event)
            if isinstance(event, DebugEvent.Breakpoint) and len(steps.events) == 1:
                steps.stop_at("caller", "i32.const")  # the frames are moved for it
                store.interrupt()

    steps.store.set_debug_handler(Handler())
    assert steps.run("run", 3) == 0
    kinds = [type(event).__name__ for event in steps.events]
    assert kinds == ["Breakpoint", "Interrupted", "Breakpoint", "Breakpoint", "Breakpoint"]
    assert breakpoint_.hits == 3


def test_a_removed_breakpoint_that_was_skipped_is_not_skipped_later() -> None:
    steps = Steps(
        """(module (import "" "h" (func $host (param i32) (result i32)))
          (func $caller (export "run") (param i32) (result i32) (i32.add (call $loop (local.get 0)) (i32.const 0)))
          (func $loop (param i32) (result i32)
            (loop $l
              (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
              (br_if $l (call $host (local.get 0))))
            (local.get 0)))""",
        hosts=(lambda value: (steps.stop_at("loop", "i32.sub"), value)[1] if value == 2 else value,),
    )
    steps.stop_at("loop", "i32.sub", temporary=True)

    class Handler:
        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            steps.stops.append(steps.here())
            if len(steps.stops) == 1:
                steps.stop_at("caller", "i32.const")  # moved: it goes on where it stood, without the breakpoint

    steps.store.set_debug_handler(Handler())
    assert steps.run("run", 3) == 0
    assert steps.stops == ["loop i32.sub 3", "loop i32.sub 2", "loop i32.sub 1", "caller i32.const 3"]


def test_frames_that_wasmtime_entered_stop_in_functions_called_from_then_on() -> None:
    """Nobody could go on with its frames one by one, so those that run are left alone."""
    steps = Steps(
        """(module (import "" "h" (func $host (param i32) (result i32)))
          (func $run (export "run") (param i32) (result i32)
            (i32.add (call $callee (call $host (local.get 0))) (i32.const 1)))
          (func $callee (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))""",
        hosts=(lambda value: (steps.stop_at("run", "i32.add"), steps.stop_at("callee", "i32.mul"), value)[2],),
    )
    found: Any = steps.instance.exports(steps.store)["run"]
    plain = wasmtime.Func._from_raw(found._func)
    assert plain(steps.store, 5) == 11
    assert steps.stops == ["callee i32.mul 5"]
    assert plain(steps.store, 5) == 11
    assert steps.stops[1:] == ["callee i32.mul 5", "run i32.add 5"]


@pytest.mark.parametrize("kind", ["into", "over", "out"])
def test_steps_in_a_private_function_that_another_guest_was_given(kind: str) -> None:
    steps = Steps(
        """(module (func $given (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
          (func (export "spare")))""",
        kind,
    )
    private = steps.instance.debug_function(steps.store, 0)
    other = wasmscope.Module(
        steps.store.engine,
        """(module (import "" "f" (func $f (param i32) (result i32)))
          (func (export "run") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1))))""",
    )
    outer = wasmscope.Instance(steps.store, other, [private])
    steps.stop_at("given", "i32.mul")
    steps.names[1] = "run"  # in the other module
    assert outer.exports(steps.store)["run"](steps.store, 5) == 11
    assert steps.stops == ["given i32.mul 5", "run i32.const 5" if kind == "out" else "given end 5"]
