"""Which functions of an instance can be entered from outside it: by the host, or by another instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wasmscope.wasm.instructions import Instruction, decode_instructions
from wasmscope.wasm.module import ConstExpr, Module
from wasmscope.wasm.types import TableType

_REFERENCE_OPCODES = frozenset({0xD2, 0x25, 0x13, 0x15, 0xFB000A, 0xFB0013})
"""ref.func, table.get, return_call_indirect, return_call_ref, array.new_elem, array.init_elem."""
_RETURN_CALL = 0x12


def functions_in(expression: ConstExpr, module: Module) -> Iterable[int]:
    """The functions a constant expression refers to."""
    for instruction in decode_instructions(module.bytecode, expression.start, expression.end):
        if instruction.opcode.name == "ref.func":
            yield instruction.immediates[0]


def escaping_functions(module: Module, instructions: Sequence[Instruction]) -> frozenset[int]:
    """Indices of the functions that something outside the instance can call.

    Exported functions and the start function are. A function in a table is when the table itself is shared, or when the
    module can take references out of its tables. A tail call hands its caller's place on, whoever that is: its targets
    count too. `instructions` are those that occur in the bodies.
    """
    used = {instruction.opcode.code for instruction in instructions}
    escaping = {export.index for export in module.exports if export.kind == "func"}
    if module.start is not None:
        escaping.add(module.start)
    escaping.update(i.immediates[0] for i in instructions if i.opcode.code == _RETURN_CALL)
    for global_ in module.globals:
        escaping.update(functions_in(global_.init, module))
    if used & _REFERENCE_OPCODES or _shares_a_table(module):
        for element in module.elements:
            escaping.update(element.functions or ())
            for expression in element.expressions or ():
                escaping.update(functions_in(expression, module))
        for table in module.tables:
            if table.init is not None:
                escaping.update(functions_in(table.init, module))
    return frozenset(escaping)


def _shares_a_table(module: Module) -> bool:
    return any(isinstance(item.desc, TableType) for item in module.imports) or any(
        export.kind == "table" for export in module.exports
    )
