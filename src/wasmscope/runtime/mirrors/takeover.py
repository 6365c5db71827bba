"""Frames become mirror frames: every local and operand goes where the mirror has it, in place.

What a fast frame knows of a value by its frame table is worked out; references are copied from entry to entry, so that
they stay the very same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.mirror.layout import site_of
from wasmscope.instrument.points import Derived, Location, Uninitialised
from wasmscope.instrument.shadow_frame import MemorySlot, Slot, TableSlot
from wasmscope.runtime.frame_values import SIZE, FrameReader, Unavailable
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.val import Val
from wasmscope.runtime.walk import RawFrame
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """A reference that is at this index of the shadow table of its kind."""

    kind: str
    index: int


Value: TypeAlias = int | Entry | Val | None
"""A number by its bits, a reference by where it is or as the host has it, or the null reference."""


class Takeover:
    """The values of one frame, on their way to its mirror's slots."""

    def __init__(self, store: Store, raw: RawFrame, reader: FrameReader | None = None) -> None:
        """`reader`: of the frame, if its values were read before."""
        self._store = store
        self._raw = raw
        self._reader = reader or FrameReader(store, raw)
        state = self._reader.state
        if state is None:
            raise WasmscopeError(f"the guest cannot go on from here: {raw.missing}")
        types = raw.table.local_types(raw.function)
        self.locals = [self._local(index, value_type) for index, value_type in enumerate(types)]
        self.operands = [
            self._value(location, value_type, depth)
            for depth, (location, value_type) in enumerate(zip(state.stack, state.stack_types, strict=True))
        ]

    def _local(self, index: int, value_type: ValType) -> Value:
        changed = self._raw.changes.locals.get(index) if self._raw.changes else None
        return self._published_local(index, value_type) if changed is None else _as_value(changed)

    def _published_local(self, index: int, value_type: ValType) -> Value:
        state = self._reader.state
        assert state is not None
        if value_type.is_ref:
            return self._reference(state.locals[index], value_type)
        return _bits(self._reader.local(index))

    def _value(self, location: Location, value_type: ValType, depth: int) -> Value:
        changed = self._raw.changes.stack.get(depth) if self._raw.changes else None
        if changed is not None:
            return _as_value(changed)
        return self._reference(location, value_type) if value_type.is_ref else _bits(self._reader.operand(depth))

    def _reference(self, location: Location, value_type: ValType) -> Value:
        if isinstance(location, Uninitialised):
            location = location.slot
        if isinstance(location, TableSlot):
            return Entry(location.kind, self._raw.reference_base + location.index)
        assert isinstance(location, Derived)
        if isinstance(location.expression, bytes):
            return None  # ref.null
        return self._published_local(location.expression, value_type)  # another local has it, or had until it was set

    def write(self, mirror: Mirror, index: int, stack_types: Sequence[ValType]) -> None:
        """Make a frame of `mirror` of it, at instruction `index`, where the operand stack has `stack_types`.

        Raises `WasmscopeError` where it has no room.
        """
        store, raw, code = self._store, self._raw, mirror.code
        shadow, layout, module = store.shadow, code.layout, raw.table.module
        if raw.base + layout.size > shadow.size:
            raise WasmscopeError("the stack of frames is full: there is no room for a frame that can be stopped")
        assert len(stack_types) == len(self.operands)
        targets: list[tuple[Slot, ValType, Value]] = [
            *(
                (layout.local(n, each, module), each, value)
                for n, (each, value) in enumerate(zip(code.typed.local_types, self.locals, strict=True))
            ),
            *(
                (layout.operand(n, each, module), each, value)
                for n, (each, value) in enumerate(zip(stack_types, self.operands, strict=True))
            ),
        ]
        references = [(slot, value) for slot, _, value in targets if isinstance(slot, TableSlot)]
        # Values may come from frames above that are gone, whose entries the larger frame covers.
        sources = [value.index + 1 for _, value in references if isinstance(value, Entry)]
        end = max(raw.reference_base + layout.references, *sources, 0)
        shadow.references.reserve_up_to(end + len(references), sorted({slot.kind for slot, _ in references}))
        self._write_references(references, end)
        typed = code.typed.instructions[min(index, len(code.typed.instructions) - 1)]
        shadow.set_header(raw.base, site_of(typed.pc), mirror.number)
        for slot, value_type, value in targets:
            if isinstance(slot, MemorySlot):
                assert isinstance(value, int)
                shadow.set_bits(raw.base + slot.offset, SIZE[value_type], value)

    def _write_references(self, references: Sequence[tuple[TableSlot, Value]], end: int) -> None:
        """Put references into their entries, by way of those from `end` on: sources and targets overlap."""
        tables, base = self._store.shadow.references, self._raw.reference_base
        for position, (slot, value) in enumerate(references):
            if isinstance(value, Entry) and value.index != base + slot.index:
                tables.copy(slot.kind, end + position, value.index)
        for position, (slot, value) in enumerate(references):
            if isinstance(value, Entry):
                if value.index != base + slot.index:
                    tables.copy(slot.kind, base + slot.index, end + position)
            else:
                assert not isinstance(value, int)
                tables.set(slot.kind, base + slot.index, value)


def _as_value(value: Val) -> Value:
    return value if value.bits is None else value.bits


def _bits(value: Val | Unavailable) -> int:
    if isinstance(value, Unavailable):
        raise WasmscopeError(f"the guest cannot go on from here: a value of it is not available ({value.reason})")
    assert value.bits is not None
    return value.bits
