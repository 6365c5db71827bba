"""What each instruction takes from the operand stack and leaves there (Wasm spec 3.4, "Instructions").

Opcodes whose types do not depend on immediates have them in the opcode table; the others are worked out here from the
immediates and the module. A few depend on the operands as well: those have the effect that holds for the operand types
handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wasmscope.wasm.instructions import BlockType, Instruction
from wasmscope.wasm.module import Module
from wasmscope.wasm.opcodes import Imm, Opcode
from wasmscope.wasm.types import (
    I32,
    I64,
    ArrayType,
    FuncType,
    StructType,
    ValType,
    ref_type,
)


@dataclass(frozen=True, slots=True)
class Effect:
    """An instruction pops `pops` operands, then pushes `pushes` (bottom first)."""

    pops: int
    pushes: tuple[ValType, ...]


def block_signature(block_type: BlockType, module: Module) -> FuncType:
    """Parameters and results of a block (Wasm spec 3.2.2, "Block Types")."""
    if block_type.type_index is not None:
        return composite_func(module, block_type.type_index)
    if block_type.value_type is not None:
        return FuncType((), (block_type.value_type,))
    return FuncType((), ())


def composite_func(module: Module, type_index: int) -> FuncType:
    """The function type at `type_index`."""
    composite = module.types[type_index].composite
    assert isinstance(composite, FuncType)
    return composite


def reference_kind(value_type: ValType, module: Module) -> str:
    """The top of the hierarchy a reference type belongs to: func, extern, any or exn (Wasm spec 3.1.3)."""
    heap = value_type.heap
    if isinstance(heap, int):
        return "func" if isinstance(module.types[heap].composite, FuncType) else "any"
    match heap:
        case "func" | "nofunc":
            return "func"
        case "extern" | "noextern":
            return "extern"
        case "exn" | "noexn":
            return "exn"
        case _:
            return "any"


def _field(module: Module, type_index: int, field_index: int) -> ValType:
    composite = module.types[type_index].composite
    assert isinstance(composite, StructType)
    storage = composite.fields[field_index].storage
    return storage if isinstance(storage, ValType) else I32


def _element(module: Module, type_index: int) -> ValType:
    composite = module.types[type_index].composite
    assert isinstance(composite, ArrayType)
    storage = composite.element.storage
    return storage if isinstance(storage, ValType) else I32


def _non_null(value_type: ValType) -> ValType:
    assert value_type.heap is not None
    return ref_type(value_type.heap, False)


def effect_of(instruction: Instruction, module: Module, operands: Sequence[ValType] = ()) -> Effect:
    """What `instruction` does to the operand stack.

    `operands` are the types on the stack, needed only by instructions for which `depends_on_operands` is true. Control
    instructions (blocks, branches, `else`, `end`, `return`) are not answered here.
    """
    opcode = instruction.opcode
    if opcode.params is not None and opcode.results is not None:
        results = opcode.results
        if results and opcode.immediates == (Imm.MEMORY,):  # memory.size, memory.grow
            results = (_address_type(module.all_memories[instruction.immediates[0]].limits.is64),)
        return Effect(len(opcode.params), results)
    immediates = instruction.immediates
    match opcode.name:
        case "call" | "return_call":
            callee = module.func_type(immediates[0])
            return Effect(len(callee.params), callee.results)
        case "call_indirect" | "return_call_indirect" | "call_ref" | "return_call_ref":
            callee = composite_func(module, immediates[0])
            return Effect(len(callee.params) + 1, callee.results)
        case "drop" | "local.set":
            return Effect(1, ())
        case "select":
            return Effect(3, (operands[-2],))
        case "select t":
            return Effect(3, tuple(immediates[0]))
        case "memory.size":
            return Effect(0, (_address_type(module.all_memories[immediates[0]].limits.is64),))
        case "memory.grow":
            return Effect(1, (_address_type(module.all_memories[immediates[0]].limits.is64),))
        case "memory.fill" | "memory.copy" | "memory.init" | "table.fill" | "table.copy" | "table.init":
            return Effect(3, ())
        case "table.get":
            return Effect(1, (module.all_tables[immediates[0]].element,))
        case "table.set":
            return Effect(2, ())
        case "table.size":
            return Effect(0, (_address_type(module.all_tables[immediates[0]].limits.is64),))
        case "table.grow":
            return Effect(2, (_address_type(module.all_tables[immediates[0]].limits.is64),))
        case "global.get":
            return Effect(0, (module.all_globals[immediates[0]].value,))
        case "global.set":
            return Effect(1, ())
        case "ref.null":
            return Effect(0, (ref_type(immediates[0], True),))
        case "ref.func":
            return Effect(0, (ref_type(module.func_type_index(immediates[0]), False),))
        case "ref.is_null" | "ref.test" | "ref.test null":
            return Effect(1, (I32,))
        case "ref.eq":
            return Effect(2, (I32,))
        case "ref.as_non_null":
            return Effect(1, (_non_null(operands[-1]),))
        case "ref.cast":
            return Effect(1, (ref_type(immediates[0], False),))
        case "ref.cast null":
            return Effect(1, (ref_type(immediates[0], True),))
        case "ref.i31":
            return Effect(1, (ref_type("i31", False),))
        case "any.convert_extern":
            return Effect(1, (ref_type("any", operands[-1].nullable),))
        case "extern.convert_any":
            return Effect(1, (ref_type("extern", operands[-1].nullable),))
        case "throw":
            return Effect(len(composite_func(module, module.all_tags[immediates[0]]).params), ())
        case "throw_ref":
            return Effect(1, ())
        case "struct.new":
            composite = module.types[immediates[0]].composite
            assert isinstance(composite, StructType)
            return Effect(len(composite.fields), (ref_type(immediates[0], False),))
        case "struct.new_default":
            return Effect(0, (ref_type(immediates[0], False),))
        case "struct.get" | "struct.get_s" | "struct.get_u":
            return Effect(1, (_field(module, immediates[0], immediates[1]),))
        case "struct.set":
            return Effect(2, ())
        case "array.new" | "array.new_data" | "array.new_elem":
            return Effect(2, (ref_type(immediates[0], False),))
        case "array.new_default":
            return Effect(1, (ref_type(immediates[0], False),))
        case "array.new_fixed":
            return Effect(immediates[1], (ref_type(immediates[0], False),))
        case "array.get" | "array.get_s" | "array.get_u":
            return Effect(2, (_element(module, immediates[0]),))
        case "array.set":
            return Effect(3, ())
        case "array.len":
            return Effect(1, (I32,))
        case "array.fill" | "array.init_data" | "array.init_elem":
            return Effect(4, ())
        case "array.copy":
            return Effect(5, ())
        case "i31.get_s" | "i31.get_u":
            return Effect(1, (I32,))
        case _:
            raise AssertionError(f"no operand effect for {opcode.name}")


DEPENDS_ON_OPERANDS = frozenset(
    {"select", "ref.as_non_null", "any.convert_extern", "extern.convert_any", "local.get", "local.tee"}
)
"""Instructions whose pushed type follows from the operands or the function's locals, not from the immediates alone."""


CONTROL = frozenset(
    {
        *("unreachable", "else", "end", "br", "br_if", "br_table", "return"),
        *("br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail"),
    }
)
"""Control instructions that `effect_of` does not answer for, besides those that open a block."""


def writes_memory(opcode: Opcode) -> bool:
    """Whether the instruction itself may change a memory's content."""
    is_store = opcode.memory_access is not None and not opcode.results
    is_atomic = opcode.code >> 16 == 0xFE
    return is_store or is_atomic or opcode.name in ("memory.fill", "memory.copy", "memory.init")


def _address_type(is64: bool) -> ValType:
    return I64 if is64 else I32


def catch_payload(kind: str, tag: int | None, module: Module) -> tuple[ValType, ...]:
    """What a `try_table` clause pushes at its label (Wasm spec 3.4.10): the tag's values, then the exception."""
    values = composite_func(module, module.all_tags[tag]).params if tag is not None else ()
    return (*values, ref_type("exn", False)) if kind.endswith("_ref") else values
