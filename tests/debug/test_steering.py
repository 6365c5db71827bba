"""A debuggee goes on by steps, to breakpoints, and other than by its next instruction."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

import pytest

import wasmscope
from debug.test_debuggee import thrower
from support.guest_for_async import MODULE, Guest
from wasmscope import (
    BreakpointError,
    DebugEvent,
    Debuggee,
    EarlyReturn,
    ExnRef,
    InjectCall,
    JumpTo,
    NotPaused,
    ThrowException,
    Trap,
    WasmscopeError,
)

COUNT, DIVIDE, DEEP, CALLS_DEEP = 4, 5, 6, 7
"""Indices of functions of the guest."""


def launched(guest: Guest, export: str, *args: int) -> Debuggee:
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest[export], *args)
    return debuggee


def place(debuggee: Debuggee) -> tuple[int, str]:
    """Where the innermost frame is: function and instruction."""
    frame = debuggee.frames()[0]
    typed = frame.raw.table.typed(frame.raw.function)
    return frame.function_index, typed.at(frame.raw.pc).instruction.opcode.name


def pc_of(function: int, instruction: str) -> int:
    """Where an instruction is first met in a function, of which the first one is imported."""
    instructions = MODULE.frame_table.typed(function - 1).instructions
    return next(each.pc for each in instructions if each.instruction.opcode.name == instruction)


def test_steps_go_from_instruction_to_instruction() -> None:
    debuggee = launched(Guest(), "divide", 3)
    stops = []
    while (event := debuggee.step()) == DebugEvent.Step():
        frame = debuggee.frames()[0]
        stops.append((place(debuggee), [frame.stack(i).value for i in range(frame.num_stacks())]))  # type: ignore[union-attr]
    assert stops == [
        ((DIVIDE, "i32.const"), []),
        ((DIVIDE, "local.get"), [12]),
        ((DIVIDE, "i32.div_s"), [12, 3]),
        ((DIVIDE, "end"), [4]),
    ]
    assert event == DebugEvent.Completed(4)


def test_steps_go_into_calls_over_them_and_out_of_them() -> None:
    guest = Guest()
    debuggee = launched(guest, "deep", 3)
    debuggee.step()
    debuggee.step()
    assert place(debuggee) == (CALLS_DEEP, "call")
    debuggee.step()
    assert place(debuggee) == (DEEP, "local.get")
    assert debuggee.step_out() == DebugEvent.Step()
    assert place(debuggee) == (CALLS_DEEP, "end")
    debuggee.close()
    debuggee = launched(guest, "deep", 3)
    debuggee.step()
    debuggee.step_over()
    debuggee.step_over()
    assert place(debuggee) == (CALLS_DEEP, "end")
    assert debuggee.step_over() == DebugEvent.Completed(3)


def test_what_happens_first_ends_a_step() -> None:
    debuggee = launched(Guest(), "divide", 0)
    for _ in range(3):
        debuggee.step()
    assert isinstance(debuggee.step(), DebugEvent.Trap)
    assert isinstance(debuggee.step(), DebugEvent.Completed)
    assert isinstance(debuggee.error, Trap)


def test_the_guest_runs_to_a_place() -> None:
    guest = Guest()
    debuggee = launched(guest, "deep", 3)
    module = debuggee.modules()[0]
    event = debuggee.run_to(module, pc_of(DEEP, "i32.sub"))
    assert isinstance(event, DebugEvent.Breakpoint)
    assert place(debuggee) == (DEEP, "i32.sub")
    assert guest.store.breakpoints() == []
    assert debuggee.resume() == DebugEvent.Completed(3)


def test_another_event_ends_the_run_to_a_place_as_well() -> None:
    guest = Guest()
    debuggee = launched(guest, "count", 1000)
    module = debuggee.modules()[0]
    debuggee.interrupt()
    assert debuggee.run_to(module, pc_of(DEEP, "i32.sub")) == DebugEvent.Interrupted()
    assert guest.store.breakpoints() == []
    with pytest.raises(BreakpointError):
        debuggee.run_to(module, 1 << 30)
    assert debuggee.run_to(module, pc_of(DEEP, "i32.sub")) == DebugEvent.Completed(1000)
    assert guest.store.breakpoints() == []


def test_breakpoints_are_set_in_a_pause() -> None:
    guest = Guest()
    debuggee = launched(guest, "deep", 3)
    module = debuggee.modules()[0]
    edit = guest.store.edit_breakpoints()
    assert edit is not None
    with edit:
        breakpoint_ = edit.add_breakpoint(module, pc_of(DEEP, "i32.sub"))
    for depth in range(1, 4):
        assert debuggee.resume() == DebugEvent.Breakpoint((breakpoint_,))
        assert len(debuggee.frames()) == depth + 1
    assert guest["deep"](guest.store, 5) == 5, "nobody is told of what is called in a pause"
    assert debuggee.resume(InjectCall(guest["deep"], [1])) == DebugEvent.Breakpoint((breakpoint_,))
    assert debuggee.resume() == DebugEvent.InjectedCallReturn(1)
    assert place(debuggee) == (DEEP, "i32.sub")
    assert debuggee.resume() == DebugEvent.Completed(3)


def test_a_guest_that_was_stepped_is_interrupted_and_ended() -> None:
    guest = Guest()
    debuggee = launched(guest, "spin")
    for _ in range(10):
        assert debuggee.step() == DebugEvent.Step()
        debuggee.interrupt()
        assert debuggee.resume() == DebugEvent.Interrupted()
    debuggee.close()
    assert guest.works()


def test_steps_are_awaited() -> None:
    async def main() -> None:
        guest = Guest()
        debuggee = launched(guest, "deep", 3)
        assert await debuggee.step_async() == DebugEvent.Step()
        assert await debuggee.step_over_async() == DebugEvent.Step()
        assert await debuggee.step_async() == DebugEvent.Step()
        assert place(debuggee) == (DEEP, "local.get")
        event = await debuggee.run_to_async(debuggee.modules()[0], pc_of(DEEP, "i32.sub"))
        assert isinstance(event, DebugEvent.Breakpoint)
        assert await debuggee.step_out_async() == DebugEvent.Step()
        assert place(debuggee) == (CALLS_DEEP, "end")
        assert await debuggee.resume_async() == DebugEvent.Completed(3)

    asyncio.run(main())


def test_a_function_returns_early() -> None:
    guest = Guest()
    debuggee = launched(guest, "deep", 3)
    debuggee.run_to(debuggee.modules()[0], pc_of(DEEP, "i32.sub"))
    assert debuggee.resume(EarlyReturn([40])) == DebugEvent.Completed(40)


def test_a_frame_goes_on_at_another_instruction() -> None:
    guest = Guest()
    debuggee = launched(guest, "divide", 0)
    for _ in range(3):
        debuggee.step()
    assert place(debuggee) == (DIVIDE, "i32.div_s")
    with pytest.raises(BreakpointError, match="operand stack"):
        debuggee.resume(JumpTo(pc_of(DIVIDE, "end")))
    debuggee.resume(EarlyReturn([7]))
    debuggee = launched(guest, "divide", 0)
    debuggee.step()
    debuggee.resume(JumpTo(pc_of(DIVIDE, "i32.const")))
    assert isinstance(debuggee.event, DebugEvent.Trap)
    debuggee.close()


def test_an_exception_is_thrown_where_the_frame_stands() -> None:
    store, exports = thrower()
    debuggee = Debuggee(store)
    debuggee.launch(exports["caught"])
    while debuggee.step() == DebugEvent.Step() and place(debuggee)[1] != "throw":
        pass
    exception = ExnRef(store, exports["tag"], [wasmscope.Val.i32(30)])
    event = debuggee.resume(ThrowException(exception))
    while not isinstance(event, DebugEvent.Completed):
        event = debuggee.resume()
    assert event == DebugEvent.Completed(30)


def test_a_redirection_that_is_refused_leaves_the_guest_where_it_was() -> None:
    guest = Guest()
    debuggee = launched(guest, "divide", 3)
    event = debuggee.step()
    for resumption in [EarlyReturn([]), EarlyReturn(["text"]), JumpTo(0)]:
        with pytest.raises((WasmscopeError, TypeError)):
            debuggee.resume(resumption)
        assert (debuggee.state, debuggee.event, place(debuggee)) == ("paused", event, (DIVIDE, "i32.const"))
        assert guest["count"](guest.store, 3) == 3
    assert debuggee.resume() == DebugEvent.Completed(4)


def test_before_the_guest_has_begun_there_is_no_frame_to_redirect() -> None:
    debuggee = launched(Guest(), "count", 5)
    with pytest.raises(NotPaused, match="nothing of the guest has run yet"):
        debuggee.resume(EarlyReturn([1]))
    assert (debuggee.state, debuggee.event) == ("paused", None)
    assert debuggee.resume() == DebugEvent.Completed(5)


def test_ctrl_c_does_not_make_a_run_to_a_place_forget_it_nor_leave_it_behind() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    module = debuggee.modules()[0]
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        debuggee.run_to(module, pc_of(DEEP, "i32.sub"))
    assert [each.temporary for each in guest.store.breakpoints()] == [True]
    debuggee.interrupt()
    assert debuggee.resume() == DebugEvent.Interrupted()
    assert guest.store.breakpoints() == []
    debuggee.close()


@pytest.mark.parametrize("resumption", [None, 5, DebugEvent.Step(), EarlyReturn])
def test_what_is_no_way_to_go_on_is_refused_and_the_guest_is_paused_as_before(resumption: Any) -> None:
    guest = Guest()
    with Debuggee(guest.store) as debuggee:
        debuggee.launch(guest["count"], 5)
        debuggee.step()
        with pytest.raises(TypeError, match="expected Continue, InjectCall, EarlyReturn, ThrowException or JumpTo"):
            debuggee.resume(resumption)
        assert debuggee.resume() == DebugEvent.Completed(5)


@pytest.mark.parametrize(
    ("resumption", "why"),
    [
        (JumpTo("0x20"), "cannot be interpreted as an integer"),  # type: ignore[arg-type]
        (JumpTo(None), "cannot be interpreted as an integer"),  # type: ignore[arg-type]
        (EarlyReturn(5), "expected a sequence of the results, not 5"),  # type: ignore[arg-type]
        (EarlyReturn({1: 2}), "expected a sequence of the results"),  # type: ignore[arg-type]
    ],
)
def test_ways_to_go_on_with_arguments_of_other_types_are_refused(resumption: Any, why: str) -> None:
    guest = Guest()
    with Debuggee(guest.store) as debuggee:
        debuggee.launch(guest["count"], 5)
        debuggee.step()
        with pytest.raises(TypeError, match=why):
            debuggee.resume(resumption)
        assert debuggee.resume() == DebugEvent.Completed(5)


def test_a_step_of_no_known_kind_is_refused() -> None:
    guest = Guest()
    with pytest.raises(ValueError, match="'sideways'"):
        guest.store.request_step("sideways")  # type: ignore[arg-type]


def test_a_breakpoint_in_what_is_no_module_or_instance_is_refused() -> None:
    guest = Guest()
    guest["count"](guest.store, 1)
    module = guest.store.debug_all_modules()[0]
    edit = guest.store.edit_breakpoints()
    assert edit is not None
    with pytest.raises(TypeError, match="expected a Module, not None"):
        edit.add_breakpoint(None, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected an Instance, not 5"):
        edit.add_breakpoint(module, pc_of(DEEP, "i32.sub"), instance=5)  # type: ignore[arg-type]
