"""What the handlers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from reference.values import Value

if TYPE_CHECKING:
    from reference.machine import Call

Handler = Callable[["Call", list[Value], Any], int | None]

# The innermost call is another one now.
SWITCH = -1


def replace(stack: list[Value], count: int, results: Sequence[Value] = ()) -> None:
    """Pop `count` operands, push the results."""
    stack[len(stack) - count :] = results


def top(stack: list[Value], count: int) -> list[Value]:
    """The top operands, without popping them."""
    return stack[len(stack) - count :]
