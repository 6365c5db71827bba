"""What lets a function be run by its mirror: a test at its entry, and functions that go where its word says.

In a rewritten module, `$f` being its twelfth defined function, with the flag 0x3a7c::

    (func $f (type $t) (param i32) (result i64)
      (if (i32.load8_u $shadow offset=0x13a7c (i32.const 0))                    ;; unlikely
        (then
          (if (i32.load $shadow offset=44 (global.get $functions))
            (then
              (i32.store $shadow offset=44 (i32.const 0) (i32.const 11))        ;; REDIRECTED
              (return_call $redirect (local.get 0))))))
      ...)

    (func $redirect (type $t) (param i32) (result i64)                          ;; one for each type
      (return_call_indirect $mirrors (type $t) (local.get 0)
        (i32.load $shadow
          (i32.add (global.get $functions)
            (i32.shl (i32.load $shadow offset=44 (i32.const 0)) (i32.const 2))))))

The flag is a constant address, so that the test takes one load; the word is the instance's own. The call through the
table is in a function of its own because it is large in machine code, and would be there for every function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.analysis.signatures import composite_func
from wasmscope.instrument.layout import ATTENTION, FLAGS, REDIRECTED
from wasmscope.instrument.leb import signed, unsigned
from wasmscope.wasm import writer

if TYPE_CHECKING:
    from wasmscope.instrument.plan import Plan

_AT_0 = b"\x41\x00"
_I32_OR = b"\x72"
_LOAD, _STORE, _LOAD_BYTE = b"\x28", b"\x36", b"\x2d"


def flag(plan: Plan, function: int) -> bytes:
    """Code that pushes the flag of a defined function."""
    return _AT_0 + _LOAD_BYTE + _memarg(plan, FLAGS + plan.mark.flag(function))


def word(plan: Plan, function: int) -> bytes:
    """Code that pushes the word of a defined function."""
    return b"\x23" + unsigned(plan.words_global) + _LOAD + _memarg(plan, 4 * function)


def attention(plan: Plan) -> bytes:
    """Code that pushes whether the host wants to be called."""
    return _AT_0 + _LOAD_BYTE + _memarg(plan, ATTENTION)


def word_or_attention(plan: Plan, function: int) -> bytes:
    """Code that pushes whether a defined function that runs has to call the host."""
    return word(plan, function) + attention(plan) + _I32_OR


def redirect(plan: Plan, function: int) -> bytes:
    """Code that hands a call of a defined function, whose word is not 0, on to its mirror."""
    index = plan.module.num_imported_functions + function
    parameters = len(plan.module.func_type(index).params)
    target = plan.redirect_function(plan.module.functions[function])
    number = _AT_0 + b"\x41" + signed(function) + _STORE + _memarg(plan, REDIRECTED)
    return number + _arguments(parameters) + b"\x12" + unsigned(target)


def redirect_body(plan: Plan, type_index: int) -> bytes:
    """The body of the function that redirects those of a type."""
    parameters = len(composite_func(plan.module, type_index).params)
    number = _AT_0 + _LOAD + _memarg(plan, REDIRECTED)
    address = b"\x23" + unsigned(plan.words_global) + number + b"\x41\x02\x74\x6a"  # i32.shl, i32.add
    entry = address + _LOAD + _memarg(plan, 0)
    call = b"\x13" + unsigned(type_index) + unsigned(plan.mirrors_table)
    return b"\x00" + _arguments(parameters) + entry + call + b"\x0b"


def _arguments(parameters: int) -> bytes:
    return b"".join(b"\x20" + unsigned(parameter) for parameter in range(parameters))


def _memarg(plan: Plan, offset: int) -> bytes:
    """A memory argument (Wasm spec 5.4.6) without alignment; not cached, as every function has its own."""
    memory = plan.shadow_memory
    return (b"\x40" + unsigned(memory) if memory else b"\x00") + writer.unsigned(offset)
