"""What a loop's body does, known before the loop is entered: a forward pass needs it at the header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    def add(self, operations: Iterable[LoopToken]) -> None:
        """Instructions of its body; the same few recur, so each is looked at once."""
        changed, used, publishes, calls = self.changed, self.used, self.publishes, self.calls
        for operation in set(operations):
            changed |= operation.changes
            used |= operation.uses
            publishes |= operation.publishes
            calls |= operation.calls
        self.changed, self.used, self.publishes, self.calls = changed, used, publishes, calls

    def include(self, inner: LoopSummary) -> None:
        """A loop inside."""
        self.changed |= inner.changed
        self.used |= inner.used
        self.publishes |= inner.publishes
        self.calls |= inner.calls


def summarise_loops(operations: Sequence[LoopToken]) -> list[LoopSummary]:
    """The loops of a body in the order of their headers; an inner loop counts for those around it."""
    loops: list[LoopSummary] = []
    open_blocks: list[LoopSummary | None] = []
    innermost: list[LoopSummary] = []
    start = 0
    structure = [(n, operation) for n, operation in enumerate(operations) if operation.opens or operation.closes]
    for position, operation in structure:
        if operation.opens:
            loop = None
            if operation.opens == 2:
                if innermost:
                    innermost[-1].add(operations[start:position])
                start = position
                loop = LoopSummary()
                loops.append(loop)
                innermost.append(loop)
            open_blocks.append(loop)
        elif open_blocks and open_blocks.pop() is not None:
            inner = innermost.pop()
            inner.add(operations[start:position])
            start = position
            if innermost:
                innermost[-1].include(inner)
    return loops
