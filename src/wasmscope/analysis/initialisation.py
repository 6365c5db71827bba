"""Which locals without a default value are set before an instruction (Wasm spec 3.4.13 and appendix A.3, `init_local`).

What a block sets counts as unset again behind it, whatever ran: validation looks at each block by itself.
"""

from __future__ import annotations

from wasmscope.analysis.typing import TypedFunction

_OPENS = frozenset({"block", "loop", "if", "try_table"})


def set_before(function: TypedFunction, number: int) -> frozenset[int]:
    """The locals without a default value, parameters not counted, that code from instruction `number` on may read."""
    first = len(function.type.params)
    tracked = {
        index
        for index, value_type in enumerate(function.local_types[first:], first)
        if value_type.is_ref and not value_type.nullable
    }
    if not tracked:
        return frozenset()
    found: list[int] = []
    heights = [0]
    for typed in function.instructions[:number]:
        name = typed.instruction.opcode.name
        if name in ("local.set", "local.tee"):
            index: int = typed.instruction.immediates[0]
            if index in tracked and index not in found:
                found.append(index)
        elif name in _OPENS:
            heights.append(len(found))
        elif name == "else":
            del found[heights[-1] :]
        elif name == "end":
            del found[heights.pop() :]
    return frozenset(found)
