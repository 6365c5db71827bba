"""The program points of a function at which its state can be read, and where each value is then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.instrument.expressions import MEMORY, Expression
from wasmscope.instrument.shadow_frame import Slot
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function_state import FunctionState


@dataclass(frozen=True, slots=True)
class Derived:
    """The value follows from other values of the frame."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Uninitialised:
    """A local of a type without default: its slot is null until it is set."""

    slot: Slot


Location = Slot | Derived | Uninitialised


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a function's code where its state is published; the next instruction is the one at `pc`."""

    pc: int
    chunk: int
    """Index of the chunk of rewritten code with the instruction (or the call to the host): its own."""
    first_chunk: int
    """Index of the first chunk of the code that publishes for it; the same as `chunk` where nothing had to be."""
    pushed: bool
    """Whether the stack pointers are above the frame when execution leaves here."""
    traps: bool = True
    """Whether a trap of the guest's may be at this point."""


@dataclass(frozen=True, slots=True)
class State:
    """Where each value of a frame is at a point."""

    locals: tuple[Location, ...]
    stack: tuple[Location, ...]
    stack_types: tuple[ValType, ...]


_MOST_LOCATIONS = 1 << 20
"""So many are remembered of one function: there may be as many as its points times its locals."""


class Recorder:
    """Takes down the points of one function while it is rewritten once more, for somebody who looks at a frame of it.

    The rewrite is deterministic, so the points need not be kept for every function: they are found again when needed.
    States are noted as long as they are not too many together; with `wanted`, a chunk, only that point's is.
    """

    def __init__(self, wanted: int | None = None) -> None:
        self.points: list[Point] = []
        self.states: dict[int, State] = {}
        """By the chunk of the point."""
        self.stores: list[int] = []
        """Chunks that publish a local where it is assigned, ascending."""
        self._wanted = wanted
        self._locations = 0

    def note(
        self,
        state: FunctionState,
        pc: int,
        *,
        first_chunk: int,
        pushed: bool,
        reloads: bool = True,
        traps: bool = True,
    ) -> None:
        """The state is published now and observed by the next chunk. `reloads`: values can be loaded once more."""
        chunk = len(state.out)
        self.points.append(Point(pc, chunk, first_chunk, pushed, traps))
        self._locations += len(state.local_types) + len(state.stack)
        if chunk == self._wanted or (self._wanted is None and self._locations <= _MOST_LOCATIONS):
            self.states[chunk] = self._state(state, reloads)

    def _state(self, state: FunctionState, reloads: bool) -> State:
        frame = state.frame
        derived = state.derived if reloads else state.derived & ~state.dependents[0]
        return State(
            locals=tuple(self._local(state, local, derived) for local in range(len(state.local_types))),
            stack=tuple(
                frame.operand_slot(depth, operand.type)
                if operand.expression is None or (operand.mask & MEMORY and not reloads)
                else Derived(operand.expression)
                for depth, operand in enumerate(state.stack)
            ),
            stack_types=tuple(operand.type for operand in state.stack),
        )

    def _local(self, state: FunctionState, local: int, derived: int) -> Location:
        bit = 2 << local
        if derived & bit:
            return Derived(state.expressions[local])
        slot = state.frame.local_slot(local)
        return Uninitialised(slot) if state.eager & bit else slot
