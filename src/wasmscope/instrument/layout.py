"""Where the shadow state lives: the contract between the rewritten guest and the host that reads it.

One linear memory a store, the *shadow memory*, imported by every rewritten module of the store::

    0    stack pointer   i32  first free byte above the topmost pushed frame
    4    reference pointer i32  first free entry of the reference tables
    8    attention       u8   not 0: the guest calls the host at its next test
    9    throws          u8   not 0: the guest calls the host before it throws
    16   fuel            i64  instructions run, counted up from minus the fuel; only in modules that count
    24   reference limits  i32 x 4  for each reference table: its entries from here on are null
    40   entry           i32  which of its functions an entry function is to call (`private_entities.py`)
    44   redirected      i32  which defined function is being redirected to its mirror (`redirect.py`), or entered
                              through an entry function
    256  watch cells     for reads of memories, writes of memories, reads of tables, writes of tables: where the first
                         address is that is watched, i64, and for accesses of 1, 2, 4, 8 and 16 addresses how far
                         it is from there to the last, and so many less one, i64 (`watch_tests.py`); 0: none is
    64 KiB   flags      64 KiB of u8  not 0: functions with this flag look at their words
    128 KiB  words      i32, one for each defined function of each instance: 0, or the entry of the table of
                        mirrors with what runs instead of it
    64 MiB   frames, oldest first

A frame::

    +0   site            i32  pc of the call (or throw) that the frame is in; bit 31: the frame names its instance;
                              bit 30: it is a mirror's, and laid out otherwise
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
REDIRECTED = 44
WATCH_CELLS = 256
FLAGS = 0x1_0000
WORDS = 0x2_0000
FIRST_FRAME = 0x400_0000

WATCH_SPANS = {1: 8, 2: 16, 4: 24, 8: 32, 16: 40}
"""Offset in a watch cell, by the width of the access."""
WATCH_CELL_SIZE = 48

FLAG_COUNT = 0x1_0000
SHARED_FLAG = FLAG_COUNT - 1
"""Functions share a flag when there are more than that, or by chance: behind it their words are exact. The last one is
that of all functions that have no words."""

MOST_FUNCTIONS = 1_000_000
"""As many as the engine lets a module have (wasmparser `limits.rs`, `MAX_WASM_FUNCTIONS`)."""

NO_WORDS = FIRST_FRAME - 4 * MOST_FUNCTIONS
"""Words that stay 0, for instances that come when the others are given out: their functions have no mirrors."""

SITE = 0
INSTANCE = 4
HEADER_SIZE = 8

NAMES_INSTANCE = 0x8000_0000
"""The bit of a site that says so: set in functions that can be entered from outside their instance."""

MIRROR = 0x4000_0000
"""The bit of a site that says that a mirror runs the frame's function; a pc is smaller (a module has at most 1 GiB)."""

VARIANT = 0x4000_0000
"""The bit of an instance's id that says that it is the number of a variant (`mirror/variant.py`)."""

IMPORT_MODULE = "wasmscope"
"""The module name of the imports the rewrite appends; they are satisfied by position, so no guest can clash with it."""

HIDDEN_EXPORT = "wasmscope:"
"""Begins the names of appended exports; made longer where a guest's own export begins so."""

PAGE_LOG2 = 16
"""Memories with pages of this size have a limit global: `(pages - 1) << PAGE_LOG2`, or an older, smaller value."""

SHADOW_PAGES = 5120
"""Size of the shadow memory, in 64 KiB pages: 320 MiB of address space, touched only where it is used."""

REFERENCE_KINDS = ("func", "extern", "any", "exn")
"""The hierarchies of heap types, one table each; their limits are in this order."""
