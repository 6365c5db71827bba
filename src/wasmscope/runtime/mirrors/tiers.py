"""Which tier frames run in, decided by whoever tests that it makes no difference."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

_CHANCE = 0.3
"""Of an attention test to move all frames, and to ask for another attention."""


class Tiers:
    """The tiers of one store's frames."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def force_mirror(self) -> None:
        """Have every function, also of instances to come, run in the mirror tier from its first instruction."""
        self._store.stops.force_mirrors()

    def leave_at_once(self) -> None:
        """Have frames leave their mirrors without waiting for their loops to run long."""
        self._store.stops.leave_at_once()

    def chaos(self, random: Random) -> None:
        """At random attention tests and calls of host functions, take all frames off the engine's stack; they go on in
        the mirror tier, and what they call in either tier, at random. At loops they leave it, at random too."""
        self._store.stops.shake(lambda: random.random() < _CHANCE)
