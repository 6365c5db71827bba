"""Steps: how far the guest goes on before it stops again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from wasmscope.instrument.layout import FIRST_FRAME

if TYPE_CHECKING:
    from wasmscope.runtime.stops.tracing import Trace

StepKind = Literal["into", "over", "out", "entry"]
"""To the next instruction, wherever that is; to the next one of this frame or of one below; to the next one of a frame
below; to the first one of the function that is entered next."""

EVERYWHERE = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Reach:
    """In which frames a guest stops at every instruction, and whether that goes for functions it calls."""

    limit: int
    """Frames at addresses up to here."""
    calls: bool
    entries: bool = False
    """It stops where functions begin, and nowhere else."""
    trace: Trace | None = None
    """It stops when all of this was noted."""

    def beyond(self, base: int) -> Reach:
        """The reach when the activation at `base` was left: a step of a frame ends in those below."""
        is_of_frame = self.limit != EVERYWHERE and not self.entries
        return replace(self, limit=min(self.limit, base - 1)) if is_of_frame else self

    @classmethod
    def of(cls, kind: StepKind, frame: int | None) -> Reach:
        """The reach of a step from the frame at an address; None: no guest runs."""
        base = FIRST_FRAME if frame is None else frame
        match kind:
            case "into":
                return EVERYTHING
            case "over":
                return cls(base, calls=frame is None)
            case "out":
                return cls(base - 1, calls=False)
            case "entry":
                return ENTRIES
            case _:
                raise ValueError(f'expected "into", "over", "out" or "entry" as the kind of a step, not {kind!r}')


EVERYTHING = Reach(EVERYWHERE, calls=True)
"""Every instruction."""
ENTRIES = Reach(0, calls=True, entries=True)
"""The first instruction of every function that is entered."""

TAIL_CALLS = frozenset({"return_call", "return_call_indirect", "return_call_ref"})
