"""Ctrl-C and timeouts, which stop the guest where its state can be shown.

Python runs its signal handlers only between its own instructions, and none is run while the main thread is inside the
engine. The operating system's handler however writes the signal's number to a file descriptor at once
(`signal.set_wakeup_fd`); a thread waits there, and `Store.interrupt` may be called from any thread.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

from wasmscope.cli.failure import INTERRUPTED, TRAPPED, complain

GRACE = 2.0
"""Seconds that a guest has, after its timeout, to reach a point where it can stop."""

_SHOW_CURSOR = "\x1b[?25h"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the guest was stopped, and the exit status that means."""

    words: str
    status: int


class Interrupts:
    """Entered around the whole of a command's work.

    Outside of `stopping_by` a Ctrl-C ends the process at once. Inside it the first one stops the guest, the second
    ends the process: a guest that waits in a host call cannot be stopped.
    """

    def __init__(self) -> None:
        self.cause: Cause | None = None
        """Why the guest was stopped, once it was asked to."""
        self._stop: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._former_handler: Any = None
        self._former_fd = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self  # signals are delivered to the main thread, and so to whoever runs there
        self._sockets = reading, writing = socket.socketpair()
        writing.setblocking(False)
        self._former_handler = signal.signal(signal.SIGINT, lambda number, frame: None)
        self._former_fd = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reading,), name="wasmscope-signals", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sockets is None:
            return
        signal.set_wakeup_fd(self._former_fd)
        signal.signal(signal.SIGINT, self._former_handler)
        self._sockets[1].close()  # ends the watching thread, which closes its own side

    @contextmanager
    def stopping_by(self, stop: Callable[[], None] | None, timeout: float | None) -> Iterator[None]:
        """While a guest runs: `stop` stops it, after `timeout` seconds at the latest.

        Without `stop` it cannot be stopped: a timeout then ends the process.
        """
        timer = threading.Timer(timeout, self._time_out, (timeout, stop)) if timeout is not None else None
        self._stop = stop
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            self._stop = None
            self.stopped()
            if timer is not None:
                timer.cancel()

    def stopped(self) -> None:
        """The guest did stop."""
        self._stopped.set()

    def _watch(self, reading: socket.socket) -> None:
        with reading:
            while numbers := reading.recv(64):
                for number in numbers:
                    if number == signal.SIGINT:
                        self._interrupt()

    def _interrupt(self) -> None:
        stop = self._stop
        if stop is None or self.cause is not None:
            _end_process(INTERRUPTED)
        self.cause = Cause("Ctrl-C", INTERRUPTED)
        stop()

    def _time_out(self, seconds: float, stop: Callable[[], None] | None) -> None:
        if self.cause is not None or self._stopped.is_set():
            return
        self.cause = Cause(f"timeout of {seconds:g} s", TRAPPED)
        if stop is not None:
            stop()
        if not self._stopped.wait(GRACE if stop is not None else 0):
            complain("error", f"{self.cause.words}: the guest is waiting for its host, so its frames cannot be shown")
            _end_process(TRAPPED)


def _end_process(status: int) -> NoReturn:
    """End without waiting for the main thread, which may be inside the engine for good."""
    if sys.stderr.isatty():
        sys.stderr.write(_SHOW_CURSOR)  # the progress display hides it
    sys.stderr.flush()
    os._exit(status)
