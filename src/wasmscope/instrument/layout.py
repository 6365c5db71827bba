"""Where the shadow state lives: the contract between the rewritten guest and the host that reads it.

One linear memory a store, the *shadow memory*, imported by every rewritten module of the store::

    0    stack pointer   i32  first free byte above the topmost pushed frame
    4    reference pointer i32  first free entry of the reference tables
    8    attention       u8   not 0: the guest calls the host at its next test
    9    throws          u8   not 0: the guest calls the host before it throws
    16   fuel            i64  instructions run, counted up from minus the fuel; only in modules that count
    24   reference limits  i32 x 4  for each reference table: its entries from here on are null
    40   entry           i32  which of its functions an entry function is to call (`private_entities.py`)
    64   frames, oldest first

A frame::

    +0   site            i32  pc of the call (or throw) that the frame is in; bit 31: the frame names its instance
    +4   instance        i32  id of the instance; a frame that does not name one belongs to its caller's
    +8   slots                one for each local and operand that was ever published: 8 bytes, v128 16

References cannot live in a memory: their slots are entries of four tables a store (one for each hierarchy of heap
types), all indexed from the frame's reference base.
"""

from __future__ import annotations

STACK_POINTER = 0
REFERENCE_POINTER = 4
ATTENTION = 8
THROWS = 9
FUEL = 16
REFERENCE_LIMITS = 24
ENTRY = 40
FIRST_FRAME = 64

SITE = 0
INSTANCE = 4
HEADER_SIZE = 8

NAMES_INSTANCE = 0x8000_0000
"""The bit of a site that says so: set in functions that can be entered from outside their instance."""

IMPORT_MODULE = "wasmscope"
"""The module name of the imports the rewrite appends; they are satisfied by position, so no guest can clash with it."""

HIDDEN_EXPORT = "wasmscope:"
"""Begins the names of appended exports; made longer where a guest's own export begins so."""

PAGE_LOG2 = 16
"""Memories with pages of this size have a limit global: `(pages - 1) << PAGE_LOG2`, or an older, smaller value."""

SHADOW_PAGES = 4096
"""Size of the shadow memory, in 64 KiB pages: 256 MiB of address space, touched only as deep as the guest recurses."""

REFERENCE_KINDS = ("func", "extern", "any", "exn")
"""The hierarchies of heap types, one table each; their limits are in this order."""
