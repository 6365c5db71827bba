"""What the frames of the engine's backtraces are frames of: guest functions, or what runs and enters them.

A mirror is several functions on the engine's stack, innermost first: a page and what that had to have run elsewhere
(`stop`, an instruction of the instance's own), `run`, and `enter` or `resume`, if they are not left by a tail call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

import wasmtime

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.mirror.companion import CompanionKind, parse_name
from wasmscope.instrument.mirror.runner import ENTER, RESUME
from wasmscope.instrument.mirror.support import SUPPORT_NAME
from wasmscope.instrument.plan import Appended


class Role(Enum):
    """What an engine's frame has to do with the guest's frames."""

    FUNCTION = auto()
    """It is a frame of the guest."""
    RUNNER = auto()
    """It runs a mirror frame, one to one."""
    WITHIN = auto()
    """It is part of running the mirror frame whose runner comes next."""
    ENTERING = auto()
    """A function is about to be entered: that has no frame yet."""
    RESUMING = auto()
    """The host goes on with a mirror frame; what called it is not on the engine's stack."""
    FOREIGN = auto()
    """It is of code that was not rewritten."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a frame of the engine's is."""

    role: Role
    table: FrameTable | None = None
    """Of a function that it is of, or that is being entered,"""
    function: int = 0
    """and its index among the defined ones."""


_FOREIGN = Place(Role.FOREIGN)


def place_of(frame: wasmtime.Frame, tables: Mapping[str, FrameTable], redirected: int) -> Place:
    """What a frame is. `redirected` is the defined function that was entered last through one that leads to others.

    A module may call itself whatever it likes: what does not fit together is foreign.
    """
    name = frame.module_name or ""
    table = tables.get(name)
    if table is not None:
        match table.appended(frame.func_index):
            case None:
                return Place(Role.FUNCTION, table, table.defined_function(frame.func_index))
            case Appended.OWN_INSTRUCTION:
                return Place(Role.WITHIN)
            case _:
                return _entering(table, redirected)
    if name == SUPPORT_NAME:
        return Place(Role.WITHIN)
    companion = parse_name(name)
    table = tables.get(companion.mark)
    if table is None:
        return _FOREIGN
    match companion.kind:
        case CompanionKind.STUBS:
            return _entering(table, redirected)
        case CompanionKind.RUNNER:
            if frame.func_name == ENTER:
                return _entering(table, companion.function)
            return Place(Role.RESUMING if frame.func_name == RESUME else Role.RUNNER)
        case _:
            return Place(Role.WITHIN)


def _entering(table: FrameTable, function: int) -> Place:
    """An imported function is no frame of the guest's: it is part of the call of a mirror's."""
    return Place(Role.ENTERING, table, function) if function < len(table.functions) else Place(Role.WITHIN)
