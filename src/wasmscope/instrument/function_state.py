"""What is known at one instruction of a function while the forward pass goes over it."""

from __future__ import annotations

from wasmscope.analysis.loops import LoopSummary
from wasmscope.instrument.control import Control
from wasmscope.instrument.expressions import DEFAULTS, NULL, Expression
from wasmscope.instrument.loop import Loop
from wasmscope.instrument.operand import Operand, Results
from wasmscope.instrument.operations import MEMORY_KEY_SHIFT
from wasmscope.instrument.plan import Plan
from wasmscope.instrument.points import Recorder
from wasmscope.instrument.shadow_frame import ShadowFrame
from wasmscope.wasm.module import Code
from wasmscope.wasm.types import FuncType, ValType


class FunctionState:
    """The state of the pass: of each local and operand, whether its slot holds its value or what it follows from."""

    __slots__ = (
        "accessed",
        "assigned",
        "at_once",
        "catches",
        "code",
        "cold_values_left",
        "controls",
        "dead",
        "dependents",
        "derived",
        "eager",
        "expressions",
        "frame",
        "fuel",
        "head_size",
        "heights",
        "hints",
        "in_loop",
        "index",
        "known_from",
        "local_operands",
        "local_types",
        "loop",
        "loops",
        "observed",
        "operand_mask",
        "out",
        "pc",
        "plan",
        "pop_chunks",
        "position",
        "producers",
        "proof_memories",
        "proofs",
        "push_chunks",
        "pushes_frame",
        "really_stale",
        "recorder",
        "settled",
        "signature",
        "stack",
        "stale",
    )

    def __init__(self, plan: Plan, index: int, code: Code, recorder: Recorder | None = None) -> None:
        self.plan = plan
        self.index = index
        self.position = index - plan.module.num_imported_functions
        """Its index among the defined functions."""
        self.code = code
        self.recorder = recorder
        self.signature: FuncType = plan.module.func_type(index)
        self.local_types: list[ValType] = list(self.signature.params)
        for count, value_type in code.locals:
            self.local_types.extend([value_type] * count)
        self.local_operands = [Operand(kind, local, 2 << local) for local, kind in enumerate(self.local_types)]
        """For each local, what `local.get` pushes."""
        self.frame = ShadowFrame(plan, self.local_types, escapes=plan.escapes(index))

        self.out: list[bytes] = []
        """The rewritten code, in chunks: an original instruction begins a chunk of its own."""
        self.push_chunks: list[int] = []
        self.pop_chunks: list[int] = []
        """Chunks to be filled with the code that pushes, or pops, the frame, once its size is known."""
        self.hints: list[tuple[int, int, bool]] = []
        """Added `if` and `br_if` instructions: chunk, offset in it, and whether they are likely to be taken."""
        self.pushes_frame = False
        self.accessed = 0
        """What the function accesses (`analysis/accessed.py`)."""
        self.observed = False
        """Whether the function has any point at which its state can be read."""

        self.pc = code.code_start
        self.fuel = 0
        """What the instructions since the last branch cost."""
        self.in_loop = 0
        """How many loops are around the current instruction."""
        self.stack: list[Operand] = []
        self.producers: dict[int, int | Results] = {}
        """By depth, of the operand there: the chunk that pushed it, behind which a `local.tee` can be added, or `~n`
        when local n holds a copy already. Constants are never copied and have none."""
        self.controls: list[Control] = []
        self.catches: tuple[Control, ...] = ()
        """Blocks that handlers around the current instruction branch to."""
        self.dead = 0
        """0: reachable; otherwise 1 + the number of blocks opened since the code became unreachable."""
        self.loop: Loop | None = None
        """The innermost loop around the current instruction in which state has to be published."""
        self.loops: list[LoopSummary] = []
        """Summaries of the loops still to come, the next one last."""

        count, params = len(self.local_types), len(self.signature.params)
        self.stale = ((1 << params) - 1) << 1
        """Locals whose slot does not hold the current value: bit n + 1 for local n, in all such sets."""
        self.really_stale = self.stale
        """The stale ones that are so not just by the assumption at the header of `loop`."""
        self.derived = 0
        """Locals whose value the host can work out from `expressions`."""
        self.settled = 0
        """Operands below this depth are in their slots or can be worked out."""
        self.known_from = 0
        """Nothing is known of operands below this depth and below `settled` but that they are constants, if so."""
        self.assigned = 0
        """Locals assigned since the innermost block was entered."""
        self.eager = 0
        """Locals of a type without default: readable only where they are certainly set, so published at once."""
        self.at_once = 0
        """Locals that are published where they are assigned: those, or all where the attention tests got too large."""
        self.cold_values_left = 0
        """How many more values attention tests may store and read back."""
        self.expressions: list[Expression] = [None] * count
        self.dependents = [0] * (count + 1)
        """For each bit, memory and locals, the locals whose expression has, or once had, it inside."""
        self.heights = [0] * count
        """How many steps it takes, at most, to work a local out."""
        self.operand_mask = 0
        """Locals that expressions on the operand stack may have inside."""
        self.proofs: dict[int, int] = {}
        """`local | memory << 20` -> so many bytes from the address in that local on are in bounds."""
        self.proof_memories = [memory << MEMORY_KEY_SHIFT for memory in range(len(plan.module.all_memories))]
        for local in range(params, count):
            self._start_at_default(local)

    def _start_at_default(self, local: int) -> None:
        """Wasm spec 4.4.10, "Invocation": locals start at their type's default value."""
        value_type = self.local_types[local]
        if value_type.is_ref and not value_type.nullable:
            self.eager |= 2 << local
            self.at_once |= 2 << local
            self.frame.local_slot(local)
        else:
            self.expressions[local] = NULL if value_type.is_ref else DEFAULTS[value_type]
            self.stale |= 2 << local
            self.really_stale |= 2 << local
            self.derived |= 2 << local


def members(locals_: int) -> list[int]:
    """The positions of the bits in a set, ascending."""
    positions = []
    while locals_:
        low = locals_ & -locals_
        positions.append(low.bit_length() - 1)
        locals_ ^= low
    return positions
