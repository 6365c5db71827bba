"""What the rewriter knows of one value on the operand stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.instrument.expressions import Expression
from wasmscope.instrument.leb import unsigned
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function import FunctionRewriter


CONSTANT = -1
"""In place of a producer: a constant, one operand for all its uses, never copied."""


class Operand:
    """One operand. `producer` says where a `local.tee` can be added behind the instruction that pushed it."""

    __slots__ = ("expression", "mask", "producer", "temporary", "type")

    def __init__(
        self, value_type: ValType, producer: int | Results, expression: Expression = None, mask: int = 0
    ) -> None:
        self.type = value_type
        self.producer = producer
        self.expression = expression
        """What the host can work the value out from, or None."""
        self.mask = mask
        """The locals in `expression`, one bit each."""
        self.temporary = -1
        """The local that holds a copy of it, once one is needed."""


class Results:
    """Several operands pushed by one instruction: only the topmost can be copied by a `local.tee`."""

    __slots__ = ("depth", "operands", "producer")

    def __init__(self, producer: int, depth: int, types: tuple[ValType, ...]) -> None:
        self.producer = producer
        self.depth = depth
        self.operands = [Operand(value_type, self) for value_type in types]

    def save(self, rewriter: FunctionRewriter) -> None:
        """Copy all of them to temporaries: take them off one by one and put them back."""
        for position, operand in enumerate(self.operands):
            operand.temporary = rewriter.frame.temporary(self.depth + position, operand.type)
        first, *others = (unsigned(operand.temporary) for operand in self.operands)
        code = b"".join(b"\x21" + local for local in reversed(others))
        code += b"\x22" + first + b"".join(b"\x20" + local for local in others)
        rewriter.out[self.producer] += code
