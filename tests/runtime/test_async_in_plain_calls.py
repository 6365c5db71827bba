"""Coroutine functions and asynchronous handlers where the guest is called plainly; two threads; closing a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import Guest, Recorder
from wasmscope import DebugEvent, Engine, Func, FuncType, Linker, Store, WasmscopeError


async def pause() -> None:
    await asyncio.sleep(0.001)


def test_without_a_loop_one_is_run_for_the_outermost_call() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def host(value: int) -> int:
        loops.append(asyncio.get_running_loop())
        await pause()
        return value

    async def handle(store: Store, event: DebugEvent) -> None:
        loops.append(asyncio.get_running_loop())
        await pause()

    guest = Guest(host)
    between = Guest(lambda value: guest["add"](guest.store, guest["add"](guest.store, value)), store=guest.store)
    guest.listen(handle)
    assert between["add"](guest.store, 1) == 4
    with pytest.raises(wasmscope.Trap):
        guest["divide"](guest.store, 0)
    assert len(loops) == 3
    assert loops[0] is loops[1] is not loops[2]
    assert all(loop.is_closed() for loop in loops)


def test_the_thread_keeps_its_own_current_loop() -> None:
    async def host(value: int) -> int:
        await pause()
        return value

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        guest = Guest(host)
        assert guest["add"](guest.store, 1) == 2
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_tasks_left_behind_are_cancelled_with_the_call() -> None:
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    tasks = []

    async def host(value: int) -> int:
        tasks.append(asyncio.create_task(background()))
        await pause()
        return value

    guest = Guest(host)
    assert guest["add"](guest.store, 1) == 2
    assert ended == ["cancelled"]


def test_what_a_coroutine_raises_without_a_loop_comes_out() -> None:
    recorder = Recorder(pause)

    async def host(value: int) -> int:
        await pause()
        raise LookupError("not here")

    guest = Guest(host)
    guest.store.set_debug_handler(recorder)
    with pytest.raises(LookupError, match="not here"):
        guest["add"](guest.store, 1)
    assert recorder.names == ["HostcallError"]
    assert guest.works()


def test_under_a_running_loop_a_coroutine_may_not_wait() -> None:
    ended: list[str] = []

    async def host(value: int) -> int:
        try:
            if value:
                await pause()
        finally:
            ended.append("ended")
        return value

    async def main() -> None:
        guest = Guest(host)
        assert guest["add"](guest.store, 0) == 1
        with pytest.raises(RuntimeError, match=r"await func\.call_async"):
            guest["add"](guest.store, 1)
        assert ended == ["ended", "ended"]
        assert guest.works()

    asyncio.run(main())


def test_under_a_running_loop_a_handler_may_not_wait() -> None:
    async def at_once(store: Store, event: DebugEvent) -> None:
        seen.append(event)

    async def waiting(store: Store, event: DebugEvent) -> None:
        await pause()

    seen: list[DebugEvent] = []

    async def main() -> None:
        guest = Guest()
        guest.listen(at_once)
        with pytest.raises(wasmscope.Trap):
            guest["divide"](guest.store, 0)
        assert len(seen) == 1
        guest.listen(waiting)
        with pytest.raises(RuntimeError, match=r"await func\.call_async"):
            guest["divide"](guest.store, 0)
        assert guest.works()

    asyncio.run(main())


def test_a_handler_may_return_an_awaitable() -> None:
    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0.001).__await__()
            seen.append("awaited")

    def handle(store: Store, event: DebugEvent) -> Awaitable[None]:
        return Later()

    seen: list[str] = []
    guest = Guest()
    guest.listen(handle)
    with pytest.raises(wasmscope.Trap):
        guest["divide"](guest.store, 0)
    with pytest.raises(wasmscope.Trap):
        asyncio.run(guest.call("divide", 0))
    assert seen == ["awaited"] * 2


def test_an_engine_of_wasmtime_refuses_coroutine_functions() -> None:
    import wasmtime

    async def host() -> None: ...

    with pytest.raises(TypeError, match="coroutine function"):
        Func(wasmtime.Store(), FuncType([], []), host)
    with pytest.raises(TypeError, match="coroutine function"):
        Linker(wasmtime.Engine()).define_func("", "", FuncType([], []), host)
    Linker(Engine()).define_func("", "", FuncType([], []), host)


def test_call_async_needs_a_store_of_this_package() -> None:
    import wasmtime

    guest = Guest()
    with pytest.raises(TypeError, match="Store"):
        asyncio.run(guest["add"].call_async(wasmtime.Store(), 1))


def test_two_threads_with_a_store_each() -> None:
    def work(n: int) -> None:
        guest = Guest(lambda value: value + n)
        for value in range(300):
            results.append(guest["add"](guest.store, value) - value - n)

    results: list[int] = []
    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 600


def test_a_second_thread_is_refused_and_the_first_goes_on() -> None:
    entered, leave = threading.Event(), threading.Event()

    def host(value: int) -> int:
        entered.set()
        assert leave.wait(20)
        return value

    guest = Guest(host)
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(guest["add"](guest.store, 1)))
    thread.start()
    assert entered.wait(20)
    try:
        with pytest.raises(WasmscopeError, match="in use by another thread"):
            guest["count"](guest.store, 1)
        with pytest.raises(WasmscopeError, match="in use by another thread"):
            Guest(store=guest.store)
        with pytest.raises(WasmscopeError, match="in use by another thread"):
            asyncio.run(guest.call("count", 1))
    finally:
        leave.set()
        thread.join()
    assert results == [2]
    assert guest.works()


def test_a_store_is_not_closed_while_a_guest_runs_in_it() -> None:
    def host(value: int) -> int:
        with pytest.raises(WasmscopeError, match="cannot be closed"):
            guest.store.close()
        return value

    guest = Guest(host)
    with guest.store:
        assert guest["add"](guest.store, 1) == 2
    with pytest.raises(ValueError, match="already closed"):
        guest["add"](guest.store, 1)
