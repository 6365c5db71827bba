"""Which exception handlers are around an instruction (Wasm spec 4.6.10, `throw_ref`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wasmscope.analysis.tokenizer import END, tokens_of
from wasmscope.wasm.instructions import Catch, decode_instruction
from wasmscope.wasm.module import Code, Module
from wasmscope.wasm.reader import Reader

_TRY_TABLE = 0x1F
_OPENS = frozenset({0x02, 0x03, 0x04, _TRY_TABLE})
"""block, loop, if, try_table: opcodes of one byte, so the first byte of a token tells."""


@dataclass(frozen=True, slots=True)
class TryRegion:
    """One `try_table`: its clauses are tried in order for what is thrown at a pc in `start <= pc < end`."""

    start: int
    end: int
    clauses: tuple[Catch, ...]


def try_regions(module: Module, code: Code) -> tuple[TryRegion, ...]:
    """The `try_table` blocks of a function body, inner ones before those around them."""
    tokens = tokens_of(module, code)
    if not any(token[0] == _TRY_TABLE for token in tokens):
        return ()
    regions: list[TryRegion] = []
    open_blocks: list[tuple[int, tuple[Catch, ...]]] = []
    offset = code.code_start
    for token in tokens:
        start, offset = offset, offset + len(token)
        if token[0] in _OPENS:
            clauses = decode_instruction(Reader(token)).immediates[1] if token[0] == _TRY_TABLE else ()
            open_blocks.append((offset, clauses))
        elif token == END and open_blocks:
            begun, clauses = open_blocks.pop()
            if clauses:
                regions.append(TryRegion(begun, start, clauses))
    return tuple(regions)


def clauses_at(regions: Iterable[TryRegion], pc: int) -> Iterator[Catch]:
    """The clauses that are tried for what is thrown at `pc`, in this order; `regions` are those of its function."""
    for region in regions:
        if region.start <= pc < region.end:
            yield from region.clauses
