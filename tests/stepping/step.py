"""What a machine shows before an instruction and at the end, in one form for all machines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from frames.observe import Seen

#: bits of the types whose values are numbers
WIDTHS: Mapping[str, int] = {"i32": 32, "i64": 64, "f32": 32, "f64": 64, "v128": 128}


@dataclass(frozen=True, slots=True)
class Raw:
    """A value of which no more is known than its bytes, little-endian."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that a machine is known not to show."""


Shown = Seen | Raw | Hidden


@dataclass(frozen=True, slots=True)
class Step:
    """The innermost frame before an instruction; `depth` is how many frames there are, `function` counts imports.

    A branch to a `loop` leads behind the `loop`, which marks a place and does nothing: it is shown when the loop is
    entered, and not again in later rounds.
    """

    function: int
    pc: int
    depth: int
    locals: tuple[Shown, ...]
    stack: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    `how` is "returned", "exception", "raised" (by a host function), a trap code, "resources" where a machine ran out of
    what others may have more of, "stopped" where the visitor had seen enough; "trap" where it is not known which.
    What a machine cannot tell is None.
    """

    how: str
    results: tuple[Any, ...] | None = None
    host_calls: tuple[Any, ...] | None = None
    state: Mapping[str, Any] | None = None
    """The exported memories, by a digest, and the exported globals that are numbers."""

    def differences(self, other: Ending) -> list[str]:
        """In what they differ, of what both can tell."""
        found = []
        some_trap = "trap" in (self.how, other.how) and self._may_be_trap() and other._may_be_trap()
        if self.how != other.how and not some_trap:
            found.append(f"it ended: {self.how}, {other.how}")
        if "resources" in (self.how, other.how):
            return []
        for each in fields(self)[1:]:
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if mine is not None and theirs is not None and mine != theirs:
                found.append(f"{each.name.replace('_', ' ')}: {_short(mine)}, {_short(theirs)}")
        return found

    def _may_be_trap(self) -> bool:
        return self.how not in ("returned", "raised", "stopped")


Visit = Callable[[Step], bool]
"""Looks at a step; False: the run is to end here."""


class Stepper(Protocol):
    """A machine with a program in it; each run is of a new instance."""

    name: str

    def run(self, visit: Visit) -> Ending:
        """Run the program, showing every instruction before it runs."""
        ...


def digest(data: bytes | bytearray) -> str:
    """The content of a memory, in a form that fits into a message."""
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:16]}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 400 else f"{text[:400]}..."
