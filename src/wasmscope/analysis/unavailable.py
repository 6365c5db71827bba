"""What stands in place of a value that cannot be had."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unavailable:
    """In place of a `Val` or another value: it cannot be had, and why."""

    reason: str
