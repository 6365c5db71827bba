"""A guest is driven from an event loop, which stays free and awaits what its host functions wait for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from support.guest_for_async import Guest
from wasmscope import DebugEvent, Debuggee, InjectCall, NotPaused, Trap


def test_events_are_awaited() -> None:
    async def main() -> None:
        guest = Guest()
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["divide"], 0)
        assert isinstance(await debuggee.resume_async(), DebugEvent.Trap)
        assert len(debuggee.frames()) == 1
        injected = InjectCall(guest["count"], [3])
        assert await debuggee.resume_async(injected) == DebugEvent.InjectedCallReturn(3)
        assert isinstance(await debuggee.resume_async(), DebugEvent.Completed)
        assert isinstance(debuggee.error, Trap)
        assert guest.works()

    asyncio.run(main())


def test_the_loop_is_free_meanwhile_and_time_outs_lose_nothing() -> None:
    async def main() -> None:
        guest = Guest()
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["spin"])
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(debuggee.resume_async(), 0.005)
            assert debuggee.state == "running"
            debuggee.interrupt()
            assert await debuggee.resume_async() == DebugEvent.Interrupted()
        debuggee.close()
        assert guest.works()

    asyncio.run(main())


def test_only_one_task_waits_for_the_next_event() -> None:
    async def main() -> None:
        guest = Guest()
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["spin"])
        waiting = asyncio.create_task(debuggee.resume_async())
        await asyncio.sleep(0.01)
        with pytest.raises(NotPaused, match="somebody else waits"):
            await debuggee.resume_async()
        debuggee.interrupt()
        assert await waiting == DebugEvent.Interrupted()
        debuggee.close()

    asyncio.run(main())


def test_coroutine_functions_are_awaited_on_the_loop() -> None:
    async def host(value: int) -> int:
        assert threading.current_thread() is threading.main_thread()
        await asyncio.sleep(0.001)
        return await guest.call("count", value)  # type: ignore[no-any-return]

    async def main() -> None:
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["add"], 4)
        assert await debuggee.resume_async() == DebugEvent.Completed(5)
        assert guest.works()

    guest = Guest(host)
    asyncio.run(main())


def test_a_coroutine_lives_on_while_a_guest_that_it_called_is_paused() -> None:
    async def host(value: int) -> int:
        with pytest.raises(Trap):
            await guest.call("divide", 0)
        await asyncio.sleep(0.001)
        return value

    async def main() -> None:
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["add"], 4)
        assert isinstance(await debuggee.resume_async(), DebugEvent.Trap)
        assert [frame.activation() for frame in debuggee.frames()] == [0, 1]
        assert await guest.call("count", 3) == 3
        with pytest.raises(RuntimeError, match="await resume_async"):
            debuggee.resume()
        assert debuggee.state == "paused"
        assert await debuggee.resume_async() == DebugEvent.Completed(5)

    guest = Guest(host)
    asyncio.run(main())


def test_closing_cancels_the_coroutine_that_the_guest_waits_for() -> None:
    cleaned: list[str] = []

    async def host(value: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("up")
        return value

    async def main() -> None:
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["add"], 4)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(debuggee.resume_async(), 0.02)
        debuggee.close()
        assert debuggee.state == "exited"
        assert isinstance(debuggee.error, asyncio.CancelledError)
        await asyncio.sleep(0.01)
        assert cleaned == ["up"]
        assert guest.works()

    guest = Guest(host)
    asyncio.run(main())


def test_the_end_of_the_loop_ends_a_guest_that_waits_for_it() -> None:
    async def host(value: int) -> int:
        await asyncio.Event().wait()
        return value

    async def main() -> None:
        debuggee.launch(guest["add"], 4)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(debuggee.resume_async(), 0.02)

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    asyncio.run(main())
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert isinstance(debuggee.error, asyncio.CancelledError)
    assert guest.works()


def test_several_guests_are_driven_at_once() -> None:
    async def host(value: int) -> int:
        await asyncio.sleep(0.001)
        return value

    async def drive(number: int) -> Any:
        guest = Guest(host)
        debuggee = Debuggee(guest.store)
        debuggee.launch(guest["divide"], 0)
        assert isinstance(await debuggee.resume_async(), DebugEvent.Trap)
        assert await debuggee.resume_async(InjectCall(guest["add"], [number])) == DebugEvent.InjectedCallReturn(
            number + 1
        )
        return (await debuggee.resume_async(), debuggee.state)[1]

    async def main() -> None:
        assert await asyncio.gather(*map(drive, range(20))) == ["exited"] * 20

    asyncio.run(main())
