"""Who is told of a store's events: its handler, or a debugger in place of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wasmscope.runtime.event import Handler, Listener
from wasmscope.runtime.shadow import Shadow


class Audience:
    """The handler of a store, and a listener in place of it; the guest tells of throws only where they want it."""

    def __init__(self, shadow: Shadow | None) -> None:
        self._shadow = shadow
        self._handler: Handler | None = None
        self._wants_throws = False
        self._listener: Listener | None = None

    @property
    def current(self) -> Handler | None:
        """Who is told now, if anybody."""
        return self._handler if self._listener is None else self._listener

    def set_handler(self, handler: Handler | None, *, caught_exceptions: bool) -> None:
        """Have `handler` told, and with `caught_exceptions` at every throw."""
        self._handler, self._wants_throws = handler, caught_exceptions
        self._update_throws()

    @contextmanager
    def replaced(self, listener: Listener | None) -> Iterator[None]:
        """Have all events that happen meanwhile told to `listener` instead of the handler; None: to the handler."""
        outer, self._listener = self._listener, listener
        self._update_throws()
        try:
            yield
        finally:
            self._listener = outer
            self._update_throws()

    def _update_throws(self) -> None:
        if self._shadow is not None:
            listener = self._listener
            self._shadow.throws = self._wants_throws if listener is None else listener.caught_exceptions
