"""Traces: the instructions that guests ran, noted by the guest itself, in the control memory.

The host is called when the room there is used up (`instrument/mirror/support.py`, `$note`), copies what is there, and
has the guest go on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from wasmscope.instrument.layout import MIRROR, NAMES_INSTANCE
from wasmscope.instrument.mirror.layout import TRACE_ADDRESS, TRACE_COUNT
from wasmscope.runtime.mirrors.control import ControlMemory

if TYPE_CHECKING:
    from wasmscope.runtime.event import DebugEvent
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.mirrors.mirror import Mirror

_NOTE = struct.Struct("<2I")
_NOTES_AT_ONCE = 1 << 16
"""There is room for so many."""
_FLAGS = MIRROR | NAMES_INSTANCE


class TraceEntry(NamedTuple):
    """An instruction that a guest began to run."""

    instance: Instance
    function: int
    """Index among the defined functions."""
    pc: int
    """Its offset in the original binary."""


class Trace(Sequence[TraceEntry]):
    """The instructions that were run, in their order: made by `Store.request_trace` and `Debuggee.trace`.

    Each is there from when it began, so one that trapped is the last; the one that the guest stands before when it is
    told of something is not. There are as many as were asked for when the trace ended with `DebugEvent.Step`, fewer
    when something else came first; and no more than `keep`, the latest, if that was given. An entry takes 8 bytes.

    `requested` is how many were asked for, `steps` how many were run as of the last event, `is_done` whether the trace
    has ended, and `event` by what was told; None where it has not ended, or by the end of the call.
    """

    def __init__(self, requested: int, keep: int | None, mirror: Callable[[int], Mirror]) -> None:
        self.requested = requested
        """How many were asked for."""
        self.keep = keep
        """How many of the latest are kept; None: all."""
        self.steps = 0
        """How many were run; as of the last event while the trace goes on."""
        self.is_done = False
        """Whether it has ended."""
        self.event: DebugEvent | None = None
        """What it ended with: what was told first. None: it has not, or by the end of the call without an event."""
        self._mirror = mirror
        self._notes = bytearray()

    def note(self, notes: memoryview) -> None:
        """Add what guests have noted."""
        self._notes += notes
        self.steps += len(notes) // _NOTE.size
        if self.keep is not None and len(self._notes) > _NOTE.size * self.keep:
            del self._notes[: len(self._notes) - _NOTE.size * self.keep]

    def end(self, event: DebugEvent | None) -> None:
        """Nothing more is added."""
        self.is_done, self.event = True, event

    def __len__(self) -> int:
        return len(self._notes) // _NOTE.size

    @overload
    def __getitem__(self, index: int) -> TraceEntry: ...

    @overload
    def __getitem__(self, index: slice) -> list[TraceEntry]: ...

    def __getitem__(self, index: int | slice) -> TraceEntry | list[TraceEntry]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._entry(*_NOTE.unpack_from(self._notes, _NOTE.size * places))
        return [self._entry(*_NOTE.unpack_from(self._notes, _NOTE.size * place)) for place in places]

    def __iter__(self) -> Iterator[TraceEntry]:
        for mirror, site in _NOTE.iter_unpack(bytes(self._notes)):
            yield self._entry(mirror, site)

    def __repr__(self) -> str:
        return f"<Trace: {self.steps} of {self.requested} instructions{'' if self.is_done else ', not done'}>"

    def _entry(self, number: int, site: int) -> TraceEntry:
        mirror = self._mirror(number)
        return TraceEntry(mirror.instance, mirror.function, site & ~_FLAGS)


class Tracer:
    """Has the mirrors of a store note what they run, for one trace at a time."""

    def __init__(self, control: ControlMemory) -> None:
        self._control = control
        self._room = 0
        """Its address; given out when it is first needed."""
        self._trace: Trace | None = None

    def start(self, trace: Trace) -> None:
        """Have them do so from now on. Raises `WasmscopeError` where there is no room."""
        self.reserve()
        self._trace = trace
        self._control.set_word(TRACE_ADDRESS, self._room)
        self._control.set_word(TRACE_COUNT, min(trace.requested - trace.steps, _NOTES_AT_ONCE))

    def reserve(self) -> None:
        """Make room for what is noted. Raises `WasmscopeError` where there is none."""
        self._room = self._room or self._control.allocate(_NOTE.size * _NOTES_AT_ONCE)

    def go_on(self) -> bool:
        """They have noted as many as they were to: have them note more of this trace, if it wants more."""
        trace = self._trace
        if trace is None:
            return False
        self.stop()
        if trace.steps == trace.requested:
            return False
        self.start(trace)
        return True

    def stop(self) -> None:
        """Not any more: what they have noted is in the trace."""
        if self._trace is not None:
            with self._control.bytes[self._room : self._control.word(TRACE_ADDRESS)] as notes:
                self._trace.note(notes)
            self._trace = None
            self._control.set_word(TRACE_COUNT, 0)
