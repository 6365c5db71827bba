"""What a debuggee asks of its store to steer the guest, seen by a store that only writes it down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import ENGINE, Guest
from wasmscope import DebugEvent, Debuggee, EarlyReturn, JumpTo, NotPaused, Store, ThrowException, WasmscopeError


class Steered(Store):
    """Writes down how it is steered, and refuses to return None."""

    def __init__(self) -> None:
        super().__init__(ENGINE)
        self.asked: list[Any] = []

    def request_step(self, kind: str) -> None:
        self.asked.append(kind)

    def redirect(self, resumption: Any) -> None:
        if resumption == EarlyReturn([None]):
            raise TypeError("None is no i32")
        self.asked.append((resumption, threading.current_thread().name, len(self.debug_exit_frames())))

    @contextmanager
    def edit_breakpoints(self) -> Iterator[Any]:
        yield self

    def add_breakpoint(self, module: wasmscope.Module, pc: int, temporary: bool) -> None:
        self.asked.append((module, pc, temporary))


def steered() -> tuple[Steered, Guest, Debuggee]:
    store = Steered()
    return store, Guest(store=store), Debuggee(store)


@pytest.mark.parametrize(
    ("step", "asked"),
    [(Debuggee.step, "into"), (Debuggee.step_over, "over"), (Debuggee.step_out, "out")],
)
def test_a_step_is_asked_for_before_the_guest_goes_on(step: Callable[[Debuggee], DebugEvent], asked: str) -> None:
    store, guest, debuggee = steered()
    debuggee.launch(guest["divide"], 0)
    assert isinstance(step(debuggee), DebugEvent.Trap)
    assert isinstance(step(debuggee), DebugEvent.Completed)
    assert store.asked == [asked, asked]
    with pytest.raises(NotPaused, match="cannot step: the debuggee is exited"):
        step(debuggee)
    assert store.asked == [asked, asked]


def test_steps_are_awaited() -> None:
    async def main() -> None:
        store, guest, debuggee = steered()
        debuggee.launch(guest["divide"], 0)
        assert isinstance(await debuggee.step_async(), DebugEvent.Trap)
        assert isinstance(await debuggee.step_over_async(), DebugEvent.Completed)
        debuggee.launch(guest["divide"], 0)
        assert isinstance(await debuggee.step_out_async(), DebugEvent.Trap)
        module = debuggee.modules()[0]
        assert isinstance(await debuggee.run_to_async(module, 7), DebugEvent.Completed)
        assert store.asked == ["into", "over", "out", (module, 7, True)]

    asyncio.run(main())


def test_running_to_a_place_sets_a_temporary_breakpoint() -> None:
    store, guest, debuggee = steered()
    debuggee.launch(guest["count"], 5)
    module = debuggee.modules()[0]
    assert debuggee.run_to(module, 99) == DebugEvent.Completed(5)
    assert store.asked == [(module, 99, True)]


def test_a_redirection_is_handed_to_the_store_on_the_thread_of_the_guest() -> None:
    store, guest, debuggee = steered()
    tag = wasmscope.Tag(store, wasmscope.TagType(wasmscope.FuncType([], [])))
    thrown = wasmscope.ExnRef(store, tag, [])
    for resumption in [EarlyReturn([1]), ThrowException(thrown), JumpTo(40)]:
        debuggee.launch(guest["divide"], 0)
        debuggee.resume()
        assert isinstance(debuggee.resume(resumption), DebugEvent.Completed)
        assert store.asked.pop() == (resumption, "wasmscope-guest", 1)


def test_a_redirection_that_is_refused_leaves_the_guest_where_it_was() -> None:
    store, guest, debuggee = steered()
    debuggee.launch(guest["divide"], 0)
    event = debuggee.resume()
    for _ in range(3):
        with pytest.raises(TypeError, match="None is no i32"):
            debuggee.resume(EarlyReturn([None]))
        assert (debuggee.state, debuggee.event, len(debuggee.frames())) == ("paused", event, 1)
        assert guest["count"](store, 3) == 3
    assert isinstance(debuggee.resume(EarlyReturn([1])), DebugEvent.Completed)
    assert len(store.asked) == 1


def test_before_the_guest_has_begun_there_is_no_frame_to_redirect() -> None:
    store, guest, debuggee = steered()
    debuggee.launch(guest["count"], 5)
    with pytest.raises(WasmscopeError, match="nothing of the guest has run yet"):
        debuggee.resume(EarlyReturn([1]))
    assert (debuggee.state, debuggee.event) == ("paused", None)
    assert debuggee.resume() == DebugEvent.Completed(5)
    assert store.asked == []
