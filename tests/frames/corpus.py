"""The random modules that the comparison runs over: programs of `generator`, and modules of every profile of smith."""

from __future__ import annotations

from dataclasses import dataclass

import wasmtime

from frames.generator import program
from reference.smith import PROFILES, random_module
from support import tiers

PROGRAMS = "programs"
PROFILE_NAMES = (PROGRAMS, *PROFILES)


@dataclass(frozen=True, slots=True)
class Case:
    """One module to compare: of a profile, with a seed; run in a tier, or in that which the environment says."""

    profile: str
    seed: int
    tier: tiers.Choice | None = None

    @property
    def opt_level(self) -> str:
        """How it is compiled: the one is quick, the other moves instructions about."""
        return "none" if self.seed % 2 else "speed"

    def bytecode(self) -> bytes:
        """The module."""
        if self.profile == PROGRAMS:
            return bytes(wasmtime.wat2wasm(program(self.seed)))
        return random_module(self.seed, self.profile)

    def __str__(self) -> str:
        return f"{self.profile}-{self.seed}" + (f"-{self.tier}" if self.tier is not None else "")
