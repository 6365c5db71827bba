"""What tests of debuggees wait for."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def no_guest_runs() -> bool:
    return not any(thread.name == "wasmscope-guest" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    until(no_guest_runs)
