"""A guest driven from outside, as a state machine: it runs until something happens, and stands still until told.

::

                 launch                       resume, step, ...
        idle ─────────────> paused ──────────────────────────────> running
                             ^  ^                                   │   │
                             │  └── an event happens (it is given) ─┘   │
                      launch │                                          │
                             └────────────── exited <───────────────────┘
                                                 the call ends (Completed)

    method                       idle         paused        running       exited
    launch                       -> paused    NotPaused     NotPaused     -> paused
    resume                       NotPaused    -> running    waits on (1)  NotPaused
    step, run_to, ...            NotPaused    -> running    NotPaused     NotPaused
    interrupt                    nothing      remembered    Interrupted   nothing
    frames, modules, instances   yes          yes           NotPaused     yes
    close                        nothing      -> exited     -> exited     nothing

(1) `resume()` alone, where the one before was broken off, by Ctrl-C or a time-out: the guest runs on, no event is lost.

So it is in Wasmtime (`crates/debugger/src/lib.rs`, `Debugger::run`; `wit/world.wit`, `debuggee`), which panics where
`NotPaused` is raised here, and which has to run its debuggee to the end, where this one can be dropped.

KeyboardInterrupt may be raised between any two lines of the driver's thread. So the state is one attribute, everything
on the way from paused to running can be done twice, and the state in which an event was given is entered last of all.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wasmscope.debug.channel import Message
from wasmscope.debug.execution import Execution
from wasmscope.debug.resumption import Continue, InjectCall, Resumption
from wasmscope.debug.status import Exited, Idle, Paused, Running, Status, execution_of, wrong
from wasmscope.errors import NotPaused, WasmscopeError
from wasmscope.runtime.event import Completed, DebugEvent
from wasmscope.runtime.pending import Ended
from wasmscope.runtime.resumption import EarlyReturn, JumpTo, ThrowException

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


class Driver:
    """The state of a debuggee, and the ways from one to another. When it is collected, so is its guest."""

    def __init__(self, store: Store, caught_exceptions: bool) -> None:
        self.store = store
        self.status: Status = Idle()
        self._caught_exceptions = caught_exceptions
        self._lock = threading.RLock()
        self._waiter: object = None
        """Who waits for the next event: a thread's identifier, or a task."""
        self._end_with_it: weakref.finalize[Any, Any] | None = None

    def launch(self, func: Callable[..., Any], args: Sequence[Any]) -> None:
        """See `Debuggee.launch`."""
        with self._lock:
            if not isinstance(self.status, Idle | Exited):
                raise wrong(self.status, "launch another call")
            execution = Execution(self.store, func, args, self._caught_exceptions)
            end_with_it = weakref.finalize(self, execution.abandon)
            try:
                pause = execution.launch()
            except BaseException:
                end_with_it.detach()
                raise
            self._end_with_it = end_with_it
            self.status = Paused(execution, pause, None, pause)

    def resume(self, resumption: Resumption) -> DebugEvent:
        """See `Debuggee.resume`."""
        waiter = threading.get_ident()
        try:
            running = self._begin(resumption, waiter, None)
            message = running.paused.execution.channel.wait(running.paused.seen)
        finally:
            self._end(waiter)
        return self._arrive(running, message)

    async def resume_async(self, resumption: Resumption) -> DebugEvent:
        """See `Debuggee.resume_async`."""
        waiter = asyncio.current_task()
        try:
            running = self._begin(resumption, waiter, asyncio.get_running_loop())
            message = await running.paused.execution.channel.wait_async(running.paused.seen)
        finally:
            self._end(waiter)
        return self._arrive(running, message)

    def close(self) -> None:
        """See `Debuggee.close`."""
        status = self.status
        execution = execution_of(status)
        if execution is None:
            return
        execution.abandon()
        message = execution.channel.latest
        ended = (
            message if isinstance(message, Ended) else Ended(error=asyncio.CancelledError("the debuggee was closed"))
        )
        with self._lock:
            if execution_of(self.status) is execution:
                self._release()
                self.status = Exited(Completed(ended.value, ended.error))

    def _begin(self, resumption: Resumption, waiter: object, loop: asyncio.AbstractEventLoop | None) -> Running:
        """Let the guest go on; or, where that was begun and broken off, do again what may not have been done."""
        if not isinstance(resumption, Continue | InjectCall | EarlyReturn | ThrowException | JumpTo):
            raise TypeError(f"expected Continue, InjectCall, EarlyReturn, ThrowException or JumpTo, not {resumption!r}")
        with self._lock:
            status = self.status
            if self._waiter not in (None, waiter):
                raise wrong(status, "resume", by_another=True)
            match status:
                case Paused(execution, pause):
                    call = execution.injected(pause, resumption) if isinstance(resumption, InjectCall) else None
                    running = Running(status, resumption, call)
                case Running(Paused(execution)) if isinstance(resumption, Continue):
                    running = status
                case _:
                    raise wrong(status, "resume")
            if loop is None:
                _refuse_to_block(execution)
            self._waiter = waiter
            execution.channel.loop = loop
            self.status = running
            if not execution.go_on(running.paused.pause, running.resumption, running.injected):
                self.status = status
                raise WasmscopeError("the store is in use by another thread, which calls a guest in the pause")
            return running

    def _end(self, waiter: object) -> None:
        if self._waiter == waiter:
            self._waiter = None

    def _arrive(self, running: Running, message: Message) -> DebugEvent:
        """Enter the state that `message` leads to; returns what happened, or raises why nothing did."""
        status = running.after(message)
        if self.status is not running:
            if isinstance(message, Ended) and isinstance(self.status, Exited):
                return self.status.event  # it was closed meanwhile
            raise NotPaused("the event was waited for by somebody else, too, who got it")
        if isinstance(status, Exited):
            self._release()
        # Nothing below is a call, behind which KeyboardInterrupt could be raised.
        self.status = status
        if isinstance(status, Paused) and status.refusal is not None:
            raise status.refusal
        assert status.event is not None
        return status.event

    def _release(self) -> None:
        """There is no guest to be ended any more."""
        if self._end_with_it is not None:
            self._end_with_it.detach()


def _refuse_to_block(execution: Execution) -> None:
    """Raise RuntimeError where the guest waits for the event loop of this very thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if execution.awaits(loop):
        raise RuntimeError("the guest waits for a coroutine on the event loop of this thread: await resume_async()")
