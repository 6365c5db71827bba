"""Wakes guests that run for long in the tier "chaos": their frames move all the time, not only at the beginning."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import wasmscope
from support import tiers

SECONDS = 0.004
"""Between two wakings."""


@contextmanager
def woken(store: Any) -> Iterator[None]:
    """Wake the guests of a store until the end of the block; not in other tiers, nor in a store of plain wasmtime."""
    if tiers.configured().tier is not tiers.Tier.CHAOS or not isinstance(store, wasmscope.Store):
        yield
        return
    ended = threading.Event()

    def wake() -> None:
        while not ended.wait(SECONDS):
            store.wake()

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
