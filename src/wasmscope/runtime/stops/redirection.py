"""Ways to go on that the host asks for, checked against the frame that is to take them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, assert_never

from wasmscope.analysis.initialisation import set_before
from wasmscope.analysis.subtyping import is_subtype
from wasmscope.analysis.typing import types_of
from wasmscope.errors import BreakpointError, NotPaused
from wasmscope.runtime.frame_values import FrameReader, Unavailable
from wasmscope.runtime.mirrors import unwinding
from wasmscope.runtime.resumption import EarlyReturn, JumpTo, Redirection, ThrowException
from wasmscope.runtime.typed_values import typed_value
from wasmscope.runtime.val import ExnRef, Val
from wasmscope.runtime.walk import RawFrame
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store


def redirect(store: Store, redirection: Redirection) -> None:
    """See `Store.redirect`."""
    if not isinstance(redirection, EarlyReturn | ThrowException | JumpTo):
        raise TypeError(f"expected EarlyReturn, ThrowException or JumpTo, not {redirection!r}")
    frames = store.frames()
    if not frames or frames[0].activation() != 0:
        raise NotPaused("no guest stands still that could go on in another way")
    activation = store.activations[-1]
    if not activation.is_drivable:
        raise BreakpointError("this guest was entered through a function of wasmtime's own: only that can end its call")
    if not activation.stands_still:
        raise BreakpointError("this guest is in a function that wasmtime itself made, or its call has ended already")
    _ = store.stops  # what has it go on
    activation.redirection = _checked(store, frames[0].raw, redirection)


def _checked(store: Store, frame: RawFrame, redirection: Redirection) -> unwinding.Unwinding:
    if frame.instance is None:
        raise BreakpointError("the frame cannot go on: nothing says which of several instances it is of")
    match redirection:
        case JumpTo(pc):
            pc = index(pc)
            if frame.missing:
                raise BreakpointError(f"the frame cannot go on elsewhere: {frame.missing}")
            _check_jump(store, frame, pc)
            return unwinding.Jump(pc)
        case EarlyReturn(values):
            return unwinding.EarlyReturn(_results(store, frame, values))
        case ThrowException(exception):
            if not isinstance(exception, ExnRef):
                raise TypeError(f"expected an ExnRef, not {exception!r}")
            if not exception.is_in(store):
                raise BreakpointError("the exception belongs to another store")
            return unwinding.Throw(exception)
        case _:
            assert_never(redirection)


def _results(store: Store, frame: RawFrame, values: Sequence[Any]) -> tuple[Val, ...]:
    types = frame.table.typed(frame.function).type.results
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise TypeError(f"expected a sequence of the results, not {values!r}")
    if len(values) != len(types):
        raise BreakpointError(f"the function returns {len(types)} values, not {len(values)}")
    instance = _instance(frame)
    try:
        return tuple(
            typed_value(store, instance, value_type, value, f"result {position}")
            for position, (value_type, value) in enumerate(zip(types, values, strict=True))
        )
    except (TypeError, ValueError) as error:
        raise BreakpointError(f"the function cannot return this: {error}") from error


def _check_jump(store: Store, frame: RawFrame, pc: int) -> None:
    """Raise `BreakpointError` where code from `pc` on may not find what it was validated for."""
    typed, module = frame.table.typed(frame.function), frame.table.module
    if pc not in typed.numbers:
        raise BreakpointError(f"{pc:#x} is no instruction of the function that the frame is in")
    if frame.missing:
        raise BreakpointError(f"the frame cannot go on: {frame.missing}")
    _instance(frame)
    number = typed.numbers[pc]
    there = typed.instructions[number]
    if not there.is_reachable:
        raise BreakpointError(f"the instruction at {pc:#x} cannot be reached")
    expected, found = types_of(there.stack), types_of(typed.at(frame.pc).stack)
    if len(expected) != len(found) or not all(
        is_subtype(here, wanted, module) for here, wanted in zip(found, expected, strict=True)
    ):
        raise BreakpointError(
            f"the frame cannot go on at {pc:#x}: the operand stack holds {_listed(expected)} there, "
            f"{_listed(found)} here"
        )
    reader = FrameReader(store, frame)
    for local in sorted(set_before(typed, number)):
        if isinstance(reader.local(local), Unavailable):
            raise BreakpointError(f"the frame cannot go on at {pc:#x}: local {local} would be set there, and is not")


def _listed(types: Sequence[ValType]) -> str:
    return ", ".join(map(str, types)) or "nothing"


def _instance(frame: RawFrame) -> Instance:
    if frame.instance is None:
        raise BreakpointError("it is not known which of several instances of the module this frame is of")
    return frame.instance
