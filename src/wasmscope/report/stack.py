"""The frames of a stopped guest as plain values."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.report.entities import FunctionNames, Names
from wasmscope.report.model import Frame, HostFrame, InstructionLine, OmittedFrames, StackEntry, Value, Variable
from wasmscope.report.values import ValueFormatter
from wasmscope.runtime.frame import FrameHandle
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.instructions import Instruction, decode_instruction
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.text import format_instruction

if TYPE_CHECKING:
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a guest a report takes down."""

    frames: int | None = 32
    """Of a deeper stack the innermost and a few of the outermost frames are shown; None: all."""
    variables: int = 256
    """Locals, and likewise operands, of one frame."""
    instructions: int = 4
    """Before and after the one that a frame is at."""


_NAMED_WHEN_OMITTED = 3


class StackReader:
    """Reads the frames of one store, for as long as the guest stands still."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.function_names = FunctionNames(store)
        self.values = ValueFormatter(self.function_names)
        self._limits = limits
        self._names: dict[int, Names] = {}
        self._offsets: dict[tuple[int, int], array[int]] = {}

    def entries(self, frames: Sequence[FrameHandle]) -> tuple[StackEntry, ...]:
        """`frames`, innermost first, with the host between activations and the middle of a deep stack left out."""
        first, after = self._omitted(len(frames))
        entries: list[StackEntry] = []
        for number, handle in enumerate(frames):
            if number == first and first < after:
                entries.append(OmittedFrames(after - first, self._functions(frames[first:after])))
            if first <= number < after:
                continue
            if number > 0 and handle.activation() != frames[number - 1].activation():
                entries.append(HostFrame())
            entries.append(self.frame(number, handle))
        return tuple(entries)

    def frame(self, number: int, handle: FrameHandle) -> Frame:
        """One frame."""
        names = self.names(handle.module())
        position = handle.wasm_function_index_and_pc()
        assert position is not None
        function = handle.function_index
        shown_locals = range(min(handle.num_locals(), self._limits.variables))
        hidden_operands = max(handle.num_stacks() - self._limits.variables, 0)
        module = handle.module()
        return Frame(
            number=number,
            function=function,
            name=names.function(function) if names is not None else None,
            module=escaped(module.frame_table.module_name) if module and module.frame_table.module_name else None,
            pc=position[1],
            locals=tuple(
                Variable(i, self._local(handle, names, i), names.local(function, i) if names is not None else None)
                for i in shown_locals
            ),
            stack=tuple(
                Variable(i, self.operand(handle, names, i)) for i in range(hidden_operands, handle.num_stacks())
            ),
            more_locals=handle.num_locals() - len(shown_locals),
            more_operands=hidden_operands,
            instructions=self._instructions(module, position[0], function, position[1]) if module else (),
        )

    def names(self, module: Module | None) -> Names | None:
        """The names of a module; None where it is not known which module it is."""
        if module is None:
            return None
        if id(module) not in self._names:
            self._names[id(module)] = Names(module.original, module.frame_table.names)
        return self._names[id(module)]

    def operand(self, handle: FrameHandle, names: Names | None, index: int) -> Value:
        """A value of the operand stack."""
        value_type = handle.stack_type(index)
        type_name, fields = (names.type(value_type), names.fields(value_type)) if names else (value_type.name, ())
        return self.values.value(handle.stack(index), type_name, fields)

    def instruction(self, module: Module, pc: int, function: int) -> tuple[Instruction, str]:
        """The instruction at `pc`, and its text."""
        instruction = decode_instruction(Reader(module.bytecode, pc))
        return instruction, format_instruction(instruction, module.original, module.frame_table.names, function)

    def _local(self, handle: FrameHandle, names: Names | None, index: int) -> Value:
        value_type = handle.local_type(index)
        type_name, fields = (names.type(value_type), names.fields(value_type)) if names else (value_type.name, ())
        return self.values.value(handle.local(index), type_name, fields)

    def _omitted(self, depth: int) -> tuple[int, int]:
        """From which frame to before which one the stack is left out."""
        most = self._limits.frames
        if most is None or depth <= most:
            return depth, depth
        outermost = most // 4
        return most - outermost, depth - outermost

    def _functions(self, frames: Sequence[FrameHandle]) -> tuple[str, ...]:
        """Which functions are in `frames`, as long as they are few."""
        found: dict[str, None] = {}
        for handle in frames:
            names = self.names(handle.module())
            function = handle.function_index
            found[(names.function(function) if names else None) or f"function {function}"] = None
            if len(found) > _NAMED_WHEN_OMITTED:
                return ()
        return tuple(found)

    def _instructions(self, module: Module, defined: int, function: int, pc: int) -> tuple[InstructionLine, ...]:
        offsets = self._instruction_offsets(module, defined)
        at = offsets.index(pc) if pc in offsets else None
        if at is None:
            return ()
        around = self._limits.instructions
        shown = offsets[max(at - around, 0) : at + around + 1]
        return tuple(
            InstructionLine(offset, escaped(self.instruction(module, offset, function)[1]), offset == pc)
            for offset in shown
        )

    def _instruction_offsets(self, module: Module, defined: int) -> array[int]:
        key = (id(module), defined)
        if key not in self._offsets:
            code = module.original.codes[defined]
            self._offsets[key] = instruction_offsets(module.original, code)
        return self._offsets[key]
