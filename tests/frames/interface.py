"""What both sides of a comparison have in common: what a run shows, what the host's functions do, what is passed.

Every import that is a function is a host function that looks at all frames and then gives results that follow from its
name and the number of the call (`reference.smith.host_result`). Three names mean more: `nest` calls the guest's export
"nested" first, the first few times; `fail` raises when its argument is 0; `tick` interrupts the guest, which stops at
the next place where it looks for that. Which places those are is wasmscope's choice: the interpreter is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from frames.observe import Observation
from reference.smith import EXPORTS, host_result

NESTED = 3
"""So many calls of `nest` call back into the guest."""

OBSERVED = 20
"""So many host calls of a run are looked at, the first ones."""

RESOURCES = "resources"
"""How a run ended that used up what the two sides need not have the same amount of."""

RESOURCE_CODES = frozenset({"ALLOCATION_TOO_LARGE", "STACK_OVERFLOW"})


INTERRUPTED = "interrupted"
"""Why an observation was made at a place of wasmscope's choice."""

Place = tuple[int, int, int]
"""Where a guest stopped: function and pc of the innermost frame, and how many frames there are."""


CAUGHT = "caught exception"
"""Why an observation was made at a throw that the guest itself catches."""


def wants_caught(export: str) -> bool:
    """Whether the debug handler wants to know of exceptions that the guest catches: not in the second run of each."""
    return not export.endswith("_again")


class HostFailure(Exception):
    """What the host function `fail` raises."""


@dataclass(slots=True)
class Run:
    """What one run showed, in order, and how it ended: "returned", "exception", "raised", `RESOURCES`, trap code."""

    observations: list[Observation] = field(default_factory=list)
    ending: str = "returned"

    def stops(self) -> list[Place]:
        """Where the guest was interrupted, in order."""
        return [place_of(each) for each in self.observations if each.why == INTERRUPTED]


def place_of(observation: Observation) -> Place:
    """Where the guest is."""
    innermost = observation.frames[0]
    return innermost.function, innermost.pc, len(observation.frames)


def arguments(name: str, params: Sequence[str]) -> list[Any]:
    """Arguments for an export in the interpreter's form: of `EXPORTS`, or what follows from its name and types."""
    if name in EXPORTS and len(EXPORTS[name]) == len(params):
        return list(EXPORTS[name])
    return [host_result(name, position, param) for position, param in enumerate(params)]
