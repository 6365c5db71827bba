"""One function, rewritten in one forward pass.

The pass walks the instructions once, keeping for each local and operand whether its slot in the shadow frame holds its
value, and emits stores only where state may be observed and only for what is not there yet::

    local.get 0                 local.get 0
    i32.load offset=4           i32.load offset=4
    local.tee 1          =>     local.tee 1
    call $f                     local.get $frame
                                local.get 1
                                i32.store $shadow offset=16   ;; local 1, not stored before
                                local.get $frame
                                i32.const 0x1f4
                                i32.store $shadow             ;; the site: where this frame is
                                call $f

The argument of `$f` is not stored: it is the value of local 1, and the frame table says so.

This file has the state of the pass. What each instruction does to it is in `visit_values.py`, `visit_memory.py`,
`visit_calls.py` and `visit_control.py`; the code that is emitted around the original instructions is the
`ShadowFrame`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import attrgetter

from wasmscope.analysis.loops import LoopSummary, summarise_loops
from wasmscope.instrument.control import Control
from wasmscope.instrument.expressions import DEFAULTS, MAX_HEIGHT, MEMORY, NULL, Expression, signed_leb
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.loop import Loop
from wasmscope.instrument.operand import Operand, Results, unknown
from wasmscope.instrument.operations import MEMORY_KEY_SHIFT, Operation
from wasmscope.instrument.plan import Plan
from wasmscope.instrument.points import Recorder
from wasmscope.instrument.shadow_frame import ShadowFrame
from wasmscope.wasm.module import Code
from wasmscope.wasm.types import FuncType, ValType

I32_ADD, I64_ADD = 0x6A, 0x7C

_CALLS, _LOOPS = attrgetter("calls"), attrgetter("loops")

_COLD_VALUES, _COLD_VALUES_A_TOKEN = 4096, 8
"""How many values all attention tests of a function may store and read back, so that the code stays in proportion."""
MOST_PROOFS = 256
"""Bounds kept in mind at once: where many paths meet, all of them are compared."""
_DEEP = 256
"""Operands that may wait unpublished while locals and memories change; compilers do not leave nearly as many."""


class FunctionRewriter:
    """The state of the pass over one function; `rewrite` runs it, the visitors change it."""

    __slots__ = (
        "assigned",
        "at_once",
        "catches",
        "code",
        "cold_ifs",
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
        self.cold_ifs: list[tuple[int, int]] = []
        """Added `if` instructions, seldom taken: chunk, and offset in it."""
        self.pushes_frame = False
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

    # -- the pass ------------------------------------------------------------------------------------------------

    def rewrite(self, tokens: Sequence[bytes], table: Mapping[bytes, Operation]) -> bytes:
        """The new function body: locals and code, without the size in front."""
        operations = list(map(table.__getitem__, tokens))
        self.cold_values_left = _COLD_VALUES + _COLD_VALUES_A_TOKEN * len(tokens)
        distinct = set(operations)
        self.pushes_frame = any(map(_CALLS, distinct))
        if any(map(_LOOPS, distinct)):
            self.loops = summarise_loops(operations)[::-1]
        self.controls.append(Control(self, (), self.signature.results, 0))
        if self.pushes_frame or self.plan.counts_fuel:
            self.fuel = 1  # even an empty function costs some
            self._settle_fuel()
            self.attend(self.pc)
        counts_fuel = self.plan.counts_fuel
        pcs = accumulate(map(len, tokens), initial=self.pc)
        for operation, self.pc in zip(operations, pcs, strict=False):
            if self.dead:
                self._skip(operation)
            else:
                if counts_fuel:
                    self._count_fuel(operation)
                operation.visit(self, operation)
        chunks = self._chunks()
        prologue = self._prologue()
        head = self._locals() + prologue
        self.head_size = len(head)
        return b"".join([head, *chunks])

    def _count_fuel(self, operation: Operation) -> None:
        """Count an instruction that is about to be visited."""
        self.fuel += operation.fuel
        if operation.settles_fuel:
            self._settle_fuel()

    def _settle_fuel(self) -> None:
        """Add what was counted since the last time, once for all instructions that ran together."""
        if self.fuel and self.plan.counts_fuel:
            self.out.append(self.frame.add_fuel(self.fuel))
        self.fuel = 0

    def unlikely_branches(self) -> list[int]:
        """Offsets of the added `if` instructions in the rewritten body, ascending."""
        if not self.cold_ifs:
            return []
        starts = list(accumulate(map(len, self.out), initial=self.head_size))
        return [starts[chunk] + offset for chunk, offset in self.cold_ifs]

    def _skip(self, operation: Operation) -> None:
        """Unreachable code is left out; its blocks still have to be counted."""
        if operation.opens:
            self.dead += 1
            if operation.loops:
                self.loops.pop()
        elif operation.closes or operation.is_else:
            if self.dead == 1:
                operation.visit(self, operation)
            elif operation.closes:
                self.dead -= 1

    def _locals(self) -> bytes:
        """The locals (Wasm spec 5.5.13): the original declarations as they stand, then those added."""
        bytecode, position = self.plan.module.bytecode, self.code.body_start
        while bytecode[position] & 0x80:  # the old count
            position += 1
        added = self.frame.added_declarations()
        return (
            unsigned(len(self.code.locals) + len(added))
            + bytecode[position + 1 : self.code.code_start]
            + b"".join(unsigned(count) + value_type.encoding for count, value_type in added)
        )

    def _prologue(self) -> bytes:
        """What runs before the first chunk."""
        cleared = [local for local in range(len(self.local_types)) if self.eager & 2 << local] if self.eager else []
        if self.plan.escapes(self.index) and self.observed:
            self.frame.used = True
        code = self.frame.prologue(pushes=self.pushes_frame, cleared=cleared)
        # All ways out of a function that pushes its frame lead through one place, where the frame is popped.
        return code + b"\x02" + self.plan.results_type(self.signature.results) if self.pushes_frame else code

    def _chunks(self) -> list[bytes]:
        """The code behind the prologue, complete."""
        for chunk in self.push_chunks:
            self.out[chunk] = self.frame.push()
        for chunk in self.pop_chunks:
            self.out[chunk] = self.frame.pop()
        return self.out

    # -- operands ------------------------------------------------------------------------------------------------

    def pop(self, count: int) -> None:
        """Take `count` operands off the stack."""
        if count:
            del self.stack[-count:]

    def push(self, types: Sequence[ValType]) -> None:
        """Put results of the instruction in the last chunk on the stack."""
        stack = self.stack
        depth = len(stack)
        if depth < self.settled:
            self.settled = depth
        if types:
            self._note_producer(len(self.out) - 1, depth, types)
            stack += map(unknown, types)

    def _note_producer(self, chunk: int, depth: int, types: Sequence[ValType]) -> None:
        if len(types) == 1:
            self.producers[depth] = chunk
        else:
            results = Results(chunk, depth, types)
            for position in range(len(types)):
                self.producers[depth + position] = results

    def emit(self, operation: Operation) -> None:
        """The instruction goes into the code, its operands off the stack, its results on it."""
        stack, out = self.stack, self.out
        if operation.pops:
            del stack[-operation.pops :]
        depth = len(stack)
        if depth < self.settled:
            self.settled = depth
        results = operation.results
        if results:
            if len(results) == 1:
                self.producers[depth] = len(out)
            else:
                self._note_producer(len(out), depth, operation.pushes)
            stack += results
        out.append(operation.encoded)

    def emit_known(self, operation: Operation, result: Operand) -> None:
        """The same for an instruction with one result, of which something is known."""
        stack, out = self.stack, self.out
        del stack[-operation.pops :]
        depth = len(stack)
        if depth < self.settled:
            self.settled = depth
        self.operand_mask |= result.mask
        self.producers[depth] = len(out)
        stack.append(result)
        out.append(operation.encoded)

    def copy(self, depth: int, value_type: ValType) -> int:
        """The temporary that holds a copy of an operand; adds the `local.tee` that makes it where need be."""
        producer = self.producers[depth]
        if not isinstance(producer, int):
            producer.save(self)
        elif producer >= 0:
            temporary = self.frame.temporary(depth, value_type)
            self.out[producer] += b"\x22" + unsigned(temporary)
            self.producers[depth] = ~temporary
            return temporary
        copied = self.producers[depth]
        assert isinstance(copied, int)
        return ~copied

    def forget_operands(self, locals_: int) -> None:
        """`locals_` are about to change: operands worked out from them have to be published from now on."""
        remaining = 0
        stack = self.stack
        start = min(self.known_from, self.settled)
        known_from = len(stack)
        for depth, operand in enumerate(stack[start:] if start else stack, start):
            if operand.mask & locals_:
                stack[depth] = unknown(operand.type)
                if depth < self.settled:
                    self.settled = depth
                for control in reversed(self.controls):
                    if control.height <= depth:
                        break
                    control.lower(depth)
            elif operand.mask:
                remaining |= operand.mask
                if depth < known_from:
                    known_from = depth
        self.operand_mask = remaining
        self.known_from = known_from
        if known_from - self.settled > _DEEP:  # not to go over them again and again
            self._settle()

    def _settle(self) -> None:
        """Publish the operands."""
        self._store_operands()
        self.settle_at(len(self.stack))

    def forget_memory(self) -> None:
        """Memory is about to change: what was loaded cannot be loaded again."""
        if not self.stack:
            self.operand_mask = 0
        elif self.operand_mask & MEMORY:
            self.forget_operands(MEMORY)
        self.derived &= ~self.dependents[0]

    # -- locals --------------------------------------------------------------------------------------------------

    def assign(self, local: int, bit: int, expression: Expression, mask: int) -> None:
        """`local` got a new value, of which `expression` (over the locals in `mask`) is known, if not None."""
        self.assigned |= bit
        if self.operand_mask & bit:
            self.forget_operands(bit)
        if self.proofs:
            self._assign_proofs(local, expression)
        derived = self.derived & ~self.dependents[local + 1]
        if bit & self.at_once:
            if self.recorder is not None:
                self.recorder.stores.append(len(self.out))
            self.out.append(self.frame.store_local(local))
            self.derived = derived & ~bit
            self.stale &= ~bit
            self.really_stale &= ~bit
            return
        self.stale |= bit
        self.really_stale |= bit
        if expression is None or mask & bit or not self._can_derive(local, bit, mask):
            self.derived = derived & ~bit
        else:
            self.derived = derived | bit
            self.expressions[local] = expression

    def _can_derive(self, local: int, bit: int, mask: int) -> bool:
        """Note that `local` depends on `mask`, unless that makes it too long a way to work out."""
        height = 0
        remaining = mask & ~MEMORY
        while remaining:
            low = remaining & -remaining
            below = self.heights[low.bit_length() - 2]
            if below > height:
                height = below
            remaining ^= low
        if height >= MAX_HEIGHT:
            return False
        self.heights[local] = height + 1
        while mask:
            low = mask & -mask
            self.dependents[low.bit_length() - 1] |= bit
            mask ^= low
        return True

    def _assign_proofs(self, local: int, expression: Expression) -> None:
        """What is in bounds from the new value on: what was from the old one, if it is that one moved up."""
        proofs = self.proofs
        source, distance = local_and_distance(expression)
        for memory in self.proof_memories:
            reach = proofs.get(source | memory, 0) - distance if source >= 0 else 0
            if reach > 0 and len(proofs) < MOST_PROOFS:
                proofs[local | memory] = reach
            else:
                proofs.pop(local | memory, None)

    # -- publishing ----------------------------------------------------------------------------------------------

    def publish(self) -> None:
        """Store whatever is not in its slot and cannot be worked out."""
        missing = self.stale & ~self.derived
        if missing:
            assumed = missing & ~self.really_stale
            if assumed:
                self._store_assumed(assumed)
            self._store_locals(missing ^ assumed)
            self.stale &= self.derived
            self.really_stale &= self.derived
        if self.settled < len(self.stack):
            self._settle()

    def publish_locals(self, locals_: int) -> None:
        """Store them, also if they can be worked out."""
        self._store_locals(locals_)
        self.stale &= ~locals_
        self.really_stale &= ~locals_

    def settle_at(self, depth: int) -> None:
        """Operands below `depth` are known to be published or derived."""
        if self.settled < self.known_from:
            self.known_from = self.settled
        self.settled = depth

    def _store_assumed(self, locals_: int) -> None:
        assert self.loop is not None
        while locals_:
            low = locals_ & -locals_
            self.loop.assumed_stores.append((low, len(self.out)))
            self.out.append(self.frame.store_local(low.bit_length() - 2))
            locals_ ^= low

    def _store_locals(self, locals_: int) -> None:
        out, stores = self.out, self.frame.local_stores
        while locals_:
            low = locals_ & -locals_
            out.append(stores.get(low) or self.frame.store_local(low.bit_length() - 2))
            locals_ ^= low

    def _store_operands(self) -> None:
        for depth, operand in enumerate(self.stack[self.settled :], self.settled):
            if operand.expression is None:
                temporary = self.copy(depth, operand.type)
                self.out.append(self.frame.store_operand(depth, operand.type, temporary))

    def observe(self, *, pushed: bool | None = None) -> None:
        """Publish, because the instruction that follows may trap."""
        self.observed = True
        first = len(self.out)
        self.publish()
        if self.recorder is not None:
            pushed = self.pushes_frame if pushed is None else pushed
            self.recorder.note(self, self.pc, first_chunk=first, pushed=pushed)

    def missing(self) -> int:
        """How many values would have to be published here."""
        count = (self.stale & ~self.derived).bit_count()
        for operand in self.stack[self.settled :]:
            if operand.expression is None:
                count += 1
        return count

    def observe_if(self, condition: bytes, after: bytes) -> None:
        """Publish only if `condition` holds, for else the instruction that follows cannot trap; then run `after`."""
        self.observed = True
        first = len(self.out)
        self._begin_cold_if(condition)
        self._store_locals(self.stale & ~self.derived)
        self._store_operands()
        self.out.append(after + b"\x0b")
        if self.recorder is not None:
            self.recorder.note(self, self.pc, first_chunk=first, pushed=self.pushes_frame)

    def _begin_cold_if(self, condition: bytes) -> None:
        self.cold_ifs.append((len(self.out), len(condition)))
        self.out.append(condition + b"\x04\x40")

    def observe_call(self, *, throws: bool = False) -> None:
        """Publish, because the instruction that follows leaves the function, and say where that is.

        Before one that `throws` the host is called, if it wants to know: what that throws instead is caught here too.
        """
        self.observed = True
        self.forget_memory()  # whoever looks at this frame later may have written
        first = len(self.out)
        self.publish()
        self.out.append(self.frame.store_site(self.pc))
        if throws:
            self._begin_cold_if(self.frame.throws())
            self.out.append(b"\x10" + unsigned(self.plan.throw_function) + b"\x0b")
        if self.recorder is not None:
            self.recorder.note(self, self.pc, first_chunk=first, pushed=True)
        for control in self.catches:
            self.branch_to(control)

    def attend(self, pc: int, reloaded: int = 0) -> None:
        """Test the attention flag; when it is set, publish and call the host. Nothing changes on the other path.

        `reloaded` are locals to be read back from their slots after the call: so they need not survive it, and the
        compiler can keep them in registers on the other path.
        """
        self.observed = True
        frame = self.frame
        first = len(self.out)
        self._begin_cold_if(frame.attention())
        # The host may write memory while it looks: here, loads are no way to work a value out.
        reloaded = self._reloadable(reloaded)
        stored = self.stale & (~self.derived | reloaded | self.dependents[0])
        self._store_locals(stored)
        for depth, operand in enumerate(self.stack):
            if operand.mask & MEMORY or (depth >= self.settled and operand.expression is None):
                self.out.append(frame.store_operand(depth, operand.type, self.copy(depth, operand.type)))
        if not self.pushes_frame:
            self.push_chunks.append(len(self.out))
            self.out.append(b"")
        self.out.append(frame.store_site(pc))
        if self.recorder is not None:
            self.recorder.note(self, pc, first_chunk=first, pushed=True, reloads=False)
        self.out.append(b"\x10" + unsigned(self.plan.attention_function))
        if not self.pushes_frame:
            self.pop_chunks.append(len(self.out))
            self.out.append(b"")
        for local in members(reloaded):
            self.out.append(frame.reload_local(local - 1))
        self.out.append(b"\x0b")
        self.cold_values_left -= stored.bit_count() + reloaded.bit_count()
        if self.cold_values_left < 0:
            self.at_once = -2

    def _reloadable(self, locals_: int) -> int:
        """Those of `locals_` that are numbers and not known to be constants."""
        reloadable = 0
        for position in members(locals_ & ~self.at_once):
            constant = self.derived & 1 << position and isinstance(self.expressions[position - 1], bytes)
            if not constant and not self.local_types[position - 1].is_ref:
                reloadable |= 1 << position
        return reloadable

    # -- control -------------------------------------------------------------------------------------------------

    def branch_to(self, control: Control) -> None:
        """The state here flows to the end of `control`; a loop's header already assumes the worst."""
        if control.is_loop:
            if control.publishes and control.loop is not None:
                control.loop.stale_at_branches |= self.really_stale if control.loop is self.loop else self.stale
        else:
            really_stale = self.really_stale if control.loop is self.loop else self.stale
            control.merge(self.stale, really_stale, self.derived, self.settled, self.proofs)

    def branch(self, label: int) -> None:
        """The state here flows to `label`."""
        self.branch_to(self.controls[-1 - label])

    def become_dead(self) -> None:
        """What follows is unreachable."""
        self.dead = 1


def members(locals_: int) -> list[int]:
    """The positions of the bits in a set, ascending."""
    positions = []
    while locals_:
        low = locals_ & -locals_
        positions.append(low.bit_length() - 1)
        locals_ ^= low
    return positions


def local_and_distance(expression: Expression) -> tuple[int, int]:
    """The local and the constant that `expression` is the sum of, or (-1, 0)."""
    if type(expression) is int:
        return expression, 0
    if type(expression) is tuple and expression[0] in (I32_ADD, I64_ADD):
        _, _, left, right = expression
        if type(left) is int and type(right) is bytes:
            distance = signed_leb(right, 1)
            if distance >= 0:
                return left, distance
    return -1, 0
