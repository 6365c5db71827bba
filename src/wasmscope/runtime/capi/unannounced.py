"""Guests that are entered by wasmtime's own classes, not by ours: noticed all the same, at both ends.

A function out of a table that the host made is wasmtime's own `Func`. Calling it asks the store for its context, once,
right before the guest is entered, and holds what it was given until the engine has come back.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import FrameType
from typing import Any

import wasmtime

from wasmscope.runtime.capi.calls import innermost

_ENTRIES = frozenset(
    id(entry.__code__)
    for entry in (
        wasmtime.Func.__call__,
        wasmtime.Instance.__init__,
        wasmtime.Linker.instantiate,
        wasmtime.InstancePre.instantiate,
    )
)


def is_entry(frame: FrameType) -> bool:
    """Whether `frame`, which asks for the context of a store, is about to enter a guest of it."""
    return id(frame.f_code) in _ENTRIES


class UnannouncedContext:
    """Stands for a store's context in the one call that enters a guest.

    `enter` is called when the engine is, and what it returns when the engine has come back.
    """

    __slots__ = ("_context", "_enter")

    def __init__(self, context: Any, enter: Callable[[], Callable[[], None]]) -> None:
        self._context = context
        self._enter = enter

    @property
    def _as_parameter_(self) -> Any:
        # ctypes asks for this where an argument is no pointer, and lets go of what it got when the call is over.
        # The argument itself may live longer, in frames that a traceback holds.
        pointer = ctypes.pointer(self._context.contents)
        pointer.entry = _Entry(self._enter())  # type: ignore[attr-defined]  # an object of ctypes takes attributes
        return pointer


class _Entry:
    """Lives as long as the engine is in the guest."""

    __slots__ = ("_leave", "_token")

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        # What a host function raises is for wasmtime's own class to find, where it looks for it.
        self._token = innermost.set(None)

    def __del__(self) -> None:
        innermost.reset(self._token)
        self._leave()
