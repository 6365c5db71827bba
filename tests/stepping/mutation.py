"""State changed on the way: what follows from it must be the same on every machine, to the last instruction.

A first run of the reference interpreter chooses the changes, at random; they are then made again, by `Recorded`, on
each machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from stepping.edits import Edit, Editing, Random, Recorded
from stepping.lockstep import Comparison, lockstep, record
from stepping.on_reference import OnReference
from stepping.program import Program
from stepping.step import Ending, Stepper

LIMIT = 1500
"""How many instructions of a run are looked at: a change may make a loop endless."""

APART = 40
"""How many instructions lie between changes, on average."""


@dataclass(frozen=True, slots=True)
class Mutated:
    """A program with changes; `ending` and `undisturbed` say how it ended with them and without."""

    program: Program
    edits: tuple[Edit, ...]
    ending: Ending
    undisturbed: Ending

    @property
    def is_noticed(self) -> bool:
        """Whether the changes made a difference at the end."""
        return bool(self.undisturbed.differences(self.ending))


def mutate(program: Program, seed: int) -> Mutated:
    """Choose changes for a program."""
    chosen = Random(random.Random(f"edits {seed}"), APART)
    _, ending = record(OnReference(program, chosen), LIMIT)
    _, undisturbed = record(OnReference(program), LIMIT)
    return Mutated(program, tuple(chosen.edits), ending, undisturbed)


def compare(mutated: Mutated, machine: Callable[[Program, Editing], Stepper]) -> Comparison:
    """Make the changes in the reference interpreter and in another machine, side by side."""
    expected = OnReference(mutated.program, Recorded(mutated.edits))
    shown = machine(mutated.program, Recorded(mutated.edits))
    return lockstep(mutated.program, expected, shown, LIMIT)
