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
    assigns: int
    """The local it assigns, or -1."""
    publishes: bool
    """Whether state has to be published for it, whatever is known at run time."""


@dataclass(slots=True)
class LoopSummary:
    """One loop: the locals it assigns, as a bit mask, and whether state has to be published inside."""

    assigned: int = 0
    publishes: bool = False


def summarise_loops(operations: Sequence[LoopToken]) -> list[LoopSummary]:
    """The loops of a body in the order of their headers; an inner loop counts for those around it."""
    loops: list[LoopSummary] = []
    open_blocks: list[LoopSummary | None] = []
    innermost: list[LoopSummary] = []
    for operation in operations:
        if operation.assigns >= 0:
            if innermost:
                innermost[-1].assigned |= 1 << operation.assigns
        elif operation.opens:
            if operation.opens == 2:
                loop = LoopSummary()
                loops.append(loop)
                innermost.append(loop)
                open_blocks.append(loop)
            else:
                open_blocks.append(None)
        elif operation.closes:
            if open_blocks and open_blocks.pop() is not None:
                inner = innermost.pop()
                if innermost:
                    innermost[-1].assigned |= inner.assigned
                    innermost[-1].publishes |= inner.publishes
        elif operation.publishes and innermost:
            innermost[-1].publishes = True
    return loops
