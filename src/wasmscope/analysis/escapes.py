"""Which functions of an instance can be entered from outside it: by the host, or by another instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Escapes:
    """What of an instance can be reached from outside it."""

    referenced: frozenset[int]
    """Functions that something outside can have a reference to, and the start function."""
    functions: frozenset[int]
    """Functions that something outside can call: those, and the targets of tail calls."""
    tables_are_private: bool
    """No reference ever gets out of a table: functions are only called through it, by the instance itself."""


def escapes_of(module: Module, instructions: Sequence[Instruction]) -> Escapes:
    """What of an instance of `module`, in whose bodies `instructions` occur, can be reached from outside.

    Exported functions and the start function can. A function in a table can when the table itself is shared, or when
    the module can take references out of its tables. A tail call hands its caller's place on, whoever that is: its
    targets count too.
    """
    used = {instruction.opcode.code for instruction in instructions}
    referenced = {export.index for export in module.exports if export.kind == "func"}
    for global_ in module.globals:
        referenced.update(functions_in(global_.init, module))
    tables_are_private = not used & _REFERENCE_OPCODES and not _shares_a_table(module)
    if not tables_are_private:
        for element in module.elements:
            referenced.update(element.functions or ())
            for expression in element.expressions or ():
                referenced.update(functions_in(expression, module))
        for table in module.tables:
            if table.init is not None:
                referenced.update(functions_in(table.init, module))
    if module.start is not None:
        referenced.add(module.start)
    called = {i.immediates[0] for i in instructions if i.opcode.code == _RETURN_CALL}
    return Escapes(frozenset(referenced), frozenset(referenced | called), tables_are_private)


def _shares_a_table(module: Module) -> bool:
    return any(isinstance(item.desc, TableType) for item in module.imports) or any(
        export.kind == "table" for export in module.exports
    )
