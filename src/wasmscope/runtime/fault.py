"""Memory faults, checked against the operands and the memory: the engine's word is not taken for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.runtime.frame import FrameHandle
from wasmscope.runtime.frame_values import Unavailable
from wasmscope.runtime.trap_point import instruction_at, is_access
from wasmscope.runtime.walk import RawFrame
from wasmscope.wasm.instructions import MemArg

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """A load or store: `width` bytes at `address` of memory `memory`, which has `memory_size` bytes."""

    memory: int
    address: int
    width: int
    memory_size: int

    @property
    def is_out_of_bounds(self) -> bool:
        """Wasm spec 4.4.7: whether any byte of it lies outside."""
        return self.address + self.width > self.memory_size


def access_at(store: Store, frame: FrameHandle) -> Access | None:
    """The load or store that `frame` is at; None where it is at something else, or its operands cannot be had."""
    raw = frame.raw
    instruction = instruction_at(raw.table, raw.pc)
    if not is_access(instruction) or raw.instance is None or raw.missing:
        return None
    memarg: MemArg = instruction.immediates[0]
    assert instruction.opcode.params is not None
    base = frame.stack(frame.num_stacks() - len(instruction.opcode.params))
    if isinstance(base, Unavailable) or base.bits is None:
        return None
    size = raw.instance.memory_size(store, memarg.memory)
    if size is None:
        return None
    assert instruction.opcode.memory_access is not None
    return Access(memarg.memory, base.bits + memarg.offset, instruction.opcode.memory_access, size)


def is_out_of_bounds(store: Store, raw: RawFrame) -> bool | None:
    """Whether the access at a frame is out of bounds; None where that cannot be told."""
    access = access_at(store, FrameHandle(store, 0, [raw], 0))
    return None if access is None else access.is_out_of_bounds
