"""Code that reads and writes the slots of a mirror frame, whose base and reference base are locals."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.instrument.layout import FUEL, REFERENCE_POINTER, STACK_POINTER
from wasmscope.instrument.leb import signed, unsigned
from wasmscope.instrument.mirror.companion import Companion
from wasmscope.instrument.mirror.layout import MirrorLayout
from wasmscope.instrument.operations import encode_memarg
from wasmscope.instrument.shadow_frame import LOAD, STORE, MemorySlot, Slot
from wasmscope.wasm.encode.types import encode_heap_type
from wasmscope.wasm.types import ValType

_HEAD_TYPES = frozenset({"func", "extern", "any", "exn"})
_AS_NON_NULL = b"\xd4"
_REF_CAST, _REF_CAST_NULL = b"\xfb\x16", b"\xfb\x17"


class Slots:
    """Emits loads and stores for one function of a companion."""

    def __init__(self, companion: Companion, layout: MirrorLayout, first_local: int = 0) -> None:
        """The frame's base is in local `first_local`, its reference base in the next one."""
        self._companion = companion
        self._layout = layout
        self.base = b"\x20" + unsigned(first_local)
        """Code that pushes the frame's address,"""
        self.references = b"\x20" + unsigned(first_local + 1)
        """and code that pushes its first entry in the reference tables."""
        self._shadow = companion.shadow()

    def local(self, index: int, value_type: ValType) -> Slot:
        """The slot of a local."""
        return self._layout.local(index, value_type, self._companion.module)

    def operand(self, depth: int, value_type: ValType) -> Slot:
        """The slot of an operand."""
        return self._layout.operand(depth, value_type, self._companion.module)

    def load(self, slot: Slot, value_type: ValType) -> bytes:
        """Push what is in a slot, as the type that it is known to have."""
        if isinstance(slot, MemorySlot):
            return self.base + LOAD[value_type] + self.memarg(slot.offset)
        raw = self.address(slot) + b"\x25" + self._companion.references(slot.kind)
        return raw + cast_to(value_type)

    def address(self, slot: Slot) -> bytes:
        """Push what a store to the slot takes below the value."""
        if isinstance(slot, MemorySlot):
            return self.base
        return self.references + (b"\x41" + signed(slot.index) + b"\x6a" if slot.index else b"")

    def store(self, slot: Slot, value_type: ValType) -> bytes:
        """Pop a value into a slot whose address is below it."""
        if isinstance(slot, MemorySlot):
            return STORE[value_type] + self.memarg(slot.offset)
        return b"\x26" + self._companion.references(slot.kind)

    def copy(self, source: Slot, target: Slot, value_type: ValType) -> bytes:
        """Copy from slot to slot; references as they are, without a cast."""
        if isinstance(source, MemorySlot):
            value = self.load(source, value_type)
        else:
            value = self.address(source) + b"\x25" + self._companion.references(source.kind)
        return self.address(target) + value + self.store(target, value_type)

    def load_operands(self, types: Sequence[ValType], height: int) -> bytes:
        """Push the operands from `height` on, which have these types."""
        return b"".join(self.load(self.operand(depth, t), t) for depth, t in enumerate(types, height))

    def set_pointers(self, size: int, references: int) -> bytes:
        """Put the stack pointers so far above the frame's base."""
        code = b"\x41\x00" + _sum(self.base, size) + b"\x36" + self.memarg(STACK_POINTER)
        if self._layout.references:
            code += b"\x41\x00" + _sum(self.references, references) + b"\x36" + self.memarg(REFERENCE_POINTER)
        return code

    def push(self) -> bytes:
        """Put the stack pointers above the frame."""
        return self.set_pointers(self._layout.size, self._layout.references)

    def pop(self) -> bytes:
        """Put the stack pointers to where the frame begins."""
        return self.set_pointers(0, 0)

    def memarg(self, offset: int) -> bytes:
        """The memory argument for an offset in the shadow memory."""
        return encode_memarg(0, self._shadow, offset)


def cast_to(value_type: ValType) -> bytes:
    """Code that makes of a reference of the most general type one of the type that it is known to have."""
    heap = value_type.heap
    assert heap is not None
    if heap in _HEAD_TYPES:
        return b"" if value_type.nullable else _AS_NON_NULL
    return (_REF_CAST_NULL if value_type.nullable else _REF_CAST) + encode_heap_type(heap)


def _sum(value: bytes, addend: int) -> bytes:
    return value + (b"\x41" + signed(addend) + b"\x6a" if addend else b"")


def constant(value: int) -> bytes:
    """Push an i32."""
    return b"\x41" + signed(value - (1 << 32) if value >> 31 > 0 else value)


def add_fuel(slots: Slots, amount: int) -> bytes:
    """Count instructions (`Config.consume_fuel`)."""
    memarg = slots.memarg(FUEL)
    count = constant(0) + b"\x29" + memarg + b"\x42" + signed(amount) + b"\x7c"
    return constant(0) + count + b"\x37" + memarg
