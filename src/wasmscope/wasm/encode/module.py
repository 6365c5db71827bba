"""A whole module encoded anew (Wasm spec 5.5.17); bodies and constant expressions stay the bytes they are.

Every value takes its shortest form, but imports are not gathered into groups.
"""

from __future__ import annotations

from wasmscope.wasm import writer
from wasmscope.wasm.decode.module import HEADER
from wasmscope.wasm.encode.code import encode_code, encode_locals
from wasmscope.wasm.encode.custom import encode_custom
from wasmscope.wasm.encode.data import encode_data
from wasmscope.wasm.encode.elements import encode_element
from wasmscope.wasm.encode.exports import encode_exports
from wasmscope.wasm.encode.functions import encode_functions
from wasmscope.wasm.encode.globals_ import encode_global
from wasmscope.wasm.encode.imports import encode_imports
from wasmscope.wasm.encode.memories import encode_memories
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.encode.tables import encode_table
from wasmscope.wasm.encode.tags import encode_tags
from wasmscope.wasm.encode.types import encode_types
from wasmscope.wasm.module import Code, ConstExpr, Data, Element, Module, Section
from wasmscope.wasm.sections import SectionId


def encode_module(module: Module) -> bytes:
    """The sections of `module` in the order they have, each encoded anew; custom payloads are taken over."""
    return HEADER + b"".join(_section(module, section) for section in module.sections)


def _section(module: Module, section: Section) -> bytes:
    if section.id == SectionId.CUSTOM:
        return encode_custom(section.name, module.bytecode[section.payload_start : section.end])
    return encode_section(section.id, _payload(module, SectionId(section.id)))


def _payload(module: Module, section_id: SectionId) -> bytes:
    match section_id:
        case SectionId.TYPE:
            return encode_types(module.types, module.rec_groups)
        case SectionId.IMPORT:
            return encode_imports(module.imports)
        case SectionId.FUNCTION:
            return encode_functions(module.functions)
        case SectionId.TABLE:
            return writer.vector([encode_table(item.type, _expression(module, item.init)) for item in module.tables])
        case SectionId.MEMORY:
            return encode_memories(module.memories)
        case SectionId.TAG:
            return encode_tags(module.tags)
        case SectionId.GLOBAL:
            return writer.vector([encode_global(item.type, _bytes(module, item.init)) for item in module.globals])
        case SectionId.EXPORT:
            return encode_exports(module.exports)
        case SectionId.START:
            return writer.unsigned(module.start or 0)
        case SectionId.ELEMENT:
            return writer.vector([_element(module, item) for item in module.elements])
        case SectionId.DATA_COUNT:
            return writer.unsigned(module.data_count or 0)
        case SectionId.CODE:
            return writer.vector([_code(module, code) for code in module.codes])
        case SectionId.DATA:
            return writer.vector([_data(module, item) for item in module.data])
        case SectionId.CUSTOM:
            raise AssertionError("custom sections have no items")


def _bytes(module: Module, expression: ConstExpr) -> bytes:
    return module.bytecode[expression.start : expression.end]


def _expression(module: Module, expression: ConstExpr | None) -> bytes | None:
    return None if expression is None else _bytes(module, expression)


def _element(module: Module, element: Element) -> bytes:
    expressions = element.expressions
    return encode_element(
        element.mode,
        element.table,
        _expression(module, element.offset),
        element.element_type,
        element.functions,
        None if expressions is None else [_bytes(module, expression) for expression in expressions],
    )


def _code(module: Module, code: Code) -> bytes:
    return encode_code(encode_locals(code.locals) + module.bytecode[code.code_start : code.end])


def _data(module: Module, data: Data) -> bytes:
    init = module.bytecode[data.init_start : data.init_end]
    return encode_data(data.memory, _expression(module, data.offset), init)
