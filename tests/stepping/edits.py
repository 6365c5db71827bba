"""Changes of a guest's state on its way, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from stepping.step import WIDTHS

What = Literal["local", "stack"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A local or operand that holds a number; frame 0 is the innermost."""

    frame: int
    what: What
    index: int
    type: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A new value for a local or operand, before instruction number `step` of a run (the first is 1)."""

    step: int
    frame: int
    what: What
    index: int
    type: str
    bits: int

    def __str__(self) -> str:
        place = f"{self.what} {self.index} of frame {self.frame}"
        return f"step {self.step}: {place} = {self.type} {self.bits:#x}"


class Editing(Protocol):
    """Asked before each instruction, when it was shown, what to change; `choices` says what can be."""

    def __call__(self, step: int, choices: Callable[[], Sequence[Chosen]]) -> Sequence[Edit]: ...


class Recorded:
    """Makes changes that were chosen before."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._edits: dict[int, list[Edit]] = {}
        for edit in edits:
            self._edits.setdefault(edit.step, []).append(edit)

    def __call__(self, step: int, choices: Callable[[], Sequence[Chosen]]) -> Sequence[Edit]:
        return self._edits.get(step, ())


class Random:
    """Chooses changes, at instructions so many apart on average, and remembers them in `edits`."""

    def __init__(self, rng: random.Random, apart: int) -> None:
        self._rng, self._apart = rng, apart
        self.edits: list[Edit] = []

    def __call__(self, step: int, choices: Callable[[], Sequence[Chosen]]) -> Sequence[Edit]:
        if self._rng.randrange(self._apart) or not (found := choices()):
            return ()
        # The innermost frame in half of the cases: there are mostly more values further out.
        inner = [each for each in found if each.frame == 0]
        chosen = self._rng.choice(inner if inner and self._rng.random() < 0.5 else found)
        bits = _value(self._rng, WIDTHS[chosen.type])
        edit = Edit(step, chosen.frame, chosen.what, chosen.index, chosen.type, bits)
        self.edits.append(edit)
        return (edit,)


def _value(rng: random.Random, width: int) -> int:
    """A number that may be an index or a size, or any."""
    return rng.choice((rng.randrange(8), rng.getrandbits(width), (1 << width) - 1 - rng.randrange(4)))
