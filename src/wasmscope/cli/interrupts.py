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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

from wasmscope.cli.failure import INTERRUPTED, TRAPPED, complain

GRACE = 2.0
"""Seconds that a guest has, after its timeout, to reach a point where it can stop."""

_PATIENCE = 0.5
"""The same after a Ctrl-C, before somebody who waits is told why nothing happens."""

_SAMPLES, _SAMPLED_EVERY = 8, 0.02
"""How often, and after how many seconds each, it is seen whether a thread's Python code moves."""

_CALLS_THE_ENGINE = ("wasmtime.", "wasmscope.runtime.capi.")
"""Modules whose Python code calls the engine."""

_SHOW_CURSOR = "\x1b[?25h"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the guest was stopped, and the exit status that means."""

    words: str
    status: int


@dataclass(frozen=True, slots=True)
class _Running:
    """A guest that runs: what stops it, what shows it where it does not stop, and its thread."""

    stop: Callable[[], None] | None
    show: Callable[[Cause], bool]
    thread: int


class Interrupts:
    """Entered around the whole of a command's work.

    Outside of `stopping_by` a Ctrl-C ends the process at once. Inside it the first one stops the guest. A guest that
    waits in a host call cannot be stopped: the second one, or the end of a timeout's grace, shows it where it is and
    ends the process. A report that is being taken or written is waited for, unless Ctrl-C is pressed again.
    """

    def __init__(self) -> None:
        self.cause: Cause | None = None
        """Why the guest was stopped, once it was asked to."""
        self._running: _Running | None = None
        self._reporting = threading.Event()
        self._stopped = threading.Event()
        self._insisted = False
        self._ending = threading.Lock()
        """Held while a waiting guest is shown and the process ended: the guest's thread reports nothing meanwhile."""
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
    def stopping_by(
        self, stop: Callable[[], None] | None, show: Callable[[Cause], bool], timeout: float | None
    ) -> Iterator[None]:
        """While a guest runs in this thread: `stop` stops it, after `timeout` seconds at the latest.

        `show` reports, from another thread, a guest that did not stop; False: it went on meanwhile. Without `stop`
        the guest cannot be stopped: the process ends.
        """
        self._running = running = _Running(stop, show, threading.get_ident())
        timer = threading.Timer(timeout, self._time_out, (timeout, running)) if timeout is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            with self._ending:
                self._running = None
                self._stopped.set()
            if timer is not None:
                timer.cancel()

    def report_begins(self) -> None:
        """The guest did stop, and how is being reported: a timeout is no concern of it any more."""
        with self._ending:
            self._reporting.set()
            self._stopped.set()

    def _watch(self, reading: socket.socket) -> None:
        with reading:
            while numbers := reading.recv(64):
                for number in numbers:
                    if number == signal.SIGINT:
                        self._interrupt()

    def _interrupt(self) -> None:
        running = self._running
        reporting = self._reporting.is_set()
        if self._insisted or (not reporting and (running is None or running.stop is None)):
            _end_process(INTERRUPTED)
        if reporting:
            self._insisted = True
            complain("note", "the guest has stopped and is being reported; Ctrl-C again ends without that")
        elif running is not None and self.cause is not None:
            self._insisted = True
            # In a thread of its own: this one has to see the next Ctrl-C.
            threading.Thread(target=self._end_waiting, args=(self.cause, running), daemon=True).start()
        elif running is not None and running.stop is not None:
            self.cause = Cause("Ctrl-C", INTERRUPTED)
            running.stop()
            if not self._stopped.wait(_PATIENCE) and _is_inside_the_engine(running.thread):
                complain("note", "the guest waits for its host; Ctrl-C again ends")

    def _time_out(self, seconds: float, running: _Running) -> None:
        if self.cause is not None or self._stopped.is_set():
            return
        self.cause = Cause(f"timeout of {seconds:g} s", TRAPPED)
        if running.stop is not None:
            running.stop()
            self._stopped.wait(GRACE)
        self._end_waiting(self.cause, running)

    def _end_waiting(self, cause: Cause, running: _Running) -> None:
        """Show the guest where it is and end the process, unless it stops after all."""
        while not self._stopped.is_set():
            if not _is_inside_the_engine(running.thread):
                continue  # it stopped, and its report is about to begin
            with self._ending:
                if not self._stopped.is_set() and running.show(cause):
                    _end_process(cause.status)


def _is_inside_the_engine(thread: int) -> bool:
    """Whether a thread is, for a while, inside one call of the engine, and no Python code of ours is at work there."""
    places = {_place(thread)}
    for _ in range(_SAMPLES):
        time.sleep(_SAMPLED_EVERY)
        places.add(_place(thread))
    return len(places) == 1 and None not in places


def _place(thread: int) -> tuple[int, int] | None:
    """The instruction of Python's that calls the engine; None where the thread is at something else."""
    frame = sys._current_frames().get(thread)
    if frame is None or not frame.f_globals.get("__name__", "").startswith(_CALLS_THE_ENGINE):
        return None
    return id(frame), frame.f_lasti


def _end_process(status: int) -> NoReturn:
    """End without waiting for the main thread, which may be inside the engine for good."""
    if sys.stderr.isatty():
        sys.stderr.write(_SHOW_CURSOR)  # the progress display hides it
    sys.stderr.flush()
    os._exit(status)
