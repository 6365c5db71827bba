"""The condition of a breakpoint as a function of a companion: `(param $base i32) (param $refs i32) (result i32)`.

It is given a mirror frame and gives the condition's outcome (`instrument/condition/scope.py`). It does not trap: slots
are read without the casts that code of the guest needs, and `compile_condition` sees to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from wasmscope.analysis.typing import TypedFunction, types_of
from wasmscope.instrument.condition import CompiledCondition, Scope, compile_condition
from wasmscope.instrument.mirror.companion import Companion, CompanionKind, CompanionModule, CompanionName
from wasmscope.instrument.mirror.layout import MirrorLayout
from wasmscope.instrument.mirror.slots import Slots
from wasmscope.instrument.plan import Plan
from wasmscope.instrument.shadow_frame import MemorySlot, Slot
from wasmscope.wasm.module import ExternKind
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.types import I32, FuncType, ValType

CONDITION_EXPORT = "condition"

_PARAMETERS = (I32, I32)


@dataclass(frozen=True, slots=True)
class ConditionFunction:
    """A companion with the function, and what its outcomes mean."""

    companion: CompanionModule
    condition: CompiledCondition


def make_condition(
    plan: Plan, names: NameSection, function: TypedFunction, index: int, number: int, text: str
) -> ConditionFunction:
    """The function for `text` at instruction `number` of the function with this index, which counts imports.

    Raises `ConditionError` for what is no condition there.
    """
    companion = Companion(plan, str(CompanionName(plan.mark.name, CompanionKind.CONDITION)))
    slots = Slots(companion, MirrorLayout.of(function))
    operands = types_of(function.instructions[number].stack)

    def push(slot: Slot, value_type: ValType) -> bytes:
        if isinstance(slot, MemorySlot):
            return slots.load(slot, value_type)
        return slots.address(slot) + b"\x25" + companion.references(slot.kind)

    module = plan.module
    condition = compile_condition(
        text,
        Scope(
            locals=function.local_types,
            operands=operands,
            globals=[each.value for each in module.all_globals],
            memories=module.all_memories,
            push_local=lambda local: push(slots.local(local, function.local_types[local]), function.local_types[local]),
            push_operand=lambda depth: push(slots.operand(depth, operands[depth]), operands[depth]),
            global_index=lambda global_: companion.entity(ExternKind.GLOBAL, global_),
            memory_index=lambda memory: companion.entity(ExternKind.MEMORY, memory),
            first_temporary=len(_PARAMETERS),
            local_names=names.locals.get(index, {}),
            global_names=names.globals,
            memory_names=names.memories,
        ),
    )
    temporaries = [(len(list(group)), value_type) for value_type, group in groupby(condition.locals)]
    type_index = companion.type_index(FuncType(_PARAMETERS, (I32,)))
    companion.add_function(type_index, temporaries, condition.code, CONDITION_EXPORT)
    return ConditionFunction(companion.finish(), condition)
