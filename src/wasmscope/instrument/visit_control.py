"""Blocks and branches: where states meet (Wasm spec 3.4.10; names as in its appendix A.3)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.instrument.control import Control
from wasmscope.instrument.expressions import MEMORY
from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.function_state import members
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.loop import Loop
from wasmscope.instrument.operand import Operand
from wasmscope.instrument.operations import Operation
from wasmscope.wasm.instructions import CastBranch
from wasmscope.wasm.types import ValType, ref_type

BR_ON_CAST = 0xFB0018
_END, _UNREACHABLE, _BRANCH = b"\x0b", b"\x00", b"\x0c"


def visit_block(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`block`: its label is at its end."""
    rewriter.out.append(operation.encoded)
    _push_control(rewriter, operation)


def visit_if(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`if`: the state here is also that of the `else` branch."""
    rewriter.stack.pop()
    rewriter.out.append(operation.encoded)
    control = _push_control(rewriter, operation)
    control.is_if = True
    rewriter.proofs = rewriter.proofs.copy()


def visit_else(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`else`: back to the state at the `if`."""
    control = rewriter.controls[-1]
    if not rewriter.dead:
        rewriter.branch_to(control)
    rewriter.dead = 0
    rewriter.out.append(operation.encoded)
    del rewriter.stack[control.height :]
    control.is_if = False
    rewriter.stale = control.entry_stale
    rewriter.really_stale = control.entry_really_stale
    rewriter.derived = control.entry_derived & ~rewriter.assigned  # their expressions were overwritten
    rewriter.settle_at(control.entry_settled)
    rewriter.proofs = control.entry_proofs
    rewriter.push(control.params)


def visit_loop(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`loop`: whatever it assigns is unknown and unpublished at its header, because of the branches back."""
    summary = rewriter.loops.pop()
    changed = summary.changed | MEMORY  # by the host, where the header's attention test calls it
    assigned = changed & ~MEMORY
    if rewriter.operand_mask & changed:
        rewriter.forget_operands(changed)
    if rewriter.cold_values_left < 0:
        rewriter.publish()
        rewriter.publish_locals(rewriter.stale)
    derived = rewriter.derived & ~changed
    for position in members(changed):
        derived &= ~rewriter.dependents[position]
        for memory in rewriter.proof_memories if rewriter.proofs and position else ():
            rewriter.proofs.pop(position - 1 | memory, None)
    rewriter.derived = derived
    if summary.publishes:
        # Publishing once, before the loop, saves doing so in every iteration.
        rewriter.publish()
        rewriter.loop = Loop(rewriter.loop)
    else:
        rewriter.really_stale |= assigned & ~rewriter.at_once
    rewriter.stale |= assigned & ~rewriter.at_once
    rewriter.out.append(operation.encoded)
    control = _push_control(rewriter, operation)
    control.publishes = summary.publishes
    control.kept = 0 if summary.calls else summary.used
    rewriter.in_loop += 1
    control.landing_chunk = len(rewriter.out)
    rewriter.out.append(b"")
    if rewriter.pc not in rewriter.plan.quiet_loops:
        # With a call in the loop, nothing stays in a register anyway.
        rewriter.attend(rewriter.pc + operation.length, control.kept)


def visit_try_table(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`try_table`: whatever throws inside is a branch to the clauses' labels."""
    targets = [rewriter.controls[-1 - label] for label, _ in operation.catches]
    rewriter.out.append(operation.encoded)
    _push_control(rewriter, operation)
    for target in targets:
        target.landing = True
        if target.is_loop and rewriter.pushes_frame:
            rewriter.push_chunks.append(target.landing_chunk)
    rewriter.catches = tuple(dict.fromkeys((*rewriter.catches, *targets)))


def visit_end(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`end`: the states of all branches here meet."""
    control = rewriter.controls.pop()
    reachable = not rewriter.dead
    if not rewriter.controls:
        _end_function(rewriter)
        return
    rewriter.out.append(operation.encoded)
    if control.is_loop:
        _end_loop(rewriter, control)
    if control.is_if:
        control.merge(
            control.entry_stale,
            control.entry_really_stale,
            control.entry_derived,
            control.entry_settled,
            control.entry_proofs,
        )
    if control.edges:
        if reachable:
            rewriter.branch_to(control)
        reachable = True
        rewriter.stale = control.stale
        rewriter.really_stale = control.really_stale
        rewriter.derived = control.derived & ~rewriter.assigned  # their expressions may differ between the branches
        rewriter.settle_at(control.settled)
        rewriter.proofs = control.proofs
    rewriter.assigned |= control.assigned_outside
    rewriter.catches = control.catches_outside
    del rewriter.stack[control.height :]
    if not reachable:
        # For the validator the results are on the stack here; only `unreachable` takes them off whatever they are.
        rewriter.out.append(_UNREACHABLE)
        rewriter.dead = 1
        return
    rewriter.dead = 0
    if control.height < rewriter.settled:
        rewriter.settled = control.height
    rewriter.push(control.results)
    if control.landing and rewriter.pushes_frame and not control.is_loop:
        rewriter.push_chunks.append(len(rewriter.out))
        rewriter.out.append(b"")


def _end_loop(rewriter: FunctionRewriter, control: Control) -> None:
    """Now it is known what is stale at the header."""
    rewriter.in_loop -= 1
    if control.publishes:
        loop = rewriter.loop
        assert loop is not None
        for chunk in loop.unnecessary_stores():
            rewriter.out[chunk] = b""
        rewriter.stale &= rewriter.really_stale | loop.stale_at_branches
        rewriter.really_stale = rewriter.stale
        rewriter.loop = loop.outside


def _end_function(rewriter: FunctionRewriter) -> None:
    rewriter.dead = 0
    if rewriter.pushes_frame:
        rewriter.out.append(_END)
        rewriter.pop_chunks.append(len(rewriter.out))
        rewriter.out.append(b"")
    rewriter.out.append(_END)


def visit_branch(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`br` and `br_table`."""
    for label in operation.labels:
        rewriter.branch(label)
    rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def visit_return(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`return`: through the one way out, where the frame is popped, if there is one."""
    if rewriter.pushes_frame:
        rewriter.out.append(_BRANCH + unsigned(len(rewriter.controls) - 1))
    else:
        rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def visit_branch_if(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`br_if`: a branch, and the operands that stay take the label's types."""
    rewriter.stack.pop()
    rewriter.branch(operation.labels[0])
    rewriter.out.append(operation.encoded)
    _retype(rewriter, _label_types(rewriter, operation.labels[0]))


def visit_branch_on_null(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`br_on_null`: goes on with the reference, known not to be null."""
    reference = rewriter.stack.pop()
    rewriter.branch(operation.labels[0])
    rewriter.out.append(operation.encoded)
    _retype(rewriter, _label_types(rewriter, operation.labels[0]))
    assert reference.type.heap is not None
    rewriter.push((ref_type(reference.type.heap, False),))


def visit_branch_on_non_null(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`br_on_non_null`: the branch takes the reference along."""
    rewriter.branch(operation.labels[0])
    rewriter.stack.pop()
    rewriter.out.append(operation.encoded)
    _retype(rewriter, _label_types(rewriter, operation.labels[0])[:-1])


def visit_branch_on_cast(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`br_on_cast` and `br_on_cast_fail`: goes on with the type that the branch leaves over."""
    rewriter.branch(operation.labels[0])
    cast: CastBranch = operation.immediates[0]
    rewriter.stack.pop()
    rewriter.out.append(operation.encoded)
    _retype(rewriter, _label_types(rewriter, operation.labels[0])[:-1])
    if operation.code == BR_ON_CAST:  # Wasm spec 3.1.3, "type difference"
        assert cast.source.heap is not None
        rewriter.push((ref_type(cast.source.heap, cast.source.nullable and not cast.target.nullable),))
    else:
        rewriter.push((cast.target,))


def visit_unreachable(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`unreachable`: traps.

    The site keeps the compiler from making one conditional trap of it and the branch before it, whose offset it would
    have.
    """
    rewriter.publish()
    rewriter.out.append(rewriter.frame.store_site(rewriter.pc))
    rewriter.observe()
    rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def _push_control(rewriter: FunctionRewriter, operation: Operation) -> Control:
    params = operation.signature.params
    control = Control(rewriter, params, operation.signature.results, operation.opens)
    rewriter.controls.append(control)
    rewriter.assigned = 0
    if params:
        rewriter.pop(len(params))
        rewriter.push(params)
    return control


def _label_types(rewriter: FunctionRewriter, label: int) -> tuple[ValType, ...]:
    control = rewriter.controls[-1 - label]
    return control.params if control.is_loop else control.results


def _retype(rewriter: FunctionRewriter, types: Sequence[ValType]) -> None:
    """Operands on top take these types, supertypes of theirs (Wasm spec 3.4.10, `br_if`)."""
    first = len(rewriter.stack) - len(types)
    for depth, value_type in enumerate(types, start=first):
        operand = rewriter.stack[depth]
        if operand.type is not value_type:
            # Copied where it was produced, as what it was then: the type changes, the value does not.
            if type(operand.expression) is not bytes:
                rewriter.copy(depth, operand.type)
            rewriter.stack[depth] = Operand(value_type, operand.expression, operand.mask)
