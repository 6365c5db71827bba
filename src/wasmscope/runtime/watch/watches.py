"""The watchpoints of one store: set in its mirrors, found where these stop, and told."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wasmscope.analysis.accesses import READ, WRITE, Access, Field, Space
from wasmscope.instrument.mirror.watched import NOTHING, Kind, Watched
from wasmscope.instrument.mirror.watching import ALWAYS, DESCRIPTOR_SIZE, FRAME, NO_OPERAND
from wasmscope.instrument.shadow_frame import MemorySlot
from wasmscope.runtime.frame_values import FrameReader
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.val import Val
from wasmscope.runtime.walk import Activation, RawFrame
from wasmscope.runtime.watch.effect import effects_at, target_of
from wasmscope.runtime.watch.hits import Hit
from wasmscope.runtime.watch.host_writes import HostWrites
from wasmscope.runtime.watch.things import Cells, Room, Thing
from wasmscope.runtime.watch.watchpoint import Key, Watchpoint, key_of
from wasmscope.wasm.module import ExternKind
from wasmscope.wasm.types import I32, I64

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_DESCRIPTOR = struct.Struct("<6I2Q")
ENTITIES = {
    Space.MEMORY: ExternKind.MEMORY,
    Space.TABLE: ExternKind.TABLE,
    Space.GLOBAL: ExternKind.GLOBAL,
}
_NO_KEY: Key = (Space.LOCAL, ())
_ENTRIES = -1
"""In place of a local: that a function is entered, where a frame of it is watched."""


class Watches:
    """Which watchpoints there are, and the records by which mirrors know."""

    def __init__(self, store: Store, mirrors: Mirrors) -> None:
        self._store = store
        self._mirrors = mirrors
        self._watchpoints: dict[Watchpoint, None] = {}
        self._by_key: dict[Key, dict[Watchpoint, None]] = defaultdict(dict)
        self._things: dict[Key, Thing] = {}
        self._room = Room(mirrors.control)
        self._keys: dict[tuple[int, Space, int], Key] = {}
        self._descriptors: dict[tuple[int, int], list[int]] = {}
        """The addresses of those of an instruction, by the mirror's number and its own."""
        self._stops: dict[int, set[int]] = {}
        """The instructions that stop, by the mirror's number."""
        self._changed: set[Key] = set()
        self._stops_behind_calls = False
        self._watched: dict[int, Watched] = {}
        """What is, by the instance."""
        self._cells = Cells(store.shadow, self._room)
        self.host_writes = HostWrites(store)

    def __bool__(self) -> bool:
        return bool(self._watchpoints)

    def __iter__(self) -> Iterator[Watchpoint]:
        return iter(list(self._watchpoints))

    def __contains__(self, watch: Watchpoint) -> bool:
        return watch in self._watchpoints

    def of_activation(self, activation: Activation) -> list[Watchpoint]:
        """Those on locals of frames in an activation."""
        return [watch for watch in self._watchpoints if watch.frame and watch.frame.activation is activation]

    def bases(self) -> set[int]:
        """The addresses of the frames that watched locals are of."""
        return {watch.frame.base for watch in self._watchpoints if watch.frame}

    def at(self, mirror: Mirror, base: int) -> list[Watchpoint]:
        """Those on locals of a frame."""
        found = (watch for watch in self._watchpoints if watch.frame)
        return [watch for watch in found if watch.frame and (watch.frame.mirror, watch.frame.base) == (mirror, base)]

    # -- changes -------------------------------------------------------------------------------------------------

    def add(self, watch: Watchpoint) -> None:
        """There is another one; `flush` has mirrors know."""
        self._watchpoints[watch] = None
        self._by_key[watch.key][watch] = None
        self._changed |= _keys_of(watch)
        self.host_writes.add(watch)

    def remove(self, watch: Watchpoint) -> None:
        """It is gone."""
        del self._watchpoints[watch]
        del self._by_key[watch.key][watch]
        if not self._by_key[watch.key]:
            del self._by_key[watch.key]
        self._changed |= _keys_of(watch)
        self.host_writes.remove(watch)

    def flush(self) -> list[tuple[Mirror, int]]:
        """Have mirrors know what has changed; returns which of their instructions stop now, or do not any more."""
        changed, self._changed = self._changed, set()
        stops_behind_calls = bool(self.host_writes)
        is_other = stops_behind_calls != self._stops_behind_calls
        self._stops_behind_calls = stops_behind_calls
        for key in changed:
            ranges = self._ranges(key)
            if ranges is None:
                if key in self._things:
                    is_other = True
                    self._things.pop(key).drop()
                continue
            if key not in self._things:
                is_other = True
                self._things[key] = Thing(self._room)
            self._things[key].set(*ranges)
        if changed:
            self._cells.set(self._things)
        self._watched.clear()
        return [pair for mirror in self._mirrors for pair in self.mark(mirror)] if is_other else []

    def _ranges(self, key: Key) -> tuple[list[tuple[int, int]], list[tuple[int, int]]] | None:
        """The ranges of which reads and writes are watched; None: nobody watches it."""
        space, identity = key
        if space is Space.LOCAL and identity[1] == _ENTRIES:
            frames = {watch.frame.base for watch in self._watchpoints if watch.frame and key in _keys_of(watch)}
            return ([(base, base + 1) for base in frames], []) if frames else None
        watches = self._by_key.get(key)
        if not watches:
            return None
        reads = [watch.range for watch in watches if watch.mode & READ]
        return reads, [watch.range for watch in watches if watch.mode & WRITE]

    # -- instances ----------------------------------------------------------------------------------------------

    def of_instance(self, instance: Instance) -> Watched:
        """What is watched, by the indices that it has in an instance; no locals."""
        if not self._things and not self._stops_behind_calls:
            return NOTHING
        found = self._watched.get(instance.id)
        if found is None:
            found = self._watched[instance.id] = Watched(frozenset(self._kinds(instance)), self._stops_behind_calls)
        return found

    def _kinds(self, instance: Instance) -> Iterator[Kind]:
        for space, kind in ENTITIES.items():
            if any(key[0] is space for key in self._things):
                for index in range(instance.module.original.count(kind)):
                    thing = self._things.get(self._key(instance, space, index) or _NO_KEY)
                    if thing is not None:
                        yield from ((space, index, mode) for mode in (READ, WRITE) if thing.ranges[mode])

    # -- mirrors -------------------------------------------------------------------------------------------------

    def stops_at(self, mirror: Mirror, index: int) -> bool:
        """Whether the mirror stops at an instruction for what it may access."""
        return index in self._stops.get(mirror.number, ())

    def is_behind_import(self, mirror: Mirror, index: int) -> bool:
        """Whether the instruction before this one may have called a host function that nobody knows of."""
        return self._stops_behind_calls and index - 1 in mirror.code.import_calls

    def mark(self, mirror: Mirror) -> list[tuple[Mirror, int]]:
        """Have a mirror know what is watched; returns which of its instructions stop now, or do not any more."""
        wanted = self._wanted(mirror)
        before = self._stops.get(mirror.number, set())
        for index, accesses in wanted.items():
            mirror.set_watch(index, self._describe(mirror, index, accesses))
        calls = {number + 1 for number in mirror.code.import_calls} if self._stops_behind_calls else set()
        for index in calls:
            mirror.set_watch(index, ALWAYS)
        self._stops[mirror.number] = now = calls.union(wanted)
        return [(mirror, index) for index in sorted(before ^ now)]

    def _wanted(self, mirror: Mirror) -> dict[int, list[tuple[Access, Thing]]]:
        """The accesses to what is watched, by the numbers of the instructions."""
        found: dict[int, list[tuple[Access, Thing]]] = defaultdict(list)
        if not self._things:
            return found
        for (space, index), places in mirror.code.accesses.items():
            key = (space, (mirror.number, index)) if space is Space.LOCAL else self._key(mirror.instance, space, index)
            thing = self._things.get(key) if key is not None else None
            if thing is not None:
                for number, access in places:
                    found[number].append((access, thing))
        entered = self._things.get((Space.LOCAL, (mirror.number, _ENTRIES)))
        if entered is not None:
            found[0].append((Access(Space.LOCAL, _ENTRIES, READ), entered))
        return found

    def _key(self, instance: Instance, space: Space, index: int) -> Key | None:
        name = (instance.id, space, index)
        if name not in self._keys:
            target = target_of(self._store, instance, space, index)
            if target is None:
                return None
            self._keys[name] = key_of(target)
        return self._keys[name]

    def _describe(self, mirror: Mirror, index: int, accesses: list[tuple[Access, Thing]]) -> int:
        """Write the descriptors of an instruction; returns the address of the first."""
        control = self._mirrors.control
        addresses = self._descriptors.setdefault((mirror.number, index), [])
        while len(addresses) < len(accesses):
            addresses.append(control.allocate(DESCRIPTOR_SIZE))
        following = [*addresses[1 : len(accesses)], 0]
        for address, after, (access, thing) in zip(addresses, following, accesses, strict=False):
            control.write(address, _encoded(access, thing, after, mirror))
        return addresses[0]

    # -- hits ----------------------------------------------------------------------------------------------------

    def hits(self, raw: RawFrame) -> tuple[FrameReader, list[Hit]]:
        """What the instruction that the innermost frame is at is about to access of what is watched."""
        assert raw.instance is not None
        reader = FrameReader(self._store, raw)
        code = raw.instance.module.mirror_code.mirror(raw.function)
        effects = effects_at(self._store, reader, code.typed.at(raw.pc))
        watches = {watch: None for effect in effects for watch in self._by_key.get(effect.key, ())}
        order = [watch for watch in self._watchpoints if watch in watches] if len(watches) > 1 else list(watches)
        return reader, [hit for watch in order if (hit := Hit.find(watch, effects)) is not None]

    def happens(self, hits: list[Hit]) -> None:
        """The accesses are about to be made."""
        for hit in hits:
            for start, written in hit.written():
                self.host_writes.write(hit.watch, start, written)
            value = hit.value()
            if isinstance(value, Val):
                self.host_writes.set(hit.watch, value)


def _keys_of(watch: Watchpoint) -> set[Key]:
    """The records that it is in."""
    if watch.frame is None:
        return {watch.key}
    return {watch.key, (Space.LOCAL, (watch.frame.mirror.number, _ENTRIES))}


def _encoded(access: Access, thing: Thing, following: int, mirror: Mirror) -> bytes:
    """A descriptor."""

    def slot(field: Field) -> int:
        found = mirror.code.layout.operand(field.depth, I64 if field.is64 else I32, mirror.instance.module.original)
        assert isinstance(found, MemorySlot)
        return found.offset

    address = FRAME if access.space is Space.LOCAL else NO_OPERAND
    counted = length = wide = 0
    if access.address is not None:
        address = slot(access.address)
        wide |= int(access.address.is64)
    if isinstance(access.length, Field):
        counted = slot(access.length)
        wide |= 2 * access.length.is64
    else:
        length = access.length
    return _DESCRIPTOR.pack(following, thing.address, access.mode, address, wide, counted, access.offset, length)
