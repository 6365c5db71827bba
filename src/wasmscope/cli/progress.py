"""Says that a long compilation is going on, to somebody who looks at a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from wasmscope.cli.terminal import Color, stderr_console, stderr_is_terminal

_AFTER = 1.0
"""Seconds of silence: most guests are compiled by then."""

_EVERY = 0.5


@contextmanager
def progress(what: str, color: Color) -> Iterator[None]:
    """Show `what` and the time it takes on stderr while the body runs, if that is a terminal and it takes long."""
    if not stderr_is_terminal():
        yield
        return
    console = stderr_console(color)
    done = threading.Event()
    thread = threading.Thread(target=_show, args=(console, what, done), name="wasmscope-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(console: Console, what: str, done: threading.Event) -> None:
    started = time.monotonic()
    if done.wait(_AFTER):
        return
    with console.status("") as status:
        while not done.is_set():
            status.update(f"{what} ({time.monotonic() - started:.0f} s; Ctrl-C ends)")
            done.wait(_EVERY)
