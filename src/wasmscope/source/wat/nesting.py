"""Which blocks each instruction of a function is in, without looking at all of them for one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from wasmscope.wasm.opcodes import BY_NAME

_OPENING = frozenset(BY_NAME[name].code for name in ("block", "loop", "if", "try_table"))
_END = BY_NAME["end"].code

_EVERY = 1024
"""How far apart the positions are that are kept."""


class Position(NamedTuple):
    """Where an instruction stands.

    It is the instruction `number`, in `level` blocks; the innermost of them is number `block` in the order in which
    they open, -1 if there is none. A block that it opens has the number `next_block`.
    """

    number: int
    level: int
    block: int
    next_block: int


class Nesting:
    """The blocks of a function whose instructions are at `offsets`. `end`s too many are passed over."""

    def __init__(self, bytecode: bytes, offsets: array[int]) -> None:
        self._bytecode = bytecode
        self._offsets = offsets

    def walk(self, begin: int) -> Iterator[Position]:
        """The positions of the instructions from number `begin` on."""
        if begin >= len(self._offsets):
            return
        kept, parents = self._kept
        position = kept[begin // _EVERY]
        while True:
            if position.number >= begin:
                yield position
            if position.number + 1 == len(self._offsets):
                return
            position = self._next(position, parents)

    def around(self, block: int) -> Iterator[int]:
        """The number of the block and of those around it, the innermost first."""
        _, parents = self._kept
        while block >= 0:
            yield block
            block = parents[block]

    def _next(self, position: Position, parents: array[int]) -> Position:
        number, level, block, next_block = position
        opcode = self._bytecode[self._offsets[number]]
        if opcode in _OPENING:
            return Position(number + 1, level + 1, next_block, next_block + 1)
        if opcode == _END and level:
            return Position(number + 1, level - 1, parents[block], next_block)
        return Position(number + 1, level, block, next_block)

    @cached_property
    def _kept(self) -> tuple[list[Position], array[int]]:
        """Every so manieth position, and for each block the one around it."""
        kept: list[Position] = []
        parents = array("i")
        level, block = 0, -1
        bytecode = self._bytecode
        for index, offset in enumerate(self._offsets):
            if index % _EVERY == 0:
                kept.append(Position(index, level, block, len(parents)))
            opcode = bytecode[offset]
            if opcode in _OPENING:
                parents.append(block)
                level, block = level + 1, len(parents) - 1
            elif opcode == _END and level:
                level, block = level - 1, parents[block]
        return kept, parents
