"""What the state knows of one value on the operand stack.

Operands are never changed, so one object can stand for all that are alike, and hardly any have to be made. What differs
between them, how each can be copied, the state keeps by depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from wasmscope.instrument.expressions import Expression
from wasmscope.instrument.leb import unsigned
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function_state import FunctionState


class Operand:
    """One operand; no dataclass, because frozen ones are slow to make."""

    __slots__ = ("expression", "mask", "type")

    def __init__(self, value_type: ValType, expression: Expression = None, mask: int = 0) -> None:
        self.type = value_type
        self.expression = expression
        """What the host can work the value out from, or None."""
        self.mask = mask
        """The locals in `expression`, one bit each."""


@cache
def unknown(value_type: ValType) -> Operand:
    """An operand whose value has to be published."""
    return Operand(value_type)


class Results:
    """Several operands pushed by one instruction: only the topmost can be copied by a `local.tee`."""

    __slots__ = ("chunk", "depth", "types")

    def __init__(self, chunk: int, depth: int, types: Sequence[ValType]) -> None:
        self.chunk = chunk
        self.depth = depth
        self.types = types

    def save(self, state: FunctionState) -> None:
        """Copy all of them to temporaries: take them off one by one and put them back."""
        temporaries = [state.frame.temporary(depth, kind) for depth, kind in enumerate(self.types, self.depth)]
        first, *others = map(unsigned, temporaries)
        code = b"".join(b"\x21" + local for local in reversed(others))
        code += b"\x22" + first + b"".join(b"\x20" + local for local in others)
        state.out[self.chunk] += code
        for depth, temporary in enumerate(temporaries, self.depth):
            if state.producers[depth] is self:  # otherwise something else is at that depth by now
                state.producers[depth] = ~temporary
