"""A report as plain, frozen values. Encoded by msgspec, they are the JSON of `wasmscope run --report json`.

Integers in JSON are exact; bits are hexadecimal text, because not every reader of JSON keeps 64 bits.
"""

from __future__ import annotations

from typing import Literal

import msgspec

FORMAT = 1
"""Grows when a reader of the JSON form would have to change."""


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A WebAssembly value. `text` is for people; `bits` are those of a number or a vector, exactly.

    Where the value cannot be had, `unavailable` says why and there are no `bits`.
    """

    type: str
    text: str
    bits: str | None = None
    unavailable: bool = False


class Variable(msgspec.Struct, frozen=True, omit_defaults=True):
    """A local, by its index and, if the name section has it, its name."""

    index: int
    value: Value
    name: str | None = None


class InstructionLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """An instruction in the text format; `current` marks the one that the frame is at."""

    pc: int
    text: str
    current: bool = False


class Frame(msgspec.Struct, frozen=True, tag_field="kind", tag="wasm"):
    """A frame of the guest. `function` counts imports too; `pc` is an offset in the original binary.

    Where a function has too many locals or operands to take down, `more_locals` and `more_operands` count the rest;
    of the operands it is the top that is kept.
    """

    number: int
    function: int
    name: str | None
    module: str | None
    pc: int
    locals: tuple[Variable, ...]
    stack: tuple[Variable, ...]
    more_locals: int
    more_operands: int
    instructions: tuple[InstructionLine, ...]


class HostFrame(msgspec.Struct, frozen=True, tag_field="kind", tag="host"):
    """The host, between two activations of guest code: its frames are opaque."""


class OmittedFrames(msgspec.Struct, frozen=True, tag_field="kind", tag="omitted"):
    """Frames that were left out of the middle of a deep stack. `functions` are theirs, unless there are many."""

    count: int
    functions: tuple[str, ...]


StackEntry = Frame | HostFrame | OmittedFrames


class MemoryAccess(msgspec.Struct, frozen=True, tag_field="kind", tag="memory-access"):
    """A load, store or atomic operation: `width` bytes at `operand` + `offset`. `size` is the memory's, in bytes."""

    instruction: str
    access: Literal["load", "store", "atomic access"]
    width: int
    memory: int
    operand: int
    offset: int
    address: int
    size: int | None


class IndirectCall(msgspec.Struct, frozen=True, tag_field="kind", tag="indirect-call"):
    """A call through element `index` of a table. `found` says what is there, if that is known."""

    instruction: str
    table: int
    index: int
    size: int | None
    expected: str
    found: str | None


class Operation(msgspec.Struct, frozen=True, tag_field="kind", tag="operation"):
    """Any other instruction, with the operands it was given, the top of the stack last, and what explains the trap."""

    instruction: str
    operands: tuple[Value, ...]
    notes: tuple[str, ...]


Fault = MemoryAccess | IndirectCall | Operation


class Trap(msgspec.Struct, frozen=True, tag_field="kind", tag="trap"):
    """The guest trapped. `code` is the engine's name for it, None for a trap that a host function made."""

    code: str | None
    message: str
    fault: Fault | None


class UncaughtException(msgspec.Struct, frozen=True, tag_field="kind", tag="exception"):
    """The guest threw what nothing catches. `tag` is an index in the innermost frame's module, if it has it."""

    tag: int | None
    tag_name: str | None
    payload: tuple[Value, ...]


class CaughtException(msgspec.Struct, frozen=True, tag_field="kind", tag="caught-exception"):
    """The same, of what the guest itself catches."""

    tag: int | None
    tag_name: str | None
    payload: tuple[Value, ...]


class HostError(msgspec.Struct, frozen=True, tag_field="kind", tag="host-error"):
    """A host function raised. `function` is the import that was called, where the guest's instruction says it."""

    type: str
    message: str
    function: str | None = None


class Interruption(msgspec.Struct, frozen=True, tag_field="kind", tag="interrupted"):
    """The guest was stopped from outside; `cause` says by what."""

    cause: str


Reason = Trap | UncaughtException | CaughtException | HostError | Interruption


class Report(msgspec.Struct, frozen=True):
    """Why the guest stopped and all of its frames, innermost first. `depth` counts those that were omitted, too."""

    format: int
    guest: str | None
    reason: Reason
    depth: int
    stack: tuple[StackEntry, ...]

    def to_json(self) -> bytes:
        """One line of JSON."""
        return msgspec.json.encode(self) + b"\n"
