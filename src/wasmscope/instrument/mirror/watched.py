"""What of an instance is watched: which accesses are tested, in code that is made while it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wasmscope.analysis.accessed import CALLS_IMPORT, bits_of
from wasmscope.analysis.accesses import READ, WRITE, Access, Space

Kind = tuple[Space, int, int]
"""`READ` or `WRITE` of the memory, table or global with an index."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The kinds of accesses that are watched, and whether it is looked behind calls what hosts have written."""

    kinds: frozenset[Kind] = frozenset()
    behind_imports: bool = False

    def __bool__(self) -> bool:
        return bool(self.kinds) or self.behind_imports

    def __str__(self) -> str:
        kinds = sorted(f"{space.value} {index} {mode}" for space, index, mode in self.kinds)
        return ", ".join([*kinds, *(["behind imports"] if self.behind_imports else [])])

    def covers(self, other: Watched) -> bool:
        """Whether code that is made for this tests all that `other` asks for."""
        return self.kinds >= other.kinds and self.behind_imports >= other.behind_imports

    def among(self, accesses: Iterable[tuple[Space, int]], *, calls_import: bool) -> Watched:
        """What of it concerns code with these accesses, by what they are to."""
        accessed = set(accesses)
        kinds = frozenset(kind for kind in self.kinds if kind[:2] in accessed)
        return Watched(kinds, self.behind_imports and calls_import)

    def of(self, accesses: tuple[Access, ...]) -> tuple[Access, ...]:
        """Those of an instruction's accesses that are watched, in the ways that are."""
        modes = (
            sum(
                mode
                for mode in (READ, WRITE)
                if access.mode & mode and (access.space, access.index, mode) in self.kinds
            )
            for access in accesses
        )
        return tuple(replace(access, mode=mode) for access, mode in zip(accesses, modes, strict=True) if mode)

    @property
    def bits(self) -> int:
        """Which functions it concerns: those that have one of these (`analysis/accessed.py`)."""
        return bits_of(self.kinds) | (CALLS_IMPORT if self.behind_imports else 0)


NOTHING = Watched()
