"""A guest is stopped from any thread and from signal handlers; no event is lost, none comes twice."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.guest_for_async import Guest, Recorder
from wasmscope import DebugEvent, Debuggee, EarlyReturn, InjectCall, Instance, Module, NotPaused, Store, Trap

INTERRUPTED = DebugEvent.Interrupted()


def test_an_interruption_from_another_thread_pauses_the_guest() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    for _ in range(3):
        threading.Timer(0.02, debuggee.interrupt).start()
        assert debuggee.resume() == INTERRUPTED
        assert [frame.function_index for frame in debuggee.frames()] == [2]
    debuggee.close()
    assert guest.works()


@pytest.mark.parametrize(
    "again",
    [
        "(return_call $f (local.get $n))",
        "(return_call $g (local.get $n))",
        "(return_call_indirect (type $t) (local.get $n) (i32.const 0))",
        "(return_call_ref $t (local.get $n) (ref.func $f))",
    ],
)
def test_endless_tail_calls_are_interrupted_and_go_on(again: str) -> None:
    store = Store()
    module = Module(
        store.engine,
        f"""(module (type $t (func (param i64))) (table 1 funcref) (elem (i32.const 0) $f)
          (func $f (export "f") (param $n i64) (local.set $n (i64.add (local.get $n) (i64.const 1))) {again})
          (func $g (param $n i64) (return_call $f (local.get $n))))""",
    )
    f = Instance(store, module, []).exports(store)["f"]
    with Debuggee(store) as debuggee:
        debuggee.launch(f, 0)
        last = 0
        for _ in range(3):
            threading.Timer(0.02, debuggee.interrupt).start()
            assert debuggee.resume() == INTERRUPTED
            (frame,) = debuggee.frames()
            assert frame.local(0).value > last
            last = frame.local(0).value
        assert debuggee.step() == DebugEvent.Step()
        assert debuggee.frames()[0].local(0).value == last


def test_an_interruption_while_paused_is_for_when_the_guest_goes_on() -> None:
    guest, recorder = Guest(), Recorder()
    guest.store.set_debug_handler(recorder)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["count"], 1000)
    debuggee.interrupt()
    debuggee.interrupt()
    assert guest["count"](guest.store, 5) == 5
    assert debuggee.resume() == INTERRUPTED
    debuggee.interrupt()
    assert debuggee.resume() == INTERRUPTED
    assert debuggee.resume() == DebugEvent.Completed(1000)
    assert recorder.names == []


def test_an_interruption_that_the_end_comes_before_is_void() -> None:
    guest = Guest(lambda value: debuggee.interrupt() or value)
    debuggee = Debuggee(guest.store)
    debuggee.interrupt()
    debuggee.launch(guest["add"], 1)
    assert debuggee.resume() == DebugEvent.Completed(2)
    debuggee.interrupt()
    debuggee.launch(guest["count"], 1000)
    assert debuggee.resume() == DebugEvent.Completed(1000)
    guest.store.set_debug_handler(recorder := Recorder())
    assert guest["count"](guest.store, 1000) == 1000
    assert recorder.names == []


def test_an_interruption_that_another_event_comes_before_follows_it() -> None:
    def host(value: int) -> int:
        debuggee.interrupt()
        with pytest.raises(Trap):
            guest["divide"](guest.store, 0)
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin_calling"])
    for _ in range(3):
        assert isinstance(debuggee.resume(), DebugEvent.Trap)
        assert debuggee.resume() == INTERRUPTED
    debuggee.close()


def test_each_interruption_is_one_event() -> None:
    """An interrupting thread waits until the one before was told."""
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    told = threading.Semaphore(1)

    def interrupt() -> None:
        for _ in range(500):
            assert told.acquire(timeout=20)
            debuggee.interrupt()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    for _ in range(500):
        assert debuggee.resume() == INTERRUPTED
        told.release()
    interrupting.join()
    assert debuggee.frames()
    # There is no 501st.
    waiting = threading.Thread(target=lambda: last.append(debuggee.resume()))
    last: list[DebugEvent] = []
    waiting.start()
    time.sleep(0.1)
    assert (last, debuggee.state) == ([], "running")
    debuggee.close()
    waiting.join()
    assert isinstance(last[0], DebugEvent.Completed)
    assert guest.works()


def test_a_storm_of_interruptions_changes_no_result() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    stop = threading.Event()
    asked = [0, 0, 0]

    def interrupt(number: int) -> None:
        pause = random.Random(number)
        while not stop.is_set():
            asked[number] += 1
            debuggee.interrupt()
            time.sleep(pause.random() / 2000)

    threads = [threading.Thread(target=interrupt, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    told = 0
    for _ in range(30):
        debuggee.launch(guest["count"], 3_000_000)
        while (event := debuggee.resume()) == INTERRUPTED:
            told += 1
            assert debuggee.frames()[0].local(0).value == 3_000_000  # type: ignore[union-attr]
            assert guest["count"](guest.store, 3) == 3
        assert event == DebugEvent.Completed(3_000_000)
    stop.set()
    for thread in threads:
        thread.join()
    assert 30 < told <= sum(asked)
    assert guest.works()


# -- signals ----------------------------------------------------------------------------------------------------------


@contextmanager
def alarms(handler: Any, every: float) -> Iterator[None]:
    """Have `handler` called in the main thread again and again."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, every, every)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def ctrl_c(when: Callable[[], bool]) -> Any:
    """Ctrl-C is pressed, once, as soon as `when()` holds."""
    pressed = False

    def press(number: int, frame: Any) -> None:
        nonlocal pressed
        if not pressed and when():
            pressed = True
            raise KeyboardInterrupt

    return alarms(press, 0.01)


def test_a_signal_handler_interrupts_the_guest() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    with alarms(lambda number, frame: debuggee.interrupt(), 0.001):
        for _ in range(200):
            assert debuggee.resume() == INTERRUPTED
    debuggee.close()


def test_ctrl_c_ends_the_wait_and_not_the_guest() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin"])
    with pytest.raises(KeyboardInterrupt), ctrl_c(lambda: debuggee.state == "running"):
        debuggee.resume()
    assert debuggee.state == "running"
    for attempt in [debuggee.step, lambda: debuggee.resume(EarlyReturn()), lambda: debuggee.resume(InjectCall(abs))]:
        with pytest.raises(NotPaused, match="its next event has to come first"):
            attempt()
    debuggee.interrupt()
    assert debuggee.resume() == INTERRUPTED
    debuggee.close()
    assert guest.works()


def test_an_event_that_comes_while_nobody_waits_is_kept() -> None:
    go_on = threading.Event()
    guest = Guest(lambda value: go_on.wait(20) and guest["divide"](guest.store, 0))
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 1)
    with pytest.raises(KeyboardInterrupt), ctrl_c(lambda: debuggee.state == "running"):
        debuggee.resume()
    go_on.set()
    time.sleep(0.05)
    assert debuggee.state == "running"
    assert isinstance(debuggee.resume(), DebugEvent.Trap)
    debuggee.close()


@pytest.mark.parametrize("every", [0.0003, 0.001, 0.005])
def test_a_storm_of_ctrl_c_loses_no_event(every: float) -> None:
    """Every host call traps in a nested call, once, with its number on the stack: none is missing, none comes twice."""
    numbers = iter(range(10**9))

    def host(value: int) -> int:
        with pytest.raises(Trap):
            guest["divide"](guest.store, 0)
        return next(numbers)

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin_calling"])
    armed = False

    def press(number: int, frame: Any) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    broken_off, last = 0, debuggee.event
    with alarms(press, every):
        for _ in range(400):
            event = None
            while event is None:
                try:
                    armed = True
                    event = debuggee.resume()
                    armed = False
                except KeyboardInterrupt:
                    broken_off += 1
                    # Paused before the guest was let go on, or when the event was on its way out of `resume`.
                    event = debuggee.event if debuggee.event is not last else None
            armed = False
            assert isinstance(event, DebugEvent.Trap)
            assert event is not last
            assert len(debuggee.frames()) == 2
            last = event
    debuggee.close()
    assert next(numbers) == 399
    assert broken_off > 0


def test_ctrl_c_in_a_call_made_in_a_pause_ends_that_call() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["divide"], 0)
    debuggee.resume()
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt), ctrl_c(lambda: len(guest.store.activations) > 1):
            guest["spin"](guest.store)
        assert debuggee.state == "paused"
        assert guest["count"](guest.store, 10) == 10
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert guest.works()
