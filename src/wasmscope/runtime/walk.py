"""From the bytes of the shadow stack to frames, oldest first.

A frame says where it is by its site; the frame table says how large it is, and so where the next one begins. The frame
in which a trap happened has no site for it: the engine's backtrace says where that was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.layout import NAMES_INSTANCE
from wasmscope.instrument.points import Point
from wasmscope.runtime.shadow import Shadow

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame: where it is in the code and where its slots are."""

    instance: Instance | None
    """None where several instances share the code and nothing says which of them this is."""
    table: FrameTable
    function: int
    """Index among the defined functions."""
    pc: int
    point: Point | None
    """None: nothing was published, because `missing`."""
    base: int
    reference_base: int
    missing: str = ""
    entering: bool = False
    """The function had not begun: its stack overflowed. Its arguments are still its caller's operands."""


@dataclass(slots=True)
class Activation:
    """A run of Wasm frames between host and host; it begins where the stack pointers were when it was entered."""

    base: int
    reference_base: int
    trapped: RawFrame | None = None
    """The frame in which the activation ended by a trap, while that is being told."""


@dataclass(frozen=True, slots=True)
class TrapSite:
    """Where a trap happened, from the engine's backtrace."""

    table: FrameTable
    rewritten_offset: int
    overflow: bool
    """The engine's own stack check failed, before the function began."""


def walk(shadow: Shadow, instances: Sequence[Instance], activation: Activation, end: int) -> list[RawFrame]:
    """The frames of one activation whose frames end at address `end`."""
    frames: list[RawFrame] = []
    base, reference_base = activation.base, activation.reference_base
    instance: Instance | None = None
    if activation.trapped is not None:
        end = activation.trapped.base
    while base < end:
        site = shadow.site(base)
        if site & NAMES_INSTANCE:
            instance = instances[shadow.instance_id(base)]
        assert instance is not None, "the first frame of an activation names its instance"
        pc = site & ~NAMES_INSTANCE
        table = instance.module.frame_table
        function = table.function_at(pc)
        assert function is not None, "a site lies in a function"
        point = table.points(function).by_pc[pc]
        frames.append(RawFrame(instance, table, function, pc, point, base, reference_base))
        entry = table.functions[function]
        base += entry.frame_size
        reference_base += entry.references
    if activation.trapped is not None:
        frames.append(activation.trapped)
    return frames


def trapped_frame(
    shadow: Shadow, instances: Sequence[Instance], activation: Activation, site: TrapSite
) -> RawFrame | None:
    """The frame that a trap happened in; None where its code is not of a rewritten module."""
    table = site.table
    function = table.function_at_rewritten(site.rewritten_offset)
    if function is None:
        return None
    entry = table.functions[function]
    points = table.points(function)
    point = points.by_rewritten_offset.get(site.rewritten_offset)
    exact = point is not None
    if point is None:
        point = points.following(site.rewritten_offset)
    pushed = not site.overflow and (point.pushed if point is not None and exact else entry.pushes_frame)
    base, reference_base = shadow.stack_pointer, shadow.reference_pointer
    if pushed:
        base -= entry.frame_size
        reference_base -= entry.references
    below = walk(shadow, instances, activation, base)
    caller = below[-1] if below else None
    code = table.module.codes[function]
    instance = _instance_of(shadow, instances, table, function, base, caller, entered=not site.overflow)
    if exact:
        assert point is not None
        return RawFrame(instance, table, function, point.pc, point, base, reference_base)
    pc = code.code_start if site.overflow or point is None else point.pc
    missing = "the stack overflowed before the function could publish its state"
    return RawFrame(instance, table, function, pc, None, base, reference_base, missing, entering=site.overflow)


def _instance_of(
    shadow: Shadow,
    instances: Sequence[Instance],
    table: FrameTable,
    function: int,
    base: int,
    caller: RawFrame | None,
    *,
    entered: bool,
) -> Instance | None:
    """The instance a topmost frame belongs to, which it names itself if it can be entered from outside."""
    if not table.plan.escapes(table.module.num_imported_functions + function):
        return caller.instance if caller is not None else None
    if entered and base + 8 <= shadow.size:
        return instances[shadow.instance_id(base)]
    candidates = [instance for instance in instances if instance.module.frame_table is table]
    return candidates[0] if len(candidates) == 1 else None


def trap_site(frames: Sequence[wasmtime.Frame], tables: dict[str, FrameTable], *, overflow: bool) -> TrapSite | None:
    """Where the engine says a trap happened, if that is in a rewritten module."""
    if not frames:
        return None
    table = tables.get(frames[0].module_name or "")
    return TrapSite(table, frames[0].module_offset, overflow) if table is not None else None
