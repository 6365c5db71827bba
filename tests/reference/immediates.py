"""Reading the immediates of an instruction (spec 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reference.binary_types import block_type, heap_type, value_type
from reference.errors import DecodeError
from reference.reader import Reader
from reference.types import DefinedType, RefType

_INDICES = frozenset(
    ["label", "func", "type", "table", "memory", "local", "global", "tag", "data", "elem", "field", "count"]
)


@dataclass(frozen=True, slots=True)
class MemoryArgument:
    """Where a memory instruction accesses."""

    offset: int
    memory: int


@dataclass(frozen=True, slots=True)
class Catch:
    """A clause of try_table; no tag: it catches everything."""

    tag: int | None
    with_reference: bool
    label: int


def read_immediate(reader: Reader, kind: str, types: list[DefinedType]) -> Any:
    """One immediate of a kind that the opcode table names."""
    if kind in _INDICES:
        return reader.unsigned()
    match kind:
        case "blocktype":
            return block_type(reader, types)
        case "memarg":
            return _memory_argument(reader)
        case "labels":
            labels = reader.vector(reader.unsigned)
            return [*labels, reader.unsigned()]
        case "i32":
            return reader.signed() & 0xFFFFFFFF
        case "i64":
            return reader.signed() & 0xFFFFFFFFFFFFFFFF
        case "f32":
            return int.from_bytes(reader.bytes(4), "little")
        case "f64":
            return int.from_bytes(reader.bytes(8), "little")
        case "bytes16":
            return reader.bytes(16)
        case "lane":
            return reader.byte()
        case "valtypes":
            return reader.vector(lambda: value_type(reader, types.__getitem__))
        case "heaptype":
            return RefType(True, heap_type(reader, types.__getitem__))
        case "ref" | "refnull":
            return RefType(kind == "refnull", heap_type(reader, types.__getitem__))
        case "cast":
            flags, label = reader.byte(), reader.unsigned()
            source = RefType(bool(flags & 1), heap_type(reader, types.__getitem__))
            return label, source, RefType(bool(flags & 2), heap_type(reader, types.__getitem__))
        case "catches":
            return reader.vector(lambda: _catch(reader))
    raise AssertionError(kind)


def _memory_argument(reader: Reader) -> MemoryArgument:
    """Bit 6 of the alignment says that a memory index follows."""
    flags = reader.unsigned()
    memory = reader.unsigned() if flags & 0x40 else 0
    return MemoryArgument(reader.unsigned(), memory)


def _catch(reader: Reader) -> Catch:
    kind = reader.byte()
    if kind > 3:
        raise DecodeError("unknown catch clause", reader.position - 1)
    tag = reader.unsigned() if kind < 2 else None
    return Catch(tag, kind in (1, 3), reader.unsigned())
