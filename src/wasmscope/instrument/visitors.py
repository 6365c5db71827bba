"""Which visitor handles which instruction."""

from __future__ import annotations

from wasmscope.instrument import visit_calls, visit_control, visit_memory, visit_values
from wasmscope.instrument.expressions import BINARY, UNARY
from wasmscope.instrument.operations import Visit
from wasmscope.instrument.watch_tests import visit_nop
from wasmscope.wasm.opcodes import Imm, Opcode
from wasmscope.wasm.types import I32

_BY_NAME: dict[str, Visit] = {
    "nop": visit_nop,
    "unreachable": visit_control.visit_unreachable,
    "block": visit_control.visit_block,
    "loop": visit_control.visit_loop,
    "if": visit_control.visit_if,
    "else": visit_control.visit_else,
    "try_table": visit_control.visit_try_table,
    "end": visit_control.visit_end,
    "br": visit_control.visit_branch,
    "br_table": visit_control.visit_branch,
    "br_if": visit_control.visit_branch_if,
    "br_on_null": visit_control.visit_branch_on_null,
    "br_on_non_null": visit_control.visit_branch_on_non_null,
    "br_on_cast": visit_control.visit_branch_on_cast,
    "br_on_cast_fail": visit_control.visit_branch_on_cast,
    "return": visit_control.visit_return,
    "call": visit_calls.visit_call,
    "call_indirect": visit_calls.visit_call,
    "call_ref": visit_calls.visit_call,
    "return_call": visit_calls.visit_tail_call,
    "return_call_indirect": visit_calls.visit_trapping_tail_call,
    "return_call_ref": visit_calls.visit_trapping_tail_call,
    "throw": visit_calls.visit_throw,
    "throw_ref": visit_calls.visit_throw,
    "local.get": visit_values.visit_local_get,
    "local.set": visit_values.visit_local_set,
    "local.tee": visit_values.visit_local_tee,
    "i32.const": visit_values.visit_constant,
    "i64.const": visit_values.visit_constant,
    "f32.const": visit_values.visit_constant,
    "f64.const": visit_values.visit_constant,
    "v128.const": visit_values.visit_constant,
    "ref.null": visit_values.visit_constant,
    "select": visit_values.visit_select,
    "ref.as_non_null": visit_values.visit_as_non_null,
    "any.convert_extern": visit_values.visit_convert_reference,
    "extern.convert_any": visit_values.visit_convert_reference,
}

_DIVISIONS = frozenset({"div_s", "div_u", "rem_s", "rem_u"})


def visitor_of(opcode: Opcode) -> Visit:
    """The visitor for an opcode's instructions: its own where it has one, otherwise by what the table says of it."""
    if opcode.name in _BY_NAME:
        return _BY_NAME[opcode.name]
    if opcode.code in BINARY:
        return visit_values.visit_pure_binary
    if opcode.code in UNARY:
        return visit_values.visit_pure_unary
    if opcode.name.rpartition(".")[2] in _DIVISIONS:
        return visit_values.visit_division
    if opcode.memory_access is not None and opcode.immediates[:1] == (Imm.MEMARG,) and not _is_atomic(opcode.code):
        return visit_memory.visit_load if opcode.params == (I32,) else visit_memory.visit_access
    if opcode.traps or opcode.name.startswith(("struct.new", "array.new")):
        return visit_values.visit_trapping
    return visit_values.visit_plain


def _is_atomic(code: int) -> bool:
    """Atomic accesses trap on misaligned addresses too, which nothing is known about."""
    return code >> 16 == 0xFE
