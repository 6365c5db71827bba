"""Where a trap happened: from the engine's backtrace to the guest's frame.

In code of the guest's own it is the engine's offset that says it (`trap_point.py`). Mirrors note where they are before
they do what may fail, so there it is the innermost frame; but on the way into a function there is no frame yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, assert_never

import wasmtime

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.layout import MIRROR
from wasmscope.instrument.points import Point
from wasmscope.runtime.shadow import Shadow
from wasmscope.runtime.trace import Role, place_of
from wasmscope.runtime.trap_point import instruction_at, point_of_trap
from wasmscope.runtime.walk import Activation, RawFrame, VariantFrame, call_site, variant_at, walk

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_NO_ROOM = "the stack of frames is full, so the state could not be published"


@dataclass(frozen=True, slots=True)
class InFunction:
    """In the rewritten code of a function."""

    table: FrameTable
    rewritten_offset: int
    function: int
    """Index among the defined functions."""
    code: wasmtime.TrapCode | None

    def fills(self, shadow: Shadow) -> bool:
        """Whether the guest trapped because the shadow state has no room for its frame, or for the references in it."""
        if self.code is not wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS:
            return False
        entry = self.table.functions[self.function]
        if _exhausted(shadow, entry.frame_size):
            return True
        # Where a table for references cannot grow, the guest traps on purpose, before its own code.
        return entry.references > 0 and self.table.points(self.function).is_before_all(self.rewritten_offset)


@dataclass(frozen=True, slots=True)
class OnEntry:
    """Before a function began: one of the stacks had no room."""

    table: FrameTable
    function: int
    """Index among the defined functions."""
    is_full: bool
    """It was the shadow state, and not the engine's own stack."""

    def fills(self, shadow: Shadow) -> bool:
        """See `InFunction.fills`."""
        return self.is_full


@dataclass(frozen=True, slots=True)
class InMirror:
    """In a mirror: of the innermost frame, or of the one that was on top of it and has gone by a tail call."""

    has_gone: bool

    def fills(self, shadow: Shadow) -> bool:
        """See `InFunction.fills`: a mirror looks for room before it makes its frame."""
        return False


TrapSite: TypeAlias = InFunction | OnEntry | InMirror


def trap_site(store: Store, frames: Sequence[wasmtime.Frame], code: wasmtime.TrapCode | None) -> TrapSite | None:
    """Where the engine says, by its frames, that a trap happened, if that is in a rewritten module or a mirror."""
    if not frames:
        return None
    place = place_of(frames[0], store.instances.tables, store.shadow.redirected)
    overflowed = code is wasmtime.TrapCode.STACK_OVERFLOW
    match place.role:
        case Role.FUNCTION | Role.ENTERING:
            assert place.table is not None
            if place.role is Role.ENTERING or overflowed:
                return OnEntry(place.table, place.function, is_full=not overflowed)
            return InFunction(place.table, frames[0].module_offset, place.function, code)
        case Role.RUNNER:
            return InMirror(has_gone=not overflowed)  # nothing else that it does traps
        case Role.WITHIN | Role.RESUMING:
            return InMirror(has_gone=False)
        case Role.FOREIGN:
            return None
        case _:
            assert_never(place.role)


def trapped_frame(
    store: Store, activation: Activation, site: TrapSite, is_out_of_bounds: Callable[[RawFrame], bool | None]
) -> RawFrame | None:
    """The frame that a trap happened in. `is_out_of_bounds(frame)` says whether the access it is at is."""
    match site:
        case InFunction():
            return _frame_in_function(store, activation, site, is_out_of_bounds)
        case OnEntry():
            return _frame_on_entry(store, activation, site)
        case InMirror(has_gone):
            return _frame_of_mirror(store, activation, has_gone)
        case _:
            assert_never(site)


def _frame_in_function(
    store: Store, activation: Activation, site: InFunction, is_out_of_bounds: Callable[[RawFrame], bool | None]
) -> RawFrame:
    table, function, shadow = site.table, site.function, store.shadow
    entry = table.functions[function]

    def frame_at(point: Point | None, *, pushed: bool) -> RawFrame:
        base, reference_base = shadow.pointers
        if pushed:
            base -= entry.frame_size
            reference_base -= entry.references
        if table.origin is not None:
            return _frame_in_variant(store, activation, site, point, base, reference_base)
        instance = _instance_of(store, activation, site, base)
        if point is not None:
            return RawFrame(
                *(instance, table, function, point.pc, base, reference_base, point), all_changes=activation.changes
            )
        pc = table.original_offset(function, site.rewritten_offset)
        return RawFrame(instance, table, function, pc, base, reference_base, missing=_why(site, shadow))

    point = point_of_trap(
        table,
        table.points(function),
        site.rewritten_offset,
        site.code,
        lambda suspect: is_out_of_bounds(frame_at(suspect, pushed=suspect.pushed)),
    )
    return frame_at(point, pushed=point.pushed if point is not None else entry.pushes_frame)


def _frame_in_variant(
    store: Store, activation: Activation, site: InFunction, point: Point | None, base: int, reference_base: int
) -> RawFrame:
    """The frame in the original of code that runs in place of it."""
    origin, shadow = site.table.origin, store.shadow
    assert origin is not None
    pc = point.pc if point is not None else site.table.original_offset(site.function, site.rewritten_offset)
    running = variant_at(shadow, store.mirrors_made, base) if base + 8 <= shadow.size else None
    if running is not None and running.code.table is not site.table:
        running = None  # it had no room to say so
    frame = RawFrame(
        *(None if running is None else running.instance, origin.table, origin.function, origin.pc(pc)),
        *(base, reference_base),
        variant=None if running is None else VariantFrame(running, pc, point),
        all_changes=activation.changes,
    )
    return frame if point is not None and running is not None else replace(frame, missing=_why(site, shadow))


def _why(site: InFunction, shadow: Shadow) -> str:
    return _NO_ROOM if site.fills(shadow) else "the engine does not say which instruction trapped"


def _frame_on_entry(store: Store, activation: Activation, site: OnEntry) -> RawFrame | None:
    origin = site.table.origin
    if origin is not None:
        if not origin.is_whole:
            return _frame_of_mirror(store, activation, has_gone=True)  # whose place it was to take
        site = OnEntry(origin.table, origin.function, site.is_full)
    base, reference_base = store.shadow.pointers
    instance = _instance_of(store, activation, site, base)
    pc = site.table.module.codes[site.function].code_start
    missing = _NO_ROOM if site.is_full else "the stack overflowed before the function began"
    return RawFrame(instance, site.table, site.function, pc, base, reference_base, missing=missing, entering=True)


def _frame_of_mirror(store: Store, activation: Activation, has_gone: bool) -> RawFrame | None:
    """None: there is no such frame. The engine's word is not enough: modules may have any name."""
    shadow, mirrors = store.shadow, store.mirrors_made
    base, reference_base = shadow.pointers
    if has_gone:
        known = mirrors is not None and shadow.site(base) & MIRROR and shadow.instance_id(base) < len(mirrors)
        if not known:
            return None
        return call_site(shadow, store.instances, mirrors, activation, base, reference_base, None).frame()
    frames = walk(shadow, store.instances, mirrors, activation, base)
    return frames[-1] if frames and (frames[-1].mirror or frames[-1].variant) else None


def _exhausted(shadow: Shadow, frame_size: int) -> bool:
    """Whether a frame on top of the stack does not fit into the shadow memory."""
    return shadow.stack_pointer + frame_size > shadow.size


def _instance_of(store: Store, activation: Activation, site: InFunction | OnEntry, base: int) -> Instance | None:
    """The instance that the topmost frame, at `base`, belongs to.

    It names itself if it can be entered from outside, else it is its caller's. Before it can do so it is that of a
    caller which calls this very function, where none hands its place on.
    """
    shadow, table, function = store.shadow, site.table, site.function
    below = walk(shadow, store.instances, store.mirrors_made, activation, base)
    caller = below[-1] if below else None
    if not table.plan.escapes(table.module.num_imported_functions + function):
        return caller.instance if caller is not None else activation.instance
    if isinstance(site, InFunction) and base + 8 <= shadow.size:
        return store.instances[shadow.instance_id(base)]
    tail_calls = any(instance.module.uses_tail_calls for instance in store.instances)
    if caller is not None and not tail_calls and _calls_directly(caller, table, function):
        return caller.instance
    mark = table.mark  # modules of the same bytes have tables of their own, and the engine does not tell them apart
    candidates = [each for each in store.instances if each.module.frame_table.mark == mark and each.may_run]
    return candidates[0] if len(candidates) == 1 else None


def _calls_directly(caller: RawFrame, table: FrameTable, function: int) -> bool:
    """Whether a frame is in a `call` of a defined function of its own module."""
    call = instruction_at(caller.table, caller.pc)
    index = table.module.num_imported_functions + function
    return caller.table.mark == table.mark and call.opcode.name == "call" and call.immediates[0] == index
