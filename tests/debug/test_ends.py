"""A debuggee that is closed or that nobody has any more ends its guest; nothing is left of it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from debug.conftest import no_guest_runs, until
from support.guest_for_async import Guest
from support.processes import ENVIRONMENT
from wasmscope import DebugEvent, Debuggee, InjectCall, StaleFrame, WasmscopeError


def launched(guest: Guest) -> Debuggee:
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["divide"], 0)
    return debuggee


def at_a_trap(guest: Guest) -> Debuggee:
    debuggee = launched(guest)
    debuggee.resume()
    return debuggee


def in_an_injected_call(guest: Guest) -> Debuggee:
    debuggee = at_a_trap(guest)
    debuggee.resume(InjectCall(guest["divide"], [0]))
    return debuggee


def at_a_loop(guest: Guest) -> Debuggee:
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    debuggee.interrupt()
    debuggee.resume()
    return debuggee


def in_a_loop(guest: Guest) -> Debuggee:
    """Running, with nobody who waits."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(debuggee.resume_async(), 0.005)

    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    asyncio.run(main())
    assert debuggee.state == "running"
    return debuggee


EVERYWHERE = pytest.mark.parametrize("make", [launched, at_a_trap, in_an_injected_call, at_a_loop, in_a_loop])


@EVERYWHERE
def test_closing_ends_the_guest(make: Callable[[Guest], Debuggee]) -> None:
    guest = Guest()
    with make(guest) as debuggee:
        frames = debuggee.frames() if debuggee.state == "paused" else []
    assert debuggee.state == "exited"
    assert isinstance(debuggee.error, asyncio.CancelledError)
    for frame in frames:
        with pytest.raises(StaleFrame):
            frame.local(0)
    until(no_guest_runs)
    debuggee.close()
    assert guest.works()
    debuggee.launch(guest["count"], 3)
    assert debuggee.resume() == DebugEvent.Completed(3)


@EVERYWHERE
def test_one_that_nobody_has_is_ended_and_the_store_is_as_good_as_before(make: Callable[[Guest], Debuggee]) -> None:
    guest = Guest()
    for _ in range(3):
        make(guest)
        gc.collect()
        until(no_guest_runs)
        assert guest.works()


@EVERYWHERE
def test_with_the_guest_its_store_is_freed(make: Callable[[Guest], Debuggee]) -> None:
    guest = Guest()
    store, debuggee = weakref.ref(guest.store), make(guest)
    gone = weakref.ref(debuggee)
    del guest, debuggee
    gc.collect()
    until(no_guest_runs)
    gc.collect()
    assert gone() is None
    assert store() is None


def test_one_that_has_ended_keeps_nothing_but_its_store() -> None:
    guest = Guest()
    debuggee = at_a_trap(guest)
    debuggee.resume()
    store = weakref.ref(guest.store)
    del guest
    gc.collect()
    assert store() is debuggee.store
    del debuggee
    gc.collect()
    assert store() is None


def test_a_thousand_debuggees_leave_no_thread() -> None:
    guest = Guest()
    before = threading.active_count()
    for number in range(1000):
        at_a_trap(guest if number % 2 else Guest())
        assert threading.active_count() <= before + 3
    gc.collect()
    until(lambda: threading.active_count() == before)
    assert guest.works()


def test_a_guest_in_a_host_function_ends_when_that_returns() -> None:
    in_host, go_on, left = threading.Event(), threading.Event(), threading.Event()

    def host(value: int) -> int:
        in_host.set()
        assert go_on.wait(20)
        left.set()
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin_calling"])
    events: list[DebugEvent] = []
    waiting = threading.Thread(target=lambda: events.append(debuggee.resume()))
    waiting.start()
    assert in_host.wait(20)
    debuggee.close()
    assert debuggee.state == "exited"
    with pytest.raises(WasmscopeError, match="in use by another thread"):
        debuggee.launch(guest["count"], 1)
    go_on.set()
    waiting.join()
    assert events == [debuggee.event]
    assert left.is_set()
    until(no_guest_runs)
    debuggee.launch(guest["count"], 1)
    assert debuggee.resume() == DebugEvent.Completed(1)


def test_a_host_function_may_close_the_debuggee() -> None:
    guest = Guest(lambda value: debuggee.close() or value)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin_calling"])
    event = debuggee.resume()
    assert isinstance(event, DebugEvent.Completed)
    assert isinstance(debuggee.error, asyncio.CancelledError)
    until(no_guest_runs)
    assert guest.works()


def test_an_idle_one_is_closed() -> None:
    debuggee = Debuggee(Guest().store)
    debuggee.close()
    assert debuggee.state == "idle"


PROGRAM = """
import threading, time
from support.guest_for_async import Guest
from wasmscope import Debuggee
guest = Guest(lambda value: time.sleep(value) or 0)
debuggee = Debuggee(guest.store)
def let_run():
    threading.Thread(target=debuggee.resume, daemon=True).start()
    time.sleep(0.1)
"""


@pytest.mark.parametrize(
    "leave",
    [
        'debuggee.launch(guest["divide"], 0)',
        'debuggee.launch(guest["divide"], 0); debuggee.resume()',
        'debuggee.launch(guest["spin"]); let_run()',
        'debuggee.launch(guest["add"], 99); let_run()',
        'keep = [debuggee]; keep.append(keep); debuggee.launch(guest["divide"], 0); debuggee.resume(); del debuggee',
    ],
)
def test_the_interpreter_exits_with_a_guest_that_has_not_ended(leave: str) -> None:
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", f"{PROGRAM}{leave}\nprint('left')"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "left\n", "")
    assert time.monotonic() - began < 20
