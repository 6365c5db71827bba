"""What a breakpoint costs a guest that does not come to it."""

from __future__ import annotations

import wasmscope
from controlling.figure import Figure, at_most
from controlling.kernels import compare

TIMES = 3
"""Each kernel is run so often."""
FUNCTION = "_Exit"
"""Called when all is done."""


def measure(rounds: int) -> list[Figure]:
    """The kernels with a breakpoint in another function, as a ratio."""
    note = "geometric mean of the kernels"
    name = "kernels, a breakpoint elsewhere"
    return [compare(name, _set_breakpoint, rounds, at_most(1.05), times=TIMES, anew=False, note=note)]


def _set_breakpoint(store: wasmscope.Store, module: wasmscope.Module) -> None:
    index = next(index for index, name in module.frame_table.names.functions.items() if name == FUNCTION)
    code = module.original.codes[index - module.original.num_imported_functions]
    with store.edit_breakpoints() as edit:
        edit.add_breakpoint(module, code.code_start)
