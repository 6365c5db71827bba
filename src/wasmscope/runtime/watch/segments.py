"""What is left of an instance's segments, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.analysis.typing import TypedInstruction
from wasmscope.runtime import capi
from wasmscope.runtime.frame_values import Unavailable, kind_of
from wasmscope.runtime.val import Val
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.module import Module

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store


def data_segment(module: Module, index: int) -> bytes:
    """The bytes of a data segment."""
    segment = module.data[index]
    return module.bytecode[segment.init_start : segment.init_end]


def remaining_length(store: Store, instance: Instance, typed: TypedInstruction) -> int:
    """The length of the segment that a `memory.init` or `table.init` copies from: 0 if it was dropped.

    The engine does not say so, but the instruction does: it traps where it copies nothing from behind the end.
    """
    original, plan = instance.module.original, instance.module.frame_table.plan
    index: int = typed.instruction.immediates[0]
    if typed.instruction.opcode.name == "memory.init":
        length = len(data_segment(original, index))
    else:
        segment = original.elements[index]
        items = segment.functions if segment.functions is not None else segment.expressions
        length = len(items or ())
    token = original.bytecode[typed.pc : typed.pc + typed.length]
    own = next(own for own in plan.own_instructions if own.token == token)
    function = capi.function_named(store, instance, own.export)
    kinds = tuple(kind_of(value_type, original) for value_type in own.type.params)
    outcome = capi.call_func(store, function, capi.Signature(kinds, ()), (0, length, 0))
    return length if isinstance(outcome, capi.Returned) else 0


def element(store: Store, instance: Instance, segment: int, position: int) -> Val | Unavailable:
    """An item of an element segment."""
    module = instance.module.original
    items = module.elements[segment]
    if items.functions is not None:
        return Val.funcref(instance.debug_function(store, items.functions[position]))
    assert items.expressions is not None
    expression = items.expressions[position]
    first, second, *_ = decode_instructions(module.bytecode, expression.start, expression.end)
    if second.opcode.name == "end":
        match first.opcode.name:
            case "ref.func":
                return Val.funcref(instance.debug_function(store, first.immediates[0]))
            case "ref.null":
                return Val(kind_of(items.element_type, module), None)
            case "global.get":  # an immutable one
                found = instance.debug_global(store, first.immediates[0])
                assert found is not None
                return capi.global_get(store, found)
    return Unavailable("it was made when the instance was, and only the segment has it")
