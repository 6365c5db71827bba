"""Two machines side by side, instruction by instruction, up to the first difference."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from frames.observe import Seen
from stepping.program import Program
from stepping.step import WIDTHS, Ending, Hidden, Raw, Shown, Step, Stepper

HISTORY = 6
"""How many instructions before the difference are told."""


@dataclass(slots=True)
class Comparison:
    """What came of it; `difference` is a report of the first one, "" without any."""

    difference: str = ""
    steps: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Values that were compared, by type, and those that could not be ("not compared: ...")."""
    endings: tuple[Ending, ...] = ()

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(count for name, count in self.counts.items() if not name.startswith("not compared"))


def lockstep(program: Program, expected: Stepper, shown: Stepper, limit: int) -> Comparison:
    """Compare two machines with the same program over its first `limit` instructions, or all where it has fewer."""
    trace, ending = record(expected, limit)
    comparison = Comparison()
    follower = _Follower(program, expected, shown, trace, comparison)
    other = shown.run(follower.visit)
    comparison.endings = (ending, other)
    if not comparison.difference:
        follower.compare_endings(ending, other, limit)
    return comparison


def record(stepper: Stepper, limit: int) -> tuple[list[Step], Ending]:
    """The first steps of a program, and how it ended if these are all."""
    steps: list[Step] = []

    def visit(step: Step) -> bool:
        if len(steps) == limit:
            return False
        steps.append(step)
        return True

    return steps, stepper.run(visit)


class _Follower:
    def __init__(
        self, program: Program, expected: Stepper, shown: Stepper, trace: list[Step], comparison: Comparison
    ) -> None:
        self.program, self.expected, self.shown, self.trace, self.comparison = (
            *(program, expected, shown),
            *(trace, comparison),
        )
        self.history: deque[Step] = deque(maxlen=HISTORY)

    def visit(self, step: Step) -> bool:
        number = self.comparison.steps
        if number == len(self.trace):
            # Whether the other one has ended, too, is told by how both ended.
            return False
        wanted = self.trace[number]
        found = self._difference(wanted, step)
        if found:
            self.comparison.difference = self._report(number, wanted, found)
            return False
        self.history.append(wanted)
        self.comparison.steps += 1
        return True

    def compare_endings(self, ending: Ending, other: Ending, limit: int) -> None:
        compared = self.comparison
        if compared.steps < len(self.trace) and "resources" not in (ending.how, other.how):
            compared.difference = self._report(
                compared.steps, self.trace[compared.steps], [f"{self.shown.name} ended before it: {other.how}"]
            )
        elif "stopped" not in (ending.how, other.how):
            compared.difference = "\n".join(ending.differences(other))
        elif ending.how != other.how and "resources" not in (ending.how, other.how):
            compared.difference = f"after {compared.steps} instructions it ended: {ending.how}, {other.how}"

    def _difference(self, wanted: Step, found: Step) -> list[str]:
        told = []
        if (wanted.function, wanted.pc) != (found.function, found.pc):
            here = f"function {found.function} at {found.pc:#x}, {describe(self.program, found.function, found.pc)}"
            return [f"{self.shown.name} is in {here}"]
        if wanted.depth != found.depth:
            told.append(f"depth of the call stack: {wanted.depth}, {found.depth}")
        for what, left, right in (("local", wanted.locals, found.locals), ("operand", wanted.stack, found.stack)):
            if len(left) != len(right):
                told.append(f"number of {what}s: {len(left)}, {len(right)}: {list(left)}, {list(right)}")
            for index, (mine, theirs) in enumerate(zip(left, right, strict=False)):
                if not self._agree(mine, theirs):
                    told.append(f"{what} {index}: {mine}, {theirs}")
        return told

    def _agree(self, wanted: Shown, found: Shown) -> bool:
        if isinstance(wanted, Hidden) or isinstance(found, Hidden):
            self.comparison.counts["not compared: hidden"] += 1
            return True
        typed = wanted if isinstance(wanted, Seen) else found
        if not isinstance(typed, Seen):
            self.comparison.counts["bytes"] += 1
            return wanted == found
        both_typed = isinstance(wanted, Seen) and isinstance(found, Seen)
        if not both_typed and typed.type not in WIDTHS:
            self.comparison.counts[f"not compared: {typed.type}"] += 1
            return True
        self.comparison.counts[typed.type] += 1
        return wanted == found if both_typed else _bytes(wanted) == _bytes(found)

    def _report(self, number: int, wanted: Step, found: list[str]) -> str:
        lines = [f"{self.program.name}, instruction {number + 1}:"]
        lines += [f"      {self._line(each)}" for each in self.history]
        lines += [f"  >>  {self._line(wanted)}", f"  {self.expected.name}, then {self.shown.name}:"]
        return "\n".join([*lines, *(f"  {each}" for each in found)])

    def _line(self, step: Step) -> str:
        words = describe(self.program, step.function, step.pc)
        return f"function {step.function} at {step.pc:#x}: {words}; operands {list(step.stack)}"


def _bytes(value: Shown) -> bytes:
    if isinstance(value, Raw):
        return value.content
    assert isinstance(value, Seen)
    assert isinstance(value.content, int)
    return value.content.to_bytes(WIDTHS[value.type] // 8, "little")


def describe(program: Program, function: int, pc: int) -> str:
    """An instruction in words: its name, and its immediates where they are numbers."""
    instruction = program.instruction_at(function, pc)
    if instruction is None:
        return "no instruction of this function"
    given = instruction.immediate if isinstance(instruction.immediate, tuple) else (instruction.immediate,)
    return " ".join((instruction.name, *(str(each) for each in given if isinstance(each, int))))
