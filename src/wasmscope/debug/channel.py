"""What the guest's thread says to whoever drives it: the latest message, for as long as there is no later one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

from wasmscope.runtime.asynchronous import conduct
from wasmscope.runtime.pending import Ended
from wasmscope.runtime.waiting import HostWait, Pause


@dataclass(frozen=True, slots=True, eq=False)
class Injected:
    """A call that was injected into `pause` has ended; the guest still stands there."""

    pause: Pause
    ended: Ended


Message: TypeAlias = Pause | Injected | Ended


class Channel:
    """The driver waits for a message that is not the one it has seen, so that no wait which is broken off loses one."""

    def __init__(self) -> None:
        self.latest: Message | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop of whoever drives the guest, to await what host functions return; None: the guest's thread does."""
        self._arrived: SimpleQueue[None] = SimpleQueue()  # KeyboardInterrupt may leave a `threading.Event` locked
        self._wake: Callable[[], object] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- on the guest's thread -----------------------------------------------------------------------------------

    def send(self, message: Message | HostWait) -> bool:
        """Leave `message` for the driver, or have its loop await what is to be awaited; False: the loop is closed."""
        if isinstance(message, HostWait):
            return message.loop is not None and _call_soon(message.loop, partial(self._conduct, message))
        self.latest = message
        if self._arrived.empty():
            self._arrived.put(None)
        if self._wake is not None:
            self._wake()
        return True

    # -- on the driver's -----------------------------------------------------------------------------------------

    def wait(self, seen: Message | None) -> Message:
        """Block until there is another message than `seen`."""
        while self.latest is None or self.latest is seen:
            self._arrived.get()  # perhaps of a message before
        return self.latest

    async def wait_async(self, seen: Message | None) -> Message:
        """Await that."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                arrived = loop.create_future()
                self._wake = partial(_call_soon, loop, partial(_finish, arrived))
                if self.latest is not None and self.latest is not seen:  # perhaps before somebody was to be woken
                    return self.latest
                await arrived
        finally:
            self._wake = None

    def abandon(self) -> None:
        """Nobody drives the guest any more, or awaits for it."""
        for task in list(self._tasks):
            _call_soon(task.get_loop(), task.cancel)

    def _conduct(self, wait: HostWait) -> None:
        """On the loop: a task of its own, which lasts while the guest stands still in calls nested in it."""
        assert wait.loop is not None
        task = wait.loop.create_task(conduct(wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> bool:
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
        return True
    return False  # the loop is closed


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
