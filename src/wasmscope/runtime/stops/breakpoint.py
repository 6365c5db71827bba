"""Breakpoints: what they are, and at which instruction (Wasmtime `runtime/debug.rs`, `Breakpoint`)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from wasmscope.errors import BreakpointError
from wasmscope.instrument.frame_table import FrameTable

if TYPE_CHECKING:
    from wasmscope.runtime.frame import FrameHandle
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module

Condition: TypeAlias = "str | Callable[[FrameHandle], Any] | None"
"""An expression that is compiled into the guest (docs/conditions.md), or what is called with the frame."""


@dataclass(eq=False, slots=True)
class Breakpoint:
    """A place where the guest stops; made by `BreakpointEdit.add_breakpoint`.

    Of these, `hits` and `ignore_count` change while the guest runs.
    """

    module: Module
    requested_pc: int
    """The offset in the original binary that was asked for,"""
    pc: int
    """and that of the instruction before which the guest stops: the first one that does not begin before it."""
    function: int
    """Index of its function among the defined ones."""
    index: int
    """The number of the instruction in its function."""
    instance: Instance | None = None
    """The instance it is for; None: all of the module, those that come later too."""
    condition: Condition = None
    ignore_count: int = 0
    """So many hits from now on are counted, but not told."""
    temporary: bool = False
    """Whether it is removed when it is told."""
    hits: int = 0
    """How often the guest got here while the condition was not false; those that were ignored count."""
    fault: str = ""
    """Why the condition could not be worked out at the last hit, with the column; it counts as true then."""

    def concerns(self, instance: Instance) -> bool:
        """Whether functions of `instance` stop here."""
        return instance.module is self.module and self.instance in (None, instance)


@dataclass(frozen=True, slots=True)
class Place:
    """An instruction of a module."""

    function: int
    """Index of its function among the defined ones."""
    index: int
    pc: int


def place_of(table: FrameTable, pc: int) -> Place:
    """The first instruction at or behind `pc`. Raises `BreakpointError` where there is none."""
    codes = table.module.codes
    if not codes or pc < 0 or pc >= codes[-1].end or pc < _code_section(table):
        extent = f"code is from {_code_section(table):#x} to {codes[-1].end:#x}" if codes else "the module has no code"
        raise BreakpointError(f"there is no instruction at offset {pc:#x} of the module: {extent}")
    function = bisect_right(codes, pc, key=lambda code: code.end)
    offsets = table.offsets(function)
    index = bisect_left(offsets, pc)  # there is one: the last instruction is of one byte, the end of the function
    return Place(function, index, offsets[index])


def _code_section(table: FrameTable) -> int:
    return next(section.payload_start for section in table.module.sections if section.id == 10)
