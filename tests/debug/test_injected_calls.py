"""A call that is injected into a pause is debugged like any, and leaves the guest paused where it was."""

from __future__ import annotations

import threading

import pytest

from support.guest_for_async import Guest, Recorder
from wasmscope import DebugEvent, Debuggee, InjectCall, Trap, WasmscopeError


def paused(guest: Guest) -> Debuggee:
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["divide"], 0)
    assert isinstance(debuggee.resume(), DebugEvent.Trap)
    return debuggee


def arguments(debuggee: Debuggee) -> list[int]:
    return [frame.local(0).value for frame in debuggee.frames()]  # type: ignore[union-attr]


def finish(debuggee: Debuggee) -> None:
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert isinstance(debuggee.error, Trap)


def test_its_results_are_the_event_and_the_guest_is_where_it_was() -> None:
    threads: list[str] = []
    guest = Guest(lambda value: threads.append(threading.current_thread().name) or value)
    debuggee = paused(guest)
    for number in range(10):
        event = debuggee.resume(InjectCall(guest["add"], (number,)))
        assert event == DebugEvent.InjectedCallReturn(number + 1)
        assert (debuggee.state, debuggee.event, arguments(debuggee)) == ("paused", event, [0])
    assert set(threads) == {"wasmscope-guest"}
    finish(debuggee)
    assert guest.works()


def test_it_can_be_injected_before_the_guest_begins() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["count"], 10)
    assert debuggee.resume(InjectCall(guest["add"], [1])) == DebugEvent.InjectedCallReturn(2)
    assert debuggee.frames() == []
    assert debuggee.resume() == DebugEvent.Completed(10)


def test_its_events_come_out_of_resume() -> None:
    guest, recorder = Guest(), Recorder()
    guest.store.set_debug_handler(recorder)
    debuggee = paused(guest)
    debuggee.interrupt()
    assert debuggee.resume(InjectCall(guest["count"], [1000])) == DebugEvent.Interrupted()
    assert arguments(debuggee) == [1000, 0]
    assert debuggee.resume() == DebugEvent.InjectedCallReturn(1000)
    assert recorder.names == []
    finish(debuggee)


def test_one_that_traps_is_paused_there_and_then_where_the_guest_was() -> None:
    guest = Guest()
    debuggee = paused(guest)
    event = debuggee.resume(InjectCall(guest["divide"], [0]))
    assert isinstance(event, DebugEvent.Trap)
    assert [frame.activation() for frame in debuggee.frames()] == [0, 1]
    assert debuggee.resume() == DebugEvent.InjectedCallReturn(None, event.trap)
    assert (debuggee.state, debuggee.error, arguments(debuggee)) == ("paused", None, [0])
    finish(debuggee)


def test_what_cannot_be_called_is_the_error_of_the_event() -> None:
    guest = Guest()
    debuggee = paused(guest)
    event = debuggee.resume(InjectCall(guest["add"], ["text"]))
    assert isinstance(event, DebugEvent.InjectedCallReturn)
    assert isinstance(event.error, TypeError)
    finish(debuggee)


def test_calls_are_injected_into_injected_calls() -> None:
    guest = Guest()
    debuggee = paused(guest)
    for depth in range(1, 6):
        assert isinstance(debuggee.resume(InjectCall(guest["divide"], [0])), DebugEvent.Trap)
        assert arguments(debuggee) == [0] * (depth + 1)
        assert guest["count"](guest.store, 3) == 3
    for depth in reversed(range(5)):
        assert isinstance(debuggee.resume(), DebugEvent.InjectedCallReturn)
        assert arguments(debuggee) == [0] * (depth + 1)
    finish(debuggee)
    assert guest.works()


def test_it_is_refused_while_another_thread_calls_a_guest() -> None:
    in_host, go_on = threading.Event(), threading.Event()

    def host(value: int) -> int:
        in_host.set()
        assert go_on.wait(20)
        return value

    guest = Guest(host)
    debuggee = paused(guest)
    calling = threading.Thread(target=lambda: guest["add"](guest.store, 1))
    calling.start()
    assert in_host.wait(20)
    with pytest.raises(WasmscopeError, match="in use by another thread"):
        debuggee.resume(InjectCall(guest["count"], [1]))
    assert debuggee.state == "paused"
    go_on.set()
    calling.join()
    assert debuggee.resume(InjectCall(guest["count"], [1])) == DebugEvent.InjectedCallReturn(1)
    finish(debuggee)
