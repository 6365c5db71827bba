"""The debugger's view of a guest: launched, resumed from event to event, looked into while it stands still.

Its states, and what can be done in each: `driver.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from wasmscope.debug.driver import Driver
from wasmscope.debug.resumption import Continue, Resumption
from wasmscope.debug.status import Exited, Paused, Running, State, execution_of, name_of, wrong
from wasmscope.errors import WasmscopeError
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame import FrameHandle

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.stops.breakpoint import Breakpoint
    from wasmscope.runtime.stops.edit import BreakpointEdit
    from wasmscope.runtime.stops.step import StepKind
    from wasmscope.runtime.stops.tracing import Trace
    from wasmscope.runtime.store import Store

_CONTINUE = Continue()


class Debuggee:
    """Drives the guests of `store`: `launch` a call, then `resume` it from event to event until `Completed`.

    The guest runs on a thread of its own. While it is paused the store is free to use, from any thread: frames,
    memories, globals, and calls of guest functions, which are run on the guest's thread; their events go to the
    store's own handler, as without a debuggee. The launched call's events, and those of calls nested in it, come out of
    `resume`.

    Raises `WasmscopeError` for a store with `guest_debug` off. Without `caught_exceptions` the guest does not stop at
    a throw (see `Store.set_debug_handler`).

    It is a context manager: leaving it closes it. One that nobody refers to any more is closed as well.
    """

    def __init__(self, store: Store, *, caught_exceptions: bool = True) -> None:
        if not store.guest_debug:
            raise WasmscopeError("a guest can be driven with guest_debug on only")
        self._driver = Driver(store, caught_exceptions)
        self._target: Breakpoint | None = None
        """Where `run_to` runs to, until there is an event."""

    # -- what is known -------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The store whose guests these are."""
        return self._driver.store

    @property
    def state(self) -> State:
        """`"idle"`, `"running"`, `"paused"` or `"exited"`."""
        return name_of(self._driver.status)

    @property
    def event(self) -> DebugEvent | None:
        """What happened last, as `resume` gave it; None while running, and where nothing has happened yet."""
        status = self._driver.status
        return status.event if isinstance(status, Paused | Exited) else None

    @property
    def error(self) -> BaseException | None:
        """What the call ended with, as a plain call would have raised it; None: it returned, or has not ended."""
        status = self._driver.status
        return status.event.error if isinstance(status, Exited) else None

    def frames(self) -> list[FrameHandle]:
        """All frames, innermost first, through every activation; none where nothing runs.

        Raises `NotPaused` while the guest runs.
        """
        self._refuse_running("read frames")
        return self.store.frames()

    def modules(self) -> list[Module]:
        """See `Store.debug_all_modules`. Raises `NotPaused` while the guest runs."""
        self._refuse_running("list modules")
        return self.store.debug_all_modules()

    def instances(self) -> list[Instance]:
        """See `Store.debug_all_instances`. Raises `NotPaused` while the guest runs."""
        self._refuse_running("list instances")
        return self.store.debug_all_instances()

    # -- driving -------------------------------------------------------------------------------------------------

    def launch(self, func: Callable[..., Any], *args: Any) -> None:
        """Have `func(store, *args)` called on a thread of its own: paused, before anything of it ran.

        `func` is a `Func`, or anything that enters a guest of the store, such as `linker.instantiate`. It runs in a
        copy of the current context. What it raises, also for arguments that do not fit, is its `error` at the end.
        Raises `NotPaused` while a call that was launched has not ended, `WasmscopeError` while the store is in use.
        """
        self._driver.launch(func, args)

    def resume(self, resumption: Resumption = _CONTINUE) -> DebugEvent:
        """Let the guest go on, block until something happens, and return that.

        After a `Trap`, `UncaughtExceptionThrown` or `HostcallError` the guest is paused where it happened. At the end
        of the call, however it ended, the event is `Completed`: its `error` is what a plain call would have raised.

        An exception in this thread, such as KeyboardInterrupt, ends the wait, not the guest, which is running then:
        `interrupt()` makes it pause, and `resume()` waits on for its next event. None is lost.

        Coroutine functions and what they wait for run on an event loop of the guest's thread; with `resume_async` on
        the loop of the caller.

        Raises `NotPaused` in other states, and what stands against `resumption`: then the guest is paused as before.
        RuntimeError: the guest waits for the event loop that this would block.
        """
        try:
            return self._driver.resume(resumption)
        finally:
            self._forget_target()

    async def resume_async(self, resumption: Resumption = _CONTINUE) -> DebugEvent:
        """The same, leaving the event loop free. A cancelled task ends the wait, not the guest."""
        try:
            return await self._driver.resume_async(resumption)
        finally:
            self._forget_target()

    def interrupt(self) -> None:
        """Have the guest pause at its next function entry or loop iteration, with `DebugEvent.Interrupted`.

        Safe from any thread and from signal handlers. While the guest is paused it is remembered for when it goes on
        (Wasmtime `wit/world.wit`, `interrupt`). Several before that event are one; one that the end of the call comes
        before is void, as is one where nothing was launched.
        """
        execution = execution_of(self._driver.status)
        if execution is not None:
            execution.interrupt()

    def step(self) -> DebugEvent:
        """Run one instruction, into a function where it is a call: `DebugEvent.Step`, unless something else happens.

        This and the next four raise what `resume` raises, and `NotPaused` also where that would wait on.
        """
        self._request_step("into")
        return self.resume()

    def step_over(self) -> DebugEvent:
        """Run one instruction of the innermost frame, with all that it calls."""
        self._request_step("over")
        return self.resume()

    def step_out(self) -> DebugEvent:
        """Run until the innermost frame has returned to its caller."""
        self._request_step("out")
        return self.resume()

    def trace(self, count: int, *, keep: int | None = None) -> Trace:
        """Run so many instructions, and return which they were; see `Store.request_trace`.

        Why there are fewer is the trace's `event`, or that of the debuggee: `Completed` where the call has ended. An
        exception in this thread, such as KeyboardInterrupt, ends the wait, as in `resume`; to have the trace then,
        call `Store.request_trace` and `resume`.
        """
        trace = self._request_trace(count, keep)
        self.resume()
        return trace

    def run_to(self, module: Module, pc: int) -> DebugEvent:
        """Run until the instruction at `pc` of `module` is reached, unless something else happens before.

        It is a temporary breakpoint, removed when there is an event, whichever. Raises `BreakpointError` where there is
        no code.
        """
        self._set_target(module, pc)
        return self.resume()

    async def step_async(self) -> DebugEvent:
        """See `step`."""
        self._request_step("into")
        return await self.resume_async()

    async def step_over_async(self) -> DebugEvent:
        """See `step_over`."""
        self._request_step("over")
        return await self.resume_async()

    async def step_out_async(self) -> DebugEvent:
        """See `step_out`."""
        self._request_step("out")
        return await self.resume_async()

    async def trace_async(self, count: int, *, keep: int | None = None) -> Trace:
        """See `trace`."""
        trace = self._request_trace(count, keep)
        await self.resume_async()
        return trace

    async def run_to_async(self, module: Module, pc: int) -> DebugEvent:
        """See `run_to`."""
        self._set_target(module, pc)
        return await self.resume_async()

    def close(self) -> None:
        """End the guest, wherever it is; the `error` is `asyncio.CancelledError` then. Another call can be launched.

        A guest that computes ends at its next function entry or loop iteration. One that is in a host function ends
        when that returns: it is waited for a second, and has the store until then. Nothing more is told of it.
        """
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- in which state ------------------------------------------------------------------------------------------

    def _refuse_running(self, wanted: str) -> None:
        if isinstance(self._driver.status, Running):
            raise wrong(self._driver.status, wanted)

    def _require_paused(self, wanted: str) -> None:
        if not isinstance(self._driver.status, Paused):
            raise wrong(self._driver.status, wanted)

    def _request_step(self, kind: StepKind) -> None:
        self._require_paused("step")
        self.store.request_step(kind)

    def _request_trace(self, count: int, keep: int | None) -> Trace:
        self._require_paused("trace")
        return self.store.request_trace(count, keep=keep)

    def _set_target(self, module: Module, pc: int) -> None:
        self._require_paused("run on")
        with self._edit() as edit:
            target = edit.add_breakpoint(module, pc, temporary=True)
        self._target = target

    def _forget_target(self) -> None:
        target = self._target
        if target is not None and not isinstance(self._driver.status, Running):  # else it is waited on for the event
            self._target = None
            with self._edit() as edit:
                edit.remove(target)

    def _edit(self) -> BreakpointEdit:
        edit = self.store.edit_breakpoints()
        assert edit is not None, "guest_debug is on"
        return edit
