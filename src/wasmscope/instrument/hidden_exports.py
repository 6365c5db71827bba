"""What a rewritten module exports in addition, so that the host can get at what the guest keeps to itself.

The exports stand behind the original's own and are found by position: their names only have to be no guest's.
"""

from __future__ import annotations

from wasmscope.instrument.layout import HIDDEN_EXPORT
from wasmscope.wasm.module import ExternKind, Module


def hidden_exports(module: Module) -> list[tuple[ExternKind, int]]:
    """Kind and index, in the original, of each: memories, tags, and the start function, which the host runs."""
    start = [] if module.start is None else [(ExternKind.FUNC, module.start)]
    return [
        *((ExternKind.MEMORY, index) for index in range(len(module.all_memories))),
        *((ExternKind.TAG, index) for index in range(len(module.all_tags))),
        *start,
    ]


def hidden_names(module: Module) -> list[str]:
    """Their names, in the same order."""
    prefix = HIDDEN_EXPORT
    while any(export.name.startswith(prefix) for export in module.exports):
        prefix += "'"
    return [f"{prefix}{kind} {index}" for kind, index in hidden_exports(module)]
