"""Instructions that compute: what they leave on the operand stack and what of it the host can work out."""

from __future__ import annotations

from wasmscope.instrument.expressions import MAX_SIZE, constant, size_of
from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.operand import Operand
from wasmscope.instrument.operations import Operation
from wasmscope.wasm.types import ref_type

_SIGNED_DIVISION = frozenset({0x6D, 0x7F})
_ALL_ONES = {0x6D: 0xFFFF_FFFF, 0x7F: 0xFFFF_FFFF_FFFF_FFFF}


def visit_plain(rewriter: FunctionRewriter, operation: Operation) -> None:
    """Neither traps nor can be worked out."""
    rewriter.emit(operation)
    if operation.writes:
        rewriter.forget_memory()


def visit_trapping(rewriter: FunctionRewriter, operation: Operation) -> None:
    """May trap, for reasons that are not looked into."""
    rewriter.observe()
    visit_plain(rewriter, operation)


def visit_division(rewriter: FunctionRewriter, operation: Operation) -> None:
    """Traps on a divisor of 0, and signed division on -1 (Wasm spec 4.3.2): not with any other constant."""
    divisor = rewriter.stack[-1].expression
    value = constant(divisor) if isinstance(divisor, bytes) else 0
    if not value or (operation.code in _SIGNED_DIVISION and value == _ALL_ONES[operation.code]):
        rewriter.observe()
    visit_plain(rewriter, operation)


def visit_constant(rewriter: FunctionRewriter, operation: Operation) -> None:
    """A constant, `ref.null` included: known for ever, so all that are equal can be one operand."""
    stack = rewriter.stack
    depth = len(stack)
    if depth < rewriter.settled:
        rewriter.settled = depth
    stack.append(operation.results[0])
    rewriter.out.append(operation.token)


def visit_local_get(rewriter: FunctionRewriter, operation: Operation) -> None:
    """An operand that is the local's value until the local is assigned."""
    stack, out = rewriter.stack, rewriter.out
    depth = len(stack)
    if depth < rewriter.settled:
        rewriter.settled = depth
    rewriter.operand_mask |= operation.bit
    rewriter.producers[depth] = len(out)
    stack.append(rewriter.local_operands[operation.operand])
    out.append(operation.token)


def visit_local_set(rewriter: FunctionRewriter, operation: Operation) -> None:
    """The local is what the operand was."""
    operand = rewriter.stack.pop()
    rewriter.out.append(operation.token)
    rewriter.assign(operation.operand, operation.bit, operand.expression, operand.mask)


def visit_local_tee(rewriter: FunctionRewriter, operation: Operation) -> None:
    """The local is what the operand was, and the operand is the local."""
    operand = rewriter.stack.pop()
    out, local, bit = rewriter.out, operation.operand, operation.bit
    producer = len(out)
    out.append(operation.token)
    rewriter.assign(local, bit, operand.expression, operand.mask)
    depth = len(rewriter.stack)
    if depth < rewriter.settled:
        rewriter.settled = depth
    rewriter.operand_mask |= bit
    rewriter.producers[depth] = producer
    rewriter.stack.append(rewriter.local_operands[local])


def visit_pure_unary(rewriter: FunctionRewriter, operation: Operation) -> None:
    """An integer instruction of one operand that cannot trap."""
    operand = rewriter.stack[-1]
    expression = operand.expression
    if expression is None or (size := size_of(expression)) >= MAX_SIZE:
        rewriter.emit(operation)
    else:
        known = Operand(operation.pushes[0], (operation.code, size + 1, expression), operand.mask)
        rewriter.emit_known(operation, known)


def visit_pure_binary(rewriter: FunctionRewriter, operation: Operation) -> None:
    """An integer instruction of two operands that cannot trap."""
    left, right = rewriter.stack[-2:]
    first, second = left.expression, right.expression
    if first is None or second is None or (size := size_of(first) + size_of(second)) > MAX_SIZE:
        rewriter.emit(operation)
    else:
        known = Operand(operation.pushes[0], (operation.code, size, first, second), left.mask | right.mask)
        rewriter.emit_known(operation, known)


def visit_select(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`select` without a type: the operands' own (Wasm spec 3.4.4)."""
    value_type = rewriter.stack[-2].type
    rewriter.out.append(operation.token)
    rewriter.pop(3)
    rewriter.push((value_type,))


def visit_as_non_null(rewriter: FunctionRewriter, operation: Operation) -> None:
    """Traps on null; the type of what is left is the operand's."""
    rewriter.observe()
    heap = rewriter.stack[-1].type.heap
    assert heap is not None
    rewriter.out.append(operation.token)
    rewriter.pop(1)
    rewriter.push((ref_type(heap, False),))


def visit_convert_reference(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`any.convert_extern` and `extern.convert_any` keep nullability (Wasm spec 3.4.7)."""
    nullable = rewriter.stack[-1].type.nullable
    rewriter.out.append(operation.token)
    rewriter.pop(1)
    rewriter.push((ref_type("any" if operation.code == 0xFB001A else "extern", nullable),))
