"""The breakpoints that are set, found by module and by pc; adding one takes no longer where there are many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wasmscope.runtime.stops.breakpoint import Breakpoint

if TYPE_CHECKING:
    from wasmscope.runtime.module import Module


class BreakpointRegistry:
    """A set of breakpoints, which knows the order in which they were set."""

    def __init__(self) -> None:
        self._serials: dict[Breakpoint, int] = {}
        self._next = 0
        self._by_module: dict[Module, dict[Breakpoint, None]] = {}
        self._by_pc: dict[tuple[Module, int], dict[Breakpoint, None]] = {}

    def __contains__(self, breakpoint_: Breakpoint) -> bool:
        return breakpoint_ in self._serials

    def __iter__(self) -> Iterator[Breakpoint]:
        """All of them, in the order in which they were set."""
        return iter(sorted(self._serials, key=self._serials.__getitem__))

    def of(self, module: Module) -> list[Breakpoint]:
        """Those of one module."""
        return list(self._by_module.get(module, ()))

    def at(self, module: Module, pc: int) -> list[Breakpoint]:
        """Those that are at `pc` or were set there."""
        return list(self._by_pc.get((module, pc), ()))

    def add(self, breakpoint_: Breakpoint, serial: int | None = None) -> None:
        """Add one, with its former place in the order if it had one."""
        if serial is None:
            serial = self._next
            self._next += 1
        self._serials[breakpoint_] = serial
        self._by_module.setdefault(breakpoint_.module, {})[breakpoint_] = None
        for pc in (breakpoint_.pc, breakpoint_.requested_pc):
            self._by_pc.setdefault((breakpoint_.module, pc), {})[breakpoint_] = None

    def remove(self, breakpoint_: Breakpoint) -> int:
        """Remove one; returns its place in the order."""
        module = breakpoint_.module
        del self._by_module[module][breakpoint_]
        if not self._by_module[module]:
            del self._by_module[module]
        for pc in {breakpoint_.pc, breakpoint_.requested_pc}:
            found = self._by_pc[module, pc]
            del found[breakpoint_]
            if not found:
                del self._by_pc[module, pc]
        return self._serials.pop(breakpoint_)
