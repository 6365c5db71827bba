"""Instruction tokens, looked up once a module: what each takes and leaves, how it is rewritten, who handles it.

A module of two million instructions has some fifty thousand distinct tokens, so everything that follows from the token
and the module alone is worked out here, once, and the pass over the functions only looks it up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from wasmscope.analysis.accessed import accessed_bits
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
from wasmscope.wasm.opcodes import Imm, Opcode
from wasmscope.wasm.types import FuncType, ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function import FunctionRewriter

FREE = frozenset({"nop", "drop", "block", "loop", "unreachable", "return", "else", "end"})
"""Instructions that cost no fuel (Wasmtime `OperatorCost`, its defaults)."""
_SETTLING = frozenset({"unreachable", "throw", "throw_ref", "loop", "if", "else", "end"})
"""Where fuel is counted, besides branches and calls (Wasmtime `func_environ.rs: fuel_before_op`)."""

_NO_SIGNATURE = FuncType((), ())

MOVING = frozenset({Imm.FUNC, Imm.MEMORY, Imm.GLOBAL, Imm.TABLE, Imm.MEMARG})
"""Immediates with indices that appended imports may move."""

Visit = Callable[["FunctionRewriter", "Operation"], None]

MEMORY_KEY_SHIFT = 20
"""Bounds already proven are kept by local and memory: `local | memory << 20` (a function has at most 50,000 locals)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all instructions of one opcode have in common."""

    visit: Visit
    opens: int
    closes: bool
    is_else: bool
    calls: bool
    tail_calls: bool
    fuel: int
    settles_fuel: bool
    writes: bool
    names_local: bool
    assigns_local: bool
    is_constant: bool
    has_effect: bool
    """Whether what it takes and leaves follows from its immediates."""
    moves: bool
    has_labels: bool
    accesses_memory: bool
    always_publishes: bool
    """Whether state has to be published for it where it is no access whose address can be tested."""

    @classmethod
    def of(cls, opcode: Opcode, visit: Visit) -> _Kind:
        name, first = opcode.name, opcode.immediates[:1]
        calls = name.startswith("call") or name in ("throw", "throw_ref")
        opens = {"block": 1, "if": 1, "try_table": 1, "loop": 2}.get(name, 0)
        return cls(
            visit=visit,
            opens=opens,
            closes=name == "end",
            is_else=name == "else",
            calls=calls,
            tail_calls=name.startswith("return_call"),
            fuel=0 if name in FREE else 1,
            settles_fuel=name in _SETTLING or name.startswith(("br", "call", "return")),
            writes=writes_memory(opcode),
            names_local=first == (Imm.LOCAL,),
            assigns_local=name in ("local.set", "local.tee"),
            is_constant=name.endswith(".const") or name == "ref.null",
            has_effect=not opens and name not in CONTROL and name not in DEPENDS_ON_OPERANDS,
            moves=bool(MOVING.intersection(opcode.immediates)),
            has_labels=first in ((Imm.LABEL,), (Imm.LABELS,), (Imm.CAST_FLAGS,)) or name == "try_table",
            accesses_memory=opcode.memory_access is not None and Imm.MEMARG in opcode.immediates,
            always_publishes=opcode.traps or calls,
        )


class Operation:
    """One distinct instruction of a module; not frozen because frozen dataclasses are slow to look at."""

    __slots__ = (
        "accessed",
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
        "tail_calls",
        "token",
        "uses",
        "visit",
        "writes",
    )

    def __init__(self, token: bytes, instruction: Instruction, plan: Plan, kind: _Kind) -> None:
        immediates = instruction.immediates
        self.token = token
        self.length = len(token)
        self.code = instruction.opcode.code
        self.immediates = immediates
        self.visit = kind.visit
        self.encoded = plan.relocation.instruction(instruction, token) if kind.moves else token
        self.opens = kind.opens
        self.loops = kind.opens == 2
        self.closes = kind.closes
        self.is_else = kind.is_else
        self.calls = kind.calls
        self.tail_calls = kind.tail_calls
        self.operand: int = immediates[0] if kind.names_local else 0
        self.bit = 2 << self.operand if kind.names_local else 0
        """The local's bit in sets of locals; bit 0 stands for the memories."""
        self.fuel = kind.fuel
        self.settles_fuel = kind.settles_fuel
        self.uses = self.bit
        self.accessed = accessed_bits(instruction, plan.module)
        self.writes = kind.writes
        self.changes = MEMORY if kind.writes or kind.calls else self.bit if kind.assigns_local else 0
        self.pops = 0
        self.pushes: tuple[ValType, ...] = ()
        self.signature = block_signature(immediates[0], plan.module) if kind.opens else _NO_SIGNATURE
        if kind.has_effect:
            effect = effect_of(instruction, plan.module)
            self.pops, self.pushes = effect.pops, effect.pushes
        self.results = (Operand(self.pushes[0], token),) if kind.is_constant else tuple(map(unknown, self.pushes))
        """The operands it leaves, where nothing is known of those it takes."""
        self.labels: tuple[int, ...] = ()
        self.catches: tuple[tuple[int, tuple[ValType, ...]], ...] = ()
        if kind.has_labels:
            self._set_labels(instruction, plan)
        self.limit = b""
        """The global with the limit of the memory that is accessed, as an immediate; empty where there is none."""
        self.memory_index = b""
        self.load: Load | None = None
        """For a load whose value can be read again as long as nothing is written."""
        self.loads: dict[int, Operand] = {}
        """For such a load, the operand it leaves when its address is a local: made when first asked for."""
        self.reach = self.memory_key = self.proven_below = 0
        if kind.accesses_memory:
            self._set_memory(instruction, plan)
        self.publishes = kind.always_publishes and not self.limit

    def _set_labels(self, instruction: Instruction, plan: Plan) -> None:
        match instruction.opcode.name:
            case "try_table":
                clauses: tuple[Catch, ...] = instruction.immediates[1]
                self.catches = tuple((c.label, catch_payload(c.kind, c.tag, plan.module)) for c in clauses)
            case "br_table":
                targets, default = instruction.immediates[0]
                self.labels = tuple(dict.fromkeys((*targets, default)))
            case "br_on_cast" | "br_on_cast_fail":
                self.labels = (instruction.immediates[0].label,)
            case _:
                self.labels = (instruction.immediates[0],)

    def _set_memory(self, instruction: Instruction, plan: Plan) -> None:
        memarg: MemArg = instruction.immediates[0]
        limits = plan.module.all_memories[memarg.memory].limits
        width = instruction.opcode.memory_access
        assert width is not None
        self.reach = memarg.offset + width
        if memarg.memory in plan.limit_globals and self.reach <= 1 << PAGE_LOG2:
            self.limit = unsigned(plan.limit_globals[memarg.memory])
            self.memory_index = unsigned(plan.relocation.index(ExternKind.MEMORY, memarg.memory))
        if self.code in RELOADABLE and not limits.shared:
            self.load = Load(self.code, memarg.memory, memarg.offset)
        self.memory_key = memarg.memory << MEMORY_KEY_SHIFT
        self.proven_below = limits.minimum << limits.page_size_log2


def operations_of(plan: Plan, visit_of: Callable[[Opcode], Visit]) -> dict[bytes, Operation]:
    """The operation of every token that occurs in the plan's module."""
    kinds: dict[int, _Kind] = {}
    operations = {}
    for token, instruction in plan.instructions.items():
        opcode = instruction.opcode
        kind = kinds.get(opcode.code)
        if kind is None:
            kind = kinds[opcode.code] = _Kind.of(opcode, visit_of(opcode))
        operations[token] = Operation(token, instruction, plan, kind)
    return operations


@cache
def encode_memarg(align: int, memory: int, offset: int) -> bytes:
    """A memory argument (Wasm spec 5.4.6), `align` being the exponent; cached, so for slots only."""
    if memory == 0:
        return unsigned(align) + unsigned(offset)
    return unsigned(align | 0x40) + unsigned(memory) + unsigned(offset)
