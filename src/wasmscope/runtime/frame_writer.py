"""Writes the locals and operands of a frame (Wasm spec 4.2.14): where its code looks for them.

A frame in the mirror tier has them in its slots. One in the fast tier has them in the engine's registers and on its
stack: what is set is kept beside the frame, which goes on in its mirror, with the new values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasmscope.instrument.shadow_frame import MemorySlot, Slot
from wasmscope.runtime.frame_values import SIZE
from wasmscope.runtime.typed_values import typed_value
from wasmscope.runtime.val import Val
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.frame import FrameHandle
    from wasmscope.runtime.store import Store
    from wasmscope.runtime.walk import Activation


class FrameWriter:
    """What changes one frame, as long as its handle is valid; made by `FrameHandle.writer`.

    A `Val` of the very kind is taken with all its bits, else what fits: an int, a float, 16 bytes for a v128, None, a
    function, a reference, any object for an externref. Both methods raise `IndexError` out of range, `TypeError` and
    `ValueError` for a value that is not of the type declared there, `StaleFrame` when the guest has gone on: then
    nothing is written.
    """

    __slots__ = ("_activation", "_frame", "_store")

    def __init__(self, store: Store, frame: FrameHandle, activation: Activation) -> None:
        self._store = store
        self._frame = frame
        self._activation = activation

    def set_local(self, index: int, value: Any) -> None:
        """Set a local. One that was not set yet, of a type without default value, is from then on."""
        value_type = self._frame.local_type(index)
        checked = self._checked(value_type, value, f"local {index}")
        raw = self._frame.raw
        if raw.mirror is None:
            self._store.stops.changed(self._activation, raw.base).locals[index] = checked
        else:
            layout = raw.mirror.code.layout
            self._write(layout.local(index, value_type, raw.table.module), value_type, checked)

    def set_stack(self, index: int, value: Any) -> None:
        """Set an operand, 0 being the bottom. Arguments of a call that is under way have been passed already."""
        value_type = self._frame.stack_type(index)
        checked = self._checked(value_type, value, f"operand {index}")
        raw = self._frame.raw
        self._activation.operands_were_set = True
        if raw.mirror is None:
            self._store.stops.changed(self._activation, raw.base).stack[index] = checked
        else:
            layout = raw.mirror.code.layout
            self._write(layout.operand(index, value_type, raw.table.module), value_type, checked)

    def _checked(self, value_type: ValType, value: Any, place: str) -> Val:
        instance = self._frame.raw.instance
        assert instance is not None, "else there is no writer"
        return typed_value(self._store, instance, value_type, value, place)

    def _write(self, slot: Slot, value_type: ValType, value: Val) -> None:
        raw, shadow = self._frame.raw, self._store.shadow
        if isinstance(slot, MemorySlot):
            assert value.bits is not None
            shadow.set_bits(raw.base + slot.offset, SIZE[value_type], value.bits)
        else:
            shadow.references.set(slot.kind, raw.reference_base + slot.index, value)
