"""Which point a trap happened at, when the engine's offset is near it but not at it.

The compiler may fold a load into the instruction that uses its value (`add reg, [mem]`), and the trap then has that
instruction's offset. Only what has no effect lies between, so the load is one of the points before it; which one is
found by working out the addresses: the access that is out of bounds is the one that trapped. An access that is always
out of bounds, to which a branch leads, may become a conditional trap with the branch's offset: it is behind it then.
"""

from __future__ import annotations

from collections.abc import Callable

from wasmtime import TrapCode

from wasmscope.analysis.signatures import CONTROL, writes_memory
from wasmscope.analysis.typing import TypedFunction
from wasmscope.instrument.frame_table import FrameTable, FunctionPoints
from wasmscope.instrument.points import Point
from wasmscope.wasm.instructions import Instruction, decode_instructions

_BLOCKS = frozenset({"block", "loop", "if", "try_table"})
_CONDITIONAL_BRANCHES = frozenset({"if", "br_if", "br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail"})
_WITHOUT_EFFECT = frozenset({"block", "loop", "end", "local.get", "local.set", "local.tee", "drop", "select"})

_LOOKED_AT = 100
"""So many instructions behind a branch, so that the search ends soon in any function."""


def point_of_trap(
    table: FrameTable,
    points: FunctionPoints,
    rewritten_offset: int,
    code: TrapCode | None,
    is_out_of_bounds: Callable[[Point], bool | None],
) -> Point | None:
    """The point of the instruction that trapped; None where none can be made out.

    `is_out_of_bounds(point)` says whether the access at a point, with the operands it has there, is; None: unknown.
    """
    exact = points.by_rewritten_offset.get(rewritten_offset)
    if code is not TrapCode.MEMORY_OUT_OF_BOUNDS:
        return exact
    if exact is not None and not is_access(instruction_at(table, exact.pc)):
        return exact
    point = exact or points.preceding(rewritten_offset)
    suspects: list[Point] = []
    while point is not None and is_access(instruction_at(table, point.pc)):
        suspects.append(point)
        earlier = points.preceding(points.offset_of(point))
        if points.is_published_for(point) or earlier is None or not _only_loads(table, earlier.pc, point.pc):
            break
        if points.is_changed_between(earlier, point):
            break
        point = earlier
    verdicts = [(is_out_of_bounds(point), point) for point in reversed(suspects)]
    guilty = [point for verdict, point in verdicts if verdict]
    if guilty:
        return guilty[0]
    if exact is None and all(verdict is False for verdict, _ in verdicts):
        return _behind_a_branch(table, points, rewritten_offset, is_out_of_bounds)
    # Nothing can be proved: then the engine's word counts, if it named an access.
    return exact if exact is not None and verdicts[-1][0] is None else None


def _behind_a_branch(
    table: FrameTable,
    points: FunctionPoints,
    rewritten_offset: int,
    is_out_of_bounds: Callable[[Point], bool | None],
) -> Point | None:
    """The access that is out of bounds and comes first on a way on from a conditional branch at the offset.

    None where several are: which way it went is not known.
    """
    following = points.following(rewritten_offset)
    function = None if following is None else table.function_at(following.pc)
    if following is None or function is None:
        return None
    typed, earlier = table.typed(function), points.preceding(rewritten_offset)
    first = 0 if earlier is None else typed.numbers[earlier.pc]
    accesses = {
        pc
        for number in range(first, typed.numbers[following.pc])
        if typed.instructions[number].instruction.opcode.name in _CONDITIONAL_BRANCHES
        for start in (number + 1, *(label.target for label in typed.instructions[number].labels))
        if (pc := _first_access(typed, start)) is not None
    }
    guilty = [points.by_pc[pc] for pc in accesses if pc in points.by_pc and is_out_of_bounds(points.by_pc[pc])]
    return guilty[0] if len(guilty) == 1 else None


def _first_access(typed: TypedFunction, start: int) -> int | None:
    """The pc of the first load or store from instruction `start` on, if only what has no effect lies before it."""
    for number in range(start, min(start + _LOOKED_AT, len(typed.instructions))):
        instruction = typed.instructions[number].instruction
        if is_access(instruction):
            return typed.instructions[number].pc
        name = instruction.opcode.name
        if name not in _WITHOUT_EFFECT and (name in CONTROL or instruction.opcode.params is None):
            return None
    return None


def instruction_at(table: FrameTable, pc: int) -> Instruction:
    """The instruction at `pc` of the original module."""
    return next(iter(decode_instructions(table.bytecode, pc, len(table.bytecode))))


def is_access(instruction: Instruction) -> bool:
    """Whether it is a load or store (`memory.copy` and its like do not have one address)."""
    return instruction.opcode.memory_access is not None


def _only_loads(table: FrameTable, start: int, end: int) -> bool:
    """Whether control goes from `start` to `end` and nowhere else, and nothing is written on the way.

    A load is not moved over a write; and what was loaded before one cannot be worked out behind it.
    """
    return not any(
        instruction.opcode.name in CONTROL or instruction.opcode.name in _BLOCKS or writes_memory(instruction.opcode)
        for instruction in decode_instructions(table.bytecode, start, end)
    )
