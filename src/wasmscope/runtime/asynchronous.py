"""Guests and the event loop: calls that leave it free (`run_async`), and host code that waits (`wait_for`)."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from wasmscope.runtime.config import MOST_WASM_STACK
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.mailbox import Address, Mailbox
from wasmscope.runtime.pending import Ended, Pending
from wasmscope.runtime.waiting import Call, HostWait
from wasmscope.runtime.worker import Worker, current_worker

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

_Result = TypeVar("_Result")

_Message: TypeAlias = HostWait | Ended

_FOR_EVER = 10.0**9
"""Seconds."""

#: What the current task is awaiting for a worker. Tasks that it starts inherit it, so they may call the guest as well.
_current_wait: ContextVar[HostWait | None] = ContextVar("current_wait", default=None)


def is_async(func: Callable[..., Any]) -> bool:
    """Whether `func` is a coroutine function, or an object that is called as one."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004  # not whether it is callable: how it is


def awaiting(func: Callable[..., Any], access_caller: bool) -> Callable[..., Any]:
    """A coroutine function as a plain one that takes the caller, or the store, and waits for the result."""

    def call(caller: Any, *args: Any) -> Any:
        store = getattr(caller, "store", caller)
        return wait_for(store, Pending(func(caller, *args) if access_caller else func(*args)))

    return call


# -- waiting, in host code that a guest called -------------------------------------------------------------------------


def wait_for(store: Store, pending: Pending) -> Any:
    """Wait, on the thread of the guest, until `pending` is done; returns or raises what comes of it.

    In a `call_async` the task that made the call awaits it. In a plain call a loop is run for it; where one is running
    in this thread already, the call blocks that loop: `RuntimeError` unless `pending` is done without waiting.
    """
    worker = current_worker()
    if worker is not None and worker.loop is not None:
        return worker.wait_for(pending)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return store.occupancy.complete(pending)
    return _finish_at_once(pending)


def _finish_at_once(pending: Pending) -> Any:
    coroutine = pending.result()
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    try:
        raise RuntimeError(
            "the event loop is blocked by a plain call of a guest, so the guest's host code cannot wait for anything: "
            "call the guest by `await func.call_async(store, ...)` instead"
        )
    finally:
        coroutine.close()


# -- calls -------------------------------------------------------------------------------------------------------------


async def run_async(store: Store, run: Callable[[], _Result]) -> _Result:
    """Let `run` enter a guest of `store` on another thread; returns or raises what comes of it.

    Raises `WasmscopeError` while the store is in use otherwise, and `asyncio.CancelledError` when the task is
    cancelled, as soon as the guest has ended.
    """
    if store.occupancy.thread is threading.current_thread():
        return run()  # in a plain call, whose frames are below on this thread's stack: it nests there
    loop = asyncio.get_running_loop()
    mailbox: Mailbox[_Message] = Mailbox(loop)
    pause = store.occupancy.pause()
    if pause is not None:
        run = store.occupancy.aside(run)
    call = Call(run, contextvars.copy_context(), Address(mailbox, loop))
    # The loop keeps the task, as it does those that wait for a timer, and lets go of it when it is closed.
    keeping = loop.call_later(_FOR_EVER, _keep, mailbox)
    try:
        wait = pause or _wait_in(store, loop)
        if wait is not None and wait.nest(call):
            wait.nesting = True
            try:
                return await _conduct(wait.worker, call, mailbox)  # type: ignore[no-any-return]
            finally:
                wait.nesting = False
        worker = Worker(call)
        start(store, worker)
        try:
            return await _conduct(worker, call, mailbox)  # type: ignore[no-any-return]
        finally:
            store.occupancy.free(worker)
    finally:
        keeping.cancel()


def start(store: Store, worker: Worker) -> None:
    """Start `worker`, and keep the store for it until that is freed.

    Raises `WasmscopeError` while the store is in use otherwise, RuntimeError where there can be no more threads.
    """
    store.occupancy.reserve(worker)
    try:
        worker.start_with_stack(store.engine.wasm_stack if isinstance(store.engine, Engine) else MOST_WASM_STACK)
    except BaseException:
        store.occupancy.free(worker)
        raise


def _keep(mailbox: Mailbox[_Message]) -> None:
    """Only refer to it."""


def _wait_in(store: Store, loop: asyncio.AbstractEventLoop) -> HostWait | None:
    """What this task awaits for a guest of `store`, if a call may be nested in it."""
    wait = _current_wait.get()
    while wait is not None and not (wait.worker is store.occupancy.thread and wait.loop is loop):
        wait = wait.outer
    return wait if wait is not None and wait.is_free else None


async def _conduct(worker: Worker, call: Call, mailbox: Mailbox[_Message]) -> Any:
    """Await what the worker asks for, until the call has ended.

    A call that was cancelled ends so, whatever the guest and the host made of it.
    """
    try:
        while True:
            try:
                message = await mailbox.get()
            except asyncio.CancelledError as error:
                worker.cancel(call, error)
                continue  # the guest is not left running: its end is waited for
            if isinstance(message, Ended):
                break
            await conduct(message)
    except BaseException:  # the coroutine is closed
        worker.abandon(call)
        raise
    try:
        if call.cancelled is not None:
            raise call.cancelled
        return message.unwrap()
    finally:
        del message, call  # whose tracebacks refer to this frame


async def conduct(wait: HostWait) -> None:
    """Await what a worker waits for, and let it go on."""
    if wait.answer is not None:
        wait.pending.discard()
        return
    wait.outer = _current_wait.get()
    token = _current_wait.set(wait)
    try:
        value = await wait.pending.take()
    except GeneratorExit:
        raise
    except asyncio.CancelledError as error:
        wait.worker.cancel(wait.call, error)
    except BaseException as error:
        wait.end(Ended(error=error))
    else:
        wait.end(Ended(value))
    finally:
        with suppress(ValueError):  # closed in another context
            _current_wait.reset(token)
