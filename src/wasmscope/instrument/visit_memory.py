"""Loads, stores and atomics: published only where the access is not known to be in bounds.

A memory never shrinks, so an access cannot trap when an access through the same unchanged local, on every path to here,
reached as far; nor when its address is a constant inside the memory's declared minimum.
"""

from __future__ import annotations

from wasmscope.instrument.expressions import constant
from wasmscope.instrument.function import FunctionRewriter, local_and_distance
from wasmscope.instrument.operations import Operation


def visit_access(rewriter: FunctionRewriter, operation: Operation) -> None:
    """A load or a store."""
    address = rewriter.stack[-operation.pops].expression
    if isinstance(address, bytes):
        start = constant(address)
        assert start is not None
        if start + operation.reach > operation.proven_below:
            rewriter.observe()
    elif address is None:
        rewriter.observe()
    else:
        local, distance = local_and_distance(address)
        key = local | operation.memory_key
        if local < 0 or distance + operation.reach > rewriter.proofs.get(key, 0):
            rewriter.observe()
            if isinstance(address, int):
                rewriter.proofs[key] = operation.reach
    rewriter.out.append(operation.encoded)
    rewriter.pop(operation.pops)
    rewriter.push(operation.pushes)
