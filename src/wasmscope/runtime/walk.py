"""From the bytes of the shadow stack to frames, oldest first.

A frame says where it is by its site; the frame table says how large it is, and so where the next one begins. The frame
in which a trap happened may have no site for it: the engine's backtrace says where that was (`trap_site.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.layout import MIRROR, NAMES_INSTANCE, VARIANT
from wasmscope.instrument.points import Point, State
from wasmscope.runtime.shadow import Shadow

if TYPE_CHECKING:
    from wasmscope.runtime.frame_values import FrameReader
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.mirrors.mirror import Mirror
    from wasmscope.runtime.mirrors.mirrors import Mirrors
    from wasmscope.runtime.mirrors.unwinding import Unwinding
    from wasmscope.runtime.mirrors.variant import Variant
    from wasmscope.runtime.stops.step import Reach
    from wasmscope.runtime.val import Val
    from wasmscope.wasm.types import ValType


@dataclass(slots=True)
class Changes:
    """Values that were set in a frame whose code keeps them elsewhere: it goes on with them in the mirror tier."""

    locals: dict[int, Val] = field(default_factory=dict)
    stack: dict[int, Val] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariantFrame:
    """Where a frame is in the variant that it runs."""

    variant: Variant
    pc: int
    point: Point | None = None
    """Which of the points it is at, where it is not simply the one at the pc."""

    @property
    def table(self) -> FrameTable:
        """The variant's frame table."""
        return self.variant.code.table

    @property
    def shown_pc(self) -> int:
        """Where that is in the original."""
        return self.variant.code.origin.pc(self.pc)

    def find_state(self) -> State:
        """Where its values are; its locals begin with the original's."""
        return self.variant.code.state(self.point or self.table.points(0).by_pc[self.pc])


@dataclass(slots=True)
class RawFrame:
    """One frame: where it is in the code and where its slots are.

    It does not change; it is not frozen because one is made at every stop, and freezing takes four times as long.
    """

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
    """What runs it, if that is not the function itself;"""
    variant: VariantFrame | None = None
    """or this does."""
    all_changes: dict[int, Changes] = field(default_factory=dict, repr=False, compare=False)
    """Those of its activation's frames, as they are now."""

    @property
    def changes(self) -> Changes | None:
        """What was set in it, as far as its code does not have it."""
        return self.all_changes.get(self.base)

    @property
    def end(self) -> tuple[int, int]:
        """Where a frame above it begins: its address, and its first entry for references."""
        return _end_of(self)

    def find_state(self) -> State | None:
        """Where its values are; None: nothing was published, because `missing`. This takes its function's points."""
        if self.missing:
            return None
        if self.mirror is not None:
            return self.mirror.code.state(self.pc)
        if self.variant is not None:
            return self.variant.find_state()
        point = self.point or self.table.points(self.function).by_pc[self.pc]
        return self.table.state(self.function, point)

    @property
    def value_types(self) -> tuple[ValType, ...]:
        """The types of the locals of what runs it: the function's come first."""
        return self.table.local_types(self.function) if self.variant is None else self.variant.table.local_types(0)

    def memory_index(self, memory: int) -> int:
        """The index in the original of a memory of what runs it."""
        if self.variant is None:
            return memory
        index = self.variant.variant.code.memories[memory]
        assert index is not None, "guests do not load from the shadow memory"
        return index


@dataclass(slots=True)
class Stop:
    """Where a mirror stopped; most of what is to be known of its frame is worked out when somebody looks."""

    mirror: Mirror
    base: int
    index: int
    """The number of the instruction."""
    _frame: RawFrame | None = None

    def frame(self, shadow: Shadow, activation: Activation) -> RawFrame:
        """The frame, which is the innermost of `activation`."""
        if self._frame is None:
            mirror, code = self.mirror, self.mirror.code
            self._frame = RawFrame(
                mirror.instance,
                mirror.instance.module.frame_table,
                mirror.function,
                code.typed.instructions[self.index].pc,
                self.base,
                shadow.reference_pointer - code.layout.references,
                mirror=mirror,
                all_changes=activation.changes,
            )
        return self._frame


@dataclass(frozen=True, slots=True)
class VariantStop:
    """Where a variant called the host for an access."""

    raw: RawFrame

    def frame(self, _shadow: Shadow, _activation: Activation) -> RawFrame:
        """The frame, which is the innermost."""
        return self.raw


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
    variant: VariantFrame | None = None
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
            variant=self.variant,
            all_changes=self.all_changes,
        )

    @property
    def end(self) -> tuple[int, int]:
        """Where the frame above begins: its address, and its first entry for references."""
        return _end_of(self)


def _end_of(frame: RawFrame | CallSite) -> tuple[int, int]:
    if frame.mirror is not None:
        layout = frame.mirror.code.layout
        return frame.base + layout.size, frame.reference_base + layout.references
    table, function = (frame.table, frame.function) if frame.variant is None else (frame.variant.table, 0)
    entry = table.functions[function]
    return frame.base + entry.frame_size, frame.reference_base + entry.references


@dataclass(slots=True)
class Activation:
    """A run of Wasm frames between host and host; it begins where the stack pointers were when it was entered."""

    base: int
    reference_base: int
    instance: Instance | None = None
    """Whose function was called, where it may not say so itself: nothing but a debugger can call it from outside."""
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
    """As of when it is known that no frame has to be taken off the engine's stack (`Stops.leave`),"""
    checked_limit: int = -1
    """and that those at addresses up to here are all of mirrors: steps up to there need not look at them again."""
    unwinding: Unwinding | None = None
    """The host took the frames off the engine's stack: how they go on."""
    changes: dict[int, Changes] = field(default_factory=dict)
    """By the addresses of frames."""
    stopped: Stop | VariantStop | None = None
    """Where the innermost frame is, while the host is told that it stopped."""
    consultations: int = 0
    """How many that were told of it, and look into it, have not come back."""
    suspends_step: bool = False
    """It was entered by one of those: the step of the guest outside waits for its end."""
    suspended_step: Reach | None = None
    redirection: Unwinding | None = None
    """How the host wants the innermost frame to go on."""
    has_ended: bool = False
    """By a trap or an exception, while that is being told."""
    operands_were_set: bool = False
    """Whether an operand of the innermost frame was, since somebody last looked."""

    @property
    def is_consulted(self) -> bool:
        """Whether it stands still because somebody was told of it."""
        return self.consultations > 0

    @property
    def stands_still(self) -> bool:
        """Whether it called the host in a way that the host knows of, or has ended and that is being told."""
        return self.top is not None or self.trapped is not None or self.has_ended

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
    site, mirror, variant = shadow.site(base), None, None
    pc = site & ~(NAMES_INSTANCE | MIRROR)
    if site & MIRROR:
        assert mirrors is not None, "there are frames of some"
        mirror = mirrors[shadow.instance_id(base)]
        instance = mirror.instance
    elif site & NAMES_INSTANCE:
        running = variant_at(shadow, mirrors, base)
        if running is None:
            instance = instances[shadow.instance_id(base)]
        else:
            variant = VariantFrame(running, pc)
            instance, pc = running.instance, variant.shown_pc
    assert instance is not None, "the first frame of an activation names its instance"
    table = instance.module.frame_table
    function = table.function_at(pc)
    assert function is not None, "a site lies in a function"
    return CallSite(instance, table, function, pc, base, reference_base, mirror, variant, activation.changes)


def variant_at(shadow: Shadow, mirrors: Mirrors | None, base: int) -> Variant | None:
    """The variant that the frame at an address names, if it names one."""
    number = shadow.instance_id(base)
    if not number & VARIANT:
        return None
    assert mirrors is not None, "there are frames of some"
    return mirrors.variants[number ^ VARIANT]
