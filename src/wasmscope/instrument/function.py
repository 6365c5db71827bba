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

This file has the pass and the points at which state is read. The state of the pass is in `function_state.py`, what
keeps it true in `publisher.py`, what each instruction does to it in `visit_values.py`, `visit_memory.py`,
`visit_calls.py` and `visit_control.py`. The code emitted around the original instructions is the `ShadowFrame`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import accumulate
from operator import attrgetter, or_

from wasmscope.analysis.loops import summarise_loops
from wasmscope.instrument.control import Control
from wasmscope.instrument.expressions import MEMORY
from wasmscope.instrument.function_state import members
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.operations import Operation
from wasmscope.instrument.publisher import Publisher
from wasmscope.instrument.redirect import attention, flag, redirect, word, word_or_attention

_END = b"\x0b"
_CALLS, _TAIL_CALLS, _LOOPS = attrgetter("calls"), attrgetter("tail_calls"), attrgetter("loops")
_ACCESSED = attrgetter("accessed")

_COLD_VALUES, _COLD_VALUES_A_TOKEN = 4096, 8
"""How many values all attention tests of a function may store and read back, so that the code stays in proportion."""


class FunctionRewriter(Publisher):
    """The pass over one function; `rewrite` runs it, the visitors change its state."""

    __slots__ = ()

    # -- the pass ------------------------------------------------------------------------------------------------

    def rewrite(self, tokens: Sequence[bytes], table: Mapping[bytes, Operation]) -> bytes:
        """The new function body: locals and code, without the size in front."""
        operations = list(map(table.__getitem__, tokens))
        self.cold_values_left = _COLD_VALUES + _COLD_VALUES_A_TOKEN * len(tokens)
        distinct = set(operations)
        self.pushes_frame = any(map(_CALLS, distinct))
        self.accessed = reduce(or_, map(_ACCESSED, distinct))
        if any(map(_LOOPS, distinct)):
            self.loops = summarise_loops(operations)[::-1]
        self.controls.append(Control(self, (), self.signature.results, 0))
        self._enter(self.pushes_frame or any(map(_TAIL_CALLS, distinct)))
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

    def _enter(self, may_recur: bool) -> None:
        """What is done first: see whether a mirror is to run instead, and whether the host wants attention.

        A function that calls nothing ends by itself or attends in its loops.
        """
        counts_fuel = self.plan.counts_fuel
        if may_recur and not counts_fuel:
            self.attend(self.pc, enters=True)
            return
        self._begin_cold_if(flag(self.plan, self.position))
        self._redirect()
        self.out.append(_END)
        if counts_fuel:
            self.fuel = 1  # even an empty function costs some
            self._settle_fuel()
            self.attend(self.pc)

    def _redirect(self) -> None:
        """Have the mirror run, if there is one: as the function is entered, its arguments in its locals."""
        self._begin_inside_cold(word(self.plan, self.position))
        if self.pushes_frame:
            self.pop_chunks.append(len(self.out))
            self.out.append(b"")
        self.out.append(redirect(self.plan, self.position) + _END)

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

    def branch_hints(self) -> list[tuple[int, bool]]:
        """Offsets of the added branches in the rewritten body, ascending, and whether they are likely to be taken."""
        starts = list(accumulate(map(len, self.out), initial=self.head_size))
        return [(starts[chunk] + offset, likely) for chunk, offset, likely in self.hints]

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

    # -- points --------------------------------------------------------------------------------------------------

    def observe(self, *, pushed: bool | None = None) -> None:
        """Publish, because the instruction that follows may trap."""
        self.observed = True
        first = len(self.out)
        self.publish()
        if self.recorder is not None:
            pushed = self.pushes_frame if pushed is None else pushed
            self.recorder.note(self, self.pc, first_chunk=first, pushed=pushed)

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
        """Begin a block that is seldom entered: if `condition` holds."""
        self.hints.append((len(self.out), len(condition), False))
        self.out.append(condition + b"\x04\x40")

    def _begin_inside_cold(self, condition: bytes) -> None:
        """Begin a block inside one that is seldom entered: if `condition` holds, too.

        A hint moves one of a branch's two targets out of the way, here both are to be: that of `br_if` is by being
        unlikely, what follows it as the unlikely target of a branch that is always taken, of which nothing is left.
        """
        out = len(self.out)
        self.hints += ((out, len(condition) + 3, False), (out + 1, 4, False))
        self.out += (b"\x02\x40" + condition + b"\x45\x0d\x00", b"\x02\x40\x41\x01\x0d\x00\x0b")

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

    def attend(self, pc: int, reloaded: int = 0, *, enters: bool = False) -> None:
        """Test the flag, and if it is set, what it is set for; then publish and call the host, or have the mirror run.

        Nothing changes on the other path. `reloaded` are locals to be read back from their slots after the call: so
        they need not survive it, and the compiler can keep them in registers on the other path. A function `enters`
        its mirror where that is to run; elsewhere the host is called for it.
        """
        self.observed = True
        plan, first = self.plan, len(self.out)
        self._begin_cold_if(self._with_fuel(flag(plan, self.position)))
        if enters:
            self._redirect()
            self._begin_inside_cold(attention(plan))
        else:
            self._begin_inside_cold(self._with_fuel(word_or_attention(plan, self.position)))
        self._call_in_cold(pc, first, b"\x10" + unsigned(plan.attention_function), reloaded)
        self.out.append(_END + _END)

    def call_host(self, call: bytes) -> None:
        """Publish and run `call`, which may call the host, before the next instruction: no trap is at that point."""
        self.observed = True
        first = len(self.out)
        self.publish()
        self._push_leaf()
        self.out.append(self.frame.store_site(self.pc))
        if self.recorder is not None:
            self.recorder.note(self, self.pc, first_chunk=first, pushed=True, traps=False)
        self.out.append(call)
        self._pop_leaf()

    def call_host_if(self, condition: bytes, call: bytes) -> None:
        """The same if `condition` holds, which is seldom; nothing changes on the other path."""
        self.observed = True
        first = len(self.out)
        self._begin_cold_if(condition)
        loop = next((control for control in reversed(self.controls) if control.is_loop), None)
        self._call_in_cold(self.pc, first, call, 0 if loop is None else loop.kept, traps=False)
        self.out.append(_END)

    def _call_in_cold(self, pc: int, first: int, call: bytes, reloaded: int, *, traps: bool = True) -> None:
        """On a path that is seldom taken, publish, run `call`, and read `reloaded` back."""
        frame = self.frame
        # The host may write memory while it looks: here, loads are no way to work a value out.
        reloaded = self._reloadable(reloaded)
        stored = self.stale & (~self.derived | reloaded | self.dependents[0])
        self._store_locals(stored)
        for depth, operand in enumerate(self.stack):
            if operand.mask & MEMORY or (depth >= self.settled and operand.expression is None):
                self.out.append(frame.store_operand(depth, operand.type, self.copy(depth, operand.type)))
        self._push_leaf()
        self.out.append(frame.store_site(pc))
        if self.recorder is not None:
            self.recorder.note(self, pc, first_chunk=first, pushed=True, reloads=False, traps=traps)
        self.out.append(call)
        self._pop_leaf()
        for local in members(reloaded):
            self.out.append(frame.reload_local(local - 1))
        self.cold_values_left -= stored.bit_count() + reloaded.bit_count()
        if self.cold_values_left < 0:
            self.at_once = -2

    def _push_leaf(self) -> None:
        """Push the frame of a function that does not do so at its entry."""
        if not self.pushes_frame:
            self.push_chunks.append(len(self.out))
            self.out.append(b"")

    def _pop_leaf(self) -> None:
        if not self.pushes_frame:
            self.pop_chunks.append(len(self.out))
            self.out.append(b"")

    def _with_fuel(self, wanted: bytes) -> bytes:
        """Code that pushes whether that is wanted or the fuel is used up."""
        return wanted + self.frame.fuel_used_up() + b"\x72" if self.plan.counts_fuel else wanted

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
