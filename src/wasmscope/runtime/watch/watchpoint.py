"""What somebody wants to know the accesses of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import wasmtime

from wasmscope.analysis.accesses import READ, WRITE, Space
from wasmscope.errors import BreakpointError
from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import is_async

if TYPE_CHECKING:
    from wasmscope.runtime.frame import FrameHandle
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.mirrors.mirror import Mirror
    from wasmscope.runtime.stops.breakpoint import Condition
    from wasmscope.runtime.store import Store
    from wasmscope.runtime.walk import Activation

AccessKind: TypeAlias = Literal["r", "w", "rw"]
Target: TypeAlias = wasmtime.Memory | wasmtime.SharedMemory | wasmtime.Table | wasmtime.Global
Key: TypeAlias = tuple[Space, tuple[int, ...]]
"""One memory, table, global or local, whatever it is called and by how many instances."""

MODES: dict[str, int] = {"r": READ, "w": WRITE, "rw": READ | WRITE}
KINDS: dict[int, AccessKind] = {READ: "r", WRITE: "w", READ | WRITE: "rw"}

END = 1 << 64
"""Behind every address."""


@dataclass(frozen=True, slots=True)
class WatchedFrame:
    """The frame whose local is watched."""

    instance: Instance
    mirror: Mirror
    base: int
    activation: Activation


@dataclass(eq=False, slots=True)
class Watchpoint:
    """Something whose accesses are told; made by `BreakpointEdit.add_watchpoint` and `add_local_watchpoint`.

    Of these, `hits` and `ignore_count` change while the guest runs.
    """

    target: Target | None
    """The memory, table or global; None: a local."""
    address: int
    """The first byte of a memory; the index of a table's entry, or of a local; 0 for a global."""
    length: int | None
    """Bytes of a memory; None: all from `address` on, also those that come when it grows. Of all else 1."""
    access: AccessKind
    """Which accesses are told: `"r"` reads, `"w"` writes, `"rw"` both."""
    condition: Condition = None
    ignore_count: int = 0
    """So many hits are counted, but not told."""
    temporary: bool = False
    """Whether it is removed when it is told."""
    hits: int = 0
    """How many accesses there were while the condition was not false."""
    key: Key = field(repr=False, kw_only=True)
    frame: WatchedFrame | None = field(repr=False, kw_only=True, default=None)

    @property
    def space(self) -> Space:
        """What kind of thing it is on."""
        return self.key[0]

    @property
    def range(self) -> tuple[int, int]:
        """The addresses, from the first to behind the last, as descriptors of accesses count them."""
        if self.frame is not None:
            return self.frame.base, self.frame.base + 1
        return self.address, END if self.length is None else self.address + self.length

    @property
    def mode(self) -> int:
        """`READ`, `WRITE` or both."""
        return MODES[self.access]


def key_of(target: Target) -> Key:
    """What is the same for all objects that stand for one memory, table or global."""
    return space_of(target), capi.identity(target)


def space_of(target: Target) -> Space:
    """What kind of thing it is. Raises `TypeError` for what cannot be watched."""
    if isinstance(target, wasmtime.Memory | wasmtime.SharedMemory):
        return Space.MEMORY
    if isinstance(target, wasmtime.Table):
        return Space.TABLE
    if isinstance(target, wasmtime.Global):
        return Space.GLOBAL
    raise TypeError(f"expected a memory, a table or a global, not {target!r}")


def new_watchpoint(
    store: Store,
    target: Target,
    address: int | None,
    length: int | None,
    access: str,
    condition: Condition,
    ignore_count: int,
    temporary: bool,
) -> Watchpoint:
    """See `BreakpointEdit.add_watchpoint`."""
    kind = _checked(access, condition, ignore_count)
    space = space_of(target)
    key = key_of(target)
    if not isinstance(target, wasmtime.SharedMemory) and key[1][0] != capi.identity(store.shadow.memory)[0]:
        raise BreakpointError("it belongs to another store")
    for name, value in (("address", address), ("length", length)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise TypeError(f"expected an integer as {name}, not {value!r}")
    if space is Space.MEMORY:
        if address is not None and length is None:
            length = 1
        first = 0 if address is None else address
        end = _most_bytes(store, target)
        if first < 0 or first >= end or (length is not None and (length < 1 or first + length > end)):
            raise BreakpointError(f"no {length} bytes at {first:#x}: the memory has at most {end:#x}, however it grows")
    elif space is Space.TABLE:
        assert isinstance(target, wasmtime.Table)
        if address is None or length not in (None, 1):
            raise BreakpointError("of a table one entry is watched: its index is the address")
        if not 0 <= address < target.size(store):
            raise BreakpointError(f"the table has {target.size(store)} entries, none at {address}")
        first, length = address, 1
    else:
        if address is not None or length is not None:
            raise BreakpointError("a global has no address and no length")
        first, length = 0, 1
    return Watchpoint(target, first, length, kind, condition, ignore_count, temporary, key=key)


def new_local_watchpoint(
    store: Store,
    frame: FrameHandle,
    index: int,
    access: str,
    condition: Condition,
    ignore_count: int,
    temporary: bool,
) -> Watchpoint:
    """See `BreakpointEdit.add_local_watchpoint`."""
    kind = _checked(access, condition, ignore_count)
    frame.local_type(index)  # raises for a stale frame, and where there is no such local
    raw, activation = frame.raw, store.activations[-1 - frame.activation()]
    if raw.instance is None or raw.missing:
        raise BreakpointError(f"the frame cannot go on: {raw.missing or 'nothing says of which instance it is'}")
    if activation.trapped is raw:
        raise BreakpointError("the frame has trapped: it accesses nothing any more")
    if raw.mirror is None and not activation.is_drivable:
        raise BreakpointError("the frame's guest was entered through wasmtime's own `Func`: it cannot be stopped")
    mirror = raw.mirror or store.mirrors.of(raw.instance, raw.function)
    watched = WatchedFrame(raw.instance, mirror, raw.base, activation)
    key = (Space.LOCAL, (mirror.number, index))
    return Watchpoint(None, index, 1, kind, condition, ignore_count, temporary, key=key, frame=watched)


def _most_bytes(store: Store, memory: Target) -> int:
    """As many bytes as a memory can grow to."""
    assert isinstance(memory, wasmtime.Memory | wasmtime.SharedMemory)
    type_ = memory.type(store) if isinstance(memory, wasmtime.Memory) else memory.type()
    addressable = END if type_.is_64 else 1 << 32
    most = type_.limits.max
    return addressable if most is None else min(addressable, most * type_.page_size)


def _checked(access: str, condition: Condition, ignore_count: int) -> AccessKind:
    if condition is not None and not callable(condition):
        raise BreakpointError("the condition of a watchpoint is called with the frame: it is no expression")
    if condition is not None and is_async(condition):
        raise TypeError("a condition cannot be a coroutine function: the guest waits for its outcome")
    if ignore_count < 0:
        raise ValueError("ignore_count is the number of hits that are not told: not negative")
    if access not in MODES:
        raise ValueError(f'expected "r", "w" or "rw" as access, not {access!r}')
    return KINDS[MODES[access]]
