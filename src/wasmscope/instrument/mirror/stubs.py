"""What runs in place of a function whose mirror was not made yet: it has the host make it, and calls it.

One for each type of functions::

    (func (export "3") (type $t) (param i32) (result i64)
      (call $make (global.get $instance))
      (call_indirect $mirrors (type $t) (local.get 0)
        (i32.load $shadow (i32.add (global.get $functions) (i32.shl (i32.load $shadow (REDIRECTED)) (i32.const 2))))))
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.analysis.signatures import composite_func
from wasmscope.instrument.layout import REDIRECTED
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.mirror.companion import Companion, CompanionKind, CompanionModule, CompanionName, Source
from wasmscope.instrument.mirror.slots import constant
from wasmscope.instrument.operations import encode_memarg
from wasmscope.instrument.plan import Plan
from wasmscope.wasm.types import I32, FuncType


def make_stubs(plan: Plan, types: Sequence[int]) -> CompanionModule:
    """The companion with the stubs for functions of these types, each exported by the number of its type."""
    companion = Companion(plan, str(CompanionName(plan.mark.name, CompanionKind.STUBS)))
    make = companion.host_function(Source.MAKE, FuncType((I32,), ()))
    shadow = companion.shadow()
    number = constant(0) + b"\x28" + encode_memarg(0, shadow, REDIRECTED)
    address = b"\x23" + companion.number(Source.FUNCTIONS) + number + constant(2) + b"\x74\x6a"
    mirror = address + b"\x28" + encode_memarg(0, shadow, 0)
    call_make = b"\x23" + companion.number(Source.IDENTITY) + b"\x10" + make
    for type_index in types:
        count = len(composite_func(plan.module, type_index).params)
        arguments = b"".join(b"\x20" + unsigned(parameter) for parameter in range(count))
        own_type = companion.original_type(type_index)
        call = b"\x13" + unsigned(own_type) + companion.mirrors()
        companion.add_function(own_type, [], call_make + arguments + mirror + call, str(type_index))
    return companion.finish()
