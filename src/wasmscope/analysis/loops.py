"""What a loop's body does, known before the loop is entered: a forward pass needs it at the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class LoopToken(Protocol):
    """What this analysis needs to know of an instruction."""

    opens: int
    """0: no; 1: opens a block, `if` or `try_table`; 2: opens a loop."""
    closes: bool
    changes: int
    """The local it assigns and whether it changes memories, as in `LoopSummary.changed`."""
    uses: int
    """The bit of the local it reads or assigns."""
    publishes: bool
    """Whether state has to be published for it, whatever is known at run time."""
    calls: bool


@dataclass(slots=True)
class LoopSummary:
    """One loop: what it changes, and whether state has to be published inside."""

    changed: int = 0
    """Bit 0: memories; bit n + 1: local n."""
    used: int = 0
    """Locals that it reads or assigns."""
    publishes: bool = False
    calls: bool = False


def summarise_loops(operations: Sequence[LoopToken]) -> list[LoopSummary]:
    """The loops of a body in the order of their headers; an inner loop counts for those around it."""
    loops: list[LoopSummary] = []
    open_blocks: list[LoopSummary | None] = []
    innermost: list[LoopSummary] = []
    for operation in operations:
        if innermost:
            innermost[-1].changed |= operation.changes
            innermost[-1].used |= operation.uses
            innermost[-1].publishes |= operation.publishes
            innermost[-1].calls |= operation.calls
        if operation.opens:
            if operation.opens == 2:
                loop = LoopSummary()
                loops.append(loop)
                innermost.append(loop)
                open_blocks.append(loop)
            else:
                open_blocks.append(None)
        elif operation.closes and open_blocks and open_blocks.pop() is not None:
            inner = innermost.pop()
            if innermost:
                innermost[-1].changed |= inner.changed
                innermost[-1].publishes |= inner.publishes
                innermost[-1].used |= inner.used
                innermost[-1].calls |= inner.calls
    return loops
