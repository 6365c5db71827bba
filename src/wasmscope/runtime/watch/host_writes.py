"""What hosts write to what is watched: found when a host call returns, by what is there then.

All that guests write is known before they do. So what is watched is kept as it is known to be (`_known`), and what is
found to be otherwise when a host call returns, a host has written meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasmscope.analysis.accesses import WRITE, Space
from wasmscope.runtime.val import Val
from wasmscope.runtime.watch.content import Content, entity_value, is_same, memory_content
from wasmscope.runtime.watch.watchpoint import Watchpoint

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

MOST_COMPARED = 16 << 20
"""Bytes of a memory: behind so many from where a watchpoint begins, nobody sees what hosts write."""


@dataclass(frozen=True, slots=True)
class HostWrite:
    """A host has changed what a watchpoint is on."""

    watch: Watchpoint
    old: Content
    new: Content


@dataclass(eq=False, slots=True)
class HostCall:
    """The host runs, called by a guest or by whoever drives one."""

    is_told: bool
    """Whether what it writes is."""
    early: dict[Watchpoint, HostWrite] = field(default_factory=dict)
    """What it had written when it entered guests itself."""

    def wrote(self, change: HostWrite) -> HostWrite:
        """A change of its own, together with those before, whatever guests wrote between them."""
        before = self.early.get(change.watch)
        return change if before is None else HostWrite(change.watch, before.old, change.new)


class HostWrites:
    """Of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Watchpoint, bytearray | Val] = {}
        self._calls: list[HostCall] = []

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, watch: Watchpoint) -> None:
        """Compare what this is on, if writes to it are told."""
        if watch.mode & WRITE and watch.space is not Space.LOCAL:
            self._known[watch] = self._content(watch)

    def remove(self, watch: Watchpoint) -> None:
        """Not any more."""
        self._known.pop(watch, None)
        for call in self._calls:
            call.early.pop(watch, None)

    def write(self, watch: Watchpoint, start: int, written: bytes) -> None:
        """A guest is about to write these bytes there."""
        known = self._known.get(watch)
        if isinstance(known, bytearray):
            first = start - watch.range[0]
            fits = written[: max(0, len(known) - first)]
            known[first : first + len(fits)] = fits

    def set(self, watch: Watchpoint, value: Val) -> None:
        """A guest is about to make it that."""
        if watch in self._known:
            self._known[watch] = value

    def settle(self) -> None:
        """Somebody else is about to run: what was written up to now is the work of the host that runs, if told."""
        if not self._known:
            return
        call = self._calls[-1] if self._calls else None
        for change in self._changes():
            if call is not None and call.is_told:
                call.early[change.watch] = call.wrote(change)

    def host_called(self) -> HostCall:
        """A guest has called a host function."""
        self._calls.append(HostCall(is_told=True))
        return self._calls[-1]

    def host_returned(self, call: HostCall | None) -> list[HostWrite]:
        """It is about to return: what it has written. None: it was called before anything was watched."""
        if call is not None:
            del self._calls[self._calls.index(call) :]
        if not self._known:
            return []
        early = {} if call is None else call.early
        changes = early | {each.watch: each if call is None else call.wrote(each) for each in self._changes()}
        order = [watch for watch in self._known if watch in changes]
        return [changes[watch] for watch in order if not is_same(changes[watch].old, changes[watch].new)]

    def unseen(self) -> list[HostWrite]:
        """What somebody has written since the guest ran last: a host function of wasmtime's own has returned."""
        return self._changes()

    def host_told(self) -> HostCall | None:
        """Whoever drives the guest is asked or told something, and may write what they like."""
        if not self._known and not self._calls:
            return None  # there is nobody whose doing it could be taken for
        self.settle()  # what a host function has written before is its own
        self._calls.append(HostCall(is_told=False))
        return self._calls[-1]

    def host_knows(self, call: HostCall | None) -> None:
        """They have done with it."""
        self.host_returned(call)

    def _changes(self) -> list[HostWrite]:
        """What is not as it was known to be; it is known now."""
        found = []
        for watch, old in self._known.items():
            new = self._content(watch)
            if isinstance(old, bytearray):
                assert isinstance(new, bytearray)
                old += bytes(len(new) - len(old))  # if the memory has grown
                if old != new:
                    found.append(HostWrite(watch, bytes(old), bytes(new)))
            else:
                assert isinstance(new, Val)
                if not is_same(old, new):
                    found.append(HostWrite(watch, old, new))
            self._known[watch] = new
        return found

    def _content(self, watch: Watchpoint) -> bytearray | Val:
        if watch.space is not Space.MEMORY:
            return entity_value(self._store, watch)
        start, end = watch.range
        return bytearray(memory_content(self._store, watch, start, min(end, start + MOST_COMPARED)))
