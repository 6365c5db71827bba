"""Which function each entry of a module's table 0 is to: function pointers of C, C++, Rust and Zig are its indices."""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.instrument.plan import Plan
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.module import ConstExpr, Module

_WRITERS = ("table.set", "table.copy", "table.init", "table.fill", "table.grow")


def function_table(plan: Plan) -> dict[int, int] | Unavailable:
    """Functions by entry, as the module's active segments have them; `Unavailable` where code may change it."""
    module = plan.module
    if module.num_imported_tables:
        return Unavailable("the table of functions is shared with other modules")
    for instruction in plan.instructions.values():
        if instruction.opcode.name in _WRITERS:
            return Unavailable("the module changes its tables while it runs")
    found: dict[int, int] = {}
    for element in module.elements:
        if element.mode != "active" or element.table not in (0, None) or element.offset is None:
            continue
        offset = _constant(module, element.offset)
        if offset is None or element.functions is None:
            return Unavailable("where the table's functions are is not constant")
        found.update(enumerate(element.functions, start=offset))
    return found


def _constant(module: Module, expression: ConstExpr) -> int | None:
    instructions = list(decode_instructions(module.bytecode, expression.start, expression.end))
    if len(instructions) == 2 and instructions[0].opcode.name in ("i32.const", "i64.const"):
        value: int = instructions[0].immediates[0]
        return value & (0xFFFFFFFF if instructions[0].opcode.name == "i32.const" else (1 << 64) - 1)
    return None
