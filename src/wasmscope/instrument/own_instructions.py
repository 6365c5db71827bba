"""Instructions that only code of the module can have, each in an appended and exported function of its own.

They are about data and element segments, and functions that are only declared: none of these can be imported. Or they
access a shared memory: imported once more into the same store it would be there twice for the engine, which ends the
process when it finds a fault in two memories (Wasmtime `StoreOpaque::wasm_fault`). So a mirror, a module of its
own, calls::

    (func (export "wasmscope:own 0") (param i32 i32 i32)
      (memory.init $memory $data (local.get 0) (local.get 1) (local.get 2)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wasmscope.analysis.signatures import effect_of
from wasmscope.instrument.leb import unsigned
from wasmscope.wasm.instructions import Instruction
from wasmscope.wasm.module import Module
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.types import I32, I64, FuncType, ValType, ref_type

OWN_INSTRUCTIONS = frozenset(
    {
        *("memory.init", "data.drop", "table.init", "elem.drop", "ref.func"),
        *("array.new_data", "array.new_elem", "array.init_data", "array.init_elem"),
    }
)
"""The names of those that are so in any module."""


@dataclass(frozen=True, slots=True)
class OwnInstruction:
    """One of them, and the function that has it."""

    instruction: Instruction
    token: bytes
    type: FuncType
    """What it takes and leaves."""
    export: str


def own_instructions(
    module: Module, instructions: Mapping[bytes, Instruction], prefix: str
) -> tuple[OwnInstruction, ...]:
    """Those among the `instructions` that occur in `module`, by their tokens; `prefix` begins the exports' names."""
    own = [(token, item) for token, item in instructions.items() if _is_own(item, module)]
    return tuple(
        OwnInstruction(item, token, _type_of(item, module), own_name(prefix, position))
        for position, (token, item) in enumerate(own)
    )


def _is_own(instruction: Instruction, module: Module) -> bool:
    if instruction.opcode.name in OWN_INSTRUCTIONS:
        return True
    return any(module.all_memories[memory].limits.shared for memory in _memories(instruction))


def _memories(instruction: Instruction) -> list[int]:
    """The memories that an instruction names."""
    kinds = zip(instruction.opcode.immediates, instruction.immediates, strict=True)
    return [value.memory if kind is Imm.MEMARG else value for kind, value in kinds if kind in (Imm.MEMARG, Imm.MEMORY)]


def own_name(prefix: str, position: int) -> str:
    """The name under which the function with an instruction is exported."""
    return f"{prefix}own {position}"


def own_body(parameters: int, encoded: bytes) -> bytes:
    """The body of such a function; the instruction is `encoded` with its indices in the rewritten module."""
    arguments = b"".join(b"\x20" + unsigned(parameter) for parameter in range(parameters))
    return b"\x00" + arguments + encoded + b"\x0b"


def _type_of(instruction: Instruction, module: Module) -> FuncType:
    params = _params(instruction, module)
    effect = effect_of(instruction, module)
    assert effect.pops == len(params)
    return FuncType(params, effect.pushes)


def _params(instruction: Instruction, module: Module) -> tuple[ValType, ...]:
    """The types of the operands (Wasm spec 3.4.5 to 3.4.9)."""
    immediates: Sequence[Any] = instruction.immediates
    match instruction.opcode.name:
        case "memory.size":
            return ()
        case "memory.grow":
            return (_address(module, immediates[0]),)
        case "memory.fill":
            return (_address(module, immediates[0]), I32, _address(module, immediates[0]))
        case "memory.copy":
            addresses = (_address(module, immediates[0]), _address(module, immediates[1]))
            return (*addresses, I32 if I32 in addresses else I64)
        case "memory.init":
            return (_address(module, immediates[1]), I32, I32)
        case "table.init":
            return (I64 if module.all_tables[immediates[1]].limits.is64 else I32, I32, I32)
        case "array.new_data" | "array.new_elem":
            return (I32, I32)
        case "array.init_data" | "array.init_elem":
            return (ref_type(immediates[0], True), I32, I32, I32)
        case _ if Imm.MEMARG in instruction.opcode.immediates:
            assert instruction.opcode.params is not None
            return (_address(module, _memories(instruction)[0]), *instruction.opcode.params[1:])
        case _:
            return ()


def _address(module: Module, memory: int) -> ValType:
    return I64 if module.all_memories[memory].limits.is64 else I32
