"""From the bytes of the shadow stack to frames, oldest first.

A frame says where it is by its site; the frame table says how large it is, and so where the next one begins. The frame
in which a trap happened has no site for it: the engine's backtrace says where that was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.layout import MIRROR, NAMES_INSTANCE
from wasmscope.instrument.plan import Appended
from wasmscope.instrument.points import Point, State
from wasmscope.runtime.shadow import Shadow
from wasmscope.runtime.trap_point import instruction_at, point_of_trap

if TYPE_CHECKING:
    from wasmscope.runtime.frame_values import FrameReader
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.mirrors.mirror import Mirror
    from wasmscope.runtime.mirrors.mirrors import Mirrors
    from wasmscope.runtime.mirrors.unwinding import Unwinding
    from wasmscope.runtime.stops.step import Reach
    from wasmscope.runtime.val import Val


@dataclass(slots=True)
class Changes:
    """Values that were set in a frame whose code keeps them elsewhere: it goes on with them in the mirror tier."""

    locals: dict[int, Val] = field(default_factory=dict)
    stack: dict[int, Val] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame: where it is in the code and where its slots are."""

    instance: Instance | None
    """None where several instances share the code and nothing says which of them this is."""
    table: FrameTable
    function: int
    """Index among the defined functions."""
    pc: int
    base: int
    reference_base: int
    point: Point | None = None
    """Which of its function's points it is at, where it is not simply the one at the pc."""
    missing: str = ""
    """Why nothing was published."""
    entering: bool = False
    """The function had not begun: its stack overflowed. Its arguments are still its caller's operands."""
    mirror: Mirror | None = None
    """What runs it, if that is not the function itself."""
    all_changes: dict[int, Changes] = field(default_factory=dict, repr=False, compare=False)
    """Those of its activation's frames, as they are now."""

    @property
    def changes(self) -> Changes | None:
        """What was set in it, as far as its code does not have it."""
        return self.all_changes.get(self.base)

    def find_state(self) -> State | None:
        """Where its values are; None: nothing was published, because `missing`. This takes its function's points."""
        if self.missing:
            return None
        if self.mirror is not None:
            return self.mirror.code.state(self.pc)
        point = self.point or self.table.points(self.function).by_pc[self.pc]
        return self.table.state(self.function, point)


@dataclass(frozen=True, slots=True)
class CallSite:
    """Where a frame is, as its site says: in a call or a throw."""

    instance: Instance
    table: FrameTable
    function: int
    """Index among the defined functions."""
    pc: int
    base: int
    reference_base: int
    mirror: Mirror | None = None
    all_changes: dict[int, Changes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def changes(self) -> Changes | None:
        """See `RawFrame.changes`."""
        return self.all_changes.get(self.base)

    def frame(self) -> RawFrame:
        """The frame."""
        return RawFrame(
            *(self.instance, self.table, self.function, self.pc, self.base, self.reference_base),
            mirror=self.mirror,
            all_changes=self.all_changes,
        )

    @property
    def end(self) -> tuple[int, int]:
        """Where the frame above begins: its address, and its first entry for references."""
        if self.mirror is not None:
            layout = self.mirror.code.layout
            return self.base + layout.size, self.reference_base + layout.references
        entry = self.table.functions[self.function]
        return self.base + entry.frame_size, self.reference_base + entry.references


@dataclass(slots=True)
class Activation:
    """A run of Wasm frames between host and host; it begins where the stack pointers were when it was entered."""

    base: int
    reference_base: int
    instance: Instance | None = None
    """Whose function was called, where it may not say so itself: nothing but a debugger can call it from outside."""
    function: int | None = None
    """Which of its defined functions that is, where it was called through an entry function."""
    top: int | None = None
    """While the host runs: where the frames end."""
    trapped: RawFrame | None = None
    """The frame in which the activation ended by a trap, while that is being told."""
    reader: FrameReader | None = None
    """Its values as they were then."""
    uncaught: bool = False
    """The exception thrown last was told, and nothing catches it: it is what the activation ends with."""
    is_drivable: bool = True
    """Whether whoever entered it can go on with it frame by frame (`mirrors/continuing.py`)."""
    suspended: list[RawFrame] = field(default_factory=list)
    """The frames, oldest first, that are not on the engine's stack any more: they are below those that are."""
    running: RawFrame | None = None
    """The frame that was resumed last: it and those above it are on the engine's stack. None: all are."""
    checked: int = 0
    """As of when it is known that no frame has to be taken off the engine's stack (`Stops.leave`)."""
    unwinding: Unwinding | None = None
    """The host took the frames off the engine's stack: how they go on."""
    changes: dict[int, Changes] = field(default_factory=dict)
    """By the addresses of frames."""
    redirection: Unwinding | None = None
    """How the host wants the innermost frame to go on."""
    operands_were_set: bool = False
    """Whether an operand of the innermost frame was, since somebody last looked."""
    is_told: bool = False
    """Whether an event of it is being told: what is called meanwhile was injected."""
    step_outside: Reach | None = None
    """The step that was asked for before this activation was injected into the one outside."""

    @property
    def stands_still(self) -> bool:
        """Whether it called the host in a way that the host knows of, or has trapped."""
        return self.top is not None or self.trapped is not None

    def take_redirection(self) -> Unwinding | None:
        """How the host wants the innermost frame to go on; once."""
        redirection, self.redirection = self.redirection, None
        return redirection

    def take_reader(self, frame: RawFrame) -> FrameReader | None:
        """The values of the frame that trapped, as they were then; None for any other."""
        if self.reader is None or self.reader.raw is not frame:
            return None
        reader, self.reader = self.reader, None
        return reader


@dataclass(frozen=True, slots=True)
class TrapSite:
    """Where a trap happened, from the engine's backtrace."""

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
        if exhausted(shadow, entry.frame_size):
            return True
        # Where a table for references cannot grow, the guest traps on purpose, before its own code.
        return entry.references > 0 and self.table.points(self.function).is_before_all(self.rewritten_offset)

    @property
    def overflow(self) -> bool:
        """Whether the engine's own stack check failed, before the function began."""
        return self.code is wasmtime.TrapCode.STACK_OVERFLOW


def walk(
    shadow: Shadow, instances: Sequence[Instance], mirrors: Mirrors | None, activation: Activation, end: int
) -> list[RawFrame]:
    """The frames of one activation whose frames end at address `end`."""
    if activation.trapped is not None:
        end = activation.trapped.base
    frames = [site.frame() for site in call_sites(shadow, instances, mirrors, activation, end)]
    if activation.trapped is not None:
        frames.append(activation.trapped)
    return frames


def call_sites(
    shadow: Shadow,
    instances: Sequence[Instance],
    mirrors: Mirrors | None,
    activation: Activation,
    end: int,
    start: tuple[int, int, Instance | None] | None = None,
) -> Iterator[CallSite]:
    """Where the frames of one activation are, oldest first; `end` is the address at which they end.

    With `start`, the address of a frame, its first entry for references and its caller's instance, from that one on.
    """
    base, reference_base, instance = start or (activation.base, activation.reference_base, activation.instance)
    while base < end:
        site = call_site(shadow, instances, mirrors, activation, base, reference_base, instance)
        yield site
        instance = site.instance
        base, reference_base = site.end


def call_site(
    shadow: Shadow,
    instances: Sequence[Instance],
    mirrors: Mirrors | None,
    activation: Activation,
    base: int,
    reference_base: int,
    instance: Instance | None,
) -> CallSite:
    """Where the frame at an address is; it is of `instance` if it does not name another."""
    site, mirror = shadow.site(base), None
    if site & MIRROR:
        assert mirrors is not None, "there are frames of some"
        mirror = mirrors[shadow.instance_id(base)]
        instance = mirror.instance
    elif site & NAMES_INSTANCE:
        instance = instances[shadow.instance_id(base)]
    assert instance is not None, "the first frame of an activation names its instance"
    pc = site & ~(NAMES_INSTANCE | MIRROR)
    table = instance.module.frame_table
    function = table.function_at(pc)
    assert function is not None, "a site lies in a function"
    return CallSite(instance, table, function, pc, base, reference_base, mirror, activation.changes)


def trapped_frame(
    shadow: Shadow,
    instances: Sequence[Instance],
    mirrors: Mirrors | None,
    activation: Activation,
    site: TrapSite,
    is_out_of_bounds: Callable[[RawFrame], bool | None],
) -> RawFrame:
    """The frame that a trap happened in. `is_out_of_bounds(frame)` says whether the access it is at is."""
    table, function = site.table, site.function
    entry = table.functions[function]
    points = table.points(function)

    def frame_at(point: Point | None, *, pushed: bool) -> RawFrame:
        base, reference_base = shadow.stack_pointer, shadow.reference_pointer
        if pushed:
            base -= entry.frame_size
            reference_base -= entry.references
        below = walk(shadow, instances, mirrors, activation, base)
        caller = below[-1] if below else None
        home = caller.instance if caller is not None else activation.instance
        instance = _instance_of(shadow, instances, table, function, base, home, caller, entered=not site.overflow)
        if point is not None:
            return RawFrame(
                *(instance, table, function, point.pc, base, reference_base, point), all_changes=activation.changes
            )
        pc = table.original_offset(function, site.rewritten_offset)
        if site.overflow:
            pc = table.module.codes[function].code_start
            missing = "the stack overflowed before the function began"
        elif site.fills(shadow):
            missing = "the stack of frames is full, so the state could not be published"
        else:
            missing = "the engine does not say which instruction trapped"
        return RawFrame(instance, table, function, pc, base, reference_base, missing=missing, entering=site.overflow)

    if site.overflow:
        return frame_at(None, pushed=False)
    point = point_of_trap(
        table,
        points,
        site.rewritten_offset,
        site.code,
        lambda suspect: is_out_of_bounds(frame_at(suspect, pushed=suspect.pushed)),
    )
    return frame_at(point, pushed=point.pushed if point is not None else entry.pushes_frame)


def exhausted(shadow: Shadow, frame_size: int) -> bool:
    """Whether a frame on top of the stack does not fit into the shadow memory."""
    return shadow.stack_pointer + frame_size > shadow.size


def _instance_of(
    shadow: Shadow,
    instances: Sequence[Instance],
    table: FrameTable,
    function: int,
    base: int,
    home: Instance | None,
    caller: RawFrame | None,
    *,
    entered: bool,
) -> Instance | None:
    """The instance a topmost frame belongs to: it names itself if it can be entered from outside, else it is `home`.

    Before it can do so it is that of a `caller` which calls this very function, where none hands its place on.
    """
    if not table.plan.escapes(table.module.num_imported_functions + function):
        return home
    if entered and base + 8 <= shadow.size:
        return instances[shadow.instance_id(base)]
    tail_calls = any(instance.module.uses_tail_calls for instance in instances)
    if caller is not None and not tail_calls and _calls_directly(caller, table, function):
        return caller.instance
    mark = table.mark  # modules of the same bytes have tables of their own, and the engine does not tell them apart
    candidates = [each for each in instances if each.module.frame_table.mark == mark and each.may_run]
    return candidates[0] if len(candidates) == 1 else None


def _calls_directly(caller: RawFrame, table: FrameTable, function: int) -> bool:
    """Whether a frame is in a `call` of a defined function of its own module."""
    call = instruction_at(caller.table, caller.pc)
    index = table.module.num_imported_functions + function
    return caller.table.mark == table.mark and call.opcode.name == "call" and call.immediates[0] == index


def trap_site(
    frames: Sequence[wasmtime.Frame],
    tables: Mapping[str, FrameTable],
    code: wasmtime.TrapCode | None,
    entering: int | None,
) -> TrapSite | None:
    """Where the engine says a trap happened, if that is in code of a rewritten module's own.

    In a function that leads to others it can only be the stack that overflowed, on the way to the defined function
    `entering`.
    """
    table = tables.get(frames[0].module_name or "") if frames else None
    if table is None or table.appended(frames[0].func_index) is Appended.OWN_INSTRUCTION:
        return None
    function = table.defined_function(frames[0].func_index, entering)
    return TrapSite(table, frames[0].module_offset, function, code)


def entered_function(
    shadow: Shadow, frames: Sequence[wasmtime.Frame], tables: Mapping[str, FrameTable], called: int | None
) -> int | None:
    """The defined function that the innermost frame leads to, if it is one that was appended to lead to others.

    Such a function hands its place on, so it is only seen as the innermost. `called` is the one that the host called
    through an entry function.
    """
    table = tables.get(frames[0].module_name or "") if frames else None
    redirects = table is not None and table.appended(frames[0].func_index) is Appended.REDIRECT
    return shadow.redirected if redirects else called
