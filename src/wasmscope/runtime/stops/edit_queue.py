"""Changes of breakpoints that are waiting: other threads than the guest's want some made while it runs."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from wasmscope.errors import WasmscopeError
from wasmscope.runtime.stops.edit import BreakpointEdit

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


class EditQueue:
    """Those of one store, in the order in which they were asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[BreakpointEdit] = deque()

    def add(self, edit: BreakpointEdit) -> None:
        """Have it made: now, or on the guest's thread when it calls the host next."""
        self._waiting.append(edit)
        while not edit.is_done:
            try:
                self._store.occupancy.run_between(self.apply)
            except WasmscopeError:  # what is wrong with the edit it keeps itself: the store is in use
                self._store.wake()
                if self._store.occupancy.thread is not None:
                    return

    def apply(self) -> None:
        """Make all that wait. The caller is the only one in the store."""
        while self._waiting:
            self._waiting.popleft().apply()

    def settle(self) -> None:
        """Nobody is in the store any more: what is waiting would wait for the next call."""
        if self._waiting:
            with suppress(WasmscopeError):  # then it is made there
                self._store.occupancy.run(self.apply)
