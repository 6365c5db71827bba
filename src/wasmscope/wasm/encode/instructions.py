"""Instructions in their shortest form (Wasm spec 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wasmscope.wasm import writer
from wasmscope.wasm.encode.types import encode_heap_type, encode_val_types
from wasmscope.wasm.instructions import CATCH_KINDS, BlockType, CastBranch, Catch, MemArg
from wasmscope.wasm.opcodes import Imm, Opcode

_EMPTY_BLOCK = b"\x40"
_HAS_MEMORY_INDEX = 1 << 6


def _block_type(block_type: BlockType) -> bytes:
    if block_type.type_index is not None:
        return writer.signed(block_type.type_index)
    return _EMPTY_BLOCK if block_type.value_type is None else block_type.value_type.encoding


def _labels(labels: tuple[tuple[int, ...], int]) -> bytes:
    return writer.vector([writer.unsigned(label) for label in labels[0]]) + writer.unsigned(labels[1])


def _memarg(memarg: MemArg) -> bytes:
    if memarg.memory:
        place = writer.unsigned(memarg.align | _HAS_MEMORY_INDEX) + writer.unsigned(memarg.memory)
    else:
        place = writer.unsigned(memarg.align)
    return place + writer.unsigned(memarg.offset)


def _catch(catch: Catch) -> bytes:
    tag = b"" if catch.tag is None else writer.unsigned(catch.tag)
    return bytes([CATCH_KINDS.index(catch.kind)]) + tag + writer.unsigned(catch.label)


def _catches(catches: tuple[Catch, ...]) -> bytes:
    return writer.vector([_catch(catch) for catch in catches])


def _cast(cast: CastBranch) -> bytes:
    source, target = cast.source, cast.target
    assert source.heap is not None
    assert target.heap is not None
    flags = bytes([source.nullable | target.nullable << 1])
    return flags + writer.unsigned(cast.label) + encode_heap_type(source.heap) + encode_heap_type(target.heap)


def _byte(value: int) -> bytes:
    return bytes([value])


_IMMEDIATES: Mapping[Imm, Callable[[Any], bytes]] = {
    Imm.BLOCK_TYPE: _block_type,
    Imm.LABELS: _labels,
    Imm.MEMARG: _memarg,
    Imm.I32: writer.signed,
    Imm.I64: writer.signed,
    Imm.F32: bytes,
    Imm.F64: bytes,
    Imm.V128: bytes,
    Imm.LANE: _byte,
    Imm.LANES16: bytes,
    Imm.HEAP_TYPE: encode_heap_type,
    Imm.VAL_TYPES: encode_val_types,
    Imm.CATCHES: _catches,
    Imm.CAST_FLAGS: _cast,
    Imm.ORDERING: _byte,
}
"""All others are indices."""


def encode_opcode(opcode: Opcode) -> bytes:
    """The code, with its prefix."""
    if opcode.code <= 0xFF:
        return bytes([opcode.code])
    return bytes([opcode.code >> 16]) + writer.unsigned(opcode.code & 0xFFFF)


def encode_instruction(opcode: Opcode, immediates: tuple[Any, ...]) -> bytes:
    """An instruction; the immediates are those that `decode_instruction` gives."""
    parts = [
        _IMMEDIATES.get(immediate, writer.unsigned)(value)
        for immediate, value in zip(opcode.immediates, immediates, strict=True)
    ]
    return encode_opcode(opcode) + b"".join(parts)
