"""A reference interpreter with one wrong instruction: a comparison that does not find it finds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from reference.compile import Instruction
from reference.handlers import HANDLERS
from stepping.program import Program
from stepping.step import Step

#: instruction -> one of the same type that gives another result for most operands
_CONFUSED: Mapping[str, str] = MappingProxyType(
    {
        "i32.add": "i32.sub",
        "i32.sub": "i32.add",
        "i32.mul": "i32.add",
        "i32.shl": "i32.shr_u",
        "i32.shr_u": "i32.shl",
        "i32.eqz": "i32.popcnt",
        "i32.eq": "i32.ne",
        "i32.ne": "i32.eq",
        "i32.lt_s": "i32.ge_s",
        "i32.lt_u": "i32.ge_u",
        "i64.add": "i64.sub",
        "i64.mul": "i64.xor",
        "i64.xor": "i64.and",
        "i64.shl": "i64.shr_u",
        "i64.shr_u": "i64.shl",
        "f64.add": "f64.sub",
        "f64.mul": "f64.add",
        "f64.convert_i32_s": "f64.convert_i32_u",
        "i32.load": "i32.load8_u",
    }
)


def wrong_instruction(instruction: Instruction) -> Instruction | None:
    """The instruction with something wrong; None where this file knows nothing wrong to do."""
    name, immediate = instruction.name, instruction.immediate
    if name in ("i32.const", "i64.const"):
        return replace(instruction, immediate=immediate ^ 1)
    if name == "br_if":
        # It falls through: a branch lost.
        return replace(instruction, handler=HANDLERS["drop"])
    if name in _CONFUSED:
        return replace(instruction, handler=HANDLERS[_CONFUSED[name]])
    return None


def with_wrong(program: Program, step: Step) -> Program | None:
    """The program with the instruction of a step wrong, wherever it runs; None where nothing is known to do to it."""
    other = replace(program)
    instructions = other.module.code(step.function).instructions
    index = next(index for index, each in enumerate(instructions) if each.pc == step.pc)
    wrong = wrong_instruction(instructions[index])
    if wrong is None:
        return None
    instructions[index] = wrong
    return other
