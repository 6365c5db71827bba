"""Calls, tail calls and throws: the frame says where it is, and every value is published."""

from __future__ import annotations

from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.operations import Operation


def visit_call(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`call`, `call_indirect`, `call_ref`: what is called may look at this frame, trap, or throw."""
    rewriter.observe_call()
    rewriter.emit(operation)
    other = rewriter.plan.calls.get(rewriter.pc)
    if other is not None:
        rewriter.out[-1] = other


def visit_throw(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`throw` and `throw_ref`."""
    rewriter.observe_call(throws=True)
    rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def visit_tail_call(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`return_call`: the frame is gone before the callee's begins, and the instruction itself cannot trap."""
    _pop_frame(rewriter)
    rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def visit_trapping_tail_call(rewriter: FunctionRewriter, operation: Operation) -> None:
    """`return_call_indirect`, `return_call_ref`: may trap, when the stack pointer is back already."""
    rewriter.publish()
    _pop_frame(rewriter)
    rewriter.observe(pushed=False)
    rewriter.out.append(operation.encoded)
    rewriter.become_dead()


def _pop_frame(rewriter: FunctionRewriter) -> None:
    if rewriter.pushes_frame:
        rewriter.pop_chunks.append(len(rewriter.out))
        rewriter.out.append(b"")
