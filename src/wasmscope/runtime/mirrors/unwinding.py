"""How an activation goes on whose frames the host took off the engine's stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wasmscope.instrument.mirror.layout import SKIP_ALL, SKIP_NOTHING, SKIP_STEP
from wasmscope.runtime.val import ExnRef, Val


@dataclass(frozen=True, slots=True)
class Rerun:
    """The innermost frame goes on at the instruction that it is at.

    `skips_stop`: it stopped there, and does not do so again; `skips_step`: it was told to go on there by a step, which
    does not end there.
    """

    skips_stop: bool = False
    skips_step: bool = False

    @property
    def skip(self) -> int:
        """The same as mirrors are told it: `SKIP_...`."""
        return SKIP_ALL if self.skips_stop else SKIP_STEP if self.skips_step else SKIP_NOTHING


@dataclass(frozen=True, slots=True)
class Jump:
    """The innermost frame goes on at another instruction of its function, where the same operands are on the stack."""

    pc: int


@dataclass(frozen=True, slots=True)
class Return:
    """What the innermost frame called returned these values."""

    values: tuple[Val, ...]


@dataclass(frozen=True, slots=True)
class EarlyReturn:
    """The innermost frame returns these values."""

    values: tuple[Val, ...]


@dataclass(frozen=True, slots=True)
class Throw:
    """An exception is thrown from where the innermost frame is."""

    exception: ExnRef


Unwinding: TypeAlias = Rerun | Jump | Return | EarlyReturn | Throw
