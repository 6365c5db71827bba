"""The entrance of a variant: takes over the mirror frame on top of the stack, which is at the header of a loop.

::

    (func (export "entrance") (result t*)
      ...every local, and every operand, from the frame's slots...
      (the frame is popped)
      (return_call $variant))
"""

from __future__ import annotations

from wasmscope.analysis.typing import TypedFunction
from wasmscope.instrument.layout import REFERENCE_POINTER, STACK_POINTER
from wasmscope.instrument.mirror.companion import Companion, CompanionKind, CompanionModule, CompanionName, Source
from wasmscope.instrument.mirror.layout import MirrorLayout
from wasmscope.instrument.mirror.slots import Slots, constant
from wasmscope.instrument.mirror.variant import parameters
from wasmscope.instrument.plan import Plan
from wasmscope.wasm.types import I32, FuncType

ENTRANCE = "entrance"

_BASE, _REFERENCES = b"\x00", b"\x01"
_SET, _LOAD, _SUB, _RETURN_CALL = b"\x21", b"\x28", b"\x6b", b"\x12"


def make_entrance(plan: Plan, function: TypedFunction, header: int) -> CompanionModule:
    """The companion with the entrance of the variant that begins at instruction `header`."""
    companion = Companion(plan, str(CompanionName(plan.mark.name, CompanionKind.ENTRANCE)))
    layout = MirrorLayout.of(function)
    slots = Slots(companion, layout)
    types = parameters(function, header)
    locals_ = len(function.local_types)
    variant = companion.host_function(Source.VARIANT, FuncType(types, function.type.results))
    code = constant(0) + _LOAD + slots.memarg(STACK_POINTER) + constant(layout.size) + _SUB + _SET + _BASE
    code += constant(0) + _LOAD + slots.memarg(REFERENCE_POINTER) + constant(layout.references)
    code += _SUB + _SET + _REFERENCES
    code += b"".join(slots.load(slots.local(n, each), each) for n, each in enumerate(types[:locals_]))
    code += slots.load_operands(types[locals_:], 0)
    code += slots.pop() + _RETURN_CALL + variant
    taking_over = companion.type_index(FuncType((), function.type.results))
    companion.add_function(taking_over, [(2, I32)], code, ENTRANCE)
    return companion.finish()
