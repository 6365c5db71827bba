"""From another thread to one task: messages, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar
from weakref import ref

_Message = TypeVar("_Message")


class Mailbox(Generic[_Message]):
    """The task's end. Unlike `asyncio.Queue` it can be let go of when the loop is closed."""

    __slots__ = ("__weakref__", "_loop", "_messages", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._messages: deque[_Message] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, message: _Message) -> None:
        """On the loop's thread."""
        self._messages.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> _Message:
        """The next message. A cancelled `get` loses none."""
        while not self._messages:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._messages.popleft()


class Address(Generic[_Message]):
    """The other end. It does not keep the mailbox."""

    __slots__ = ("_mailbox", "loop")

    def __init__(self, mailbox: Mailbox[_Message], loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._mailbox = ref(mailbox)

    def send(self, message: _Message) -> bool:
        """From any thread; False: the loop is closed."""
        try:
            self.loop.call_soon_threadsafe(self._put, message)
        except RuntimeError:
            return False
        return True

    def _put(self, message: _Message) -> None:
        mailbox = self._mailbox()
        if mailbox is not None:
            mailbox.put(message)
