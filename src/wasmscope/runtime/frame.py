"""Frames as a host sees them (Wasmtime `runtime/debug.rs`: `DebugFrameCursor`, `FrameHandle`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeGuard

from wasmscope.analysis.signatures import reference_kind
from wasmscope.errors import StaleFrame
from wasmscope.runtime.frame_values import FrameReader, Unavailable, default_value
from wasmscope.runtime.frame_writer import FrameWriter
from wasmscope.runtime.val import Val
from wasmscope.runtime.walk import RawFrame
from wasmscope.wasm.instructions import Instruction, decode_instructions
from wasmscope.wasm.module import Code
from wasmscope.wasm.module import Module as WasmModule
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store

_STALE = "the guest has run since this frame was taken; ask the store for its frames again"


class FrameHandle:
    """One frame of a guest, as it is until the guest goes on; from then on every accessor raises `StaleFrame`."""

    __slots__ = ("_activation", "_frames", "_given_reader", "_position", "_raw", "_store", "_version")

    def __init__(
        self,
        store: Store,
        activation: int,
        frames: list[RawFrame] | None,
        position: int,
        reader: FrameReader | None = None,
        raw: RawFrame | None = None,
    ) -> None:
        """The frame at `position` of an activation's; or the last, `raw`: the others are looked for if wanted."""
        self._store = store
        self._activation = activation
        self._frames = frames
        self._position = position
        if raw is None:
            assert frames is not None
            raw = frames[position]
        self._raw = raw
        self._given_reader = reader
        self._version = store.execution_version

    @classmethod
    def innermost(cls, store: Store, raw: RawFrame) -> FrameHandle:
        """A frame that is known to be the innermost of all."""
        return cls(store, 0, None, -1, raw=raw)

    @property
    def _reader(self) -> FrameReader:
        reader = self._given_reader
        if reader is None:
            reader = self._given_reader = FrameReader(self._store, self._raw)
        return reader

    @property
    def raw(self) -> RawFrame:
        """Where the frame is in code and memory."""
        return self._raw

    def is_valid(self) -> bool:
        """Whether the guest has not gone on since."""
        return self._store.execution_version == self._version

    def parent(self) -> FrameHandle | None:
        """The caller, if it is a frame of the same activation."""
        self._check()
        return self._caller()

    def _caller(self) -> FrameHandle | None:
        if self._frames is None:
            self._frames = self._store.frames_of(self._activation)
            self._position = len(self._frames) - 1
        if self._position == 0:
            return None
        return FrameHandle(self._store, self._activation, self._frames, self._position - 1)

    def activation(self) -> int:
        """0 for the innermost activation; grows where a host frame lies between."""
        self._check()
        return self._activation

    def instance(self) -> Instance | None:
        """The instance whose function this is."""
        self._check()
        return self._raw.instance

    def module(self) -> Module | None:
        """The module of that instance."""
        self._check()
        return self._raw.instance.module if self._raw.instance is not None else None

    def wasm_function_index_and_pc(self) -> tuple[int, int] | None:
        """Index among the module's *defined* functions, and the pc: an offset in the original binary."""
        self._check()
        return self._raw.function, self._raw.pc

    @property
    def function_index(self) -> int:
        """Index of the function, imported ones counted."""
        self._check()
        return self._raw.table.module.num_imported_functions + self._raw.function

    @property
    def code_offset(self) -> int:
        """The pc relative to the contents of the code section, as DWARF counts."""
        self._check()
        section = next(section for section in self._raw.table.module.sections if section.id == 10)
        return self._raw.pc - section.payload_start

    @property
    def return_pc(self) -> int | None:
        """The pc of the instruction behind the one the frame is at, for a frame that is in a call."""
        self._check()
        return self._raw.pc + self._instruction()[1]

    def num_locals(self) -> int:
        """How many locals the function has, its parameters among them."""
        self._check()
        return len(self._local_types())

    def local(self, index: int) -> Val | Unavailable:
        """A local, with its value at this point. Raises `IndexError` out of range."""
        self._check()
        raw = self._raw
        types = raw.table.local_types(raw.function)
        if not 0 <= index < len(types):
            raise IndexError(f"local {index} of {len(types)}")
        if raw.entering:
            return self._entering_local(index, types[index])
        if raw.missing:
            return Unavailable(raw.missing)
        return self._reader.local(index)

    def num_stacks(self) -> int:
        """How many values are on the operand stack."""
        self._check()
        state = self._reader.state
        return len(state.stack) if state is not None else 0

    def stack(self, index: int) -> Val | Unavailable:
        """An operand, 0 being the bottom, as it is before the instruction at the pc.

        Raises `IndexError` out of range.
        """
        self._check()
        state = self._reader.state
        if state is None or not 0 <= index < len(state.stack):
            raise IndexError(f"operand {index} of {self.num_stacks()}")
        return self._reader.operand(index)

    def gc_refs(self) -> list[tuple[Literal["local", "stack"], int, Val]]:
        """The frame's references to what the engine's collector manages, in locals and on the operand stack.

        That is every non-null anyref (an i31 among them), exnref and externref, also one that the guest will not use
        again: the frame keeps its object alive (Wasmtime `debug.rs`, `gc_refs_in_frame`). Functions are not collected.
        What is `Unavailable` is not in the list.
        """
        found: list[tuple[Literal["local", "stack"], int, Val]] = []
        module = self._raw.table.module
        for index, value_type in enumerate(self._local_types()):
            if _is_collected(value_type, module) and _is_reference(value := self.local(index)):
                found.append(("local", index, value))
        for index in range(self.num_stacks()):
            if _is_collected(self.stack_type(index), module) and _is_reference(value := self.stack(index)):
                found.append(("stack", index, value))
        return found

    def writer(self) -> FrameWriter | None:
        """What writes the frame's locals and operands, of the innermost or of a caller's.

        None where they cannot be changed: they could not be read (`Unavailable`, the stack overflowed), or the guest
        cannot be taken off the engine's stack to go on with others, because it was entered through a function of
        wasmtime's own class, or stands in one.
        """
        self._check()
        raw, activation = self._raw, self._store.activations[-1 - self._activation]
        if raw.missing or raw.instance is None:
            return None
        if raw.mirror is None and not (activation.is_drivable and activation.stands_still):
            return None
        return FrameWriter(self._store, self, activation)

    def local_type(self, index: int) -> ValType:
        """The declared type of a local. Raises `IndexError` out of range."""
        self._check()
        types = self._local_types()
        if not 0 <= index < len(types):
            raise IndexError(f"local {index} of {len(types)}")
        return types[index]

    def stack_type(self, index: int) -> ValType:
        """The type of an operand. Raises `IndexError` out of range."""
        self._check()
        state = self._reader.state
        if state is None or not 0 <= index < len(state.stack):
            raise IndexError(f"operand {index} of {self.num_stacks()}")
        return state.stack_types[index]

    # -- reading -------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._store.execution_version != self._version:
            raise StaleFrame(_STALE)

    def _local_types(self) -> tuple[ValType, ...]:
        return self._raw.table.local_types(self._raw.function)

    def _code(self) -> Code:
        return self._raw.table.module.codes[self._raw.function]

    def _instruction(self) -> tuple[Instruction, int]:
        """The instruction at the pc and its length in bytes."""
        instructions = decode_instructions(self._raw.table.bytecode, self._raw.pc, self._code().end)
        first = next(instructions)
        following = next(instructions, None)
        return first, (following.offset if following is not None else self._code().end) - first.offset

    def _entering_local(self, index: int, value_type: ValType) -> Val | Unavailable:
        """A local of a function whose first instruction was not reached: an argument, or a default value."""
        module = self._raw.table.module
        params = module.func_type(module.num_imported_functions + self._raw.function).params
        if index >= len(params):
            return default_value(value_type, module)
        caller = self._caller()
        if caller is None:
            return Unavailable("the stack overflowed on entry from the host")
        if self._store.has_tail_calls():
            return Unavailable("the stack overflowed on entry, by a call that may have been a tail call")
        call = caller._instruction()[0]
        above = 0 if call.opcode.name == "call" else 1
        return caller.stack(caller.num_stacks() - above - len(params) + index)


def _is_collected(value_type: ValType, module: WasmModule) -> bool:
    return value_type.is_ref and reference_kind(value_type, module) != "func"


def _is_reference(value: Val | Unavailable) -> TypeGuard[Val]:
    return isinstance(value, Val) and value.value is not None


class DebugFrameCursor:
    """Walks all frames of a store, innermost first, through every activation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = store.execution_version
        self._current = store.innermost_frame()
        self._others: Iterator[FrameHandle] | None = None

    def done(self) -> bool:
        """Whether there is no frame here: the walk is over, or nothing is running."""
        return self._current is None

    def move_to_parent(self) -> None:
        """Go on to the caller, also through the host to the activation outside.

        Raises `StaleFrame` when the guest has gone on.
        """
        if self._others is None:
            if self._store.execution_version != self._version:
                raise StaleFrame(_STALE)
            self._others = islice(self._store.frames(), 1, None)
        self._current = next(self._others, None)

    def handle(self) -> FrameHandle:
        """The frame the cursor is at; it stays when the cursor moves. Raises `IndexError` where `done()`."""
        if self._current is None:
            raise IndexError("the cursor is past the last frame: look at done() first")
        return self._current

    def activation(self) -> int:
        """See `FrameHandle.activation`."""
        return self.handle().activation()

    def instance(self) -> Instance | None:
        """See `FrameHandle.instance`."""
        return self.handle().instance()

    def module(self) -> Module | None:
        """See `FrameHandle.module`."""
        return self.handle().module()

    def wasm_function_index_and_pc(self) -> tuple[int, int] | None:
        """See `FrameHandle.wasm_function_index_and_pc`."""
        return self.handle().wasm_function_index_and_pc()

    def num_locals(self) -> int:
        """See `FrameHandle.num_locals`."""
        return self.handle().num_locals()

    def local(self, index: int) -> Val | Unavailable:
        """See `FrameHandle.local`."""
        return self.handle().local(index)

    def num_stacks(self) -> int:
        """See `FrameHandle.num_stacks`."""
        return self.handle().num_stacks()

    def stack(self, index: int) -> Val | Unavailable:
        """See `FrameHandle.stack`."""
        return self.handle().stack(index)

    def gc_refs(self) -> list[tuple[Literal["local", "stack"], int, Val]]:
        """See `FrameHandle.gc_refs`."""
        return self.handle().gc_refs()
