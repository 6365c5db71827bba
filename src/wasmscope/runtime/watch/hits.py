"""Accesses of guests to what is watched, as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.analysis.accesses import Space
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame_values import FrameReader, Unavailable
from wasmscope.runtime.val import Val
from wasmscope.runtime.watch.content import entity_value, memory_content
from wasmscope.runtime.watch.effect import Effect
from wasmscope.runtime.watch.host_writes import HostWrite
from wasmscope.runtime.watch.watchpoint import KINDS, Watchpoint

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

MOST_WHOLE = 4096
"""Bytes of a range that is told as a whole; of larger ones what is accessed."""
MOST_TOLD = 1 << 20
"""Bytes that are told at all."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An instruction is about to access what a watchpoint is on, in these ways: some copy within it."""

    watch: Watchpoint
    effects: tuple[Effect, ...]

    @classmethod
    def find(cls, watch: Watchpoint, effects: tuple[Effect, ...]) -> Hit | None:
        """None: the instruction does nothing that the watchpoint is for."""
        start, end = watch.range
        touching = tuple(
            effect for effect in effects if effect.key == watch.key and effect.start < end and start < effect.end
        )
        return cls(watch, touching) if any(effect.mode & watch.mode for effect in touching) else None

    def written(self) -> list[tuple[int, bytes]]:
        """Which bytes of the watched memory are about to be written, and with what."""
        start, end = self.watch.range
        found = []
        for effect in self.effects:
            if effect.written_bytes is not None:
                first, last = max(start, effect.start), min(end, effect.end)
                found.append((first, effect.written_bytes(first, last)))
        return found

    def value(self) -> Val | Unavailable | None:
        """What is about to be written to an entry, a global or a local; None: nothing."""
        for effect in self.effects:
            if effect.written_value is not None:
                return effect.written_value(self.watch.address)
        return None

    def event(self, store: Store, reader: FrameReader) -> DebugEvent:
        """What is told of it; `reader` is of the frame."""
        watch = self.watch
        mode = 0
        for effect in self.effects:
            mode |= effect.mode
        if watch.space is Space.MEMORY:
            return self._memory_event(store, mode)
        old = reader.local(watch.address) if watch.space is Space.LOCAL else entity_value(store, watch)
        new = self.value()
        return DebugEvent.Watchpoint(watch, old, old if new is None else new, KINDS[mode], watch.address)

    def _memory_event(self, store: Store, mode: int) -> DebugEvent:
        watch = self.watch
        start, end = watch.range
        if watch.length is None or watch.length > MOST_WHOLE:
            start = max(start, min(effect.start for effect in self.effects))
            end = min(end, max(effect.end for effect in self.effects))
        if end - start > MOST_TOLD:
            missing = too_many(end - start)
            return DebugEvent.Watchpoint(watch, missing, missing, KINDS[mode], start)
        old = memory_content(store, watch, start, end)
        new = bytearray(old)
        for first, written in self.written():
            new[first - start : first - start + len(written)] = written
        return DebugEvent.Watchpoint(watch, old, bytes(new), KINDS[mode], start)


def host_event(write: HostWrite) -> DebugEvent:
    """What is told of what a host wrote."""
    watch, old, new = write.watch, write.old, write.new
    if not isinstance(old, bytes) or not isinstance(new, bytes):
        return DebugEvent.Watchpoint(watch, old, new, "w", watch.address, by_host=True)
    first, last = 0, len(new)
    old += bytes(last - len(old))
    if watch.length is None or watch.length > MOST_WHOLE:
        first, last = _differing(old, new)
    if last - first > MOST_TOLD:
        missing = too_many(last - first)
        return DebugEvent.Watchpoint(watch, missing, missing, "w", watch.address + first, by_host=True)
    return DebugEvent.Watchpoint(watch, old[first:last], new[first:last], "w", watch.address + first, by_host=True)


def _differing(old: bytes, new: bytes) -> tuple[int, int]:
    """The least range that has all differences of two strings of one length."""
    difference = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
    low = (difference & -difference).bit_length() - 1
    return low // 8, (difference.bit_length() + 7) // 8


def too_many(count: int) -> Unavailable:
    """In place of so many bytes."""
    return Unavailable(f"the access is to {count} bytes that are watched: read them from the memory")
