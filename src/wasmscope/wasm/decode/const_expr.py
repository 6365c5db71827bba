"""Constant expressions (Wasm spec 5.4.9): where they end. What they may contain is for validation to say."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm.instructions import decode_instruction
from wasmscope.wasm.module import ConstExpr
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.reader import Reader

_END = 0x0B


def decode_const_expr(reader: Reader) -> ConstExpr:
    """The range of the expression at the reader's position."""
    start = reader.offset
    while True:
        instruction = decode_instruction(reader)
        if instruction.opcode.code == _END:
            return ConstExpr(start, reader.offset)
        if Imm.BLOCK_TYPE in instruction.opcode.immediates:
            # No block is constant, and without blocks the first `end` is the expression's own.
            raise DecodeError("constant expression expected", instruction.offset)
