"""Instruction tokens, looked up once a module: what each takes and leaves, how it is rewritten, who handles it.

A module of two million instructions has some fifty thousand distinct tokens, so everything that follows from the token
and the module alone is worked out here, once, and the pass over the functions only looks it up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from wasmscope.analysis.signatures import (
    CONTROL,
    DEPENDS_ON_OPERANDS,
    block_signature,
    catch_payload,
    effect_of,
    writes_memory,
)
from wasmscope.instrument.expressions import MEMORY, RELOADABLE, Load
from wasmscope.instrument.layout import PAGE_LOG2
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.operand import Operand, unknown
from wasmscope.instrument.plan import Plan
from wasmscope.wasm.instructions import Catch, Instruction, MemArg
from wasmscope.wasm.module import ExternKind
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.types import FuncType, ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function import FunctionRewriter

_FREE = frozenset({"nop", "drop", "block", "loop", "unreachable", "return", "else", "end"})
"""Instructions that cost no fuel (Wasmtime `OperatorCost`, its defaults)."""
_SETTLING = frozenset({"unreachable", "throw", "throw_ref", "loop", "if", "else", "end"})
"""Where fuel is counted, besides branches and calls (Wasmtime `func_environ.rs: fuel_before_op`)."""

_NO_SIGNATURE = FuncType((), ())

MOVING = frozenset({Imm.FUNC, Imm.MEMORY, Imm.GLOBAL, Imm.TABLE, Imm.MEMARG})
"""Immediates with indices that appended imports may move."""

Visit = Callable[["FunctionRewriter", "Operation"], None]

MEMORY_KEY_SHIFT = 20
"""Bounds already proven are kept by local and memory: `local | memory << 20` (a function has at most 50,000 locals)."""


class Operation:
    """One distinct instruction of a module; not frozen because frozen dataclasses are slow to look at."""

    __slots__ = (
        "bit",
        "calls",
        "catches",
        "changes",
        "closes",
        "code",
        "encoded",
        "fuel",
        "immediates",
        "is_else",
        "labels",
        "length",
        "limit",
        "load",
        "loads",
        "loops",
        "memory_index",
        "memory_key",
        "opens",
        "operand",
        "pops",
        "proven_below",
        "publishes",
        "pushes",
        "reach",
        "results",
        "settles_fuel",
        "signature",
        "token",
        "uses",
        "visit",
        "writes",
    )

    def __init__(self, token: bytes, instruction: Instruction, plan: Plan, visit: Visit) -> None:
        opcode = instruction.opcode
        module = plan.module
        self.token = token
        self.length = len(token)
        self.code = opcode.code
        self.immediates = instruction.immediates
        self.visit = visit
        moves = MOVING.intersection(opcode.immediates)
        self.encoded = plan.relocation.instruction(instruction, token) if moves else token
        name = opcode.name
        self.opens = {"block": 1, "if": 1, "try_table": 1, "loop": 2}.get(name, 0)
        self.loops = name == "loop"
        self.closes = name == "end"
        self.is_else = name == "else"
        self.calls = name.startswith("call") or name in ("throw", "throw_ref")
        self.operand: int = instruction.immediates[0] if opcode.immediates[:1] == (Imm.LOCAL,) else 0
        self.bit = 2 << self.operand
        """The local's bit in sets of locals; bit 0 stands for the memories."""
        self.fuel = 0 if name in _FREE else 1
        self.settles_fuel = name in _SETTLING or name.startswith(("br", "call", "return"))
        self.uses = self.bit if name.startswith("local.") else 0
        self.writes = writes_memory(opcode)
        self.changes = MEMORY if self.writes or self.calls else self.bit if name in ("local.set", "local.tee") else 0
        self.pops = 0
        self.pushes: tuple[ValType, ...] = ()
        self.signature = _NO_SIGNATURE
        self.labels: tuple[int, ...] = ()
        self.catches: tuple[tuple[int, tuple[ValType, ...]], ...] = ()
        if self.opens:
            self.signature = block_signature(instruction.immediates[0], module)
        elif name not in CONTROL and name not in DEPENDS_ON_OPERANDS:
            effect = effect_of(instruction, module)
            self.pops, self.pushes = effect.pops, effect.pushes
        is_constant = name.endswith(".const") or name == "ref.null"
        self.results = (Operand(self.pushes[0], token),) if is_constant else tuple(map(unknown, self.pushes))
        """The operands it leaves, where nothing is known of those it takes."""
        if name == "try_table":
            clauses: tuple[Catch, ...] = instruction.immediates[1]
            self.catches = tuple((c.label, catch_payload(c.kind, c.tag, module)) for c in clauses)
        elif name == "br_table":
            targets, default = instruction.immediates[0]
            self.labels = tuple(dict.fromkeys((*targets, default)))
        elif opcode.immediates[:1] == (Imm.LABEL,):
            self.labels = (instruction.immediates[0],)
        elif opcode.immediates == (Imm.CAST_FLAGS,):
            self.labels = (instruction.immediates[0].label,)
        self.limit = b""
        """The global with the limit of the memory that is accessed, as an immediate; empty where there is none."""
        self.memory_index = b""
        self.load: Load | None = None
        """For a load whose value can be read again as long as nothing is written."""
        self.loads: dict[int, Operand] = {}
        """For such a load, the operand it leaves when its address is a local: made when first asked for."""
        self.reach = self.memory_key = self.proven_below = 0
        if opcode.memory_access is not None and Imm.MEMARG in opcode.immediates:
            memarg: MemArg = instruction.immediates[0]
            limits = module.all_memories[memarg.memory].limits
            self.reach = memarg.offset + opcode.memory_access
            if memarg.memory in plan.limit_globals and self.reach <= 1 << PAGE_LOG2:
                self.limit = unsigned(plan.limit_globals[memarg.memory])
                self.memory_index = unsigned(plan.relocation.index(ExternKind.MEMORY, memarg.memory))
            if opcode.code in RELOADABLE and not limits.shared:
                self.load = Load(opcode.code, memarg.memory, memarg.offset)
            self.memory_key = memarg.memory << MEMORY_KEY_SHIFT
            self.proven_below = limits.minimum << limits.page_size_log2
        self.publishes = (opcode.traps or self.calls) and not self.limit


def operations_of(plan: Plan, visit_of: Callable[[Instruction], Visit]) -> dict[bytes, Operation]:
    """The operation of every token that occurs in the plan's module."""
    return {
        token: Operation(token, instruction, plan, visit_of(instruction))
        for token, instruction in plan.instructions.items()
    }


@cache
def encode_memarg(align: int, memory: int, offset: int) -> bytes:
    """A memory argument (Wasm spec 5.4.6), `align` being the exponent; cached, so for slots only."""
    if memory == 0:
        return unsigned(align) + unsigned(offset)
    return unsigned(align | 0x40) + unsigned(memory) + unsigned(offset)
