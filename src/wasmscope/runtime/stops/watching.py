"""Watchpoints as a store has them: set and removed, told where a mirror stops, over when their frame is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from wasmscope.errors import BreakpointError
from wasmscope.instrument.mirror.layout import NOT_RESUMED, RESUME_BASE, RESUME_INDEX
from wasmscope.instrument.mirror.watched import Watched
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.walk import Activation, CallSite, RawFrame, call_sites
from wasmscope.runtime.watch.hits import host_event
from wasmscope.runtime.watch.host_writes import HostWrite, HostWrites
from wasmscope.runtime.watch.watches import Watches
from wasmscope.runtime.watch.watchpoint import WatchedFrame, Watchpoint

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

Undo: TypeAlias = Callable[[], None]


class Watching:
    """The watchpoints of one store; `flushed` is called when mirrors know of changes, with the stops that changed."""

    def __init__(self, store: Store, mirrors: Mirrors, flushed: Callable[[list[tuple[Mirror, int]]], None]) -> None:
        self._store = store
        self._mirrors = mirrors
        self._flushed = flushed
        self._watches = Watches(store, mirrors)

    @property
    def host_writes(self) -> HostWrites:
        """What hosts write."""
        return self._watches.host_writes

    def __contains__(self, watch: Watchpoint) -> bool:
        return watch in self._watches

    # -- changes -------------------------------------------------------------------------------------------------

    def add(self, watch: Watchpoint) -> Undo:
        """Have accesses told from the next `flush` on; returns what takes that back."""
        if watch in self._watches:
            raise BreakpointError("the watchpoint is set already")
        frame = watch.frame
        if frame is not None:
            if not self._is_there(frame):
                raise BreakpointError("the frame has returned")
            self._mirrors.routes.want(frame.instance, frame.mirror.function)
        self._watches.add(watch)
        return lambda: self._remove(watch)

    def remove(self, watch: Watchpoint) -> Undo:
        """Not any more; returns what takes that back."""
        self._remove(watch)

        def undo() -> None:
            self.add(watch)

        return undo

    def _remove(self, watch: Watchpoint) -> None:
        self._watches.remove(watch)
        if watch.frame is not None:
            self._mirrors.routes.release(watch.frame.instance, watch.frame.mirror.function)

    def flush(self) -> None:
        """Have mirrors know of the changes. Raises `WasmscopeError` where there is no room."""
        self._flushed(self._watches.flush())

    def _end(self, watches: list[Watchpoint]) -> None:
        for watch in watches:
            self._remove(watch)
        if watches:
            self.flush()

    def activation_ended(self, activation: Activation) -> None:
        """Its frames are gone."""
        self._end(self._watches.of_activation(activation))

    def all(self) -> list[Watchpoint]:
        """Those that are set; not those on locals of frames that are gone."""
        self._end([watch for watch in self._watches if watch.frame is not None and not self._is_there(watch.frame)])
        return list(self._watches)

    def _is_there(self, frame: WatchedFrame) -> bool:
        return frame.activation in self._store.activations and any(
            site.base == frame.base and site.instance is frame.instance and site.function == frame.mirror.function
            for site in self._sites(frame.activation)
        )

    def _sites(self, activation: Activation) -> Iterator[CallSite]:
        """Where the frames of an activation that has not ended are, oldest first."""
        store = self._store
        inner = store.activations[store.activations.index(activation) + 1 :]
        end = inner[0].base if inner else store.shadow.stack_pointer if activation.top is None else activation.top
        return call_sites(store.shadow, store.instances, self._mirrors, activation, end)

    # -- what mirrors have to do ---------------------------------------------------------------------------------

    def of_instance(self, instance: Instance) -> Watched:
        """What of an instance is watched."""
        return self._watches.of_instance(instance)

    def of_function(self, instance: Instance, function: int) -> Watched:
        """What a function of an instance may access of it."""
        watched = self._watches.of_instance(instance)
        return instance.module.mirror_code.mirror(function).concerned(watched) if watched else watched

    def functions(self, instance: Instance) -> frozenset[int]:
        """The functions of an instance that may access it."""
        bits = self._watches.of_instance(instance).bits
        if not bits:
            return frozenset()
        entries = instance.module.frame_table.functions
        return frozenset(function for function, entry in enumerate(entries) if entry.accessed & bits)

    def unfit(self) -> Callable[[CallSite], bool]:
        """What says of frames, as long as nothing changes, whether they cannot go on in the code they run."""
        bases = self._watches.bases()
        return lambda site: site.base in bases or not self._is_fit(site)

    def _is_fit(self, site: CallSite) -> bool:
        """Whether the code of a frame looks for what is watched, if it has to, and only then."""
        watched = self._watches.of_instance(site.instance)
        if site.variant is None:
            return not site.table.functions[site.function].accessed & watched.bits
        made_for = site.variant.variant.code.watched
        needed = self.of_function(site.instance, site.function)
        return made_for.covers(needed) and bool(made_for) == bool(needed)

    def mark(self, mirror: Mirror) -> list[int]:
        """A mirror was made: which of its instructions stop."""
        return [index for _, index in self._watches.mark(mirror)]

    def stops_at(self, mirror: Mirror, index: int) -> bool:
        """Whether a mirror stops at an instruction for what it may access."""
        return self._watches.stops_at(mirror, index)

    # -- telling -------------------------------------------------------------------------------------------------

    def tell(self, raw: RawFrame, index: int, is_redirected: Callable[[], bool]) -> bool:
        """Tell what the innermost frame is about to access, and what a host has written; whether anybody was asked.

        `is_redirected()` says whether the frame goes on in another way, so that the access does not happen.
        """
        mirror = raw.mirror
        assert mirror is not None
        if index == 0 and self.entered(mirror, raw.base):
            self._mirrors.control.set_word(RESUME_INDEX, NOT_RESUMED & 0xFFFF_FFFF)
        asked = False
        if self._watches.is_behind_import(mirror, index):
            asked = self.tell_host_writes(self.host_writes.unseen())
        return self.tell_hits(raw, is_redirected) or asked

    def tell_hits(self, raw: RawFrame, is_redirected: Callable[[], bool]) -> bool:
        """Tell what the innermost frame is about to access; whether anybody was asked."""
        asked = False
        seen: set[Watchpoint] = set()
        while not is_redirected():
            reader, hits = self._watches.hits(raw)
            hit = next((hit for hit in hits if hit.watch not in seen), None)
            if hit is None:
                self._watches.happens(hits)
                break
            seen.add(hit.watch)
            asked = asked or hit.watch.condition is not None
            if self._counts(hit.watch):
                self._tell(hit.event(self._store, reader))
                asked = True
        return asked

    def tell_host_writes(self, writes: list[HostWrite]) -> bool:
        """Tell what a host has written; whether anybody was asked."""
        asked = False
        for write in writes:
            if write.watch in self._watches:
                asked = asked or write.watch.condition is not None
                if self._counts(write.watch):
                    self._tell(host_event(write))
                    asked = True
        return asked

    def entered(self, mirror: Mirror, base: int) -> bool:
        """A frame is at its first instruction: watchpoints on locals of one that was there before are over.

        Returns whether it was resumed there, and so is the one that is watched.
        """
        control = self._mirrors.control
        if control.word(RESUME_BASE) == base and control.word(RESUME_INDEX) == 0:
            return True
        self._end(self._watches.at(mirror, base))
        return False

    def _tell(self, event: DebugEvent) -> None:
        with self._store.standing_still():
            self._store.tell(event)

    def _counts(self, watch: Watchpoint) -> bool:
        """Count a hit; whether it is told. A temporary watchpoint that is told is removed."""
        if not self._holds(watch):
            return False
        watch.hits += 1
        if watch.ignore_count > 0:
            watch.ignore_count -= 1
            return False
        if watch.temporary and watch in self._watches:
            self._end([watch])
        return True

    def _holds(self, watch: Watchpoint) -> bool:
        """What the watchpoint's condition says of the innermost frame."""
        condition, store = watch.condition, self._store
        if condition is None:
            return True
        assert callable(condition)
        top = store.innermost_frame()
        assert top is not None
        with store.standing_still(), store.consulting():
            return bool(condition(top))
