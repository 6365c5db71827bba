"""What the instruction that a frame is at is about to do to memories, tables, globals and locals.

Worked out before it runs, as the specification has it run (Wasm spec 4.6, "Execution of Instructions"): an access that
traps does not happen, a comparison that fails does not write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import wasmtime

from wasmscope.analysis.accesses import READ, WRITE, Access, Field, Space, accesses_of
from wasmscope.analysis.typing import TypedInstruction, height_of
from wasmscope.runtime import capi
from wasmscope.runtime.frame_values import FrameReader, Unavailable
from wasmscope.runtime.val import Val
from wasmscope.runtime.watch.atomic import exchanged, modified
from wasmscope.runtime.watch.segments import data_segment, element, remaining_length
from wasmscope.runtime.watch.watchpoint import Key, Target, key_of
from wasmscope.wasm.module import Module

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

Bytes: TypeAlias = Callable[[int, int], bytes]
"""Gives what is written to the addresses from the first to before the second."""
Entry: TypeAlias = "Callable[[int], Val | Unavailable]"
"""Gives what is written to the table's entry, the global or the local at an address."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One access, of which it is known that it will be made."""

    key: Key
    mode: int
    start: int
    """The first address"""
    end: int
    """and the one behind the last."""
    written_bytes: Bytes | None = None
    """Of a write to a memory,"""
    written_value: Entry | None = None
    """and of one to all else."""


class _Traps(Exception):
    """The instruction will trap before it accesses anything."""


def effects_at(store: Store, reader: FrameReader, typed: TypedInstruction) -> tuple[Effect, ...]:
    """The accesses that the instruction of this frame, which is the innermost, is about to make.

    Those to the locals of a frame have the key of its mirror.
    """
    module = reader.raw.table.module
    accesses = accesses_of(typed, module)
    if not accesses:
        return ()
    assert reader.raw.instance is not None
    try:
        return _Instruction(store, reader, typed, module, reader.raw.instance).effects(accesses)
    except _Traps:
        return ()


class _Instruction:
    def __init__(
        self, store: Store, reader: FrameReader, typed: TypedInstruction, module: Module, instance: Instance
    ) -> None:
        self._store = store
        self._reader = reader
        self._typed = typed
        self._module = module
        self._instance = instance
        self._name = typed.instruction.opcode.name
        self._top = height_of(typed.stack) - 1

    def effects(self, accesses: tuple[Access, ...]) -> tuple[Effect, ...]:
        ranges = [self._range(access) for access in accesses]
        targets = [target_of(self._store, self._instance, access.space, access.index) for access in accesses]
        for access, (start, end), target in zip(accesses, ranges, targets, strict=True):
            self._check(access, start, end, target)
        if any(start == end for start, end in ranges):
            return ()
        made = zip(accesses, ranges, targets, strict=True)
        return tuple(self._effect(access, *bounds, target, ranges, targets) for access, bounds, target in made)

    # -- operands ------------------------------------------------------------------------------------------------

    def _operand(self, depth: int) -> Val:
        value = self._reader.operand(depth)
        assert isinstance(value, Val), "a mirror has all its values"
        return value

    def _bits(self, depth: int) -> int:
        bits = self._operand(depth).bits
        assert bits is not None
        return bits

    def _field(self, field: Field) -> int:
        return self._bits(field.depth)

    def _range(self, access: Access) -> tuple[int, int]:
        start = access.offset + (0 if access.address is None else self._field(access.address))
        length = access.length if isinstance(access.length, int) else self._field(access.length)
        return start, start + length

    def _check(self, access: Access, start: int, end: int, target: Target | None) -> None:
        """Raises `_Traps` where the engine will find a reason to."""
        if isinstance(target, wasmtime.Table):
            if end > target.size(self._store):
                raise _Traps
        elif target is not None and access.space is Space.MEMORY:
            if end > len(capi.memory_bytes(self._store, target)):  # type: ignore[arg-type]  # a memory
                raise _Traps
            if self._typed.instruction.opcode.code >> 16 == 0xFE:
                if start % (end - start):
                    raise _Traps
                if "wait" in self._name and not isinstance(target, wasmtime.SharedMemory):
                    raise _Traps
        if self._name.endswith(".init") and self._bits(self._top - 1) + end - start > self._segment_length():
            raise _Traps

    # -- what is written -----------------------------------------------------------------------------------------

    def _effect(
        self,
        access: Access,
        start: int,
        end: int,
        target: Target | None,
        ranges: list[tuple[int, int]],
        targets: list[Target | None],
    ) -> Effect:
        if target is None:
            mirror = self._reader.raw.mirror
            assert mirror is not None
            key: Key = (Space.LOCAL, (mirror.number, access.index))
            start = self._reader.raw.base
            end = start + 1
        else:
            key = key_of(target)
        if not access.mode & WRITE:
            return Effect(key, access.mode, start, end)
        if access.space is Space.MEMORY:
            content = self._memory_write(start, end, ranges, targets)
            if content is None:
                return Effect(key, READ, start, end)
            return Effect(key, access.mode, start, end, written_bytes=content)
        return Effect(key, access.mode, start, end, written_value=self._entry_write(start, ranges, targets))

    def _memory_write(
        self, start: int, end: int, ranges: list[tuple[int, int]], targets: list[Target | None]
    ) -> Bytes | None:
        match self._name:
            case "memory.fill":
                byte = bytes([self._bits(self._top - 1) & 0xFF])
                return lambda first, last: byte * (last - first)
            case "memory.copy":
                return self._moved(targets[0], ranges[0][0] - start)
            case "memory.init":
                segment = data_segment(self._module, self._typed.instruction.immediates[0])
                shift = self._bits(self._top - 1) - start
                return lambda first, last: segment[first + shift : last + shift]
        content = self._stored(start, end - start, targets[0])
        return None if content is None else lambda first, last: content[first - start : last - start]

    def _moved(self, source: Target | None, shift: int) -> Bytes:
        assert isinstance(source, wasmtime.Memory | wasmtime.SharedMemory)
        return lambda first, last: bytes(capi.memory_bytes(self._store, source)[first + shift : last + shift])

    def _stored(self, start: int, width: int, memory: Target | None) -> bytes | None:
        """What an instruction with a memory argument writes; None: nothing, the comparison fails."""
        mask = (1 << 8 * width) - 1
        if ".rmw" not in self._name:
            bits = self._bits(self._top)
            if self._name.endswith("_lane"):
                bits >>= 8 * width * self._typed.instruction.immediates[1]
            return (bits & mask).to_bytes(width, "little")
        assert isinstance(memory, wasmtime.Memory | wasmtime.SharedMemory)
        old = int.from_bytes(capi.memory_bytes(self._store, memory)[start : start + width], "little")
        if "cmpxchg" in self._name:
            new = exchanged(old, self._bits(self._top - 1), self._bits(self._top), mask)
        else:
            new = modified(self._name, old, self._bits(self._top))
        return None if new is None else (new & mask).to_bytes(width, "little")

    def _entry_write(self, start: int, ranges: list[tuple[int, int]], targets: list[Target | None]) -> Entry:
        match self._name:
            case "table.fill":
                filled = self._operand(self._top - 1)
                return lambda _: filled
            case "table.copy":
                source, shift = targets[0], ranges[0][0] - start
                assert isinstance(source, wasmtime.Table)
                return lambda index: _entry_of(self._store, source, index + shift)
            case "table.init":
                segment: int = self._typed.instruction.immediates[0]
                first = self._bits(self._top - 1) - start
                return lambda index: element(self._store, self._instance, segment, first + index)
        value = self._operand(self._top)
        return lambda _: value

    def _segment_length(self) -> int:
        """Of the segment that the instruction copies from: 0 if it was dropped."""
        return remaining_length(self._store, self._instance, self._typed)


def target_of(store: Store, instance: Instance, space: Space, index: int) -> Target | None:
    """The memory, table or global with this index; None: a local."""
    match space:
        case Space.MEMORY:
            return instance.debug_memory(store, index) or instance.debug_shared_memory(store, index)
        case Space.TABLE:
            return instance.debug_table(store, index)
        case Space.GLOBAL:
            return instance.debug_global(store, index)
        case Space.LOCAL:
            return None


def _entry_of(store: Store, table: wasmtime.Table, index: int) -> Val:
    found = capi.table_get(store, table, index)
    assert found is not None, "the bounds were tested"
    return found
