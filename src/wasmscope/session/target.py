"""A frame of a guest that stands still, as `wasmscope.source.target.Machine`.

It is good until the guest goes on; then everything is `Unavailable`. A call that it makes itself leaves the frame as it
was, but ends all handles: it takes another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.errors import StaleFrame
from wasmscope.report.entities import FunctionNames
from wasmscope.report.values import ValueFormatter
from wasmscope.runtime import capi
from wasmscope.runtime.frame import FrameHandle
from wasmscope.runtime.instance import Instance
from wasmscope.runtime.store import Store
from wasmscope.runtime.val import Kind, Val
from wasmscope.session.function_table import function_table
from wasmscope.source.locations import WasmNumber, WasmSpace
from wasmscope.source.target import MAX_READ
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.types import I32, I64, FuncType, ValType

RED_ZONE = 128
"""Bytes below the stack pointer that a function may use without moving it (LLVM `WebAssemblyFrameLowering.cpp`)."""

_SIZES = {Kind.I32: 4, Kind.I64: 8, Kind.F32: 4, Kind.F64: 8, Kind.V128: 16}
_KINDS = {"i32": Kind.I32, "i64": Kind.I64, "f32": Kind.F32, "f64": Kind.F64, "v128": Kind.V128}
_MAKERS: dict[str, Callable[[Any], Val]] = {
    "i32": Val.i32, "i64": Val.i64, "f32": Val.f32, "f64": Val.f64, "v128": Val.v128,
}  # fmt: skip
_GONE = Unavailable("the guest has gone on since")


class GuestMachine:
    """One frame of a paused guest. `name_of` says what a function is called.

    `stack_pointer` is the global that compilers keep theirs in (`stack_pointer_of`).
    """

    def __init__(
        self, store: Store, frame: FrameHandle, name_of: Callable[[int], str], stack_pointer: int | None = None
    ) -> None:
        self._store = store
        self._stack_pointer = stack_pointer
        self._frame = frame
        self._name_of = name_of
        self._instance = frame.instance()
        self._module: Module = frame.raw.table.module
        position = frame.wasm_function_index_and_pc()
        assert position is not None, "a frame of a guest is somewhere"
        self._pc = position[1]

    @property
    def pc(self) -> int:
        """Where the frame is."""
        return self._pc

    # -- numbers ---------------------------------------------------------------------------------------------------

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        """As `FrameValues.number`."""
        value = self._value(space, index)
        if isinstance(value, Unavailable):
            return value
        if value.bits is None:
            return Unavailable(f"{space} {index} is a reference, which has no bits")
        return WasmNumber(value.bits, _SIZES[value.kind], value.kind in (Kind.F32, Kind.F64))

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        """As `FrameValues.parameter_at_entry`: nothing keeps it."""
        return Unavailable("what a parameter was at first is not kept")

    def _value(self, space: WasmSpace, index: int) -> Val | Unavailable:
        if not self._frame.is_valid():
            return _GONE
        if space is WasmSpace.GLOBAL:
            instance = self._instance
            found = instance.debug_global(self._store, index) if instance is not None else None
            return capi.global_get(self._store, found) if found is not None else _nothing(space, index)
        try:
            return self._frame.local(index) if space is WasmSpace.LOCAL else self._frame.stack(index)
        except IndexError:
            return _nothing(space, index)

    def value_type(self, space: WasmSpace, index: int) -> ValType | None:
        """As `Machine.value_type`."""
        try:
            if space is WasmSpace.GLOBAL:
                return self._module.all_globals[index].value if index >= 0 else None
            return self._frame.local_type(index) if space is WasmSpace.LOCAL else self._frame.stack_type(index)
        except (IndexError, StaleFrame):
            return None

    def set_number(self, space: WasmSpace, index: int, number: WasmNumber) -> Unavailable | None:
        """As `Machine.set_number`."""
        value_type = self.value_type(space, index)
        kind = _KINDS.get(value_type.name) if value_type is not None else None
        if kind is None or _SIZES[kind] != number.size:
            return Unavailable(f"{space} {index} is no number of {number.size} bytes")
        if not self._frame.is_valid():
            return _GONE
        value = Val.from_bits(kind, number.bits)
        if space is WasmSpace.GLOBAL:
            return self._set_global(index, value)
        writer = self._frame.writer()
        if writer is None:
            return Unavailable("the values of this frame cannot be changed")
        (writer.set_local if space is WasmSpace.LOCAL else writer.set_stack)(index, value)
        return None

    def _set_global(self, index: int, value: Val) -> Unavailable | None:
        found = self._instance.debug_global(self._store, index) if self._instance is not None else None
        if found is None:
            return _nothing(WasmSpace.GLOBAL, index)
        if not self._module.all_globals[index].mutable:
            return Unavailable(f"global {index} is immutable")
        capi.global_set(self._store, found, value)
        return None

    def reference(self, space: WasmSpace, index: int) -> str | Unavailable:
        """As `Machine.reference`."""
        value = self._value(space, index)
        if isinstance(value, Unavailable):
            return value
        return ValueFormatter(FunctionNames(self._store)).value(value, str(value.kind)).text

    # -- memory ----------------------------------------------------------------------------------------------------

    def _memory(self) -> memoryview | Unavailable:
        if not self._frame.is_valid():
            return _GONE
        instance = self._instance
        if instance is None:
            return Unavailable("which of several instances the frame is of is not known")
        memory = instance.debug_memory(self._store, 0) or instance.debug_shared_memory(self._store, 0)
        return Unavailable("there is no memory") if memory is None else capi.memory_bytes(self._store, memory)

    def read(self, address: int, size: int) -> bytes | Unavailable:
        """As `FrameValues.read`."""
        memory = self._memory()
        if isinstance(memory, Unavailable):
            return memory
        if address < 0 or size < 0 or address + size > len(memory):
            return Unavailable(f"there is no memory at {address:#x}")
        if size > MAX_READ:
            return Unavailable(f"at most {MAX_READ:,} bytes are read at once")
        return bytes(memory[address : address + size])

    def write(self, address: int, data: bytes) -> Unavailable | None:
        """As `Machine.write`."""
        memory = self._memory()
        if isinstance(memory, Unavailable):
            return memory
        if address < 0 or address + len(data) > len(memory):
            return Unavailable(f"there is no memory at {address:#x}")
        memory[address : address + len(data)] = data
        return None

    # -- functions -------------------------------------------------------------------------------------------------

    def table_function(self, entry: int) -> int | Unavailable:
        """As `Machine.table_function`: what the module put into its table 0, where nothing can have changed it."""
        instance = self._instance
        table = instance.debug_table(self._store, 0) if instance is not None else None
        if instance is None or table is None:
            return Unavailable("there is no table of functions")
        known = function_table(instance.module.frame_table.plan)
        if isinstance(known, Unavailable):
            return known
        found = known.get(entry)
        there = capi.table_get(self._store, table, entry) if 0 <= entry < 1 << 32 else None
        if found is None or there is None or there.value is None:
            return Unavailable(f"no function is at entry {entry} of the table")
        return found

    def function_name(self, function: int) -> str:
        """As `Machine.function_name`."""
        return self._name_of(function)

    def function_type(self, function: int) -> FuncType | None:
        """As `Machine.function_type`."""
        return function_type(self._module, function)

    def call(self, function: int, arguments: Sequence[WasmNumber]) -> tuple[WasmNumber, ...] | Unavailable:
        """As `Machine.call`."""
        if not self._frame.is_valid():
            return _GONE
        signature = self.function_type(function)
        callee = _function(self._instance, self._store, function)
        if callee is None or signature is None:
            return Unavailable("the function cannot be called")
        given = [
            Val.from_bits(_KINDS[value_type.name], number.bits)
            for value_type, number in zip(signature.params, arguments, strict=True)
        ]
        depth = self._depth()
        try:
            with self._store.consulting(), self._beyond_the_red_zone():
                returned = callee(self._store, *given)
        except Exception as error:  # however it ends: a trap, an exception of the guest's or of the host's
            return Unavailable(f"{self._name_of(function)} did not return: {_first_line(error)}")
        finally:
            self._take_anew(depth)
        results = [] if returned is None else returned if isinstance(returned, list) else [returned]
        return tuple(_number(value_type, each) for value_type, each in zip(signature.results, results, strict=True))

    @contextmanager
    def _beyond_the_red_zone(self) -> Iterator[None]:
        """While the stack pointer is moved: functions that call none keep variables below it."""
        index = self._stack_pointer
        before = self.number(WasmSpace.GLOBAL, index) if index is not None else None
        if index is None or not isinstance(before, WasmNumber) or before.bits < RED_ZONE:
            yield
            return
        found = self._instance.debug_global(self._store, index) if self._instance is not None else None
        assert found is not None, "it was read"
        kind = Kind.I64 if before.size == 8 else Kind.I32
        capi.global_set(self._store, found, Val.from_bits(kind, before.bits - RED_ZONE))
        try:
            yield
        finally:  # a trap leaves it anywhere
            capi.global_set(self._store, found, Val.from_bits(kind, before.bits))

    def _depth(self) -> int:
        """How many frames are inside of this one."""
        own = self._frame.raw
        frames = self._store.frames()
        return next(
            (n for n, each in enumerate(frames) if (each.raw.base, each.raw.pc) == (own.base, own.pc)), len(frames)
        )

    def _take_anew(self, depth: int) -> None:
        own, frames = self._frame.raw, self._store.frames()
        if depth < len(frames) and (frames[depth].raw.base, frames[depth].raw.pc) == (own.base, own.pc):
            self._frame = frames[depth]


def stack_pointer_of(module: Module, names: NameSection) -> int | None:
    """The global with the pointer to the stack that compilers make in memory; None: there is none of that name."""
    for index, name in names.globals.items():
        if name == "__stack_pointer" and index < len(module.all_globals):
            global_type = module.all_globals[index]
            return index if global_type.mutable and global_type.value in (I32, I64) else None
    return None


def function_type(module: Module, function: int) -> FuncType | None:
    """The signature of a function; None: there is none of that index."""
    return module.func_type(function) if 0 <= function < len(module.function_types_indices) else None


def _function(instance: Instance | None, store: Store, function: int) -> Any:
    return instance.debug_function(store, function) if instance is not None else None


def _nothing(space: WasmSpace, index: int) -> Unavailable:
    return Unavailable(f"there is no {space} {index}")


def _number(value_type: ValType, value: Any) -> WasmNumber:
    made = _MAKERS[value_type.name](value)
    assert made.bits is not None
    return WasmNumber(made.bits, _SIZES[made.kind], made.kind in (Kind.F32, Kind.F64))


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
