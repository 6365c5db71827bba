"""The program points of a function at which its state can be read, and where each value is then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.instrument.expressions import MEMORY, Expression
from wasmscope.instrument.shadow_frame import Slot
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function import FunctionRewriter


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
    """The state of a frame whose next instruction is the one at `pc`."""

    pc: int
    chunk: int
    """Index of the chunk of rewritten code that holds the instruction (or the call to the host)."""
    first_chunk: int
    """Index of the first chunk of the code that publishes for it; the same as `chunk` where nothing had to be."""
    pushed: bool
    """Whether the stack pointers are above the frame when execution leaves here."""
    locals: tuple[Location, ...]
    stack: tuple[Location, ...]
    stack_types: tuple[ValType, ...]


class Recorder:
    """Takes down the points of one function while it is rewritten once more, for somebody who looks at a frame of it.

    The rewrite is deterministic, so the points need not be kept for every function: they are found again when needed.
    """

    def __init__(self) -> None:
        self.points: list[Point] = []

    def note(
        self, rewriter: FunctionRewriter, pc: int, *, first_chunk: int, pushed: bool, reloads: bool = True
    ) -> None:
        """The state is published now and observed by the next chunk. `reloads`: values can be loaded once more."""
        frame = rewriter.frame
        derived = rewriter.derived if reloads else rewriter.derived & ~rewriter.dependents[0]
        self.points.append(
            Point(
                pc=pc,
                chunk=len(rewriter.out),
                first_chunk=first_chunk,
                pushed=pushed,
                locals=tuple(self._local(rewriter, local, derived) for local in range(len(rewriter.local_types))),
                stack=tuple(
                    frame.operand_slot(depth, operand.type)
                    if operand.expression is None or (operand.mask & MEMORY and not reloads)
                    else Derived(operand.expression)
                    for depth, operand in enumerate(rewriter.stack)
                ),
                stack_types=tuple(operand.type for operand in rewriter.stack),
            )
        )

    def _local(self, rewriter: FunctionRewriter, local: int, derived: int) -> Location:
        bit = 2 << local
        if derived & bit:
            return Derived(rewriter.expressions[local])
        slot = rewriter.frame.local_slot(local)
        return Uninitialised(slot) if rewriter.eager & bit else slot
