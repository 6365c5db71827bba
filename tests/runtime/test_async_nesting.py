"""Calls of guests in host functions of guests: activations nest, whichever way they were made."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import Guest
from wasmscope import Store, WasmscopeError


def functions(store: Store) -> list[list[Any]]:
    """The first local of each frame, an activation a list, innermost first."""
    activations: dict[int, list[Any]] = {}
    frames = store.debug_frames()
    assert frames is not None
    while not frames.done():
        activations.setdefault(frames.activation(), []).append(frames.local(0).value)  # type: ignore[union-attr]
        frames.move_to_parent()
    return list(activations.values())


def test_host_coroutines_nest_on_the_thread_that_waits() -> None:
    seen: list[Any] = []

    async def host(caller: wasmscope.Caller, value: int) -> int:
        await asyncio.sleep(0)
        seen.append(functions(caller.store))
        return await guest["add"].call_async(caller, value - 1) if value else 0

    guest = Guest(host, access_caller=True)
    assert asyncio.run(guest.call("add", 5)) == 6
    assert seen[-1] == [[0], [1], [2], [3], [4], [5]]
    assert guest.works()


def test_plain_and_asynchronous_host_functions_alternate() -> None:
    async def waits(caller: wasmscope.Caller, value: int) -> int:
        await asyncio.sleep(0)
        assert threading.current_thread() is threading.main_thread()
        return await plain["add"].call_async(plain.store, value - 1) if value else 0

    def calls(caller: wasmscope.Caller, value: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        return waiting["add"](caller, value - 1) if value else 0

    waiting = Guest(waits, access_caller=True)
    plain = Guest(calls, access_caller=True, store=waiting.store)
    assert asyncio.run(waiting.call("add", 5)) == 6
    assert asyncio.run(plain.call("add", 6)) == 7
    assert waiting.works()


def test_a_guest_called_plainly_by_one_of_another_store_waits_on_the_same_loop() -> None:
    async def waits(value: int) -> int:
        await asyncio.sleep(0)
        assert threading.current_thread() is threading.main_thread()
        return await plain.call("add", value - 1) if value else 0  # type: ignore[no-any-return]

    waiting = Guest(waits)
    plain = Guest(lambda value: waiting["add"](waiting.store, value - 1) if value else 0)
    assert asyncio.run(plain.call("add", 5)) == 6
    assert waiting.works()
    assert plain.works()


def test_a_task_of_a_host_coroutine_may_call_the_guest() -> None:
    async def host(caller: wasmscope.Caller, value: int) -> int:
        if not value:
            return 0
        (result,) = await asyncio.gather(guest["add"].call_async(caller, value - 1))
        return result  # type: ignore[no-any-return]

    guest = Guest(host, access_caller=True)
    assert asyncio.run(guest.call("add", 3)) == 4


def test_two_nested_calls_at_once_are_refused() -> None:
    outcomes: list[Any] = []

    async def host(value: int) -> int:
        if value == 1:
            calls = [guest.call("count", 1000), guest.call("count", 1000)]
            outcomes.extend(await asyncio.gather(*calls, return_exceptions=True))
        return value

    guest = Guest(host)
    assert asyncio.run(guest.call("add", 1)) == 2
    assert outcomes[0] == 1000
    assert isinstance(outcomes[1], WasmscopeError)
    assert guest.works()


def test_a_nested_call_that_outlives_its_coroutine_is_waited_for() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def host(value: int) -> int:
        if value == 1:
            tasks.append(asyncio.create_task(guest.call("add", 2)))
            await asyncio.sleep(0.001)
        else:
            await asyncio.sleep(0.02)
        return value

    async def main() -> None:
        assert await guest.call("add", 1) == 2
        assert tasks[0].done()
        assert await tasks[0] == 3

    guest = Guest(host)
    asyncio.run(main())
    assert guest.works()


def test_nested_calls_of_tasks_race_with_their_coroutines() -> None:
    async def host(value: int) -> int:
        tasks = [asyncio.create_task(guest.call("count", 50)) for _ in range(2)]
        for _ in range(value % 4):
            await asyncio.sleep(0)
        calls.extend(tasks)
        return value

    async def main() -> None:
        for n in range(300):
            assert await guest.call("add", n) == n + 1
            outcomes.extend(await asyncio.gather(*calls, return_exceptions=True))
            calls.clear()

    calls: list[asyncio.Task[Any]] = []
    outcomes: list[Any] = []
    guest = Guest(host)
    asyncio.run(main())
    assert {outcome if outcome == 50 else type(outcome) for outcome in outcomes} == {50, WasmscopeError}
    assert guest.works()


def test_two_calls_of_one_store_at_once_are_refused() -> None:
    """However soon the first is done."""

    async def main() -> None:
        guest = Guest()
        for _ in range(50):
            calls = asyncio.gather(guest.call("count", 1), guest.call("count", 1), return_exceptions=True)
            await asyncio.sleep(0)
            with pytest.raises(WasmscopeError, match="in use by another thread"):
                guest["count"](guest.store, 1)
            first, second = await calls
            assert first == 1
            assert isinstance(second, WasmscopeError)
        assert guest.works()

    asyncio.run(main())


def test_other_tasks_are_refused_while_a_guest_waits() -> None:
    async def host(value: int) -> int:
        await asyncio.sleep(0.02)
        return value

    async def main() -> None:
        guest = Guest(host)
        call = asyncio.create_task(guest.call("add", 1))
        await asyncio.sleep(0.005)
        with pytest.raises(WasmscopeError, match="in use by another thread"):
            await guest.call("count", 1)
        with pytest.raises(WasmscopeError, match="call_async"):
            guest["count"](guest.store, 1)
        with pytest.raises(WasmscopeError, match="in use"):
            guest.store.gc()
        with pytest.raises(WasmscopeError, match="cannot be closed"):
            guest.store.close()
        assert await call == 2

    asyncio.run(main())


def test_a_plain_call_in_a_host_coroutine_is_refused() -> None:
    async def host(value: int) -> int:
        return guest["count"](guest.store, value)  # type: ignore[no-any-return]

    guest = Guest(host)
    with pytest.raises(WasmscopeError, match="call_async"):
        asyncio.run(guest.call("add", 1))
    assert guest.works()


def test_call_async_in_a_plain_call_nests_there() -> None:
    async def host(value: int) -> int:
        await asyncio.sleep(0)
        return await guest.call("count", 5) + value  # type: ignore[no-any-return]

    guest = Guest(host)
    assert guest["add"](guest.store, 1) == 7


def test_stores_wait_for_each_other_across_threads() -> None:
    """A guest of one store waits for one of another, which calls back into the first."""

    async def first_host(value: int) -> int:
        return await second.call("add", value - 1) if value else 0  # type: ignore[no-any-return]

    async def second_host(value: int) -> int:
        return await first.call("add", value - 1) if value else 0  # type: ignore[no-any-return]

    first, second = Guest(first_host), Guest(second_host)
    assert asyncio.run(first.call("add", 7)) == 8
    assert first.works()
    assert second.works()


def test_frames_of_another_store_are_opaque() -> None:
    """Plain calls: a guest of one store calls the host, which calls another's, whose host calls the first again."""
    seen: list[Any] = []

    def one_host(caller: wasmscope.Caller, value: int) -> int:
        seen.append(functions(one.store))
        return other["add"](other.store, value - 1) if value else 0

    def other_host(caller: wasmscope.Caller, value: int) -> int:
        seen.append((functions(other.store), functions(one.store)))
        return one["add"](one.store, value - 1) if value else 0

    one, other = Guest(one_host, access_caller=True), Guest(other_host, access_caller=True)
    assert one["add"](one.store, 3) == 4
    assert seen == [[[3]], ([[2]], [[3]]), [[1], [3]], ([[0], [2]], [[1], [3]])]
    assert one.works()
    assert other.works()
