"""The import section (Wasm spec 5.5.5), with the groups of the compact import section proposal.

Where an import would have the name "" and the kind 0x7F or 0x7E, a group of imports from one module follows instead: of
pairs of a name and a type, or of one type and many names.
"""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.decode.globals_ import decode_global_type
from wasmscope.wasm.decode.memories import decode_memory_type
from wasmscope.wasm.decode.tables import decode_table_type
from wasmscope.wasm.decode.tags import decode_tag_type
from wasmscope.wasm.module import FuncImport, Import, ImportDesc
from wasmscope.wasm.opcodes import Feature
from wasmscope.wasm.reader import Reader

_GROUP_OF_PAIRS = 0x7F
_GROUP_OF_NAMES = 0x7E
_EXACT_FUNC = 0x20


def decode_import_desc(reader: Reader) -> ImportDesc:
    """What is imported: its kind and its type."""
    start = reader.offset
    match reader.u8():
        case 0x00:
            return FuncImport(reader.u32())
        case 0x01:
            return decode_table_type(reader)
        case 0x02:
            return decode_memory_type(reader)
        case 0x03:
            return decode_global_type(reader)
        case 0x04:
            return decode_tag_type(reader)
        case code if code == _EXACT_FUNC:
            feature = Feature.CUSTOM_DESCRIPTORS
            raise UnsupportedFeature(f"exact imports are of the {feature} proposal", feature.value, start)
        case code:
            raise DecodeError(f"malformed import kind {code:#04x}", start)


def _entry(reader: Reader) -> Iterator[Import]:
    start = reader.offset
    module = reader.name()
    name = reader.name()
    code = reader.peek()
    if name or code not in (_GROUP_OF_PAIRS, _GROUP_OF_NAMES):
        desc = decode_import_desc(reader)
        yield Import(module, name, desc, start, reader.offset)
        return
    reader.offset += 1
    shared = decode_import_desc(reader) if code == _GROUP_OF_NAMES else None
    for _ in range(reader.count(limits.IMPORTS, "imports")):
        start = reader.offset
        name = reader.name()
        yield Import(module, name, shared or decode_import_desc(reader), start, reader.offset)


def decode_imports(reader: Reader) -> tuple[Import, ...]:
    """The import section, its groups taken apart."""
    imports: list[Import] = []
    for _ in range(reader.count(limits.IMPORTS, "imports")):
        imports.extend(_entry(reader))
        if len(imports) > limits.IMPORTS:
            raise DecodeError("too many imports", reader.offset)
    return tuple(imports)
