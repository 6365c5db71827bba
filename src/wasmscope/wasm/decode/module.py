"""A whole module (Wasm spec 5.5.17): the header, then the sections in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import limits
from wasmscope.wasm.decode.code import decode_code
from wasmscope.wasm.decode.custom import decode_custom_name
from wasmscope.wasm.decode.data import decode_data
from wasmscope.wasm.decode.elements import decode_elements
from wasmscope.wasm.decode.exports import decode_exports
from wasmscope.wasm.decode.functions import decode_functions
from wasmscope.wasm.decode.globals_ import decode_globals
from wasmscope.wasm.decode.imports import decode_imports
from wasmscope.wasm.decode.memories import decode_memories
from wasmscope.wasm.decode.tables import decode_tables
from wasmscope.wasm.decode.tags import decode_tags
from wasmscope.wasm.decode.types import decode_types
from wasmscope.wasm.module import Module, Section
from wasmscope.wasm.opcodes import Feature
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.sections import ORDER, SectionId

_MAGIC = b"\0asm"
_VERSION = b"\x01\x00\x00\x00"
HEADER = _MAGIC + _VERSION
"""What every module starts with (Wasm spec 5.5.17)."""

_COMPONENT_LAYER = b"\x01\x00"

_DECODERS: Mapping[SectionId, tuple[str, Callable[[Reader], object]]] = {
    SectionId.IMPORT: ("imports", decode_imports),
    SectionId.FUNCTION: ("functions", decode_functions),
    SectionId.TABLE: ("tables", decode_tables),
    SectionId.MEMORY: ("memories", decode_memories),
    SectionId.TAG: ("tags", decode_tags),
    SectionId.GLOBAL: ("globals", decode_globals),
    SectionId.EXPORT: ("exports", decode_exports),
    SectionId.START: ("start", Reader.u32),
    SectionId.ELEMENT: ("elements", decode_elements),
    SectionId.DATA_COUNT: ("data_count", Reader.u32),
    SectionId.CODE: ("codes", decode_code),
    SectionId.DATA: ("data", decode_data),
}


def decode_module(bytecode: bytes) -> Module:
    """The module in `bytecode`, decoded but not validated.

    Raises `DecodeError` where the bytes are no module, `UnsupportedFeature` where they need what is not supported.
    """
    reader = Reader(bytecode)
    _header(reader)
    sections: list[Section] = []
    fields: dict[str, Any] = {}
    last = -1
    while not reader.at_end():
        if len(sections) == limits.SECTIONS:
            raise DecodeError("too many sections", reader.offset)
        section = _section(reader)
        sections.append(section)
        if section.id != SectionId.CUSTOM:
            section_id = SectionId(section.id)
            if ORDER.index(section_id) <= last:
                raise DecodeError(f"section {section.id} is out of order or there twice", section.start)
            last = ORDER.index(section_id)
            fields |= _payload(section_id, Reader(bytecode, section.payload_start, section.end))
    module = Module(bytecode, tuple(sections), **fields)
    _check_counts(module)
    return module


def _header(reader: Reader) -> None:
    if reader.bytes(4) != _MAGIC:
        raise DecodeError("magic header not detected", 0)
    version = reader.bytes(4)
    if version[2:] == _COMPONENT_LAYER:
        message = "this is a component, not a core module: the component model is not supported"
        raise UnsupportedFeature(message, Feature.COMPONENT_MODEL.value, 4)
    if version != _VERSION:
        raise DecodeError("unknown binary version", 4)


def _section(reader: Reader) -> Section:
    start = reader.offset
    section_id = reader.u8()
    if section_id not in _KNOWN_IDS:
        raise DecodeError(f"malformed section id {section_id}", start)
    size = reader.u32()
    payload_start = reader.skip(size)
    name = ""
    if section_id == SectionId.CUSTOM:
        payload = Reader(reader.bytecode, payload_start, reader.offset)
        name = decode_custom_name(payload)
        payload_start = payload.offset
    return Section(section_id, name, start, payload_start, reader.offset)


_KNOWN_IDS = frozenset(SectionId)


def _payload(section_id: SectionId, reader: Reader) -> dict[str, object]:
    if section_id is SectionId.TYPE:
        types, rec_groups = decode_types(reader)
        fields: dict[str, object] = {"types": types, "rec_groups": rec_groups}
    else:
        name, decode = _DECODERS[section_id]
        fields = {name: decode(reader)}
    if not reader.at_end():
        raise DecodeError("section size mismatch: bytes are left over", reader.offset)
    return fields


def _check_counts(module: Module) -> None:
    end = len(module.bytecode)
    if len(module.functions) != len(module.codes):
        raise DecodeError("function and code section have inconsistent lengths", end)
    if module.data_count is not None and module.data_count != len(module.data):
        raise DecodeError("data count and data section have inconsistent lengths", end)
