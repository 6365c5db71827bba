"""What atomic instructions write (the threads proposal, "Atomic Memory Accesses")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import add, and_, or_, sub, xor
from types import MappingProxyType

_OPERATORS: Mapping[str, Callable[[int, int], int]] = MappingProxyType(
    {"add": add, "sub": sub, "and": and_, "or": or_, "xor": xor, "xchg": lambda _, operand: operand}
)


def modified(name: str, old: int, operand: int) -> int:
    """What the `.rmw` instruction with this name makes of `old`; more bits than it writes."""
    operator = name.rpartition(".")[2].removesuffix("_u")
    return _OPERATORS[operator](old, operand)


def exchanged(old: int, expected: int, replacement: int, mask: int) -> int | None:
    """What a comparison and exchange writes of as many bits as `mask` has; None: nothing."""
    return replacement if old == expected & mask else None
