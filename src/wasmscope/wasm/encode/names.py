"""The name section (Wasm spec A.4.1)."""

from __future__ import annotations

from wasmscope.wasm import writer
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.names import INDIRECT_NAME_MAPS, MODULE_SUBSECTION, NAME_MAPS, NameMap, NameSection


def _name_map(names: NameMap) -> bytes:
    return writer.vector([writer.unsigned(index) + writer.name(names[index]) for index in sorted(names)])


def encode_names(names: NameSection) -> bytes:
    """The payload of the name section; subsections without names are left out."""
    subsections: dict[int, bytes] = {}
    if names.module is not None:
        subsections[MODULE_SUBSECTION] = writer.name(names.module)
    for subsection_id, field in NAME_MAPS.items():
        if name_map := getattr(names, field):
            subsections[subsection_id] = _name_map(name_map)
    for subsection_id, field in INDIRECT_NAME_MAPS.items():
        if groups := getattr(names, field):
            items = [writer.unsigned(index) + _name_map(groups[index]) for index in sorted(groups)]
            subsections[subsection_id] = writer.vector(items)
    return b"".join(encode_section(subsection_id, subsections[subsection_id]) for subsection_id in sorted(subsections))
