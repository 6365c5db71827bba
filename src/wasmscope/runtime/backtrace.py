"""Backtraces of guests that the engine's stack does not show as they are: in mirrors, or taken off that stack."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.runtime.frame import FrameHandle
from wasmscope.runtime.trace import Role, place_of
from wasmscope.runtime.trap import Frame

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

LONGEST = 20
"""The engine's backtraces end there (wasmtime `Config::wasm_backtrace_max_frames`)."""

_OF_MIRRORS = frozenset({Role.RUNNER, Role.WITHIN, Role.RESUMING})


def is_translatable(store: Store, engine_frames: Sequence[wasmtime.Frame]) -> bool:
    """Whether each of the engine's frames is one of the guest's, and none of those is missing."""
    if store.activations[-1].suspended:
        return False
    if engine_frames and any(activation.suspended for activation in store.activations):
        return False
    tables, redirected = store.instances.tables, store.shadow.redirected
    roles = [place_of(frame, tables, redirected).role for frame in engine_frames]
    # What leads to a mirror from code that is none is only seen as the innermost.
    return _OF_MIRRORS.isdisjoint(roles) and (not engine_frames or not _is_companion(store, engine_frames[0]))


def _is_companion(store: Store, frame: wasmtime.Frame) -> bool:
    place = place_of(frame, store.instances.tables, store.shadow.redirected)
    return place.role is Role.ENTERING and frame.module_name not in store.instances.tables


def frames_of(
    store: Store, engine_frames: Sequence[wasmtime.Frame], code: wasmtime.TrapCode | None
) -> list[wasmtime.Frame]:
    """The guest's frames, innermost first, as many as the engine would give; `code` is that of its trap.

    Those of code that was not rewritten are the engine's, where they are among those that it gives.
    """
    shown: list[wasmtime.Frame] = []
    waiting = deque(store.frames())
    innermost = waiting[0] if waiting else None

    def show() -> int:
        handle = waiting.popleft()
        shown.append(_shown(handle, handle is innermost and code is wasmtime.TrapCode.STACK_OVERFLOW))
        return handle.activation()

    tables, redirected, last = store.instances.tables, store.shadow.redirected, 0
    for position, frame in enumerate(engine_frames):
        role = place_of(frame, tables, redirected).role
        if role is Role.FOREIGN:
            shown.append(frame)
        elif waiting and (role in (Role.FUNCTION, Role.RUNNER) or (role is Role.ENTERING and position == 0)):
            last = show()
        elif role is Role.RESUMING:
            # One that overflowed is the innermost, and the frame that it was to go on with was not shown.
            last = show() if position == 0 and waiting else last
            while waiting and waiting[0].activation() == last:
                show()
    while waiting and len(shown) < LONGEST:
        show()
    return shown[:LONGEST]


def _shown(handle: FrameHandle, overflowed: bool) -> Frame:
    """A frame; where the stack overflowed on entry to its function it is nowhere, as the engine has it."""
    raw = handle.raw
    nowhere = raw.entering or (overflowed and raw.pc == raw.table.module.codes[raw.function].code_start)
    return Frame.at(raw.table, raw.function, None if nowhere else raw.pc)
