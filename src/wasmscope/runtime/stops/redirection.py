"""Ways to go on that the host asks for, checked against the frame that is to take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from wasmscope.analysis.typing import types_of
from wasmscope.errors import BreakpointError, NotPaused
from wasmscope.runtime import capi
from wasmscope.runtime.frame_values import kind_of
from wasmscope.runtime.mirrors import unwinding
from wasmscope.runtime.resumption import EarlyReturn, JumpTo, Redirection, ThrowException
from wasmscope.runtime.walk import RawFrame

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


def redirect(store: Store, redirection: Redirection) -> None:
    """See `Store.redirect`."""
    frames = store.frames()
    if not frames or frames[0].activation() != 0:
        raise NotPaused("no guest stands still that could go on in another way")
    if not store.activations[-1].is_drivable:
        raise BreakpointError("this guest was entered through a function of wasmtime's own: only that can end its call")
    store.stops.redirect(_checked(store, frames[0].raw, redirection))


def _checked(store: Store, frame: RawFrame, redirection: Redirection) -> unwinding.Unwinding:
    if frame.instance is None:
        raise BreakpointError("the frame cannot go on: nothing says which of several instances it is of")
    typed = frame.table.typed(frame.function)
    match redirection:
        case JumpTo(pc):
            if frame.missing:
                raise BreakpointError(f"the frame cannot go on elsewhere: {frame.missing}")
            if pc not in typed.numbers:
                raise BreakpointError(f"{pc:#x} is no instruction of the function that the frame is in")
            here, there = types_of(typed.at(frame.pc).stack), typed.at(pc)
            if not there.is_reachable:
                raise BreakpointError(f"the instruction at {pc:#x} cannot be reached")
            if types_of(there.stack) != here:
                expected = ", ".join(map(str, types_of(there.stack))) or "nothing"
                found = ", ".join(map(str, here)) or "nothing"
                raise BreakpointError(
                    f"the frame cannot go on at {pc:#x}: the operand stack holds {expected} there, {found} here"
                )
            return unwinding.Jump(pc)
        case EarlyReturn(values):
            results = typed.type.results
            if len(values) != len(results):
                raise BreakpointError(f"the function returns {len(results)} values, not {len(values)}")
            module = frame.table.module
            return unwinding.EarlyReturn(
                tuple(
                    capi.as_val(store, kind_of(value_type, module), value)
                    for value_type, value in zip(results, values, strict=True)
                )
            )
        case ThrowException(exception):
            if not exception.is_in(store):
                raise BreakpointError("the exception belongs to another store")
            return unwinding.Throw(exception)
        case _:
            assert_never(redirection)
