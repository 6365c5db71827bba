"""Instructions, one by one (Wasm spec 5.4): made for clarity, not for speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.decode.types import decode_heap_type, decode_val_type
from wasmscope.wasm.opcodes import BY_CODE, PREFIXES, UNSUPPORTED, Imm, Opcode
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import ValType, ref_type


@dataclass(frozen=True, slots=True)
class MemArg:
    """A memory argument (Wasm spec 5.4.6): alignment as an exponent, memory index, constant offset."""

    align: int
    memory: int
    offset: int


@dataclass(frozen=True, slots=True)
class BlockType:
    """The type of a block (Wasm spec 5.4.1): empty, one result, or a function type by its index."""

    value_type: ValType | None = None
    type_index: int | None = None

    @property
    def kind(self) -> Literal["empty", "value", "index"]:
        """Which of the three it is."""
        if self.type_index is not None:
            return "index"
        return "empty" if self.value_type is None else "value"


CatchKind = Literal["catch", "catch_ref", "catch_all", "catch_all_ref"]
CATCH_KINDS: tuple[CatchKind, ...] = ("catch", "catch_ref", "catch_all", "catch_all_ref")
"""The kinds of catch clauses in the order of their codes."""


@dataclass(frozen=True, slots=True)
class Catch:
    """A clause of `try_table` (Wasm spec 5.4.1); `tag` is there where the kind is not one of the `all`."""

    kind: CatchKind
    tag: int | None
    label: int


@dataclass(frozen=True, slots=True)
class CastBranch:
    """The immediates of `br_on_cast` and `br_on_cast_fail` (Wasm spec 5.4.3)."""

    label: int
    source: ValType
    target: ValType


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction, its offset in the bytes read, and one value for each immediate of its opcode.

    Indices, labels, lanes and integers are `int`; floats and vectors their bytes; LABELS is `(labels, default)`; a heap
    type is a `HeapType`; VAL_TYPES and CATCHES are tuples.
    """

    offset: int
    opcode: Opcode
    immediates: tuple[Any, ...]


def _block_type(reader: Reader) -> BlockType:
    # A value type or 0x40 is a negative number of one byte; a type index is a non-negative s33.
    first = reader.peek()
    if first == 0x40:
        reader.offset += 1
        return BlockType()
    if first & 0xC0 == 0x40:
        return BlockType(value_type=decode_val_type(reader))
    start = reader.offset
    index = reader.s33()
    if index < 0:
        raise DecodeError("invalid block type", start)
    return BlockType(type_index=index)


def _labels(reader: Reader) -> tuple[tuple[int, ...], int]:
    count = reader.count(limits.BR_TABLE_LABELS, "branch table labels")
    return tuple(reader.u32() for _ in range(count)), reader.u32()


def _memarg(reader: Reader) -> MemArg:
    start = reader.offset
    flags = reader.u32()
    if flags >= 1 << 7:
        raise DecodeError("malformed memory argument: alignment too large", start)
    memory = reader.u32() if flags & 1 << 6 else 0
    return MemArg(flags & 0x3F, memory, reader.u64())


def _val_types(reader: Reader) -> tuple[ValType, ...]:
    return tuple(decode_val_type(reader) for _ in range(reader.count(limits.SELECT_TYPES, "select types")))


def _catch(reader: Reader) -> Catch:
    start = reader.offset
    code = reader.u8()
    if code >= len(CATCH_KINDS):
        raise DecodeError(f"invalid catch clause {code:#04x}", start)
    kind = CATCH_KINDS[code]
    tag = None if kind in ("catch_all", "catch_all_ref") else reader.u32()
    return Catch(kind, tag, reader.u32())


def _catches(reader: Reader) -> tuple[Catch, ...]:
    return tuple(_catch(reader) for _ in range(reader.count(limits.CATCHES, "catch clauses")))


def _cast(reader: Reader) -> CastBranch:
    start = reader.offset
    flags = reader.u8()
    if flags > 3:
        raise DecodeError(f"invalid cast flags {flags:#04x}", start)
    label = reader.u32()
    source = ref_type(decode_heap_type(reader), bool(flags & 1))
    return CastBranch(label, source, ref_type(decode_heap_type(reader), bool(flags & 2)))


def _ordering(reader: Reader) -> int:
    start = reader.offset
    if reader.u8():
        raise DecodeError("nonzero byte after `atomic.fence`", start)
    return 0


_IMMEDIATES: Mapping[Imm, Callable[[Reader], object]] = {
    Imm.BLOCK_TYPE: _block_type,
    Imm.LABEL: Reader.u32,
    Imm.LABELS: _labels,
    Imm.FUNC: Reader.u32,
    Imm.TYPE: Reader.u32,
    Imm.TABLE: Reader.u32,
    Imm.MEMORY: Reader.u32,
    Imm.GLOBAL: Reader.u32,
    Imm.LOCAL: Reader.u32,
    Imm.TAG: Reader.u32,
    Imm.DATA: Reader.u32,
    Imm.ELEM: Reader.u32,
    Imm.MEMARG: _memarg,
    Imm.I32: Reader.s32,
    Imm.I64: Reader.s64,
    Imm.F32: lambda reader: reader.bytes(4),
    Imm.F64: lambda reader: reader.bytes(8),
    Imm.V128: lambda reader: reader.bytes(16),
    Imm.LANE: Reader.u8,
    Imm.LANES16: lambda reader: reader.bytes(16),
    Imm.HEAP_TYPE: decode_heap_type,
    Imm.VAL_TYPES: _val_types,
    Imm.CATCHES: _catches,
    Imm.FIELD: Reader.u32,
    Imm.U32: Reader.u32,
    Imm.CAST_FLAGS: _cast,
    Imm.ORDERING: _ordering,
}


_DECODERS: Mapping[int, tuple[Callable[[Reader], object], ...]] = {
    code: tuple(_IMMEDIATES[immediate] for immediate in opcode.immediates) for code, opcode in BY_CODE.items()
}
"""The immediates of each opcode."""


def decode_instruction(reader: Reader) -> Instruction:
    """The instruction at the reader's position.

    Raises `UnsupportedFeature` for one of a proposal that is not supported, `DecodeError` for what is none.
    """
    offset = reader.offset
    code = reader.u8()
    if code in PREFIXES:
        sub = reader.u32()
        if sub > 0xFFFF:
            raise DecodeError(f"unknown opcode {code:#04x} {sub:#x}", offset)
        code = code << 16 | sub
    opcode = BY_CODE.get(code)
    if opcode is None:
        if code in UNSUPPORTED:
            feature = UNSUPPORTED[code]
            raise UnsupportedFeature(f"opcode {code:#04x} is of the {feature} proposal", feature.value, offset)
        raise DecodeError(f"unknown opcode {code:#04x}", offset)
    return Instruction(offset, opcode, tuple([decode(reader) for decode in _DECODERS[code]]))


def decode_instructions(bytecode: bytes, start: int, end: int) -> Iterator[Instruction]:
    """The instructions in `bytecode[start:end]`, in order."""
    reader = Reader(bytecode, start, end)
    while not reader.at_end():
        yield decode_instruction(reader)
