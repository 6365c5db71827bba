"""A loop whose header first assumes the worst, and learns at its end what was really the case.

At the header every local that the loop assigns may be unpublished, because of the branches back. When the loop is done
it is known which of them really are, on some branch back; for the others, the stores that were emitted only because of
the assumption are taken out again. (Taking them out makes no local less published on any path, so what was found out
about the branches back stays true.)
"""

from __future__ import annotations


class Loop:
    """The innermost loop around an instruction, of those in which state has to be published."""

    __slots__ = ("assumed_stores", "outside", "stale_at_branches")

    def __init__(self, outside: Loop | None) -> None:
        self.outside = outside
        self.stale_at_branches = 0
        """Locals that are really stale at a branch back to the header."""
        self.assumed_stores: list[tuple[int, int]] = []
        """The local's bit and the chunk of a store that is there because the local may be stale at the header."""

    def unnecessary_stores(self) -> list[int]:
        """Chunks with stores of locals that are published on every way to the header after all."""
        return [chunk for bit, chunk in self.assumed_stores if not bit & self.stale_at_branches]
