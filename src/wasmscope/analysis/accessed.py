"""What a function accesses at all, in a few bits that are kept of every function.

Bits for reads and writes of each of the first memories, tables and globals; one bit for all others. So it is never said
that a function does not access what it does.
"""

from __future__ import annotations

from collections.abc import Iterable

from wasmscope.analysis.accesses import READ, WRITE, Space, spaces_of
from wasmscope.wasm.instructions import Instruction
from wasmscope.wasm.module import Module

_FIRST = {Space.MEMORY: 0, Space.TABLE: 16, Space.GLOBAL: 32}
_COUNT = {Space.MEMORY: 8, Space.TABLE: 8, Space.GLOBAL: 15}
_OTHERS = 1 << 62

CALLS_IMPORT = 1 << 63
"""The bit of a function that calls an imported one directly."""


def accessed_bits(instruction: Instruction, module: Module) -> int:
    """Those of an instruction."""
    if instruction.opcode.name == "call":
        return CALLS_IMPORT if instruction.immediates[0] < module.num_imported_functions else 0
    return bits_of(each for each in spaces_of(instruction, module) if each[0] is not Space.LOCAL)


def bits_of(accesses: Iterable[tuple[Space, int, int]]) -> int:
    """Those of accesses: what to, its index, and `READ`, `WRITE` or both; to no locals."""
    bits = 0
    for space, index, mode in accesses:
        if index < _COUNT[space]:
            bits |= (mode & (READ | WRITE)) << _FIRST[space] + 2 * index
        else:
            bits |= _OTHERS
    return bits
