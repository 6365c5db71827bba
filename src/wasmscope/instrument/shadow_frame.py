"""The shadow frame of one function: where its slots are, and the code that fills them.

Slots are given out in the order in which they are first needed, so a function with a thousand locals of which three
are ever published has a frame of three slots.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmscope.analysis.signatures import reference_kind
from wasmscope.instrument.layout import (
    FUEL,
    HEADER_SIZE,
    INSTANCE,
    NAMES_INSTANCE,
    REFERENCE_POINTER,
    SITE,
    STACK_POINTER,
    THROWS,
)
from wasmscope.instrument.leb import signed, site, unsigned
from wasmscope.instrument.operations import encode_memarg
from wasmscope.instrument.plan import Plan
from wasmscope.instrument.reservation import NULL, reserve_entries
from wasmscope.wasm.types import F32, F64, I32, I64, V128, ValType

STORE = {I32: b"\x36", I64: b"\x37", F32: b"\x38", F64: b"\x39", V128: b"\xfd\x0b"}
LOAD = {I32: b"\x28", I64: b"\x29", F32: b"\x2a", F64: b"\x2b", V128: b"\xfd\x00"}


@dataclass(frozen=True, slots=True)
class MemorySlot:
    """`offset` bytes above the frame's base in the shadow memory."""

    offset: int


@dataclass(frozen=True, slots=True)
class TableSlot:
    """`index` entries above the frame's reference base in the table for references of `kind`."""

    kind: str
    index: int


Slot = MemorySlot | TableSlot


class ShadowFrame:
    """Slots, temporaries and added locals of one function, growing while the function is rewritten."""

    __slots__ = (
        "_escapes",
        "_operand_stores",
        "_plan",
        "_push_base",
        "_reference_base",
        "_site_store",
        "_temporaries",
        "added_locals",
        "local_slots",
        "local_stores",
        "local_types",
        "operand_slots",
        "pointer",
        "references",
        "size",
        "used",
    )

    def __init__(self, plan: Plan, local_types: list[ValType], *, escapes: bool) -> None:
        self._plan = plan
        self._escapes = escapes
        self.local_types = local_types
        self.pointer = unsigned(len(local_types))
        """The added local that holds the frame's base, as an immediate."""
        self.added_locals: list[ValType] = [I32]
        self.size = HEADER_SIZE
        self.references = 0
        """Entries of the reference tables that the frame takes."""
        self.used = False
        """Whether anything is ever published, so that the base is needed."""
        self.local_slots: dict[int, Slot] = {}
        self.operand_slots: dict[tuple[int, object], Slot] = {}
        self.local_stores: dict[int, bytes] = {}
        """What `store_local` gave, by the local's bit in sets of locals (2 for local 0)."""
        self._operand_stores: dict[tuple[int, int], bytes] = {}
        self._temporaries: dict[tuple[int, ValType], int] = {}
        self._reference_base = b""
        self._push_base = b"\x20" + self.pointer + b"\x41"
        """The address for a constant that is to be stored in the frame, up to the constant's value."""
        self._site_store = b"\x36" + self._memarg(SITE)

    # -- slots and temporaries -----------------------------------------------------------------------------------

    def temporary(self, depth: int, value_type: ValType) -> int:
        """The local that can hold a copy of an operand of this type at this depth: no two such live at once."""
        local = self._temporaries.get((depth, value_type))
        if local is None:
            local = self._temporaries[depth, value_type] = self._add_local(value_type)
        return local

    def local_slot(self, local: int) -> Slot:
        """The slot of a local, given out at the first call."""
        slot = self.local_slots.get(local)
        if slot is None:
            slot = self.local_slots[local] = self._new_slot(self.local_types[local])
        return slot

    def operand_slot(self, depth: int, value_type: ValType) -> Slot:
        """The slot of an operand: one a depth and class of types, given out at the first call."""
        key = (depth, reference_kind(value_type, self._plan.module) if value_type.is_ref else value_type is V128)
        slot = self.operand_slots.get(key)
        if slot is None:
            slot = self.operand_slots[key] = self._new_slot(value_type)
        return slot

    def _new_slot(self, value_type: ValType) -> Slot:
        self.used = True
        if value_type.is_ref:
            if not self._reference_base:
                self._reference_base = unsigned(self._add_local(I32))
            self.references += 1
            return TableSlot(reference_kind(value_type, self._plan.module), self.references - 1)
        slot = MemorySlot(self.size)
        self.size += 16 if value_type is V128 else 8
        return slot

    def _add_local(self, value_type: ValType) -> int:
        self.added_locals.append(value_type)
        return len(self.local_types) + len(self.added_locals) - 1

    # -- code ----------------------------------------------------------------------------------------------------

    def store_local(self, local: int) -> bytes:
        """Code that publishes a local."""
        code = self.local_stores.get(2 << local)
        if code is None:
            code = self._store(self.local_slot(local), local, self.local_types[local])
            self.local_stores[2 << local] = code
        return code

    def reload_local(self, local: int) -> bytes:
        """Code that reads a local back from its slot."""
        slot, value_type = self.local_slot(local), self.local_types[local]
        assert isinstance(slot, MemorySlot)
        return b"\x20" + self.pointer + LOAD[value_type] + self._memarg(slot.offset) + b"\x21" + unsigned(local)

    def store_operand(self, depth: int, value_type: ValType, temporary: int) -> bytes:
        """Code that publishes an operand from its temporary."""
        code = self._operand_stores.get((depth, temporary))
        if code is None:
            code = self._store(self.operand_slot(depth, value_type), temporary, value_type)
            self._operand_stores[depth, temporary] = code
        return code

    def store_site(self, pc: int) -> bytes:
        """Code that says which call the frame is in."""
        self.used = True
        return self._push_base + site(pc | NAMES_INSTANCE if self._escapes else pc) + self._site_store

    def push(self) -> bytes:
        """Code that puts the stack pointers above this frame; final only when all slots are given out."""
        self.used = True
        return self._set_pointers(self.size, self.references)

    def pop(self) -> bytes:
        """Code that puts the stack pointers back to where this frame begins."""
        return self._set_pointers(0, 0)

    def fuel_used_up(self) -> bytes:
        """Code that pushes whether the fuel is used up on the operand stack."""
        return b"\x41\x00\x29" + self._memarg(FUEL) + b"\x42\x00\x59"  # i64.ge_s

    def throws(self) -> bytes:
        """Code that pushes whether the host wants to know of a throw."""
        return b"\x41\x00\x2d" + self._memarg(THROWS)

    def add_fuel(self, amount: int) -> bytes:
        """Code that counts instructions."""
        address = b"\x41\x00"
        count = address + b"\x29" + self._memarg(FUEL) + b"\x42" + signed(amount) + b"\x7c"
        return address + count + b"\x37" + self._memarg(FUEL)

    def prologue(self, *, pushes: bool, cleared: list[int]) -> bytes:
        """Code that finds the frame and, as asked, names its instance, clears locals' slots and pushes it."""
        if not self.used:
            return b""
        code = b"\x41\x00\x28" + self._memarg(STACK_POINTER) + b"\x21" + self.pointer
        if self.references:
            code += b"\x41\x00\x28" + self._memarg(REFERENCE_POINTER) + b"\x21" + self._reference_base
        if pushes:
            code += self.push()
        if self._escapes:
            instance = b"\x23" + unsigned(self._plan.instance_global)
            code += b"\x20" + self.pointer + instance + b"\x36" + self._memarg(INSTANCE)
        if self.references:
            code += self._reserve_entries()  # may trap, with the frame as it is from here on
        for local in cleared:
            slot = self.local_slot(local)
            assert isinstance(slot, TableSlot)
            code += self._entry_index(slot) + NULL[slot.kind] + b"\x26" + self._table(slot.kind)
        return code

    def added_declarations(self) -> list[tuple[int, ValType]]:
        """The added locals as (count, type) runs (Wasm spec 5.5.13)."""
        runs: list[tuple[int, ValType]] = []
        for value_type in self.added_locals if self.used or len(self.added_locals) > 1 else ():
            if runs and runs[-1][1] is value_type:
                runs[-1] = (runs[-1][0] + 1, value_type)
            else:
                runs.append((1, value_type))
        return runs

    def _store(self, slot: Slot, local: int, value_type: ValType) -> bytes:
        value = b"\x20" + unsigned(local)
        if isinstance(slot, MemorySlot):
            return b"\x20" + self.pointer + value + STORE[value_type] + self._memarg(slot.offset)
        return self._entry_index(slot) + value + b"\x26" + self._table(slot.kind)

    def _entry_index(self, slot: TableSlot) -> bytes:
        base = b"\x20" + self._reference_base
        return base + b"\x41" + signed(slot.index) + b"\x6a" if slot.index else base

    def _set_pointers(self, size: int, references: int) -> bytes:
        code = b"\x41\x00" + self._sum(self.pointer, size) + b"\x36" + self._memarg(STACK_POINTER)
        if self.references:
            code += b"\x41\x00" + self._sum(self._reference_base, references)
            code += b"\x36" + self._memarg(REFERENCE_POINTER)
        return code

    def _sum(self, local: bytes, addend: int) -> bytes:
        return b"\x20" + local + (b"\x41" + signed(addend) + b"\x6a" if addend else b"")

    def _reserve_entries(self) -> bytes:
        kinds = {slot.kind for slot in self._all_slots() if isinstance(slot, TableSlot)}
        tables = {kind: self._table(kind) for kind in kinds}
        return reserve_entries(b"\x20" + self._reference_base, self.references, tables, self._memarg)

    def _all_slots(self) -> list[Slot]:
        return [*self.local_slots.values(), *self.operand_slots.values()]

    def _table(self, kind: str) -> bytes:
        return unsigned(self._plan.reference_tables[kind])

    def _memarg(self, offset: int) -> bytes:
        return encode_memarg(0, self._plan.shadow_memory, offset)
