"""Conditions: a small expression language, checked when a condition is set and compiled to Wasm code.

`docs/conditions.md` describes it to users. From the text to code::

    text ─ scan ─> tokens ─ parse ─> syntax tree ─ check ─> types and code ─ compile ─> CompiledCondition

The operators and their precedence are C's. So are the conversions, with an int of 32 and a long of 64 bits; signedness
is part of a type:

    operands                            both become
    bool and bool                       i32 (in arithmetic and comparisons; && || ! ?: keep truth values)
    i32 and u32                         u32
    i64 and i32 or u32                  i64
    u64 and any integer                 u64
    f32 and any integer                 f32
    f64 and any number                  f64
    f32 and a float literal             f32: the literal is rounded once, from the number as it is written

    expression                          type
    local[i] stack[i] global[i]         its own; integers are signed
    i8[a] u8[a] i16[a] u16[a]           i32, as are lanes of these widths
    12 'a'                              i32, or i64, or u64: the first that holds it
    0xff 0o17 0b11                      i32, or u32, or i64, or u64: the first that holds it
    1.5 1e9 0x1p-3 inf nan              f64
    x << n   x >> n                     that of x; n counts modulo its width; >> keeps the sign of what is signed
    - ~ +                               that of the operand, bool as i32; integers wrap around
    == != < <= > >= && || !             bool
    c ? x : y                           what both become; bool if both are
    i32(x) ... f64(x)                   as said: integers wrap around, floats are truncated and saturate, NaN becomes 0
    bits(x)                             u32 or u64: the bits of a float, or an integer as unsigned

A condition is true if its value is not 0; a NaN is not.
"""

from wasmscope.instrument.condition.compile import compile_condition
from wasmscope.instrument.condition.scope import FALSE, FIRST_FAULT, TRUE, CompiledCondition, Fault, Scope

__all__ = ["FALSE", "FIRST_FAULT", "TRUE", "CompiledCondition", "Fault", "Scope", "compile_condition"]
