"""A module of conditions, run by the stock engine: locals are parameters, the rest is fixed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import wasmtime

from wasmscope.instrument.condition import CompiledCondition, Scope, compile_condition
from wasmscope.wasm.types import EXTERNREF, F32, F64, FUNCREF, I31REF, I32, I64, V128, Limits, MemoryType, ValType
from wasmscope.wasm.writer import name, signed, sized, unsigned, vector

LANES = bytes.fromhex("00017f80ff00ff7f0000c0bf000080ff")
"""The value of every vector."""

PARAMETERS: tuple[ValType, ...] = (I32, I32, I64, I64, F32, F32, F64, F64, EXTERNREF, FUNCREF, I64)
LOCALS = (*PARAMETERS, V128, I31REF)
"""The last two are no parameters, as wasmtime-py cannot pass them: a vector, and a reference that is not null."""

OPERANDS: tuple[ValType, ...] = (I32, I64, F32, F64, V128, I31REF)
OPERAND_VALUES: tuple[Any, ...] = (-7, 1 << 40, 0.5, -2.25, LANES, None)

GLOBALS: tuple[ValType, ...] = (I32, I64, F32, F64, V128, EXTERNREF)
GLOBAL_VALUES: tuple[Any, ...] = (1000, -(1 << 62), 1.5, 1e300, LANES, None)

MEMORIES = (
    MemoryType(Limits(1, 2)),
    MemoryType(Limits(1, 2, is64=True)),
    MemoryType(Limits(100, 100, page_size_log2=0)),
    MemoryType(Limits(0, 0)),
)
CONTENTS = tuple(
    random.Random(index).randbytes(memory.limits.minimum << memory.limits.page_size_log2)
    for index, memory in enumerate(MEMORIES)
)

SHIFT = 3
"""The guest's global i is global i + SHIFT of the module, its memory i memory i + 1."""

_CONST = {
    I32: lambda value: b"\x41" + signed(value),
    I64: lambda value: b"\x42" + signed(value),
    F32: lambda value: b"\x43" + struct.pack("<f", value),
    F64: lambda value: b"\x44" + struct.pack("<d", value),
    V128: lambda value: b"\xfd\x0c" + value,
    EXTERNREF: lambda value: b"\xd0\x6f",
    I31REF: lambda value: b"\xd0\x6c",
}


def push_local(index: int) -> bytes:
    if LOCALS[index] is V128:
        return _CONST[V128](LANES)
    if LOCALS[index] is I31REF:
        return b"\x41\x05\xfb\x1c"  # ref.i31
    return b"\x20" + unsigned(index)


def push_operand(index: int) -> bytes:
    return _CONST[OPERANDS[index]](OPERAND_VALUES[index])


SCOPE = Scope(
    locals=LOCALS,
    operands=OPERANDS,
    globals=GLOBALS,
    memories=MEMORIES,
    push_local=push_local,
    push_operand=push_operand,
    global_index=lambda index: index + SHIFT,
    memory_index=lambda index: index + 1,
    first_temporary=len(PARAMETERS) + 1,
    local_names={0: "count", 1: "x", 2: "x", 3: "total", 4: "p.0", 5: "two words", 99: "nowhere"},
    global_names={0: "__stack_pointer", 1: "count", 2: "π"},
    memory_names={1: "heap"},
)


def compiled(text: str) -> CompiledCondition:
    return compile_condition(text, SCOPE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one condition: whether it holds, or the fault."""

    value: int
    fault: tuple[int, str] | None


class Conditions:
    """Conditions in one module, to be run with values of the parameters."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.conditions = [compiled(text) for text in texts]
        config = wasmtime.Config()
        config.wasm_custom_page_sizes = True
        config.wasm_gc = True
        config.wasm_function_references = True
        config.wasm_memory64 = True
        config.wasm_multi_memory = True
        self._store = wasmtime.Store(wasmtime.Engine(config))
        module = wasmtime.Module(self._store.engine, _encoded(self.conditions))
        exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._run: list[Callable[..., int]] = [exports[f"c{index}"] for index in range(len(texts))]

    def run(self, index: int, arguments: Sequence[Any]) -> Outcome:
        """What a condition says; anything but an outcome is an error of the compiler."""
        outcome = self._run[index](self._store, *arguments)
        fault = self.conditions[index].fault(outcome)
        assert fault is not None or outcome in (0, 1)
        return Outcome(outcome, None if fault is None else (fault.column, fault.reason))


ARGUMENTS: tuple[Any, ...] = (5, -3, 1 << 33, -1, 0.1, -0.0, 0.1, float("-inf"), "object", None, 0)


def evaluate(text: str, arguments: Sequence[Any] = ARGUMENTS) -> Outcome:
    """One condition with one set of values."""
    return Conditions([text]).run(0, arguments)


def _encoded(conditions: Sequence[CompiledCondition]) -> bytes:
    def section(number: int, items: list[bytes]) -> bytes:
        return bytes([number]) + sized(vector(items))

    function_type = b"\x60" + vector([each.encoding for each in PARAMETERS]) + vector([I32.encoding])
    memories = [_memory_type(MemoryType(Limits(0, 0))), *map(_memory_type, MEMORIES)]
    filler = [I32.encoding + b"\x00\x41\x00\x0b"] * SHIFT
    globals_ = [
        each.encoding + b"\x00" + _CONST[each](value) + b"\x0b"
        for each, value in zip(GLOBALS, GLOBAL_VALUES, strict=True)
    ]
    data = [
        b"\x02"
        + unsigned(index + 1)
        + (b"\x42" if MEMORIES[index].limits.is64 else b"\x41")
        + b"\x00\x0b"
        + sized(content)
        for index, content in enumerate(CONTENTS)
    ]
    # One more local is declared before those of the condition, so that the first index is not taken for granted.
    bodies = [
        sized(vector([b"\x01" + each.encoding for each in (I64, *condition.locals)]) + condition.code + b"\x0b")
        for condition in conditions
    ]
    exports = [name(f"c{index}") + b"\x00" + unsigned(index) for index in range(len(conditions))]
    return b"".join(
        [
            b"\0asm\x01\0\0\0",
            section(1, [function_type]),
            section(3, [b"\x00"] * len(conditions)),
            section(5, memories),
            section(6, filler + globals_),
            section(7, exports),
            section(10, bodies),
            section(11, data),
        ]
    )


def _memory_type(memory: MemoryType) -> bytes:
    limits = memory.limits
    flags = 1 | limits.is64 << 2 | (limits.page_size_log2 != 16) << 3
    page_size = unsigned(limits.page_size_log2) if limits.page_size_log2 != 16 else b""
    return unsigned(flags) + unsigned(limits.minimum) + unsigned(limits.maximum or 0) + page_size
