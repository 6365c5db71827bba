"""What a function of a generated program is written into: its text, its locals, its labels."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from frames.vocabulary import STRUCT, TYPES, Signature, subtypes


class Writer:
    """Instructions are emitted in order, so the text is valid as long as each piece leaves the stack as it says."""

    def __init__(
        self, rng: random.Random, signatures: Sequence[Signature], number: int, size: int, risk: float
    ) -> None:
        self.rng = rng
        self.signatures = signatures
        self.signature = signatures[number]
        self.size = size
        """Goes down with everything emitted; at 0 only the simplest values are."""
        self.risk = risk
        """How likely what may trap does."""
        self.depth = 0
        self.lines: list[str] = []
        count = rng.choice((2, 4, 6, 8, 10, 25))
        self.locals: list[str] = [*self.signature.params, *rng.choices(TYPES, k=count)]
        self.unset = {n for n, type in enumerate(self.locals) if type == STRUCT and n >= len(self.signature.params)}
        """Locals without default value that cannot be read here yet."""
        self.counters: set[int] = set()
        """Locals that loops count in: read by anything, assigned by nothing else."""
        self.labels: list[tuple[str, ...]] = [self.signature.results]
        """What a branch to each label takes along, the function's own first."""

    def emit(self, *instructions: str) -> None:
        """Add instructions."""
        self.size -= len(instructions)
        self.lines.extend("  " * (self.depth + 2) + instruction for instruction in instructions)

    def chance(self, probability: float) -> bool:
        """True that often, and never once the function is large enough."""
        return self.size > 0 and self.rng.random() < probability

    def counter(self, type: str) -> int:
        """A local that nothing else assigns."""
        self.locals.append(type)
        self.counters.add(len(self.locals) - 1)
        return len(self.locals) - 1

    def readable(self, types: Sequence[str]) -> int | None:
        """A random local of one of these types that is set."""
        found = [n for n, type in enumerate(self.locals) if type in types and n not in self.unset]
        return self.rng.choice(found) if found else None

    def writable(self, types: Sequence[str]) -> int | None:
        """A random local of one of these types to assign."""
        found = [n for n, type in enumerate(self.locals) if type in types and n not in self.counters]
        return self.rng.choice(found) if found else None

    def set_local(self, local: int, instruction: str = "local.set") -> None:
        """Assign a local from the operand on top."""
        self.emit(f"{instruction} {local}")
        self.unset.discard(local)

    @contextmanager
    def block(self, kind: str, signature: Signature, clauses: str = "") -> Iterator[None]:
        """A block around what is emitted inside; locals set in it count as unset behind it (Wasm spec 3.4.10)."""
        self.emit(f"{kind} {signature} {clauses}")
        unset = set(self.unset)
        self.labels.append(signature.params if kind == "loop" else signature.results)
        self.depth += 1
        yield
        self.depth -= 1
        self.labels.pop()
        self.unset = unset
        self.emit("end")

    def other_branch(self) -> None:
        """The `else` of the `if` just being written."""
        self.depth -= 1
        self.emit("else")
        self.depth += 1

    def sink(self, types: Sequence[str]) -> None:
        """Take operands of these types off the stack, into locals or nowhere."""
        for type in reversed(types):
            targets = [each for each in dict.fromkeys(self.locals) if type in subtypes(each)]
            local = self.writable(targets) if self.rng.random() < 0.7 else None
            if local is None:
                self.emit("drop")
            else:
                self.set_local(local)
