"""One launched call: the guest's thread, and how it stands still and goes on.

It does not know its `Debuggee`, so that one which nobody has any more is collected, and its guest ended.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, assert_never

from wasmscope.debug.channel import Channel, Injected
from wasmscope.debug.resumption import Continue, InjectCall, Resumption
from wasmscope.errors import NotPaused
from wasmscope.runtime.asynchronous import start
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.pending import Ended
from wasmscope.runtime.resumption import EarlyReturn, JumpTo, ThrowException
from wasmscope.runtime.waiting import Call, Pause
from wasmscope.runtime.worker import Worker

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


class Execution:
    """`func(store, *args)` on a thread of its own, in a copy of the context."""

    def __init__(self, store: Store, func: Callable[..., Any], args: Sequence[Any], caught_exceptions: bool) -> None:
        self.channel = Channel()
        self.caught_exceptions = caught_exceptions
        self._store = store
        self._func = func
        self._args = args
        self._call = Call(self._run, contextvars.copy_context(), self.channel)
        self._worker = Worker(self._call)
        # Reentrant: a signal handler may interrupt the guest while this very thread is doing so.
        self._lock = threading.RLock()
        self._runs = False
        self._ended = False
        self._is_interrupting = False
        """An interruption was asked for and is not told yet."""

    # -- by whoever drives it ------------------------------------------------------------------------------------

    def launch(self) -> Pause:
        """Start the thread, which stands still before it enters the guest. Raises `WasmscopeError`: store in use."""
        start(self._store, self._worker)
        try:
            message = self.channel.wait(None)
        except BaseException:
            self.abandon()
            raise
        finally:
            self._store.occupancy.free(self._worker)
        match message:
            case Pause():
                return message
            case Ended():
                message.unwrap()  # another thread entered the store at this very moment
        raise AssertionError("it does nothing before it stands still")

    def go_on(self, pause: Pause, resumption: Resumption, injected: Call | None) -> bool:
        """Let the guest go on from `pause`; to do it again makes no difference. False: its thread is in use."""
        if injected is not None:
            return pause.nest(injected)
        pause.end(Ended(resumption))
        return True

    def injected(self, pause: Pause, injection: InjectCall) -> Call:
        """The call that is to be nested in `pause`."""

        def run() -> Any:
            with self._running():
                return injection.func(self._store, *injection.args)

        return Call(run, contextvars.copy_context(), _Injection(self.channel, pause))

    def interrupt(self) -> None:
        """See `Debuggee.interrupt`. Safe from any thread and from signal handlers."""
        with self._lock:
            if self._ended:
                return
            self._is_interrupting = True
            if self._runs:
                self._store.interrupt()

    def awaits(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the guest cannot go on before something was awaited by `loop`."""
        return self._worker.awaits(loop)

    def abandon(self) -> None:
        """End the guest; wait a little until it has ended. One in a host function ends when that returns."""
        self._worker.abandon(self._call, "the debuggee was closed")
        self.channel.abandon()

    # -- on the guest's thread -----------------------------------------------------------------------------------

    def _run(self) -> Any:
        store = self._store
        with store.occupancy, store.told_to(self):
            self._stand_still(None)
            try:
                with self._running():
                    return self._func(store, *self._args)
            finally:
                with self._lock:
                    self._ended = True

    def handle(self, store: Store, event: DebugEvent) -> None:
        """As a debug handler: return when the guest is to go on."""
        with self._lock:
            if isinstance(event, DebugEvent.Interrupted):
                self._is_interrupting = False
        with self._standing():
            self._stand_still(event)

    def _stand_still(self, event: DebugEvent | None) -> None:
        refusal: Exception | None = None
        while True:
            resumption: Resumption = self._worker.stand_still(event, refusal, self.channel)
            match resumption:
                case Continue():
                    return
                case EarlyReturn() | ThrowException() | JumpTo():
                    try:
                        if event is None:
                            raise NotPaused("nothing of the guest has run yet: there is no frame that could")
                        self._store.redirect(resumption)
                        return
                    except Exception as error:
                        refusal = error
                case InjectCall():
                    raise AssertionError("it is nested in the pause")
                case _:
                    assert_never(resumption)

    # An interruption is for the guest that goes on, not for calls made while it stands still. So while it does, and
    # only then, the store does not know of it.

    @contextmanager
    def _running(self) -> Iterator[None]:
        self._set_runs(True)
        try:
            yield
        finally:
            self._set_runs(False)

    @contextmanager
    def _standing(self) -> Iterator[None]:
        self._set_runs(False)
        try:
            yield
        finally:
            self._set_runs(True)

    def _set_runs(self, runs: bool) -> None:
        with self._lock:
            self._runs = runs
            if runs and self._is_interrupting:
                self._store.interrupt()
            elif not runs:
                self._is_interrupting |= self._store.withdraw_interrupt()


class _Injection:
    """Who is told how an injected call ended: the driver, who has to learn where the guest stands then."""

    def __init__(self, channel: Channel, pause: Pause) -> None:
        self._channel = channel
        self._pause = pause

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """That of whoever drives the guest."""
        return self._channel.loop

    def send(self, message: Any) -> bool:
        """Say that the call has ended, or what is to be awaited for it."""
        return self._channel.send(Injected(self._pause, message) if isinstance(message, Ended) else message)
