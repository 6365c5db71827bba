"""While a guest is paused its store is free to use: what enters a guest is run on the guest's thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import ENGINE, MODULE, Guest, Recorder
from wasmscope import DebugEvent, Debuggee, Func, Instance, StaleFrame, Trap, TrapCode, WasmscopeError


def paused(guest: Guest) -> Debuggee:
    """At a trap, with the argument 0."""
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["divide"], 0)
    assert isinstance(debuggee.resume(), DebugEvent.Trap)
    return debuggee


def finish(debuggee: Debuggee) -> None:
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert isinstance(debuggee.error, Trap)


def test_guest_functions_can_be_called() -> None:
    threads: list[str] = []
    guest = Guest(lambda value: threads.append(threading.current_thread().name) or value)
    debuggee = paused(guest)
    for number in range(20):
        assert guest["add"](guest.store, number) == number + 1
        assert len(debuggee.frames()) == 1
        assert debuggee.frames()[0].local(0).value == 0  # type: ignore[union-attr]
    assert set(threads) == {"wasmscope-guest"}
    finish(debuggee)
    assert guest.works()


def test_a_call_makes_frames_stale_but_not_the_pause() -> None:
    guest = Guest()
    debuggee = paused(guest)
    frame = debuggee.frames()[0]
    guest["count"](guest.store, 1)
    with pytest.raises(StaleFrame):
        frame.local(0)
    assert debuggee.frames()[0].local(0).value == 0  # type: ignore[union-attr]
    finish(debuggee)


def test_calls_can_be_made_before_the_guest_begins() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["count"], 10)
    assert guest["add"](guest.store, 1) == 2
    assert debuggee.resume() == DebugEvent.Completed(10)


def test_events_of_such_calls_go_to_the_handler_of_the_store() -> None:
    guest, recorder = Guest(), Recorder()
    guest.store.set_debug_handler(recorder)
    debuggee = paused(guest)
    with pytest.raises(Trap):
        guest["divide"](guest.store, 0)
    assert recorder.names == ["Trap"]
    guest.store.clear_debug_handler()
    with pytest.raises(Trap):
        guest["divide"](guest.store, 0)
    guest.store.interrupt()
    with pytest.raises(Trap) as trapped:
        guest["spin"](guest.store)
    assert trapped.value.trap_code is TrapCode.INTERRUPT
    assert recorder.names == ["Trap"]
    assert debuggee.state == "paused"
    finish(debuggee)


def test_instances_can_be_made() -> None:
    guest = Guest()
    debuggee = paused(guest)
    function = Func(guest.store, wasmscope.FuncType([wasmscope.ValType.i32()] * 1, [wasmscope.ValType.i32()]), abs)
    exports = Instance(guest.store, MODULE, [function]).exports(guest.store)
    assert exports["add"](guest.store, -3) == 4  # type: ignore[operator]
    linker = wasmscope.Linker(ENGINE)
    linker.define(guest.store, "", "host", function)
    assert linker.instantiate(guest.store, MODULE).exports(guest.store)["add"](guest.store, -1) == 2  # type: ignore[operator]
    assert len(debuggee.instances()) == 3
    guest.store.gc()
    guest.store.set_limits(memory_size=1 << 20)
    finish(debuggee)


def test_memory_can_be_read_and_written() -> None:
    guest = Guest()
    debuggee = paused(guest)
    memory = guest.exports["memory"]
    memory.write(guest.store, b"hello", 100)
    assert memory.read(guest.store, 100, 105) == b"hello"
    assert memory.grow(guest.store, 1) == 1
    finish(debuggee)


def test_calls_can_be_made_from_any_thread_one_at_a_time() -> None:
    in_host, go_on = threading.Event(), threading.Event()

    def host(value: int) -> int:
        in_host.set()
        assert go_on.wait(20)
        return value

    guest = Guest(host)
    debuggee = paused(guest)
    results: list[Any] = []
    calling = threading.Thread(target=lambda: results.append(guest["add"](guest.store, 1)))
    calling.start()
    assert in_host.wait(20)
    with pytest.raises(WasmscopeError, match="in use by another thread"):
        guest["count"](guest.store, 1)
    go_on.set()
    calling.join()
    assert results == [2]
    assert guest["count"](guest.store, 1) == 1
    finish(debuggee)


def test_resuming_waits_for_a_call_that_another_thread_makes() -> None:
    in_host = threading.Event()

    def host(value: int) -> int:
        in_host.set()
        time.sleep(0.05)
        return value

    guest = Guest(host)
    debuggee = paused(guest)
    results: list[Any] = []
    calling = threading.Thread(target=lambda: results.append(guest["add"](guest.store, 1)))
    calling.start()
    assert in_host.wait(20)
    finish(debuggee)
    calling.join()
    assert results == [2]


def test_calls_of_many_threads_race_with_resuming() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    stop = threading.Event()
    failures: list[BaseException] = []

    def call() -> None:
        while not stop.wait(0.001):
            try:
                assert guest["count"](guest.store, 10) == 10
            except WasmscopeError:
                pass
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    done = 0
    deadline = time.monotonic() + 60
    while done < 50 and time.monotonic() < deadline:
        try:
            debuggee.launch(guest["divide"], 0)
        except WasmscopeError:
            continue
        assert isinstance(debuggee.resume(), DebugEvent.Trap)
        finish(debuggee)
        done += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert done == 50
    assert guest.works()


def test_what_a_call_raises_comes_to_the_caller() -> None:
    def host(value: int) -> int:
        raise ValueError("no")

    guest = Guest(host)
    debuggee = paused(guest)
    with pytest.raises(ValueError, match="no"):
        guest["add"](guest.store, 1)
    with pytest.raises(TypeError):
        guest["add"](guest.store, "text")
    finish(debuggee)


def test_calls_can_be_awaited() -> None:
    async def host(value: int) -> int:
        await asyncio.sleep(0.001)
        return value

    async def main() -> None:
        debuggee = paused(guest)
        assert await guest.call("add", 4) == 5
        assert await guest.call("add", 5) == 6
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await guest.call("spin")
        finish(debuggee)

    guest = Guest(host)
    asyncio.run(main())
    assert guest.works()


def test_the_store_is_not_closed_under_a_paused_guest() -> None:
    guest = Guest()
    debuggee = paused(guest)
    with pytest.raises(WasmscopeError, match="a guest runs in it"):
        guest.store.close()
    finish(debuggee)
