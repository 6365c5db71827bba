"""The export section (Wasm spec 5.5.10)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.module import Export, ExternKind

_KINDS = tuple(ExternKind)


def encode_export(name: str, kind: ExternKind, index: int) -> bytes:
    """An export."""
    return writer.name(name) + bytes([_KINDS.index(kind)]) + writer.unsigned(index)


def encode_exports(exports: Sequence[Export]) -> bytes:
    """The payload of the export section."""
    return writer.vector([encode_export(item.name, item.kind, item.index) for item in exports])
