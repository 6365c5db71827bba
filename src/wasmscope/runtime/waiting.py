"""A guest's thread that waits inside its guest, and the calls that are nested there meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from wasmscope.runtime.pending import Ended, Pending

if TYPE_CHECKING:
    from wasmscope.runtime.event import DebugEvent
    from wasmscope.runtime.worker import Worker


class Recipient(Protocol):
    """Who is told what a worker waits for in a call, and how the call ended."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that awaits what the call has to wait for; None: the worker runs one of its own."""

    def send(self, message: Any) -> bool:
        """Tell it, on the worker's thread; False: nobody will ever answer."""


class Latch:
    """What threads wait for, once. Unlike `threading.Event` it stays sound where KeyboardInterrupt ends a wait."""

    __slots__ = ("_is_set", "_wake")

    def __init__(self) -> None:
        self._is_set = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Let all who wait, and who will, go on."""
        self._is_set = True
        self._wake.put(None)

    def wait(self, timeout: float | None = None) -> None:
        """Block until it is set, or for `timeout` seconds."""
        if not self._is_set:
            with suppress(Empty):
                self._wake.get(timeout=timeout)
                self._wake.put(None)  # for the next


@dataclass(slots=True, eq=False)
class Call:
    """One call on a worker, as it was asked for."""

    run: Callable[[], Any]
    context: Context
    task: Recipient
    """Who made it."""
    cancelled: BaseException | None = None
    """What the guest is to end with."""
    wait: Wait | None = None
    begun: bool = False
    ended: Latch = field(default_factory=Latch)


class Wait:
    """A worker waiting within `call`. What is done to it may be done again: only the first time counts."""

    __slots__ = ("_lock", "answer", "call", "nested", "nesting", "worker")

    def __init__(self, worker: Worker, call: Call) -> None:
        self.worker = worker
        self.call = call
        self.answer: Ended | None = None
        self.nesting = False
        """A coroutine has a call nested in this wait: as long as it awaits it."""
        self.nested: Call | None = None
        """The call that the worker has yet to run, or runs."""
        self._lock = threading.RLock()  # signal handlers and the garbage collector come here too

    @property
    def is_free(self) -> bool:
        """Whether the worker does nothing but wait for this."""
        return self.answer is None and not self.nesting and self.nested is None

    def end(self, answer: Ended) -> None:
        """Let the worker go on. The first answer is the one."""
        with self._lock:
            if self.answer is None:
                self.answer = answer
        self.worker.inbox.put(None)

    def nest(self, call: Call) -> bool:
        """Have the worker run `call` before it goes on waiting; False: it does something else."""
        with self._lock:
            if self.nested is not call and not call.begun:
                if not self.is_free:
                    return False
                self.nested = call
            self.worker.inbox.put((self, call))
        return True

    def has_run(self, call: Call) -> None:
        """The worker is done with `call`."""
        with self._lock:
            assert self.nested is call
            self.nested = None


class HostWait(Wait):
    """For what a host function or a handler returned, which `loop` is to await."""

    __slots__ = ("loop", "outer", "pending")

    def __init__(self, worker: Worker, call: Call, pending: Pending) -> None:
        super().__init__(worker, call)
        self.pending = pending
        self.loop = call.task.loop
        self.outer: HostWait | None = None
        """What the awaiting task is itself part of."""


class Pause(Wait):
    """For whoever drives the guest to say how it goes on. The store is free to use."""

    __slots__ = ("event", "refusal")

    def __init__(self, worker: Worker, call: Call, event: DebugEvent | None, refusal: Exception | None) -> None:
        super().__init__(worker, call)
        self.event = event
        """What happened; None: nothing has run yet."""
        self.refusal = refusal
        """Why it stands here again and did not go on as it was told to."""
