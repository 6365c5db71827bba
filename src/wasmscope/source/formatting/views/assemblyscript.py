"""AssemblyScript's strings, by the header before each managed object (`std/assembly/rt/common.ts`, `OBJECT`)."""

from __future__ import annotations

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting.views.view import TextView, integer, is_readable
from wasmscope.source.locations import InMemory
from wasmscope.source.values.value import TypedValue

_STRING = 2
"""The class id of strings (`std/assembly/rt.ts`, `idof<string>()`)."""
_MAX_SIZE = 1 << 30


def string(value: TypedValue) -> TextView | None:
    """A pointer to a string: its header says so, and how many bytes it has."""
    address = integer(value)
    # The runtime aligns objects to 16 bytes, behind the 4 bytes of the allocator's own header.
    if address is None or address % 4 or address < 20:
        return None
    header = value.machine.read(address - 8, 8)
    if isinstance(header, Unavailable):
        return None
    class_id, size = int.from_bytes(header[:4], "little"), int.from_bytes(header[4:], "little")
    if class_id != _STRING or size % 2 or size > _MAX_SIZE or not is_readable(value, address, size):
        return None
    return TextView(TypedValue(value.type, InMemory(address), value.machine), size // 2, 2)
