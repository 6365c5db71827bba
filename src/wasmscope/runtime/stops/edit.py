"""Changes of breakpoints, made together (Wasmtime `runtime/debug.rs`, `BreakpointEdit`)."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from wasmscope.errors import BreakpointError
from wasmscope.runtime.stops.breakpoint import Breakpoint, Condition, place_of

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store


class BreakpointEdit:
    """A context manager: what is asked for is checked at once and done at its end, unless that is by an exception."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: list[Callable[[], None]] = []

    def __enter__(self) -> BreakpointEdit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._store.apply_edits(self._changes)

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

        Between two instructions it slips forward to the next one. With an `instance` it stops in that one only. A
        `condition` is an expression compiled into the guest (docs/conditions.md) or is called with the frame; the first
        `ignore_count` hits are not told; a `temporary` one is removed when it is told first. Several may be set at one
        place. Raises `BreakpointError` where there is no code, `ConditionError` for what is no condition.
        """
        if getattr(module, "instrumented", None) is None:
            raise BreakpointError("the module was made with guest_debug off: it cannot be stopped in")
        if instance is not None and instance.module is not module:
            raise BreakpointError("the instance is of another module")
        place = place_of(module.frame_table, pc)
        breakpoint_ = Breakpoint(
            *(module, pc, place.pc, place.function, place.index),
            instance=instance,
            condition=condition,
            ignore_count=ignore_count,
            temporary=temporary,
        )
        self._changes.append(lambda: self._store.stops.add(breakpoint_))
        return breakpoint_

    def remove_breakpoint(self, module: Module, pc: int) -> None:
        """Remove all breakpoints that are at `pc`, or were set there.

        Raises `BreakpointError` at the end where there is none.
        """

        def remove() -> None:
            stops = self._store.stops
            found = [each for each in stops.breakpoints if each.module is module and pc in (each.pc, each.requested_pc)]
            if not found:
                raise BreakpointError(f"there is no breakpoint at {pc:#x}")
            for each in found:
                stops.remove(each)

        self._changes.append(remove)

    def remove(self, breakpoint_: Breakpoint) -> None:
        """Remove this one; it may be gone already, as temporary ones are."""

        def remove() -> None:
            if breakpoint_ in self._store.stops.breakpoints:
                self._store.stops.remove(breakpoint_)

        self._changes.append(remove)

    def single_step(self, enabled: bool) -> None:
        """Have the guests stop before every instruction, or not any more."""
        self._changes.append(lambda: self._store.stops.set_single_step(enabled))
