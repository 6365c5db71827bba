"""Which proposals a module needs, from its opcodes, types and sections.

The names are those of the proposals' repositories. Proposals that are part of the first standard are not mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.analysis.tokenizer import tokens_of
from wasmscope.errors import UnsupportedFeature, WasmscopeError
from wasmscope.wasm.instructions import BlockType, Instruction, MemArg, decode_instruction, decode_instructions
from wasmscope.wasm.module import ExternKind, FuncImport, Module
from wasmscope.wasm.opcodes import Feature, Imm
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import EXTERNREF, FUNCREF, V128, FuncType, GlobalType, Limits, ValType

MUTABLE_GLOBALS = "mutable-global"
MULTI_VALUE = "multi-value"
MULTI_MEMORY = "multi-memory"
MEMORY64 = "memory64"
CUSTOM_PAGE_SIZES = "custom-page-sizes"
EXTENDED_CONST = "extended-const"

_CONSTANT = ("i32.const", "i64.const", "f32.const", "f64.const", "v128.const", "global.get", "end")


def proposals_of(module: Module) -> tuple[list[str], list[str], list[str]]:
    """The proposals that the module needs, those of them that are not supported, and what could not be read."""
    needed: set[str] = set()
    unsupported: list[str] = []
    problems: list[str] = []
    needed.update(_by_types(module))
    needed.update(_by_sections(module))
    for token in _distinct_instructions(module, unsupported, problems):
        needed.update(_by_instruction(token))
    for instruction in _constant_instructions(module, problems):
        feature = instruction.opcode.feature
        if feature is not Feature.MVP:
            needed.add(feature.value)
        elif instruction.opcode.name not in _CONSTANT:
            needed.add(EXTENDED_CONST)
    return sorted(needed), sorted(set(unsupported)), problems


def _distinct_instructions(module: Module, unsupported: list[str], problems: list[str]) -> Iterator[Instruction]:
    """Each instruction once, however often it occurs; functions that cannot be read are noted."""
    distinct: set[bytes] = set()
    for index, code in enumerate(module.codes):
        try:
            distinct.update(tokens_of(module, code))
        except UnsupportedFeature as error:
            unsupported.append(error.proposal)
        except WasmscopeError as error:
            problems.append(f"function {module.num_imported_functions + index}: {error}")
    for token in sorted(distinct):
        yield decode_instruction(Reader(token))


def _by_instruction(instruction: Instruction) -> Iterator[str]:
    opcode = instruction.opcode
    if opcode.feature is not Feature.MVP:
        yield opcode.feature.value
    for kind, value in zip(opcode.immediates, instruction.immediates, strict=True):
        match kind, value:
            case Imm.BLOCK_TYPE, BlockType(type_index=int()):
                yield MULTI_VALUE
            case Imm.BLOCK_TYPE, BlockType(value_type=ValType() as value_type):
                yield from _by_value_type(value_type)
            case Imm.MEMARG, MemArg(memory=memory) if memory:
                yield MULTI_MEMORY
            case Imm.TABLE, table if table and opcode.feature is Feature.MVP:
                yield Feature.REFERENCE_TYPES.value
            case Imm.VAL_TYPES, types:
                for value_type in types:
                    yield from _by_value_type(value_type)


def _by_types(module: Module) -> Iterator[str]:
    for sub_type in module.types:
        composite = sub_type.composite
        if not isinstance(composite, FuncType) or sub_type.supertypes or not sub_type.final:
            yield Feature.GC.value
        else:
            if len(composite.results) > 1:
                yield MULTI_VALUE
            for value_type in (*composite.params, *composite.results):
                yield from _by_value_type(value_type)
    if any(count != 1 for _, count in module.rec_groups):
        yield Feature.GC.value
    locals_used = {value_type for code in module.codes for _, value_type in code.locals}
    tables = (table.element for table in module.all_tables if table.element is not FUNCREF)
    declared = [*tables, *(item.value for item in module.all_globals)]
    for value_type in {*locals_used, *declared}:
        yield from _by_value_type(value_type)


def _by_value_type(value_type: ValType) -> Iterator[str]:
    """The proposal that a value type belongs to."""
    if value_type is V128:
        yield Feature.SIMD.value
    elif value_type in (FUNCREF, EXTERNREF):
        yield Feature.REFERENCE_TYPES.value
    elif value_type.is_ref and (not value_type.nullable or isinstance(value_type.heap, int)):
        yield Feature.FUNCTION_REFERENCES.value
    elif value_type.heap in ("exn", "noexn"):
        yield Feature.EXCEPTIONS.value
    elif value_type.is_ref:
        yield Feature.GC.value


def _by_sections(module: Module) -> Iterator[str]:
    if len(module.all_memories) > 1:
        yield MULTI_MEMORY
    for limits in (*(memory.limits for memory in module.all_memories), *(table.limits for table in module.all_tables)):
        yield from _by_limits(limits)
    if module.all_tags:
        yield Feature.EXCEPTIONS.value
    if module.data_count is not None or any(data.mode == "passive" for data in module.data):
        yield Feature.BULK_MEMORY.value
    if len(module.all_tables) > 1:
        yield Feature.REFERENCE_TYPES.value
    imported = (item.desc for item in module.imports if not isinstance(item.desc, FuncImport))
    exported = (
        module.all_globals[item.index]
        for item in module.exports
        if item.kind is ExternKind.GLOBAL and item.index < len(module.all_globals)
    )
    if any(isinstance(desc, GlobalType) and desc.mutable for desc in (*imported, *exported)):
        yield MUTABLE_GLOBALS


def _by_limits(limits: Limits) -> Iterator[str]:
    if limits.shared:
        yield Feature.THREADS.value
    if limits.is64:
        yield MEMORY64
    if limits.page_size_log2 != 16:
        yield CUSTOM_PAGE_SIZES


def _constant_instructions(module: Module, problems: list[str]) -> Iterator[Instruction]:
    """The instructions of all constant expressions."""
    expressions = [
        *(item.init for item in module.globals),
        *(table.init for table in module.tables if table.init is not None),
        *(data.offset for data in module.data if data.offset is not None),
        *(element.offset for element in module.elements if element.offset is not None),
        *(expression for element in module.elements for expression in element.expressions or ()),
    ]
    for expression in expressions:
        try:
            yield from decode_instructions(module.bytecode, expression.start, expression.end)
        except WasmscopeError as error:
            problems.append(str(error))
