"""In which tier guests run while tests look on: `WASMSCOPE_TIER=fast|mirror|chaos[:seed]` in the environment.

fast    as users have it: the fast tier, until somebody wants to stop where it cannot
mirror  every function in the mirror tier, from its first instruction on
chaos   frames move to the mirror tier and back at random moments, while a `Controller` interrupts, steps and sets
        breakpoints at random, unless the store has a handler already; what is random follows from the seed

Every test that makes stores for guests whose outcome it compares has them pass through `prepared`.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import wasmscope
from support.chaos import Controller

VARIABLE = "WASMSCOPE_TIER"

_Store = TypeVar("_Store")


class Tier(StrEnum):
    """See the module."""

    FAST = "fast"
    MIRROR = "mirror"
    CHAOS = "chaos"


@dataclass(frozen=True, slots=True)
class Choice:
    """A tier; `seed` says what is random in "chaos"."""

    tier: Tier
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Read `fast`, `mirror`, `chaos` or `chaos:7`; raises `ValueError` for anything else."""
        name, colon, seed = text.partition(":")
        if colon and name != Tier.CHAOS:
            raise ValueError(f"{name} takes no seed")
        return cls(Tier(name), int(seed) if colon else 0)

    def __str__(self) -> str:
        return f"{self.tier}:{self.seed}" if self.tier is Tier.CHAOS else self.tier.value


def configured() -> Choice:
    """What the environment says."""
    return Choice.parse(os.environ.get(VARIABLE) or Tier.FAST)


def prepared(store: _Store, choice: Choice | None = None) -> _Store:
    """The store, whose guests run in the tier chosen; one of plain wasmtime as it is."""
    if isinstance(store, wasmscope.Store) and store.guest_debug:
        _prepare(store, choice or configured())
    return store


def _prepare(store: wasmscope.Store, choice: Choice) -> None:
    match choice.tier:
        case Tier.FAST:
            return
        case Tier.MIRROR:
            force_mirror(store)
        case Tier.CHAOS:
            move_at_random(store, random.Random(f"tiers {choice.seed}"))
            if store.debug_handler is None:
                Controller(random.Random(f"controller {choice.seed}")).take(store)


def force_mirror(store: wasmscope.Store) -> None:
    """Have every function of every instance, also later ones, run in the mirror tier from its first instruction."""
    store.tiers.force_mirror()


def move_at_random(store: wasmscope.Store, rng: random.Random) -> None:
    """Have frames move to the mirror tier and back at random attention tests and events."""
    store.tiers.chaos(rng)
