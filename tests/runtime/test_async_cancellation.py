"""A call that is cancelled, or whose coroutine is dropped, ends its guest; the store is as good as before."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from support.guest_for_async import Guest, Recorder
from support.processes import ENVIRONMENT
from wasmscope import DebugEvent, FrameHandle, StaleFrame, Store


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def no_guest_runs() -> bool:
    return not any(thread.name == "wasmscope-guest" for thread in threading.enumerate())


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("export", ["spin", "spin_calling"])
def test_a_guest_that_computes_is_ended(export: str) -> None:
    recorder = Recorder()

    async def main() -> None:
        guest = Guest()
        guest.store.set_debug_handler(recorder)
        for _ in range(3):
            call = asyncio.create_task(guest.call(export))
            await asyncio.sleep(0.01)
            await cancel(call)
            assert await guest.call("count", 10) == 10
        assert guest.works()

    asyncio.run(main())
    assert recorder.names == []
    until(no_guest_runs)


def test_a_coroutine_that_the_guest_waits_for_is_cancelled() -> None:
    cleaned: list[str] = []
    recorder = Recorder()

    async def host(value: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")
        return value

    async def main() -> None:
        guest = Guest(host)
        guest.store.set_debug_handler(recorder)
        call = asyncio.create_task(guest.call("add", 1))
        await asyncio.sleep(0.01)
        await cancel(call)
        assert guest.works()

    asyncio.run(main())
    assert cleaned == ["up"]
    assert recorder.names == []


def test_a_coroutine_that_does_not_heed_its_cancellation_lets_the_guest_go_on() -> None:
    async def host(value: int) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 41
        return value

    async def main() -> None:
        call = asyncio.create_task(Guest(host).call("add", 1))
        await asyncio.sleep(0.01)
        call.cancel()
        assert await call == 42

    asyncio.run(main())


def test_a_handler_that_waits_is_cancelled() -> None:
    async def handle(store: Store, event: DebugEvent) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        guest = Guest()
        guest.listen(handle)
        call = asyncio.create_task(guest.call("divide", 0))
        await asyncio.sleep(0.01)
        await cancel(call)
        call = asyncio.create_task(guest.call("spin"))
        guest.store.interrupt()
        await asyncio.sleep(0.01)
        await cancel(call)
        assert guest.works()

    asyncio.run(main())


def test_a_time_out_ends_only_the_nested_call_it_is_around() -> None:
    async def host(value: int) -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await guest.call("spin")
        return value + await guest.call("count", 10)  # type: ignore[no-any-return]

    guest = Guest(host)
    assert asyncio.run(guest.call("add", 1)) == 12
    assert guest.works()


def test_cancelling_ends_nested_calls_of_every_kind() -> None:
    """The plain function in between does what it can to survive."""
    reached: list[str] = []

    def stubborn(value: int) -> int:
        try:
            return inner["add"](inner.store, value)  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            reached.append("stubborn")
            return value

    async def waits(value: int) -> int:
        return await inner.call("spin") or value

    async def main() -> None:
        call = asyncio.create_task(outer.call("spin_calling"))
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert outer.works()

    inner = Guest(waits)
    outer = Guest(stubborn, store=inner.store)
    asyncio.run(main())
    assert reached == ["stubborn"]


def test_cancelling_ends_a_guest_of_another_store_that_was_called_plainly() -> None:
    async def main() -> None:
        call = asyncio.create_task(outer.call("add", 1))
        await asyncio.sleep(0.02)
        await cancel(call)
        assert inner.works()
        assert outer.works()

    inner = Guest()
    outer = Guest(lambda value: inner["spin"](inner.store))
    asyncio.run(main())


def test_a_cancelled_call_has_no_result() -> None:
    """The plain function hides the cancellation, and the guest is done before it looks."""

    def stubborn(value: int) -> int:
        with contextlib.suppress(asyncio.CancelledError):
            inner["add"](inner.store, value)
        return value

    async def waits(value: int) -> int:
        await asyncio.Event().wait()
        return value

    async def main() -> None:
        call = asyncio.create_task(outer.call("add", 1))
        await asyncio.sleep(0.02)
        await cancel(call)
        assert outer.works()

    inner = Guest(waits)
    outer = Guest(stubborn, store=inner.store)
    asyncio.run(main())


def test_a_nested_call_in_a_task_of_its_own_ends_with_what_it_is_nested_in() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def host(value: int) -> int:
        tasks.append(asyncio.create_task(guest.call("spin")))
        await asyncio.Event().wait()
        return value

    async def main() -> None:
        call = asyncio.create_task(guest.call("add", 1))
        await asyncio.sleep(0.02)
        await cancel(call)
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert guest.works()

    guest = Guest(host)
    asyncio.run(main())


def test_a_plain_host_function_is_waited_for() -> None:
    entered, leave = threading.Event(), threading.Event()

    def host(value: int) -> int:
        entered.set()
        assert leave.wait(20)
        return value

    async def main() -> None:
        guest = Guest(host)
        call = asyncio.create_task(guest.call("add", 1))
        await asyncio.to_thread(entered.wait, 20)
        for _ in range(3):
            call.cancel()
            await asyncio.sleep(0.01)
            assert not call.done()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert guest.works()

    asyncio.run(main())


def test_cancelled_before_it_began() -> None:
    async def main() -> None:
        guest = Guest()
        call = asyncio.create_task(guest.call("spin"))
        await cancel(call)
        call = asyncio.create_task(guest.call("spin"))
        await asyncio.sleep(0)
        await cancel(call)
        assert guest.works()

    asyncio.run(main())


def test_a_storm_of_cancellations() -> None:
    chance = random.Random(20)

    async def host(value: int) -> int:
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() / 500)
        if chance.random() < 0.3:
            await guest.call("count", chance.randrange(100_000))
        return value

    async def handle(store: Store, event: DebugEvent) -> None:
        await asyncio.sleep(chance.random() / 1000)

    async def main() -> None:
        for _ in range(200):
            name, *args = chance.choice(
                [("spin",), ("spin_calling",), ("add", 1), ("count", 1_000_000), ("divide", 0), ("deep", 10_000)]
            )
            guest.listen(handle)
            call = asyncio.create_task(guest.call(name, *args))
            if chance.random() < 0.3:
                guest.store.interrupt()
            await asyncio.sleep(chance.random() / 200)
            call.cancel()
            await asyncio.wait([call])
            if not call.cancelled():
                assert name not in ("spin", "spin_calling")
                call.exception()
            await guest.call("count", 10)  # which an interruption that came too late is told to
            assert guest.works()

    guest = Guest(host)
    asyncio.run(main())
    until(no_guest_runs)


def test_a_closed_coroutine_ends_its_guest() -> None:
    frames: list[FrameHandle] = []

    async def host(value: int) -> int:
        frames.extend(guest.store.debug_exit_frames())
        await asyncio.Event().wait()
        return value

    async def main() -> None:
        call = guest.call("add", 1)
        told = call.send(None)
        while not told.done():
            await asyncio.sleep(0.001)
        call.send(None)
        assert frames[0].is_valid()
        call.close()
        with pytest.raises(StaleFrame):
            frames[0].local(0)
        assert guest.works()
        for name in ("spin", "spin_calling"):
            call = guest.call(name)
            call.send(None)
            call.close()
            assert guest.works()

    guest = Guest(host)
    asyncio.run(main())
    until(no_guest_runs)


def close_loop_under(guest: Guest, *call: Any) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # "Task was destroyed but it is pending"
    task = loop.create_task(guest.call(*call))
    loop.run_until_complete(asyncio.sleep(0.02))
    assert not task.done()
    loop.close()
    del task
    gc.collect()
    until(no_guest_runs)
    assert guest.works()


def test_a_closed_loop_ends_a_guest_that_computes() -> None:
    close_loop_under(Guest(), "spin")


def test_a_closed_loop_ends_a_guest_that_waits() -> None:
    async def host(value: int) -> int:
        await asyncio.Event().wait()
        return value

    close_loop_under(Guest(host), "add", 1)


def test_a_task_that_nobody_refers_to_is_kept_by_its_loop() -> None:
    done: list[int] = []

    async def forgotten(guest: Guest) -> None:
        done.append(await guest.call("count", 50_000_000))

    async def main() -> None:
        asyncio.create_task(forgotten(Guest()))  # noqa: RUF006  # that is the case
        while not done:
            await asyncio.sleep(0.001)
            gc.collect()

    asyncio.run(main())
    assert done == [50_000_000]


@pytest.mark.parametrize(
    "host",
    ["threading.Event().wait()", "time.sleep(100)", "None"],
    ids=["waiting for ever", "in a call of the system", "called again and again"],
)
def test_a_guest_in_the_host_does_not_keep_the_process(host: str) -> None:
    program = f"""
import asyncio, threading, time
from support.guest_for_async import Guest
guest = Guest(lambda value: {host} or 0)
loop = asyncio.new_event_loop()
task = loop.create_task(guest.call("spin_calling"))
loop.run_until_complete(asyncio.sleep(0.05))
print("end", flush=True)
"""
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert (outcome.returncode, outcome.stdout) == (0, "end\n"), outcome.stderr


def test_ctrl_c_cancels_the_call() -> None:
    program = """
import asyncio, os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
from support.guest_for_async import Guest
guest = Guest()
async def main():
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
    try:
        await guest.call("spin")
    except asyncio.CancelledError:
        print("cancelled", guest.works(), flush=True)
        raise
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert (outcome.stdout, outcome.stderr) == ("cancelled True\ninterrupted\n", "")


def test_a_keyboard_interrupt_in_a_host_coroutine_comes_out() -> None:
    async def host(value: int) -> int:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    guest = Guest(host)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(guest.call("add", 1))
    assert guest.works()
