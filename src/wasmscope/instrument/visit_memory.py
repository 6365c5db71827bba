"""Loads, stores and atomics: published only where the access is not known to be in bounds.

A memory never shrinks, so an access cannot trap when an access through the same unchanged local, on every path to here,
reached as far; nor when its address is a constant inside the memory's declared minimum.
"""

from __future__ import annotations

from wasmscope.instrument.expressions import MAX_SIZE, MEMORY, Expression, constant, size_of
from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.operand import Operand
from wasmscope.instrument.operations import Operation
from wasmscope.instrument.publisher import MOST_PROOFS, local_and_distance

_FEWEST_IN_LOOP, _FEWEST, _MOST = 2, 4, 30
"""How many missing values make a test cheaper than publishing them, and too many make the code too large."""


def visit_load(rewriter: FunctionRewriter, operation: Operation) -> None:
    """One operand, the address; one result. The commonest of all but `local.get`, hence written out."""
    stack, out = rewriter.stack, rewriter.out
    depth = len(stack) - 1
    address = stack[depth].expression
    if type(address) is int:
        key = address | operation.memory_key
        if operation.reach > rewriter.proofs.get(key, 0):
            _observe(rewriter, operation)
            if len(rewriter.proofs) < MOST_PROOFS:
                rewriter.proofs[key] = operation.reach
        result = operation.loads.get(address) or _loaded(operation, stack[depth])
    else:
        _check_bounds(rewriter, operation, address)
        result = _loaded(operation, stack[depth])
    if depth < rewriter.settled:
        rewriter.settled = depth
    rewriter.operand_mask |= result.mask
    rewriter.producers[depth] = len(out)
    stack[depth] = result
    out.append(operation.encoded)


def _loaded(operation: Operation, address: Operand) -> Operand:
    """What a load leaves."""
    expression = address.expression
    if expression is None or operation.load is None or (size := size_of(expression)) >= MAX_SIZE:
        return operation.results[0]
    known = (operation.code, size + 1, expression, operation.load)
    result = Operand(operation.pushes[0], known, address.mask | MEMORY)
    if type(expression) is int:
        operation.loads[expression] = result
    return result


def visit_access(rewriter: FunctionRewriter, operation: Operation) -> None:
    """Any load or store: the address is its lowest operand."""
    address = rewriter.stack[-operation.pops].expression
    if type(address) is not int:
        _check_bounds(rewriter, operation, address)
    else:
        key = address | operation.memory_key
        if operation.reach > rewriter.proofs.get(key, 0):
            _observe(rewriter, operation)
            if len(rewriter.proofs) < MOST_PROOFS:
                rewriter.proofs[key] = operation.reach
    rewriter.emit(operation)
    if operation.writes:
        rewriter.forget_memory()


def _check_bounds(rewriter: FunctionRewriter, operation: Operation, address: Expression) -> None:
    """Publish unless the access is known to be in bounds; its address is no local."""
    if isinstance(address, bytes):
        start = constant(address)
        assert start is not None
        in_bounds = start + operation.reach <= operation.proven_below
    else:
        local, distance = local_and_distance(address)
        in_bounds = local >= 0 and distance + operation.reach <= rewriter.proofs.get(local | operation.memory_key, 0)
    if not in_bounds:
        _observe(rewriter, operation)


def _observe(rewriter: FunctionRewriter, operation: Operation) -> None:
    """Publish, or in a loop, where the same values would be published over and over, test the address first.

    ::

        local.get $address
        global.get $limit          ;; memory.size - 1 page, or an older and so smaller value
        i32.ge_u
        if                         ;; in the last page, or out of bounds
          ...                      ;; publish
          memory.size  ...  global.set $limit
        end
    """
    if not operation.limit or not ((_FEWEST_IN_LOOP if rewriter.in_loop else _FEWEST) <= rewriter.missing() <= _MOST):
        rewriter.observe()
        return
    depth = len(rewriter.stack) - operation.pops
    address = rewriter.stack[depth]
    if type(address.expression) is bytes:
        rewriter.observe()  # always on the same side of the limit, as a rule beyond it
        return
    local = address.expression if type(address.expression) is int else rewriter.copy(depth, address.type)
    rewriter.observe_if(
        b"\x20" + unsigned(local) + b"\x23" + operation.limit + b"\x4f",
        (b"\x3f" + operation.memory_index) * 2 + b"\x41\x00\x47\x6b\x41\x10\x74\x24" + operation.limit,
    )
