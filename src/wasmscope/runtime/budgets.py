"""wasmtime's own ways to end a guest, which are for the original: fuel, and the deadline in epochs."""

from __future__ import annotations

from wasmscope.runtime.engine import Engine
from wasmscope.runtime.shadow import Shadow

MOST_FUEL = (1 << 63) - 1
"""As much as the guest's counter holds; what was set beyond that is kept here until it is used up."""


class Fuel:
    """How many of the original's instructions the guests of a store may still run (`Config.consume_fuel`).

    The counter in the shadow state goes up from below zero.
    """

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._reserve = 0

    def set(self, fuel: int) -> None:
        """Let so many run from now on."""
        self._reserve = fuel - self._refuel(fuel)

    def get(self) -> int:
        """How many are left."""
        return max(0, self._reserve - self._shadow.fuel)

    def is_used_up(self) -> bool:
        """Whether none may run any more, even after the counter was filled up from what did not fit into it."""
        if self._shadow.fuel < 0:
            return False
        self._reserve -= self._refuel(self._reserve)
        return self._shadow.fuel >= 0

    def _refuel(self, fuel: int) -> int:
        """Let the guest have as much of `fuel` as the counter holds; returns how much that is."""
        injected = max(0, min(fuel, MOST_FUEL))
        self._shadow.fuel = -injected
        return injected


class EpochDeadline:
    """When a store's guests have to end (`Config.epoch_interruption`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._epoch = 0

    def set(self, ticks_after_current: int) -> None:
        """So many epochs from now."""
        self._epoch = self._engine.epoch + ticks_after_current

    def is_past(self) -> bool:
        """Whether they have to end now."""
        return self._engine.epoch_interruption and self._engine.epoch >= self._epoch
