"""Code that reaches the functions of an instance from outside it, and what only the instance itself can run."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.instrument.layout import ENTRY, REDIRECTED
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.mirror.companion import Companion, Source
from wasmscope.instrument.mirror.slots import constant
from wasmscope.instrument.operations import encode_memarg
from wasmscope.wasm import writer
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.instructions import BlockType, Catch, Instruction
from wasmscope.wasm.module import ExternKind
from wasmscope.wasm.opcodes import BY_NAME

_CALL, _RETURN_CALL = b"\x10", b"\x12"


def call_code(companion: Companion, instruction: Instruction) -> bytes:
    """A call, or tail call, of the original, with its operands on the stack."""
    match instruction.opcode.name:
        case "call":
            return call_function(companion, instruction.immediates[0], _CALL)
        case "return_call":
            return call_function(companion, instruction.immediates[0], _RETURN_CALL)
        case _:
            return companion.instruction(instruction)


def call_function(companion: Companion, function: int, opcode: bytes) -> bytes:
    """A call of `function`: directly if the instance defines and exports it, else through its entry function.

    See `private_entities.py`.
    """
    private, entry = companion.plan.private, companion.plan.private.entries.get(function)
    export = private.name(ExternKind.FUNC, function) if entry is None else entry.export
    type_index = companion.original_type(companion.module.func_type_index(function))
    call = opcode + companion.exported_function(export, type_index)
    return select_entry(companion, function) + call


def call_target(companion: Companion, function: int) -> bytes:
    """A call of a defined function through what the host says is called for it, behind `select_entry`."""
    type_index = companion.original_type(companion.module.func_type_index(function))
    defined = function - companion.module.num_imported_functions
    target = b"\x23" + companion.number(Source.TARGETS) + b"\x28" + _far(companion.shadow(), 4 * defined)
    return target + b"\x11" + unsigned(type_index) + companion.mirrors()


def _far(memory: int, offset: int) -> bytes:
    """A memory argument without alignment (Wasm spec 5.4.6)."""
    return (b"\x40" + unsigned(memory) if memory else b"\x00") + writer.unsigned(offset)


def select_entry(companion: Companion, function: int) -> bytes:
    """What comes before a call of `function` where that goes through an entry function; nothing elsewhere."""
    entry = companion.plan.private.entries.get(function)
    if entry is None:
        return b""
    # The entry function is only seen on a stack that overflows there: then this says where it was to lead.
    defined = function - companion.module.num_imported_functions
    return b"".join(
        constant(0) + constant(value) + b"\x36" + encode_memarg(0, companion.shadow(), cell)
        for cell, value in ((ENTRY, entry.number), (REDIRECTED, defined))
    )


def own_instruction_code(companion: Companion, token: bytes) -> bytes | None:
    """The call that stands for an instruction which only the instance can run; None for any other."""
    own = companion.own_instructions.get(token)
    return None if own is None else _CALL + companion.exported_function(own.export, companion.type_index(own.type))


def try_table_code(clauses: Sequence[Catch]) -> bytes:
    """The beginning of a `try_table` without parameters and results."""
    return encode_instruction(BY_NAME["try_table"], (BlockType(), tuple(clauses)))
