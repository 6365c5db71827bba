"""The frame of a function in the mirror tier, and the memory by which the host controls mirrors.

A frame: site and mirror number as in `instrument/layout.py`, then every local, then the operands by depth, all in slots
of one size. References are in the shadow tables: entry `n` above the frame's reference base is local `n`, the operands
come behind the locals.

The *control memory* of a store, which only mirrors see::

    0    resume base     i32  the frame that a resumed mirror takes over: its address,
    4    resume refs     i32  its reference base,
    8    resume index    i32  and the number of the instruction to go on at
    12   leave           i32  index in the mirrors table of what takes a frame over that leaves its mirror
    16   stepping        u8   not 0: mirrors stop at every instruction,
    20   step limit      u32  in frames whose address is not above this,
    24   trace count     i32  but so many times the pc is only noted,
    28   trace address   i32  here; both move on
    32   skipped         i32  `SKIP_...`: what the frame of RESUME_BASE does not stop for where it goes on
    36   passes          i32  so many times a loop begins anew until the host is asked whether its frame is to leave
    40   stopped base    i32  where the host is called for a stop: the address of the frame,
    44   stopped index   i32  the number of the instruction,
    48   stopped kind    i32  why, as `STOP_...` bits,
    52   answer          i32  and what the host has the page go on with
    56   watch records   i32 x 2  address of the record of what is watched in any memory, and in any table
    32K  outcomes            of the conditions that were worked out last, an i32 for each
    64K  ones                 as many bytes 1 as the largest function has instructions
    then the blocks of the mirrors.

The block of a mirror, whose address its code has as a global::

    +0   count           i32  instructions of the function
    +4   stops           i32  address of a byte for each instruction, `STOP_...`
    +8   sites           i32  address of an i32 for each: what to put in the frame's site
    +12  conditions      i32  address of an i32 for each: where its conditions are, which are an i32 that says how many,
                              and so many indices in the mirrors table
    +16  first page      i32  index in the mirrors table of the function's first page
    +20  number          i32  of the mirror in its store
    +24  watches         i32  address of an i32 for each: its first descriptor (`watching.py`), where it stops for one
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmscope.analysis.signatures import reference_kind
from wasmscope.analysis.typing import TypedFunction
from wasmscope.instrument.layout import HEADER_SIZE, MIRROR, NAMES_INSTANCE
from wasmscope.instrument.shadow_frame import MemorySlot, Slot, TableSlot
from wasmscope.wasm.module import Module
from wasmscope.wasm.types import ValType

RESUME_BASE = 0
RESUME_REFERENCES = 4
RESUME_INDEX = 8
LEAVE_TO = 12
STEPPING = 16
STEP_LIMIT = 20
TRACE_COUNT = 24
TRACE_ADDRESS = 28
SKIP = 32
PASSES = 36
STOPPED_BASE = 40
STOPPED_INDEX = 44
STOPPED_KIND = 48
ANSWER = 52
WATCH_RECORDS = 56
NOT_RESUMED = -1
"""The resume index when the frame that was resumed has gone on from there."""
OUTCOMES = 1 << 15
ONES = 1 << 16
MOST_CONDITIONS = (ONES - OUTCOMES) // 4
"""At one instruction."""
MOST_INSTRUCTIONS = 8 << 20
"""More than a function body of the greatest size has (Wasmtime: 7,654,321 bytes)."""
FIRST_BLOCK = ONES + MOST_INSTRUCTIONS

COUNT = 0
STOPS = 4
SITES = 8
CONDITIONS = 12
FIRST_PAGE = 16
NUMBER = 20
WATCHES = 24
BLOCK_SIZE = 28

STOP_ALWAYS = 1
STOP_CONDITION = 2
STOP_LEAVE = 4
STOP_ENTRY = 8
STOP_STEP = 16
STOP_WATCH = 32
STOP_COUNT = 64
"""Bits of a stop: for the host; for the host where a condition is not false; for the host, because other code can take
the frame over; for the host, because it wants to know of functions that are entered; what a step adds when it ends
there; for the host where what the instruction accesses is watched; for the host once in so many times, because other
code could be made to take the frame over."""

SKIP_NOTHING, SKIP_ALL, SKIP_STEP = range(3)
"""What the frame that goes on does not stop for: nothing; anything; a step."""

GO_ON = -1
LEAVE = -2
FIRST_TAIL_CALL = -16
"""What a page, or a stop, gives besides the number of an instruction; tail call n is `FIRST_TAIL_CALL - n`."""

PAGE_LOG2 = 8
"""A page has so many instructions, as a power of 2: small enough to be made while somebody waits for it."""


@dataclass(frozen=True, slots=True)
class MirrorLayout:
    """Where each value of a function is in a mirror frame."""

    slot_size: int
    num_locals: int
    size: int
    """Bytes of the frame."""
    references: int
    """Entries of the reference tables that it takes."""

    @classmethod
    def of(cls, function: TypedFunction) -> MirrorLayout:
        """The layout for a function."""
        slot_size = 16 if function.uses_v128 else 8
        num_locals = len(function.local_types)
        slots = num_locals + function.max_height
        references = slots if function.reference_types else 0
        return cls(slot_size, num_locals, HEADER_SIZE + slot_size * slots, references)

    def local(self, index: int, value_type: ValType, module: Module) -> Slot:
        """The slot of a local."""
        return self._slot(index, value_type, module)

    def operand(self, depth: int, value_type: ValType, module: Module) -> Slot:
        """The slot of an operand, 0 being the bottom."""
        return self._slot(self.num_locals + depth, value_type, module)

    def _slot(self, position: int, value_type: ValType, module: Module) -> Slot:
        if value_type.is_ref:
            return TableSlot(reference_kind(value_type, module), position)
        return MemorySlot(HEADER_SIZE + self.slot_size * position)


def site_of(pc: int) -> int:
    """The site of a mirror frame at `pc`."""
    return pc | NAMES_INSTANCE | MIRROR
