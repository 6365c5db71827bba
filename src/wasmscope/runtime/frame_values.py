"""The values of one frame: from its slots, from its frame table, and from what the guest loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.analysis.signatures import reference_kind
from wasmscope.analysis.unavailable import Unavailable as Unavailable
from wasmscope.instrument.expressions import DEFAULTS, RELOADABLE, Load, constant, evaluate, loaded
from wasmscope.instrument.points import Derived, Location, State, Uninitialised
from wasmscope.instrument.shadow_frame import MemorySlot, TableSlot
from wasmscope.runtime.val import Kind, Val
from wasmscope.runtime.walk import RawFrame
from wasmscope.wasm.module import Module
from wasmscope.wasm.types import F32, F64, I32, I64, V128, ValType

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

KIND = {I32: Kind.I32, I64: Kind.I64, F32: Kind.F32, F64: Kind.F64, V128: Kind.V128}
"""Of numbers."""
_REFERENCE_KIND = {"func": Kind.FUNCREF, "extern": Kind.EXTERNREF, "any": Kind.ANYREF, "exn": Kind.EXNREF}
_SIGNED = {I32: (Kind.I32, 4), I64: (Kind.I64, 8)}
"""What is not worked out by way of its bits, which takes longer."""
SIZE = {I32: 4, I64: 8, F32: 4, F64: 8, V128: 16}
"""Bytes of a number."""


class _CannotReload(Exception):
    """A value was loaded from memory that cannot be read now."""


class FrameReader:
    """Reads the locals and operands of a frame. Where that takes working out, it is done once for each value."""

    def __init__(self, store: Store, raw: RawFrame) -> None:
        self._store = store
        self.raw = raw
        """The frame."""
        self._local_types = raw.value_types
        self._state: State | None = None
        self._is_searched = False
        self._is_written = raw.mirror is not None
        """Whether what is set goes into its slots."""
        self._local_bits: dict[int, int] = {}
        self._operand_bits: dict[int, int] = {}

    @property
    def state(self) -> State | None:
        """Where the frame's values are; None: nothing was published (`RawFrame.missing`)."""
        if not self._is_searched:
            self._state, self._is_searched = self.raw.find_state(), True
        return self._state

    def local(self, index: int) -> Val | Unavailable:
        """A local."""
        changes = self.raw.changes
        if changes is not None and index in changes.locals:
            return changes.locals[index]
        return self._published_local(index)

    def _published_local(self, index: int) -> Val | Unavailable:
        """A local as the frame's code has it: other values that follow from it do not change when it is set."""
        state = self.state
        assert state is not None
        location, value_type = state.locals[index], self._local_types[index]
        if value_type.heap is not None:
            return self._reference(location, value_type)
        if self._is_written and value_type in _SIGNED:
            assert isinstance(location, MemorySlot)
            kind, size = _SIGNED[value_type]
            return Val(kind, self._store.shadow.integer(self.raw.base + location.offset, size))
        try:
            return Val.from_bits(KIND[value_type], self._bits_of_local(index))
        except _CannotReload as error:
            return Unavailable(str(error))

    def operand(self, index: int) -> Val | Unavailable:
        """An operand, 0 being the bottom."""
        changes, state = self.raw.changes, self.state
        if changes is not None and index in changes.stack:
            return changes.stack[index]
        assert state is not None
        location, value_type = state.stack[index], state.stack_types[index]
        if value_type.is_ref:
            return self._reference(location, value_type)
        try:
            bits = self._operand_bits.get(index)
            if bits is None:
                bits = self._bits(location, value_type)
                if not self._is_written:
                    self._operand_bits[index] = bits
            return Val.from_bits(KIND[value_type], bits)
        except _CannotReload as error:
            return Unavailable(str(error))

    def capture(self) -> None:
        """Work out every number now, before anybody writes the memories that some were loaded from."""
        if self.state is not None:
            for index in range(len(self._local_types)):
                self.local(index)
            for index in range(len(self.state.stack)):
                self.operand(index)

    def _bits_of_local(self, local: int) -> int:
        bits = self._local_bits.get(local)
        if bits is None:
            assert self.state is not None
            bits = self._bits(self.state.locals[local], self._local_types[local])
            if not self._is_written:
                self._local_bits[local] = bits
        return bits

    def _bits(self, location: Location, value_type: ValType) -> int:
        if isinstance(location, MemorySlot):
            return self._store.shadow.bits(self.raw.base + location.offset, SIZE[value_type])
        assert isinstance(location, Derived)
        bits = evaluate(location.expression, self._bits_of_local, self._reload)
        assert bits is not None
        return bits

    def _reload(self, load: Load, address: int) -> int:
        if self.raw.instance is None:
            raise _CannotReload("loaded from a memory of one of several instances, and nothing says which")
        memory = self.raw.instance.debug_memory(self._store, self.raw.memory_index(load.memory))
        if memory is None:
            raise _CannotReload("loaded from a memory of an instance that could not be made")
        start, width = address + load.offset, RELOADABLE[load.code][0]
        if start + width > memory.data_len(self._store):
            raise _CannotReload("its load did not succeed")
        return loaded(load, bytes(memory.read(self._store, start, start + width)))

    def _reference(self, location: Location, value_type: ValType) -> Val | Unavailable:
        if isinstance(location, Uninitialised):
            assert isinstance(location.slot, TableSlot)
            value = self._table_entry(location.slot)
            return Unavailable("not set yet: its type has no default value") if value.value is None else value
        if isinstance(location, TableSlot):
            return self._table_entry(location)
        assert isinstance(location, Derived)
        if isinstance(location.expression, bytes):
            return default_value(value_type, self.raw.table.module)  # ref.null
        return self._published_local(location.expression)

    def _table_entry(self, slot: TableSlot) -> Val:
        value = self._store.shadow.references.get(slot.kind, self.raw.reference_base + slot.index)
        assert value is not None, "the slot was published"
        return value


def kind_of(value_type: ValType, module: Module) -> Kind:
    """What values of a type are made of."""
    return _REFERENCE_KIND[reference_kind(value_type, module)] if value_type.is_ref else KIND[value_type]


def default_value(value_type: ValType, module: Module) -> Val:
    """What a local of this type starts with (Wasm spec 4.2.1)."""
    if value_type.is_ref:
        return Val(_REFERENCE_KIND[reference_kind(value_type, module)], None)
    bits = constant(DEFAULTS[value_type])
    assert bits is not None
    return Val.from_bits(KIND[value_type], bits)
