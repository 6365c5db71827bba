"""Values of a function: followed through its instructions, and stored in its shadow frame when that is asked for.

A value is *published* when its slot holds it. It need not be while the host can work it out from others; it has to be
at the next point when what it would be worked out from has changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.instrument.expressions import MAX_HEIGHT, MEMORY, Expression, signed_leb
from wasmscope.instrument.function_state import FunctionState
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.operand import Operand, Results, unknown
from wasmscope.instrument.operations import Operation
from wasmscope.wasm.types import ValType

I32_ADD, I64_ADD = 0x6A, 0x7C

MOST_PROOFS = 256
"""Bounds kept in mind at once: where many paths meet, all of them are compared."""

_DEEP = 256
"""Operands that may wait unpublished while locals and memories change; compilers do not leave nearly as many."""


class Publisher(FunctionState):
    """Keeps the state true while operands come and go and locals are assigned; emits the stores that publish."""

    __slots__ = ()

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

    def _settle(self) -> None:
        """Publish the operands."""
        self._store_operands()
        self.settle_at(len(self.stack))

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

    def missing(self) -> int:
        """How many values would have to be published here."""
        count = (self.stale & ~self.derived).bit_count()
        for operand in self.stack[self.settled :]:
            if operand.expression is None:
                count += 1
        return count


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
