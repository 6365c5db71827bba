"""The memory by which the host controls the mirrors of a store (`instrument/mirror/layout.py`)."""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.mirror.layout import ANSWER, FIRST_BLOCK, ONES, STOPPED_BASE
from wasmscope.instrument.mirror.support import CONTROL, STOP
from wasmscope.instrument.mirror.watching import TOUCHED
from wasmscope.runtime import capi

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

_WORD = struct.Struct("<I")
_STOPPED = struct.Struct("<3I")
_ANSWER = struct.Struct("<i")
_ALIGNMENT = 8


class ControlMemory:
    """Cells at fixed addresses, and room that is given out: to mirrors for good, who live as long as the store."""

    def __init__(
        self, store: Store, module: wasmtime.Module, host_stop: wasmtime.Func, host_accessed: wasmtime.Func
    ) -> None:
        shadow = store.shadow
        shadow.companions += 1
        with store.without_limits():
            # Not by wasmtime's own class: that would count as a guest that ran, and handles to frames would be stale.
            imports: list[Any] = [shadow.memory, shadow.mirrors.table, host_stop, host_accessed]
            instance = capi.instantiate(store, module, imports)
        if not isinstance(instance, wasmtime.Instance):
            capi.raise_failure(instance)
            raise AssertionError
        memory = capi.export_named(store, instance, CONTROL)
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory
        self.stop = capi.function_named(store, instance, STOP)
        """The function that stops call,"""
        self.touched = capi.function_named(store, instance, TOUCHED)
        """and the one that accesses do."""
        address, size = capi.memory_data(store, memory)
        self.bytes = memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
        self._end = FIRST_BLOCK
        self._ones = 0
        self._free: dict[int, list[int]] = {}
        """Addresses of what was given back, by how many words it has."""

    def allocate(self, size: int) -> int:
        """The address of so many bytes 0. Raises `WasmscopeError` where there are no more."""
        address = self._end
        if address + size > len(self.bytes):
            raise WasmscopeError("there is no room for more functions to be stopped in: the store has too many already")
        self._end = (address + size + _ALIGNMENT - 1) & -_ALIGNMENT
        return address

    def allocate_words(self, count: int) -> int:
        """The address of at least so many words, for as long as they are not given back. They may be anything."""
        count = 1 << (count - 1).bit_length()
        free = self._free.get(count)
        return free.pop() if free else self.allocate(4 * count)

    def free_words(self, address: int, count: int) -> None:
        """Give so many words back."""
        self._free.setdefault(1 << (count - 1).bit_length(), []).append(address)

    def make_ones(self, count: int) -> None:
        """Have at least so many bytes 1 for functions to stop everywhere."""
        if count > self._ones:
            self.bytes[ONES + self._ones : ONES + count] = b"\1" * (count - self._ones)
            self._ones = count

    def stopped(self) -> tuple[int, int, int]:
        """Where the host was called for a stop: the frame, the number of the instruction, and why (`STOP_...`)."""
        base, index, kind = _STOPPED.unpack_from(self.bytes, STOPPED_BASE)
        return base, index, kind

    def answer(self, value: int) -> None:
        """Have the page that called the host for a stop go on with this."""
        _ANSWER.pack_into(self.bytes, ANSWER, value)

    def word(self, address: int) -> int:
        """The u32 at `address`."""
        word: int = _WORD.unpack_from(self.bytes, address)[0]
        return word

    def set_word(self, address: int, value: int) -> None:
        """Set the u32 at `address`."""
        _WORD.pack_into(self.bytes, address, value)

    def set_byte(self, address: int, value: int) -> None:
        """Set the byte at `address`."""
        self.bytes[address] = value

    def set_words(self, address: int, values: list[int]) -> None:
        """Set u32s from `address` on."""
        struct.pack_into(f"<{len(values)}I", self.bytes, address, *values)

    def set_longs(self, address: int, values: list[int]) -> None:
        """Set u64s from `address` on."""
        struct.pack_into(f"<{len(values)}Q", self.bytes, address, *values)

    def write(self, address: int, content: bytes) -> None:
        """Set bytes from `address` on."""
        self.bytes[address : address + len(content)] = content
