"""The import section (Wasm spec 5.5.5); every import stands for itself, in no group."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.encode.globals_ import encode_global_type
from wasmscope.wasm.encode.memories import encode_memory_type
from wasmscope.wasm.encode.tables import encode_table_type
from wasmscope.wasm.encode.tags import encode_tag_type
from wasmscope.wasm.module import FuncImport, Import, ImportDesc
from wasmscope.wasm.types import GlobalType, MemoryType, TableType, TagType


def encode_import_desc(desc: ImportDesc) -> bytes:
    """What is imported: its kind and its type."""
    match desc:
        case FuncImport(type_index):
            return b"\x00" + writer.unsigned(type_index)
        case TableType():
            return b"\x01" + encode_table_type(desc)
        case MemoryType():
            return b"\x02" + encode_memory_type(desc)
        case GlobalType():
            return b"\x03" + encode_global_type(desc)
        case TagType():
            return b"\x04" + encode_tag_type(desc)


def encode_import(module: str, name: str, desc: ImportDesc) -> bytes:
    """An import."""
    return writer.name(module) + writer.name(name) + encode_import_desc(desc)


def encode_imports(imports: Sequence[Import]) -> bytes:
    """The payload of the import section."""
    return writer.vector([encode_import(item.module, item.name, item.desc) for item in imports])
