"""What instructions read and write of memories, tables, globals and locals, before they run: which part, and how.

An access is to a half-open range of addresses in one *space*: bytes of a memory, entries of a table; a global or a
local is a space with the one address 0. Where the range begins and how long it is, is said by operands of the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from wasmscope.analysis.typing import TypedInstruction, height_of
from wasmscope.wasm.instructions import Instruction, MemArg
from wasmscope.wasm.module import Module
from wasmscope.wasm.opcodes import Imm

READ, WRITE = 1, 2
"""Bits of what an access does."""


class Space(Enum):
    """A kind of thing that can be watched."""

    MEMORY = "memory"
    TABLE = "table"
    GLOBAL = "global"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Field:
    """An operand by its depth, an unsigned number of 32 or 64 bits."""

    depth: int
    is64: bool


@dataclass(frozen=True, slots=True)
class Access:
    """One access of an instruction; one that copies has two."""

    space: Space
    index: int
    """Of the memory, table, global or local."""
    mode: int
    """`READ`, `WRITE` or both."""
    address: Field | None = None
    """Where it begins; None: at 0."""
    offset: int = 0
    """Added to that."""
    length: int | Field = 1


Visit = Callable[[Instruction, int, Module], tuple[Access, ...]]
"""Gives the accesses of an instruction before which there are so many operands."""


def accesses_of(typed: TypedInstruction, module: Module) -> tuple[Access, ...]:
    """The accesses of an instruction that can be reached; those of an instruction that traps are among them."""
    return _accesses(typed.instruction, height_of(typed.stack), module) if typed.is_reachable else ()


def spaces_of(instruction: Instruction, module: Module) -> Iterator[tuple[Space, int, int]]:
    """What an instruction accesses, wherever it is: the space, its index, and `READ`, `WRITE` or both."""
    for access in _accesses(instruction, 0, module):
        yield access.space, access.index, access.mode


def _accesses(instruction: Instruction, height: int, module: Module) -> tuple[Access, ...]:
    opcode = instruction.opcode
    if opcode.memory_access is not None and Imm.MEMARG in opcode.immediates:
        memarg: MemArg = instruction.immediates[0]
        assert opcode.params is not None
        address = Field(height - len(opcode.params), _is64(module, Space.MEMORY, memarg.memory))
        mode = memory_mode(opcode.name)
        return (Access(Space.MEMORY, memarg.memory, mode, address, memarg.offset, opcode.memory_access),)
    visit = _OTHERS.get(opcode.name)
    return () if visit is None else visit(instruction, height, module)


def memory_mode(name: str) -> int:
    """What an instruction with a memory argument does: waiting and notifying count as reading."""
    if ".rmw" in name:
        return READ | WRITE
    return WRITE if "store" in name else READ


def _is64(module: Module, space: Space, index: int) -> bool:
    types = module.all_memories if space is Space.MEMORY else module.all_tables
    return types[index].limits.is64


def _whole(space: Space, mode: int) -> Visit:
    return lambda instruction, height, module: (Access(space, instruction.immediates[0], mode),)


def _entry(position: int, below: int, mode: int) -> Visit:
    """One entry of the table that the immediate at `position` names; its index is so far below the top."""

    def visit(instruction: Instruction, height: int, module: Module) -> tuple[Access, ...]:
        index: int = instruction.immediates[position]
        address = Field(height - 1 - below, _is64(module, Space.TABLE, index))
        return (Access(Space.TABLE, index, mode, address),)

    return visit


def _fill(space: Space) -> Visit:
    def visit(instruction: Instruction, height: int, module: Module) -> tuple[Access, ...]:
        index: int = instruction.immediates[0]
        first, is64 = height - 3, _is64(module, space, index)
        return (Access(space, index, WRITE, Field(first, is64), length=Field(first + 2, is64)),)

    return visit


def _copy(space: Space) -> Visit:
    """The length has the smaller of the two address types (Wasm spec 3.4.6 and 3.4.7)."""

    def visit(instruction: Instruction, height: int, module: Module) -> tuple[Access, ...]:
        target, source = instruction.immediates
        first = height - 3
        to64, from64 = _is64(module, space, target), _is64(module, space, source)
        length = Field(first + 2, to64 and from64)
        return (
            Access(space, source, READ, Field(first + 1, from64), length=length),
            Access(space, target, WRITE, Field(first, to64), length=length),
        )

    return visit


def _init(space: Space) -> Visit:
    def visit(instruction: Instruction, height: int, module: Module) -> tuple[Access, ...]:
        index: int = instruction.immediates[1]
        first = height - 3
        return (Access(space, index, WRITE, Field(first, _is64(module, space, index)), length=Field(first + 2, False)),)

    return visit


_OTHERS: dict[str, Visit] = {
    "local.get": _whole(Space.LOCAL, READ),
    "local.set": _whole(Space.LOCAL, WRITE),
    "local.tee": _whole(Space.LOCAL, WRITE),
    "global.get": _whole(Space.GLOBAL, READ),
    "global.set": _whole(Space.GLOBAL, WRITE),
    "table.get": _entry(0, 0, READ),
    "table.set": _entry(0, 1, WRITE),
    "call_indirect": _entry(1, 0, READ),
    "return_call_indirect": _entry(1, 0, READ),
    "memory.fill": _fill(Space.MEMORY),
    "memory.copy": _copy(Space.MEMORY),
    "memory.init": _init(Space.MEMORY),
    "table.fill": _fill(Space.TABLE),
    "table.copy": _copy(Space.TABLE),
    "table.init": _init(Space.TABLE),
}
