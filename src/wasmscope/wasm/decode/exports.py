"""The export section (Wasm spec 5.5.10)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.module import Export, ExternKind
from wasmscope.wasm.reader import Reader

_KINDS = tuple(ExternKind)


def _export(reader: Reader) -> Export:
    start = reader.offset
    name = reader.name()
    kind_offset = reader.offset
    kind = reader.u8()
    if kind >= len(_KINDS):
        raise DecodeError(f"malformed export kind {kind:#04x}", kind_offset)
    index = reader.u32()
    return Export(name, _KINDS[kind], index, start, reader.offset)


def decode_exports(reader: Reader) -> tuple[Export, ...]:
    """The export section."""
    return tuple([_export(reader) for _ in range(reader.count(limits.EXPORTS, "exports"))])
