"""Functions: those of guests, which the host calls, and those of the host, which guests call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import awaiting, is_async, run_async
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.enter import enter, enter_host, enter_unannounced
from wasmscope.runtime.entities import handed_out
from wasmscope.runtime.occupancy import run_in
from wasmscope.runtime.throw import told_if_thrown

if TYPE_CHECKING:
    from wasmscope.runtime.frame import DebugFrameCursor, FrameHandle
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store


class Caller(wasmtime.Caller):
    """wasmtime's `Caller`, through which the frames of the calling guest can be read."""

    store: Store

    def debug_frames(self) -> DebugFrameCursor | None:
        """See `Store.debug_frames`."""
        return self.store.debug_frames()

    def debug_exit_frames(self) -> list[FrameHandle]:
        """See `Store.debug_exit_frames`."""
        return self.store.debug_exit_frames()

    def debug_all_instances(self) -> list[Instance]:
        """See `Store.debug_all_instances`."""
        return self.store.debug_all_instances()

    def debug_all_modules(self) -> list[Module]:
        """See `Store.debug_all_modules`."""
        return self.store.debug_all_modules()

    def get(self, name: str) -> Any:
        """As wasmtime's."""
        return as_ours(super().get(name))

    def _context(self) -> Any:
        context, asks = super()._context(), sys._getframe(1)
        return enter_unannounced(self.store, context) if capi.is_entry(asks) else context


class Func(wasmtime.Func):
    """wasmtime's `Func`, for values of every type, made of plain functions and of coroutine functions.

    In `call_async` a coroutine function is awaited by the task that made the call. In a plain call it is run on an
    event loop of its own; where the thread runs one already, it has to return without waiting (`RuntimeError`).
    """

    _signature: capi.Signature | None = None

    def __init__(
        self,
        store: wasmtime.Store,
        ty: wasmtime.FuncType,
        func: Callable[..., Any],
        access_caller: bool = False,
    ) -> None:
        if not isinstance(store, wasmtime.Store):
            raise TypeError("expected a Store")
        if not isinstance(ty, wasmtime.FuncType):
            raise TypeError("expected a FuncType")
        refuse_async(store.engine, func)
        engine = store.engine
        if not isinstance(engine, Engine):
            self._func = capi.new_func(store, ty, func, access_caller)
            return
        callback, caller = host_function(engine, func, access_caller)
        # Where only its arguments are wanted, and the store is known, no caller is made.
        self._func = capi.new_func(store, ty, callback, True, caller if access_caller else None)

    def __call__(self, store: Any, *params: Any) -> Any:
        """As wasmtime's; while it runs, the frames of the guest can be read through the store."""
        signature = self.signature(store)
        owner = store_of(store)
        if owner is None or not owner.guest_debug:
            outcome = run_in(owner, lambda: capi.call_func(store, self, signature, params))
            if isinstance(outcome, capi.Returned):
                return plain(outcome)
            capi.raise_failure(outcome)
            raise AssertionError
        run = partial(capi.call_func, store, self, signature, params)
        return plain(enter(owner, run, complete=lambda returned: returned))

    def signature(self, store: Any) -> capi.Signature:
        """The kinds of its parameters and results, asked of the engine once."""
        if self._signature is None:
            self._signature = capi.signature(self.type(store))
        return self._signature

    async def call_async(self, store: Any, *params: Any) -> Any:
        """Call the guest without blocking the event loop (Wasmtime `Func::call_async`).

        The guest runs on a thread of its own, where plain host functions are called, too; coroutine functions and
        asynchronous handlers are awaited by the current task. They may call the guest again, by `call_async`.

        Cancelling the task ends the guest at its next function entry or loop iteration, and the call when it has ended.
        Raises what a plain call would, `asyncio.CancelledError`, or `WasmscopeError` while another call uses the store.
        """
        owner = store_of(store)
        if owner is None:
            raise TypeError("expected a wasmscope.Store or a Caller")
        return await run_async(owner, lambda: self(store, *params))


def refuse_async(engine: Any, func: Callable[..., Any]) -> None:
    """Raise `TypeError` for a coroutine function where nothing would await it."""
    if not isinstance(engine, Engine) and is_async(func):
        raise TypeError("a coroutine function needs a wasmscope.Engine")


def plain(outcome: capi.Returned) -> Any:
    """The results of a call as wasmtime gives them: none, one, or a list."""
    values = [value.value for value in outcome.values]
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def as_ours(item: Any) -> Any:
    """An extern of wasmtime's as the class of ours that stands for it."""
    return Func._from_raw(item._func) if type(item) is wasmtime.Func else handed_out(item)


def store_of(storelike: Any) -> Store | None:
    """The store that a `Store` or a `Caller` of ours, or a caller in one, stands for."""
    from wasmscope.runtime.store import Store

    if isinstance(storelike, Store):
        return storelike
    if type(storelike) is wasmtime.Caller:  # of a host function that is not of this package
        storelike = capi.entered_through(storelike)
        if isinstance(storelike, Store):
            return storelike
    store = getattr(storelike, "store", None)
    return store if isinstance(store, Store) else None


def caller_maker(engine: Engine) -> Callable[[Any], Caller]:
    """What makes the `Caller` of a host function that a guest of `engine` calls."""

    def make_caller(pointer: Any) -> Caller:
        caller = Caller(pointer)
        caller.store = engine.stores[capi.context_address(caller)]
        return caller

    return make_caller


def host_function(
    engine: Engine, func: Callable[..., Any], access_caller: bool
) -> tuple[Callable[..., Any], Callable[[Any], Caller]]:
    """`func` wrapped for a guest to call, with its caller or the store first, and what makes its caller.

    What it raises or throws is told while the guest's frames are readable; when it is done they are not any more.
    """
    if is_async(func):
        func, access_caller = awaiting(func, access_caller), True

    def callback(caller: Any, *args: Any) -> Any:
        store: Store = getattr(caller, "store", caller)
        leave, returned = enter_host(store), None
        call = store.host_called()
        try:
            try:
                returned = func(caller, *args) if access_caller else func(*args)
            except capi.EndHostCall:
                raise
            except BaseException as error:
                store.tell_host_error(error)
                if not store.is_redirected:
                    raise
            finally:
                leave()
                store.host_done(call)
            store.host_returned(returned)
        except capi.EndHostCall as request:
            raise capi.EndHostCall(told_if_thrown(store, request.end)) from None
        return returned

    return callback, caller_maker(engine)
