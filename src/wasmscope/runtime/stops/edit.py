"""Changes of breakpoints, made together (Wasmtime `runtime/debug.rs`, `BreakpointEdit`)."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

import wasmtime

from wasmscope.errors import BreakpointError
from wasmscope.runtime.asynchronous import is_async
from wasmscope.runtime.stops.breakpoint import Breakpoint, Condition, place_of
from wasmscope.runtime.watch.watchpoint import Target, Watchpoint, new_local_watchpoint, new_watchpoint

if TYPE_CHECKING:
    from wasmscope.runtime.frame import FrameHandle
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store

Undo: TypeAlias = Callable[[], None]
Change: TypeAlias = Callable[[], Undo]
"""Makes a change and returns what takes it back; raises without having changed anything."""


class BreakpointEdit:
    """A context manager: what is asked for is checked at once and done at its end, unless that is by an exception.

    All of it is done or, where something cannot be, nothing. That is raised at the end, or, where another thread runs a
    guest in the store, is in `error` when that thread has come to it (`is_done`).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: list[Change] = []
        self.is_done = False
        """Whether the changes were made, or could not be."""
        self.error: Exception | None = None
        """Why they could not."""

    def __enter__(self) -> BreakpointEdit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._changes = []
            return
        self._store.edits.add(self)
        if self.error is not None:
            raise self.error

    def apply(self) -> None:
        """Make the changes, on a thread that may. What makes that impossible is in `error` then."""
        done: list[Undo] = []
        changes, self._changes = self._changes, []
        try:
            for change in changes:
                done.append(change())
            self._store.stops.watching.flush()
        except BaseException as error:
            for undo in reversed(done):
                undo()
            self._store.stops.watching.flush()
            if not isinstance(error, Exception):
                raise
            self.error = error
        finally:
            self.is_done = True

    def add_breakpoint(
        self,
        module: Module,
        pc: int,
        condition: Condition = None,
        ignore_count: int = 0,
        temporary: bool = False,
        *,
        instance: Instance | None = None,
    ) -> Breakpoint:
        """Have the guest stop before the instruction at `pc`, an offset in the original binary.

        Between two instructions it slips forward to the next one, from the header of a function to its first. With an
        `instance` it stops in that one only, else in all of the module, also in those that are made later. The
        `condition` is an expression compiled into the guest (docs/conditions.md) or is called with the frame; the first
        `ignore_count` hits are not told; a `temporary` one is removed when it is told first. Several may be set at one
        place. Raises `BreakpointError` where there is no code, `ConditionError` for what is no condition, `TypeError`
        and `ValueError` for what is of the wrong kind.
        """
        pc, ignore_count = index(pc), index(ignore_count)
        if ignore_count < 0:
            raise ValueError("ignore_count is the number of hits that are not told: not negative")
        if not isinstance(module, wasmtime.Module):
            raise TypeError(f"expected a Module, not {module!r}")
        if getattr(module, "instrumented", None) is None:
            raise BreakpointError("the module was made with guest_debug off: it cannot be stopped in")
        if module.engine is not self._store.engine:
            raise BreakpointError("the module is of another engine than the store: it never runs there")
        if instance is not None:
            self._check_instance(module, instance)
        place = place_of(module.frame_table, pc)
        if isinstance(condition, str):
            module.mirror_code.mirror(place.function).condition(place.index, condition)
        elif condition is not None:
            if not callable(condition):
                raise TypeError(f"a condition is a str or is called with the frame, not {condition!r}")
            if is_async(condition):
                raise TypeError("a condition cannot be a coroutine function: the guest waits for its outcome")
        breakpoint_ = Breakpoint(
            *(module, pc, place.pc, place.function, place.index),
            instance=instance,
            condition=condition,
            ignore_count=ignore_count,
            temporary=bool(temporary),
        )
        self._changes.append(lambda: self._store.stops.add(breakpoint_))
        return breakpoint_

    def _check_instance(self, module: Module, instance: Instance) -> None:
        if not isinstance(instance, wasmtime.Instance):
            raise TypeError(f"expected an Instance, not {instance!r}")
        if getattr(instance, "module", None) is not module:
            raise BreakpointError("the instance is of another module")
        instances = self._store.instances
        if not (0 <= instance.id < len(instances) and instances[instance.id] is instance):
            raise BreakpointError("the instance is of another store")

    def remove_breakpoint(self, module: Module, pc: int) -> None:
        """Remove all breakpoints that are at `pc`, or were set there.

        Raises `BreakpointError` at the end where there is none.
        """
        pc = index(pc)

        def remove() -> Undo:
            found = self._store.stops.breakpoints.at(module, pc)
            if not found:
                raise BreakpointError(f"there is no breakpoint at {pc:#x}")
            undo = [self._store.stops.remove(each) for each in found]
            return lambda: _undo_all(undo)

        self._changes.append(remove)

    def remove(self, breakpoint_: Breakpoint) -> None:
        """Remove this one; it may be gone already, as temporary ones are."""

        def remove() -> Undo:
            stops = self._store.stops
            return stops.remove(breakpoint_) if breakpoint_ in stops.breakpoints else _nothing

        self._changes.append(remove)

    def add_watchpoint(
        self,
        memory_or_global: Target,
        address: int | None = None,
        length: int | None = None,
        access: str = "w",
        condition: Condition = None,
        ignore_count: int = 0,
        temporary: bool = False,
    ) -> Watchpoint:
        """Have accesses of guests told before they happen (`DebugEvent.Watchpoint`): docs/watchpoints.md.

        Of a memory, shared or not: `length` bytes at `address`, one if there is no length, all without an address. Of
        a table: the entry whose index is `address`. Of a global: its value. `access` is "r" for reads, "w" for writes,
        "rw" for both; the rest is as for breakpoints, but that a condition is called. Raises `BreakpointError` for what
        is not there or belongs to another store, `ValueError` or `TypeError` for arguments of no sense.
        """
        watch = new_watchpoint(
            self._store, memory_or_global, address, length, access, condition, ignore_count, temporary
        )
        self._changes.append(lambda: self._store.stops.watching.add(watch))
        return watch

    def add_local_watchpoint(
        self,
        frame: FrameHandle,
        index: int,
        access: str = "w",
        condition: Condition = None,
        ignore_count: int = 0,
        temporary: bool = False,
    ) -> Watchpoint:
        """The same for a local of a frame, of any activation, as long as there is the frame.

        Its end is not told; it is not among `Store.watchpoints` then. Raises `StaleFrame`, `IndexError` where there is
        no such local, `BreakpointError` for a frame that does not go on or cannot be stopped.
        """
        watch = new_local_watchpoint(self._store, frame, index, access, condition, ignore_count, temporary)
        self._changes.append(lambda: self._store.stops.watching.add(watch))
        return watch

    def remove_watchpoint(self, watch: Watchpoint) -> None:
        """Remove this one; it may be gone already, as temporary ones are, and those on locals with their frame."""

        def remove() -> Undo:
            watching = self._store.stops.watching
            return watching.remove(watch) if watch in watching else _nothing

        self._changes.append(remove)

    def single_step(self, enabled: bool) -> None:
        """Have the guests stop before every instruction, or not any more."""
        self._changes.append(lambda: self._store.stops.set_single_step(bool(enabled)))


def _undo_all(undo: list[Undo]) -> None:
    for each in reversed(undo):
        each()


def _nothing() -> None:
    pass
