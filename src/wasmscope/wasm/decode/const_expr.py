"""Constant expressions (Wasm spec 5.4.9): where they end. What they may contain is for validation to say."""

from __future__ import annotations

import re

from wasmscope.errors import DecodeError
from wasmscope.wasm.instructions import decode_instruction
from wasmscope.wasm.module import ConstExpr
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.reader import Reader

_END = 0x0B

_I32_CONST = re.compile(rb"\x41[\x80-\xff]{0,3}[\x00-\x7f]\x0b")
"""`i32.const n`, `end`, with a number that is never too large: what nearly all of many thousand data segments have."""


def decode_const_expr(reader: Reader) -> ConstExpr:
    """The range of the expression at the reader's position."""
    start = reader.offset
    common = _I32_CONST.match(reader.bytecode, start, reader.end)
    if common is not None:
        reader.offset = common.end()
        return ConstExpr(start, reader.offset)
    while True:
        instruction = decode_instruction(reader)
        if instruction.opcode.code == _END:
            return ConstExpr(start, reader.offset)
        if Imm.BLOCK_TYPE in instruction.opcode.immediates:
            # No block is constant, and without blocks the first `end` is the expression's own.
            raise DecodeError("constant expression expected", instruction.offset)
