"""Code that makes room in the shadow tables for the references of a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wasmscope.instrument.layout import REFERENCE_KINDS, REFERENCE_LIMITS
from wasmscope.instrument.leb import signed

SPARE_ENTRIES = 32
"""So many entries more than a frame needs are let in at once, so that the frames above it find room."""
_SPARE_GROWTH = 1024
NULL = {"func": b"\xd0\x70", "extern": b"\xd0\x6f", "any": b"\xd0\x6e", "exn": b"\xd0\x69"}
"""Code that pushes the null reference of a kind."""


def reserve_entries(base: bytes, references: int, tables: Mapping[str, bytes], memarg: Callable[[int], bytes]) -> bytes:
    """Raise the limit of each table the frame has slots in above the frame, and make the table as long::

        (if (i32.gt_u (base + references) (limit))
          (then
            (if (i32.gt_u (base + references + spare) (table.size $t))
              (then (drop (i32.load8_u $shadow
                (table.grow $t (ref.null) (base + references + spare + more - (table.size $t)))))))
            (limit = base + references + spare)))

    Where the table cannot grow, the load is from -1 and traps: as with a full shadow memory, in the prologue. `base` is
    code that pushes the frame's reference base, `tables` are the tables of the kinds of which it has slots, as
    immediates, and `memarg` gives the memory argument for an offset in the shadow memory.
    """

    def above(count: int) -> bytes:
        return base + b"\x41" + signed(count) + b"\x6a"

    needed = references + SPARE_ENTRIES
    code = b""
    for kind, table in sorted(tables.items()):
        size = b"\xfc\x10" + table
        limit = memarg(REFERENCE_LIMITS + 4 * REFERENCE_KINDS.index(kind))
        code += above(references) + b"\x41\x00\x28" + limit + b"\x4b\x04\x40"
        code += above(needed) + size + b"\x4b\x04\x40"
        code += NULL[kind] + above(needed + _SPARE_GROWTH) + size + b"\x6b"
        code += b"\xfc\x0f" + table + b"\x2d" + memarg(0) + b"\x1a\x0b"
        code += b"\x41\x00" + above(needed) + b"\x36" + limit + b"\x0b"
    return code
