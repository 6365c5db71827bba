"""One thread at a time in a store: wasmtime's rule, which it leaves to its users. Here a second thread is refused.

But while a guest stands still under a debugger, what others want to run in its store is run on the guest's thread:
there the engine knows of the frames below.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from wasmscope.errors import WasmscopeError
from wasmscope.runtime.pending import Ended, Pending
from wasmscope.runtime.waiting import Call, Pause, Wait
from wasmscope.runtime.worker import Worker

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

_Result = TypeVar("_Result")


class Occupancy:
    """Who is in a store: a context manager around everything that enters a guest. It nests on one thread."""

    __slots__ = ("_depth", "_lock", "_loop", "_reserved", "_store", "thread")

    def __init__(self, store: Store) -> None:
        self.thread: threading.Thread | None = None
        """The thread that is in the store."""
        self._reserved: Worker | None = None
        self._store = store
        self._lock = threading.Lock()
        self._depth = 0
        self._loop: asyncio.Runner | None = None

    @property
    def is_taken(self) -> bool:
        """Whether a thread is in the store, or about to be."""
        return self.thread is not None or self._reserved is not None

    def reserve(self, worker: Worker) -> None:
        """Keep the store for a call that `worker` is to run. Raises `WasmscopeError` where it is in use."""
        self.refuse_others()
        self._reserved = worker

    def free(self, worker: Worker) -> None:
        """The call is over. Its guest, if it was abandoned, may still be in the store."""
        if self._reserved is worker:
            self._reserved = None

    def refuse_others(self) -> None:
        """Raise `WasmscopeError` where another thread is in the store, or about to be."""
        user = self.thread or self._reserved
        if user is not None and user is not threading.current_thread():
            raise WasmscopeError(
                f"the store is in use by another thread ({user.name}): where a host coroutine or an "
                "asynchronous handler calls a guest, it is by `await func.call_async(store, ...)`, one at a time"
            )

    def run(self, action: Callable[[], _Result]) -> _Result:
        """Return what `action` does, which enters a guest of the store. Raises `WasmscopeError` where it is in use.

        While a guest stands still under a debugger it is run on the guest's thread, in a copy of the context.
        """
        pause = self.pause()
        if pause is not None:
            return self._run_in(pause, action)  # type: ignore[no-any-return]  # whatever the call says
        with self:
            return action()

    def run_between(self, action: Callable[[], _Result]) -> _Result:
        """The same, also on the thread of an event loop that the guest of the store waits for."""
        thread = self.thread
        other = thread if isinstance(thread, Worker) and thread is not threading.current_thread() else None
        wait = other.waits_for_this_thread() if other is not None else None
        return self.run(action) if wait is None else self._run_in(wait, action)

    def pause(self) -> Pause | None:
        """What another thread, which is in the store, stands still for."""
        thread = self.thread
        return thread.pause() if isinstance(thread, Worker) and thread is not threading.current_thread() else None

    def aside(self, action: Callable[[], _Result]) -> Callable[[], _Result]:
        """`action`, to be run while the guest stands still: what happens in it is no business of the debugger's."""

        def run() -> _Result:
            with self, self._store.told_to(None):
                return action()

        return run

    def _run_in(self, pause: Wait, action: Callable[[], Any]) -> Any:
        reply = _Reply()
        call = Call(self.aside(action), contextvars.copy_context(), reply)
        try:
            if not pause.nest(call):
                self.refuse_others()
                raise WasmscopeError("the guest of the store has just gone on")
            call.ended.wait()
        except WasmscopeError:
            raise
        except BaseException as error:  # KeyboardInterrupt: as if it had come while this thread was in the guest
            pause.worker.cancel(call, error)
            if pause.nest(call):  # perhaps it was not yet
                call.ended.wait()
            raise
        assert reply.ended is not None
        return reply.ended.unwrap()

    def __enter__(self) -> None:
        thread = threading.current_thread()
        if self.thread is not thread:
            self.refuse_others()
            if not self._lock.acquire(blocking=False):
                raise WasmscopeError("the store is in use by another thread")  # it entered or left just now
            self.thread = thread
            if isinstance(thread, Worker):
                thread.enter(self._store)
        self._depth += 1

    def __exit__(self, *exc: object) -> None:
        if self._depth > 1:
            self._depth -= 1
            return
        try:
            while self._loop is not None:  # what its tasks do when they are cancelled is within the call, too
                loop, self._loop = self._loop, None
                loop.close()
        finally:
            self._depth = 0
            if isinstance(self.thread, Worker):
                self.thread.leave(self._store)
            self.thread = None
            self._lock.release()
            self._store.edits.settle()

    def complete(self, pending: Pending) -> Any:
        """Run a loop until `pending` is done. All that wait during one outermost call share the loop.

        Its tasks see the context of the call. The thread's current event loop stays what it is.
        """
        try:
            with self:
                if self._loop is None:
                    self._loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
                return self._loop.run(pending.result(), context=contextvars.copy_context())
        finally:
            pending.discard()  # where nobody took it


def run_in(store: Any, action: Callable[[], _Result]) -> _Result:
    """`Occupancy.run` of a store, where it is one of ours. Raises `WasmscopeError` while another thread is in it."""
    occupancy = getattr(store, "occupancy", None)
    return occupancy.run(action) if isinstance(occupancy, Occupancy) else action()


class _Reply:
    """Keeps how a call ended, for the thread that waits for it."""

    loop: None = None
    ended: Ended | None = None

    def send(self, message: Ended) -> bool:
        self.ended = message
        return True
