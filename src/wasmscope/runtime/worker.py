"""The thread that a guest runs on while the event loop goes on.

::

    event loop                                worker
    call_async ── Call ─────────────────────> runs the guest
                                              the guest calls a host coroutine, or an event is told:
    the task awaits it <───────── HostWait ── and the worker waits
        it may call_async itself ── Call ───> runs the nested guest, on top of the one that waits
                       its result <── Ended ─ and waits on
    what it returned ── answer ─────────────> the guest goes on
    call_async returns <───────────── Ended ─ the thread ends

So activations nest on one native stack, as the engine needs it, and all that is awaited is awaited by the task that
made the call: its cancellation, its time-outs and its context reach there by themselves.

A guest under a debugger stands still in the same way (`Pause`): its thread waits for whoever drives it, runs what they
call meanwhile, and goes on as they say.

The worker refers to nothing that waits on the loop but weakly. When the loop lets go of a call, the garbage collector
closes its coroutine, and so the guest is told to end (`Worker.abandon`).
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from wasmscope.runtime.pending import Ended, Pending
from wasmscope.runtime.waiting import Call, HostWait, Pause, Recipient, Wait

if TYPE_CHECKING:
    from wasmscope.runtime.event import DebugEvent
    from wasmscope.runtime.store import Store

HOST_STACK = 4 * 1024 * 1024
"""Bytes of a worker's stack beyond the guest's: for the engine, the interpreter and host functions."""

PATIENCE = 1.0
"""Seconds that closing a coroutine waits for its guest to end: one in a blocking host function ends later."""

_starting = threading.Lock()
"""Held while `threading.stack_size`, which is of the process, is not what it was."""


class Worker(threading.Thread):
    """Runs one call, and those nested in it. A daemon: a guest blocked for ever does not keep the process alive."""

    def __init__(self, call: Call) -> None:
        super().__init__(name="wasmscope-guest", daemon=True)
        self.inbox: SimpleQueue[tuple[Wait, Call] | None] = SimpleQueue()
        """Calls to be nested; None: look whether what you wait for has come."""
        self._first = call
        self._calls: list[Call] = []
        """Outermost first."""
        self._stores: list[Store] = []

    # -- from the loop's thread ----------------------------------------------------------------------------------

    def start_with_stack(self, wasm_stack: int) -> None:
        """Start with room for a guest that may use `wasm_stack` bytes. RuntimeError: there can be no more threads.

        The size is a setting of the process: a thread that something else starts at this very moment may get the same.
        """
        size = -(-(wasm_stack + HOST_STACK) // 4096) * 4096
        with _starting:
            before = threading.stack_size()
            threading.stack_size(max(before, size))
            try:
                self.start()
            finally:
                threading.stack_size(before)

    def cancel(self, call: Call, error: BaseException) -> None:
        """Have `call` and what is nested in it end with `error`, as soon as the guest or the host looks.

        Safe from any thread.
        """
        calls = list(self._calls)
        for each in calls[calls.index(call) :] if call in calls else [call]:
            if each.cancelled is None:
                each.cancelled = error
            # Read after `cancelled` was set; `wait_for` sets it before it looks at `cancelled`.
            if each.wait is not None:
                each.wait.end(Ended(error=error))
        for store in list(self._stores):
            store.wake()

    def abandon(self, call: Call, why: str = "the coroutine of the call was closed") -> None:
        """Nobody waits for `call` any more: end its guest, and wait a little until it has ended."""
        self.cancel(call, asyncio.CancelledError(why))
        if threading.current_thread() is not self and self.is_alive():  # the garbage collector runs anywhere
            call.ended.wait(PATIENCE)

    def pause(self) -> Pause | None:
        """What the worker stands still for, if it does nothing but that."""
        calls = list(self._calls)
        wait = calls[-1].wait if calls else None
        return wait if isinstance(wait, Pause) and wait.is_free else None

    def awaits(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the guest cannot go on before something was awaited by `loop`."""
        waits = [call.wait for call in list(self._calls)]
        return any(isinstance(wait, HostWait) and wait.answer is None and wait.loop is loop for wait in waits)

    def waits_for_this_thread(self) -> HostWait | None:
        """What the worker waits for that the event loop of the current thread is to await, if it does nothing else."""
        calls = list(self._calls)
        wait = calls[-1].wait if calls else None
        if not isinstance(wait, HostWait) or not wait.is_free:
            return None
        return wait if wait.loop is not None and wait.loop is asyncio._get_running_loop() else None

    # -- in the worker itself ------------------------------------------------------------------------------------

    def run(self) -> None:
        """As the thread's."""
        self._run(self._first)

    def _run(self, call: Call, within: Wait | None = None) -> None:
        if call.begun:
            return
        call.begun = True
        if self.cancelled is not None:
            call.cancelled = self.cancelled
        self._calls.append(call)
        ended = self._outcome(call)
        self._calls.pop()
        if within is not None:
            within.has_run(call)
        call.task.send(ended)
        call.ended.set()

    def _outcome(self, call: Call) -> Ended:
        try:
            self.check()
            return Ended(call.context.run(call.run))
        except BaseException as error:
            return Ended(error=error)

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """What awaits for the innermost call, if anything does."""
        return self._calls[-1].task.loop if self._calls else None

    def wait_for(self, pending: Pending) -> Any:
        """Have the task of the innermost call await `pending`; returns or raises what comes of it.

        Calls nested in it are run meanwhile. Raises `asyncio.CancelledError` where the call is to end.
        """
        call = self._calls[-1]
        try:
            return self._wait(HostWait(self, call, pending), call.task)
        except asyncio.CancelledError:
            pending.discard()  # where nobody took it
            raise

    def stand_still(self, event: DebugEvent | None, refusal: Exception | None, driver: Recipient) -> Any:
        """Wait until `driver` says how to go on; returns that. Calls nested in it are run meanwhile.

        Raises `asyncio.CancelledError` where the call is to end.
        """
        return self._wait(Pause(self, self._calls[-1], event, refusal), driver)

    def _wait(self, wait: Wait, recipient: Recipient) -> Any:
        call = wait.call
        outer, call.wait = call.wait, wait
        try:
            self.check()
            if not recipient.send(wait):
                call.cancelled = asyncio.CancelledError("the event loop is closed")
                self.check()
            while wait.answer is None or wait.nested is not None:  # a call that was sent before the answer is run first
                nested = self.inbox.get()
                if nested is not None:
                    self._run(nested[1], nested[0])
            return wait.answer.unwrap()
        finally:
            call.wait = outer

    @property
    def cancelled(self) -> BaseException | None:
        """What the guest is to end with, if it is to end."""
        return self._calls[-1].cancelled if self._calls else None

    def check(self) -> None:
        """Raise `asyncio.CancelledError` where the guest is to end."""
        if self.cancelled is not None:
            raise self.cancelled

    def enter(self, store: Store) -> None:
        """The thread is in `store` now: cancellation has to reach there."""
        self._stores.append(store)
        if self.cancelled is not None:  # perhaps before the store was in the list
            store.wake()

    def leave(self, store: Store) -> None:
        """The thread is not in `store` any more."""
        self._stores.remove(store)


def current_worker() -> Worker | None:
    """The worker whose thread this is."""
    thread = threading.current_thread()
    return thread if isinstance(thread, Worker) else None
