"""What a condition can speak of, and what it is compiled to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from wasmscope.wasm.types import MemoryType, ValType


@dataclass(frozen=True, slots=True)
class Scope:
    """The state at one program point, and how code gets at it. Indices in a condition are the guest's.

    `operands` are bottom first. `push_local` and `push_operand` give code that pushes that local or operand.
    `global_index` and `memory_index` turn an index of the guest into one of the module that the code is compiled into;
    they are asked only for what the condition uses. The names are by index, as the name section has them (Wasm spec
    A.4.1); a name may be that of several.
    """

    locals: Sequence[ValType]
    operands: Sequence[ValType]
    globals: Sequence[ValType]
    memories: Sequence[MemoryType]
    push_local: Callable[[int], bytes]
    push_operand: Callable[[int], bytes]
    global_index: Callable[[int], int]
    memory_index: Callable[[int], int]
    first_temporary: int
    """The index of the first local that the code may add to its function."""
    local_names: Mapping[int, str] = field(default_factory=dict)
    global_names: Mapping[int, str] = field(default_factory=dict)
    memory_names: Mapping[int, str] = field(default_factory=dict)


FALSE = 0
TRUE = 1
FIRST_FAULT = 2
"""The outcomes of a condition; from `FIRST_FAULT` on it could not be worked out, which counts as true."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a condition could not be worked out: what its sub-expression at `column`, counted from 1, would do."""

    column: int
    reason: str


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition as code.

    `code` is the body of a function, without its final `end`, that leaves an i32: 0 false, 1 true, 2 + n the fault
    `faults[n]`. It never traps and writes nothing but the locals that it adds: `locals`, from `Scope.first_temporary`
    on. It returns early from faults, so it can only stand in a function whose one result is the outcome. `globals` and
    `memories` are those that it uses, by the guest's indices.
    """

    text: str
    code: bytes
    locals: tuple[ValType, ...]
    globals: frozenset[int]
    memories: frozenset[int]
    faults: tuple[Fault, ...]

    def fault(self, outcome: int) -> Fault | None:
        """The fault that `outcome` stands for; None where it is true or false."""
        return self.faults[outcome - FIRST_FAULT] if outcome >= FIRST_FAULT else None
