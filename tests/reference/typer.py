"""The static side of the two stacks: operand types and control entries (spec appendix, validation algorithm).

Operand types are linked cells, so that every instruction can keep the types before it at no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference.immediates import Catch
from reference.types import FuncType, RefType, ValueType

if TYPE_CHECKING:
    from reference.module import Module

# The top operand's type and the operands below it.
Operands = tuple[ValueType, "Operands"] | None


@dataclass(slots=True)
class Label:
    """The target of a branch, for the interpreter.

    `ip` is the index of the instruction to go on at, None for the label of the function body: a branch there returns.
    `arity` operands are kept, what is above `height` below them is dropped.
    """

    types: tuple[ValueType, ...]
    height: int
    ip: int | None = None

    @property
    def arity(self) -> int:
        """How many operands the branch carries."""
        return len(self.types)


@dataclass(frozen=True, slots=True)
class Handler:
    """A clause of a try_table with its label."""

    clause: Catch
    label: Label


@dataclass(frozen=True, slots=True)
class TryRegion:
    """The instructions of a try_table's body, `first` to `last` inclusive, and its clauses in order."""

    first: int
    last: int
    handlers: tuple[Handler, ...]


@dataclass(slots=True)
class Control:
    """A block being typed."""

    opcode: str
    type: FuncType
    label: Label
    start: int
    outer: Operands
    outer_height: int
    otherwise: Label | None = None
    handlers: tuple[Handler, ...] = ()


@dataclass(slots=True)
class Typer:
    """The state between two instructions; `ip` is the index of the one being typed."""

    module: Module
    locals: list[ValueType]
    results: tuple[ValueType, ...]
    operands: Operands = None
    height: int = 0
    ip: int = 0
    controls: list[Control] = field(default_factory=list)
    regions: list[TryRegion] = field(default_factory=list)

    def push(self, type: ValueType) -> None:
        """One operand more."""
        self.operands = (type, self.operands)
        self.height += 1

    def push_all(self, types: Iterable[ValueType]) -> None:
        """Operands more, the last on top."""
        for type in types:
            self.push(type)

    def pop(self) -> ValueType:
        """One operand less; below the operands of unreachable code there is "bottom"."""
        if self.height == self.controls[-1].outer_height or self.operands is None:
            return "bottom"
        type, self.operands = self.operands
        self.height -= 1
        return type

    def pop_all(self, types: Iterable[object]) -> None:
        """Operands less, as many as there are types."""
        for _ in types:
            self.pop()

    def pop_ref(self) -> RefType:
        """One reference less."""
        type = self.pop()
        return type if isinstance(type, RefType) else RefType(True, "none")

    def enter(self, opcode: str, type: FuncType, handlers: tuple[Handler, ...] = ()) -> Control:
        """Begin a block, its parameters on the stack."""
        self.pop_all(type.params)
        label = Label(type.params if opcode == "loop" else type.results, self.height)
        if opcode == "loop":
            label.ip = self.ip
        control = Control(opcode, type, label, self.ip, self.operands, self.height, handlers=handlers)
        self.controls.append(control)
        self.push_all(type.params)
        return control

    def restart(self, control: Control, types: Iterable[ValueType]) -> None:
        """The stack as it was outside the block, and `types`."""
        self.operands, self.height = control.outer, control.outer_height
        self.push_all(types)

    def leave(self) -> Control:
        """End the innermost block: its labels are now known, its results on the stack."""
        control = self.controls.pop()
        if control.opcode not in ("loop", "function"):
            control.label.ip = self.ip + 1
        if control.otherwise is not None and control.otherwise.ip is None:
            control.otherwise.ip = self.ip + 1
        if control.opcode == "try_table":
            self.regions.append(TryRegion(control.start + 1, self.ip, control.handlers))
        self.restart(control, control.type.results)
        return control

    def label(self, depth: int) -> Label:
        """The label of the block that many levels out."""
        return self.controls[-1 - depth].label

    def unreachable(self) -> None:
        """The rest of the block is never reached."""
        self.restart(self.controls[-1], ())
