"""What both sides of a comparison watch, and what they say of an access."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """A range of a memory, or a global, by its index."""

    kind: str
    index: int
    start: int = 0
    length: int = 1

    @property
    def name(self) -> str:
        """It and its range."""
        return f"{self.kind} {self.index} {self.start}+{self.length}"

    def overlaps(self, address: int, size: int) -> bool:
        """Whether an access touches it."""
        return address < self.start + self.length and self.start < address + size


@dataclass(frozen=True, slots=True)
class Accessed:
    """An access to what is watched: by which instruction, how, and what was there before and after; values as bits."""

    name: str
    function: int
    pc: int
    access: str
    old: bytes | int
    new: bytes | int
