"""Why an instruction trapped, from what it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from wasmtime import TrapCode

from wasmscope.analysis.signatures import CONTROL, effect_of
from wasmscope.report.entities import FunctionNames, Names
from wasmscope.report.model import Fault, IndirectCall, MemoryAccess, Operation, Value
from wasmscope.runtime import capi
from wasmscope.runtime.frame import FrameHandle
from wasmscope.runtime.frame_values import Unavailable
from wasmscope.runtime.val import ArrayRef, Val
from wasmscope.wasm.instructions import Instruction, MemArg
from wasmscope.wasm.opcodes import Imm

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_EXPLAINED_BY_THEMSELVES = (TrapCode.UNREACHABLE, TrapCode.STACK_OVERFLOW, TrapCode.INTERRUPT, TrapCode.OUT_OF_FUEL)
"""Traps for which the operands of an instruction say nothing."""


def fault_of(
    store: Store,
    code: TrapCode,
    frame: FrameHandle,
    instruction: Instruction,
    text: str,
    names: Names,
    values: Sequence[Value],
) -> Fault | None:
    """What was wrong with `instruction`, at which `frame` trapped; None where there is nothing to add.

    `values` is the operand stack of the frame as it is shown, `text` the instruction.
    """
    instance = frame.instance()
    if code in _EXPLAINED_BY_THEMSELVES or instance is None or instruction.opcode.name in CONTROL:
        return None
    count = _operand_count(instruction, names)
    if count == 0 or count > frame.num_stacks():
        return None
    first = frame.num_stacks() - count
    operands = [frame.stack(first + i) for i in range(count)]
    if Imm.MEMARG in instruction.opcode.immediates:
        return _memory_access(store, instance, instruction, text, operands[0])
    if instruction.opcode.name in ("call_indirect", "return_call_indirect"):
        return _indirect_call(store, instance, instruction, text, operands[-1], names)
    notes = _notes(store, instance, code, instruction, operands)
    return Operation(text, tuple(values[first:]), tuple(notes))


def _operand_count(instruction: Instruction, names: Names) -> int:
    params = instruction.opcode.params
    if params is not None:
        return len(params)
    return 0 if Imm.BLOCK_TYPE in instruction.opcode.immediates else effect_of(instruction, names.module).pops


def _memory_access(
    store: Store, instance: Instance, instruction: Instruction, text: str, address: Val | Unavailable
) -> MemoryAccess | None:
    opcode = instruction.opcode
    memarg: MemArg = instruction.immediates[0]
    if isinstance(address, Unavailable) or opcode.memory_access is None:
        return None
    access: Literal["load", "store", "atomic access"]
    if "atomic" in opcode.name:
        access = "atomic access"
    else:
        access = "store" if "store" in opcode.name else "load"
    operand = address.bits
    assert operand is not None, "an address is an integer"
    return MemoryAccess(
        instruction=text,
        access=access,
        width=opcode.memory_access,
        memory=memarg.memory,
        operand=operand,
        offset=memarg.offset,
        address=operand + memarg.offset,
        size=instance.memory_size(store, memarg.memory),
    )


def _indirect_call(
    store: Store, instance: Instance, instruction: Instruction, text: str, index: Val | Unavailable, names: Names
) -> IndirectCall | None:
    if isinstance(index, Unavailable):
        return None
    type_index, table_index = instruction.immediates
    element = index.bits
    assert element is not None, "an index is an integer"
    table = instance.debug_table(store, table_index)
    size = int(table.size(store)) if table is not None else None
    found = None
    if table is not None and size is not None and element < size:
        entry = capi.table_get(store, table, element)
        function = entry.value if entry is not None else None
        found = "null" if function is None else FunctionNames(store).with_signature(function)
    return IndirectCall(text, table_index, element, size, names.signature(type_index), found)


def _notes(
    store: Store, instance: Instance, code: TrapCode, instruction: Instruction, operands: Sequence[Val | Unavailable]
) -> list[str]:
    """What to know besides the operands."""
    match code:
        case TrapCode.INTEGER_DIVISION_BY_ZERO:
            return ["the divisor is 0"]
        case TrapCode.INTEGER_OVERFLOW:
            return [f"the result does not fit an {instruction.opcode.name[:3]}"]
        case TrapCode.BAD_CONVERSION_TO_INTEGER:
            return ["the operand is not a number"]
        case TrapCode.NULL_REFERENCE:
            return ["the reference is null"]
        case TrapCode.MEMORY_OUT_OF_BOUNDS:
            memories = _indices(instruction, Imm.MEMORY)
            return [_size_note("memory", i, instance.memory_size(store, i), "bytes") for i in memories] + [
                _data_note(instance, i) for i in _indices(instruction, Imm.DATA)
            ]
        case TrapCode.TABLE_OUT_OF_BOUNDS:
            tables = [(i, instance.debug_table(store, i)) for i in _indices(instruction, Imm.TABLE)]
            return [_size_note("table", i, table.size(store) if table else None, "elements") for i, table in tables]
        case TrapCode.ARRAY_OUT_OF_BOUNDS:
            arrays = [operand.value for operand in operands if isinstance(operand, Val)]
            return [f"the array has {len(array)} elements" for array in arrays if isinstance(array, ArrayRef)]
        case _:
            return []


def _indices(instruction: Instruction, kind: Imm) -> list[int]:
    pairs = zip(instruction.opcode.immediates, instruction.immediates, strict=True)
    return sorted({index for immediate, index in pairs if immediate is kind})


def _size_note(what: str, index: int, size: int | None, unit: str) -> str:
    return f"{what} {index} has {size} {unit}" if size is not None else f"the size of {what} {index} is not known"


def _data_note(instance: Instance, index: int) -> str:
    data = instance.module.original.data[index]
    return f"data segment {index} has {data.init_end - data.init_start} bytes, none once it is dropped"
