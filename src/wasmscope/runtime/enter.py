"""Entering a guest from the host, and the host from a guest: what is set up before, told, and put back after."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.backtrace import frames_of, is_translatable
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.fault import is_out_of_bounds
from wasmscope.runtime.frame_values import FrameReader
from wasmscope.runtime.mirrors.continuing import continue_activation
from wasmscope.runtime.trap import Frame, Trap, with_frames, with_original_frames
from wasmscope.runtime.trap_site import trap_site, trapped_frame
from wasmscope.runtime.walk import Activation, RawFrame

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_Result = TypeVar("_Result")

_LIMIT = re.compile(r"(?<=resource limit exceeded: )(instance|table|memory) count too high at (\d+)")


def enter(
    store: Store,
    run: Callable[[], _Result | capi.Failure],
    instance: Instance | None = None,
    *,
    as_thrown: Callable[[Trap], BaseException] | None = None,
    complete: Callable[[capi.Returned], _Result] | None = None,
) -> _Result:
    """Let `run` enter a guest of `store`; raises what wasmtime would.

    A function that does not name its instance is of `instance` (see `Activation`). A trap or an uncaught exception is
    told while the guest's frames are still there: they are only unwound for the engine, the shadow frames stay until
    the stack pointers are put back. So the handler can have the guest go on (`Store.redirect`). Where the guest ended
    by an exception, which is pending then, `as_thrown(trap)` makes what is raised; else it is that trap. Where the host
    took over, `complete(returned)` makes what `run` would have returned; without it the host cannot. Raises
    `WasmscopeError` while another thread is in the store, unless a guest stands still there.
    """
    if store.occupancy.pause() is not None:
        return store.occupancy.run(lambda: _enter(store, run, instance, as_thrown, complete))
    with store.occupancy:
        return _enter(store, run, instance, as_thrown, complete)


def _enter(
    store: Store,
    run: Callable[[], _Result | capi.Failure],
    instance: Instance | None,
    as_thrown: Callable[[Trap], BaseException] | None,
    complete: Callable[[capi.Returned], _Result] | None,
) -> _Result:
    activation = Activation(*store.shadow.pointers, instance, is_drivable=complete is not None)
    store.begin(activation)
    try:
        outcome: _Result | capi.Outcome = run()
        while True:
            if activation.unwinding is not None:
                outcome = continue_activation(store, activation)
                if isinstance(outcome, capi.Returned):
                    assert complete is not None
                    return complete(outcome)
            match outcome:
                case capi.Trapped():
                    _trapped(store, activation, outcome, as_thrown)
                case capi.Failed() | capi.Raised():
                    _failed(store, outcome)
                case _:
                    return outcome  # type: ignore[return-value]  # no failure
    finally:
        store.end(activation)


def _trapped(
    store: Store, activation: Activation, outcome: capi.Trapped, as_thrown: Callable[[Trap], BaseException] | None
) -> None:
    """Tell of it, and raise it; return where the handler has the guest go on."""
    trap, thrown = outcome.trap, outcome.thrown
    frames, code = trap.frames, trap.trap_code
    translatable = is_translatable(store, frames)
    site = None if thrown else trap_site(store, frames, code)
    if site is not None and (store.debug_handler is not None or not translatable):
        activation.trapped = trapped_frame(store, activation, site, lambda frame: is_out_of_bounds(store, frame))
    overflow = site is not None and site.fills(store.shadow)
    code = wasmtime.TrapCode.STACK_OVERFLOW if overflow else code
    error = Trap.of(
        trap,
        store.instances.tables,
        overflow=overflow,
        entering=store.shadow.redirected,
        shown=None if translatable else frames_of(store, frames, code),
    )
    activation.has_ended = True
    try:
        if not thrown:
            _tell_trap(store, activation, error)
        elif not activation.uncaught:
            _tell_uncaught(store)
    finally:
        activation.has_ended = False
    activation.unwinding = activation.take_redirection()
    if activation.unwinding is None:
        raise as_thrown(error) if thrown and as_thrown is not None else error
    if thrown:
        capi.take_exception(store)
    store.stops.arm()


def _failed(store: Store, outcome: capi.Failed | capi.Raised) -> NoReturn:
    """Tell of it, if nobody did, and raise it."""
    match outcome:
        case capi.Failed(failure):
            tables, frames = store.instances.tables, capi.error_frames(failure)
            if is_translatable(store, frames):
                message = with_original_frames(str(failure), [Frame.of(frame, tables) for frame in frames])
            else:
                message = with_frames(str(failure), frames_of(store, frames, None))
            capi.set_message(failure, _without_own(message, store.shadow.own))
            if frames and not isinstance(failure, wasmtime.ExitTrap):
                store.tell(DebugEvent.HostcallError(failure))  # a host function that is not of this package
            raise failure
        case capi.Raised(exception, by_ours=by_ours):
            if not by_ours:
                store.tell(DebugEvent.HostcallError(exception))
            raise exception


def enter_host(store: Store) -> Callable[[], None]:
    """A guest called the host; returns what is to be done before the guest goes on.

    The frames end where they do now: a guest that the host calls through wasmtime's own objects may trap, and leaves
    its frames behind.
    """
    if not store.activations:
        return lambda: None
    shadow, activation = store.shadow, store.activations[-1]
    outside, pointers = activation.top, shadow.pointers
    activation.top = pointers[0]

    def leave() -> None:
        activation.top = outside
        shadow.pointers = pointers
        store.execution_version += 1

    return leave


def _without_own(message: str, own: Mapping[str, int]) -> str:
    """A message about a limit of the store, as it is without what the shadow state takes."""
    return _LIMIT.sub(lambda match: f"{match[1]} count too high at {int(match[2]) - own[match[1]]}", message)


def enter_unannounced(store: Store, context: Any) -> Any:
    """What wasmtime's own class is to enter a guest of `store` with, in place of the store's `context`.

    The guest's frames are there to be read, like any others. How it ends, that class says by itself. Raises
    `WasmscopeError` while another thread is in the store.
    """
    store.occupancy.refuse_others()  # here: ctypes would make another error of it when the guest is entered
    if not store.guest_debug:
        return capi.UnannouncedContext(context, lambda: _occupy(store))
    shadow = store.shadow

    def enter_guest() -> Callable[[], None]:
        leave_store = _occupy(store)
        activation = Activation(*shadow.pointers, is_drivable=False)
        store.begin(activation)

        def leave() -> None:
            store.end(activation)
            leave_store()

        return leave

    return capi.UnannouncedContext(context, enter_guest)


def _occupy(store: Store) -> Callable[[], None]:
    """Be in the store until what is returned is called."""
    store.occupancy.__enter__()
    return store.occupancy.__exit__


def _keep(store: Store, frame: RawFrame) -> None:
    """Have guests that the handler calls put their frames above the one that trapped."""
    if frame.end[0] < store.shadow.size:
        store.shadow.pointers = frame.end


def _tell_uncaught(store: Store) -> None:
    """Tell of an exception whose throw was not seen.

    It stays pending for whoever takes it after the call, as the engine leaves it.
    """
    if store.debug_handler is not None:
        exception = capi.take_exception(store)
        assert exception is not None
        try:
            store.tell(DebugEvent.UncaughtExceptionThrown(exception))
        finally:
            capi.set_exception(store, exception)


def _tell_trap(store: Store, activation: Activation, error: Trap) -> None:
    if store.debug_handler is None:
        return
    if activation.trapped is not None:
        _keep(store, activation.trapped)
        activation.reader = FrameReader(store, activation.trapped)
        activation.reader.capture()
    store.tell(DebugEvent.Trap(error))
