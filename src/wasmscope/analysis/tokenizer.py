"""Cuts function bodies into instructions, as raw bytes, at the speed of the `re` module.

A token is one instruction with its immediates, exactly as it stands in the binary. Tokens repeat: whoever needs more
than the bytes looks a token up in a table made once a module (`instrument/operations.py`). The pattern is derived from
the opcode table, so an opcode is known here as soon as it has a row there.
"""

from __future__ import annotations

import re
from array import array
from functools import cache
from itertools import accumulate

from wasmscope.errors import DecodeError
from wasmscope.wasm.instructions import decode_instruction
from wasmscope.wasm.module import Code, Module
from wasmscope.wasm.opcodes import OPCODES, Imm, Opcode
from wasmscope.wasm.reader import Reader

_LEB32 = rb"[\x80-\xff]{0,4}[\x00-\x7f]"
_LEB64 = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_REFERENCE_OR_LEB33 = rb"(?:[\x63\x64]" + _LEB32 + rb"|" + _LEB32 + rb")"
_CATCH = rb"(?:[\x00\x01]" + _LEB32 + _LEB32 + rb"|[\x02\x03]" + _LEB32 + rb")"

END = b"\x0b"
"""The token of the `end` instruction, the last of every body."""

_COUNTED_UP_TO = 127
"""Longer vectors of immediates (one-byte count exceeded) go through the slow path."""


def _vector(element: bytes, up_to: int = _COUNTED_UP_TO) -> bytes:
    counts = (re.escape(bytes([n])) + (b"(?:" + element + b"){%d}" % n if n else b"") for n in range(up_to + 1))
    return b"(?:" + b"|".join(counts) + b")"


_IMMEDIATE: dict[Imm, bytes] = {
    Imm.BLOCK_TYPE: _REFERENCE_OR_LEB33,
    Imm.LABEL: _LEB32,
    Imm.LABELS: _vector(_LEB32) + _LEB32,
    Imm.FUNC: _LEB32,
    Imm.TYPE: _LEB32,
    Imm.TABLE: _LEB32,
    Imm.MEMORY: _LEB32,
    Imm.GLOBAL: _LEB32,
    Imm.LOCAL: _LEB32,
    Imm.TAG: _LEB32,
    Imm.DATA: _LEB32,
    Imm.ELEM: _LEB32,
    # Wasm spec 5.4.6: bit 6 of the alignment says that a memory index follows.
    Imm.MEMARG: rb"(?:[\x00-\x3f]" + _LEB64 + rb"|[\x40-\x7f]" + _LEB32 + _LEB64 + rb")",
    Imm.I32: _LEB32,
    Imm.I64: _LEB64,
    Imm.F32: rb"[\x00-\xff]{4}",
    Imm.F64: rb"[\x00-\xff]{8}",
    Imm.V128: rb"[\x00-\xff]{16}",
    Imm.LANE: rb"[\x00-\xff]",
    Imm.LANES16: rb"[\x00-\xff]{16}",
    Imm.HEAP_TYPE: _LEB32,
    Imm.VAL_TYPES: _vector(_REFERENCE_OR_LEB33, 4),
    Imm.CATCHES: _vector(_CATCH),
    Imm.FIELD: _LEB32,
    Imm.U32: _LEB32,
    Imm.CAST_FLAGS: rb"[\x00-\xff]" + _LEB32 + _LEB32 + _LEB32,
    Imm.ORDERING: rb"[\x00-\xff]",
}


def _opcode_bytes(opcode: Opcode) -> bytes:
    if opcode.code < 0x100:
        return re.escape(bytes([opcode.code]))
    sub = opcode.code & 0xFFFF
    if sub < 0x80:
        return re.escape(bytes([opcode.code >> 16, sub]))
    return re.escape(bytes([opcode.code >> 16, sub & 0x7F | 0x80, sub >> 7]))


@cache
def _instruction_pattern() -> re.Pattern[bytes]:
    """One instruction."""
    return re.compile(b"|".join(_alternatives()))


@cache
def _pattern() -> re.Pattern[bytes]:
    """One instruction, or everything from the first that is not known on."""
    return re.compile(b"|".join([*_alternatives(), rb"[\x00-\xff]+"]))


def _alternatives() -> list[bytes]:
    """One alternative for each shape of immediates, the commonest first.

    Opcodes of one byte come before those with a prefix: `re` passes over a character class at a glance, but has to try
    a prefix opcode's alternatives one by one.
    """
    shapes: dict[bytes, list[bytes]] = {}
    for opcode in OPCODES:
        immediates = b"".join(_IMMEDIATE[immediate] for immediate in opcode.immediates)
        shapes.setdefault(immediates, []).append(_opcode_bytes(opcode))
    commonest = {_LEB32: 0, _IMMEDIATE[Imm.MEMARG]: 1, b"": 2, _IMMEDIATE[Imm.BLOCK_TYPE]: 3}
    alternatives, prefixed = [], []
    for immediates in sorted(shapes, key=lambda shape: commonest.get(shape, 4)):
        single = [code for code in shapes[immediates] if len(re.sub(rb"\\(.)", rb"\1", code, flags=re.DOTALL)) == 1]
        longer = [code for code in shapes[immediates] if code not in single]
        if single:
            alternatives.append(b"[" + b"".join(_in_class(code) for code in single) + b"]" + immediates)
        if longer:
            prefixed.append(b"(?:" + b"|".join(longer) + b")" + immediates)
    return [*alternatives, *prefixed]


def _in_class(escaped: bytes) -> bytes:
    return b"\\x%02x" % escaped[-1]


def tokenize(bytecode: bytes, start: int, end: int) -> list[bytes]:
    """The instructions of `bytecode[start:end]`, in order; joined they are that range again.

    Raises `DecodeError` or `UnsupportedFeature` where the bytes are no instruction.
    """
    tokens: list[bytes] = _pattern().findall(bytecode, start, end)
    if tokens and tokens[-1] == END:
        return tokens
    # The last token took everything from an instruction that the pattern does not know: the rest is cut one by one.
    position = end - len(tokens.pop()) if tokens else end
    match = _instruction_pattern().match
    while position < end:
        found = match(bytecode, position, end)
        if found is None:
            reader = Reader(bytecode, position, end)
            decode_instruction(reader)
            tokens.append(bytecode[position : reader.offset])
        else:
            tokens.append(found[0])
        position += len(tokens[-1])
    if not tokens or tokens[-1] != END:
        raise DecodeError("function body does not end with an `end` instruction", end)
    return tokens


def tokens_of(module: Module, code: Code) -> list[bytes]:
    """The instructions of one function body."""
    return tokenize(module.bytecode, code.code_start, code.end)


def instruction_offsets(module: Module, code: Code) -> array[int]:
    """Where the instructions of one function body begin; the last is its final `end`. Raises as `tokenize` does."""
    offsets = array("I", accumulate(map(len, tokens_of(module, code)), initial=code.code_start))
    offsets.pop()
    return offsets


def tokenize_bodies(module: Module) -> list[list[bytes]]:
    """The instructions of every function body; equal ones are the same object, so the lists are all it takes."""
    known: dict[bytes, bytes] = {}
    return [list(map(known.setdefault, tokens, tokens)) for tokens in (tokens_of(module, c) for c in module.codes)]
