"""The unit of isolation, and of debugging: frames, events and interruption belong to a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from operator import index
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.mirror.layout import SKIP_NOTHING
from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import wait_for
from wasmscope.runtime.audience import Audience
from wasmscope.runtime.budgets import EpochDeadline, Fuel
from wasmscope.runtime.consultation import Consultation
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.enter import enter_host, enter_unannounced
from wasmscope.runtime.event import DebugEvent, Handler, Listener
from wasmscope.runtime.frame import DebugFrameCursor, FrameHandle
from wasmscope.runtime.instance_registry import InstanceRegistry
from wasmscope.runtime.limits import Amounts, Limits
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.mirrors.tiers import Tiers
from wasmscope.runtime.mirrors.unwinding import Unwinding
from wasmscope.runtime.occupancy import Occupancy
from wasmscope.runtime.pending import Pending
from wasmscope.runtime.resumption import Redirection
from wasmscope.runtime.shadow import Shadow
from wasmscope.runtime.stops.breakpoint import Breakpoint
from wasmscope.runtime.stops.edit import BreakpointEdit
from wasmscope.runtime.stops.edit_queue import EditQueue
from wasmscope.runtime.stops.redirection import redirect
from wasmscope.runtime.stops.step import StepKind
from wasmscope.runtime.stops.stops import Stops
from wasmscope.runtime.stops.tracing import Trace
from wasmscope.runtime.throw import Telling, attend_throw, replace_told
from wasmscope.runtime.val import ExnRef
from wasmscope.runtime.walk import Activation, RawFrame, walk
from wasmscope.runtime.watch.host_writes import HostCall
from wasmscope.runtime.watch.watchpoint import Watchpoint
from wasmscope.runtime.worker import current_worker

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module


class Store(wasmtime.Store):
    """wasmtime's `Store`; with `guest_debug` on its guests can be looked into."""

    def __init__(self, engine: wasmtime.Engine | None = None, data: Any = None) -> None:
        self.occupancy = Occupancy(self)
        """Who is in the store: what enters a guest does so within it."""
        engine = Engine() if engine is None else engine
        super().__init__(engine, data)
        self.execution_version = 0
        """Grows whenever the guest goes on: a frame taken before is stale."""
        self.activations: list[Activation] = []
        """Outermost first."""
        self.instances = InstanceRegistry()
        self.tellings: list[Telling] = []
        """Exceptions that the handler is being told of, outermost first."""
        self._interrupted = False
        self._shadow: Shadow | None = None
        self._fuel: Fuel | None = None
        self._deadline: EpochDeadline | None = None
        self._limits: Limits | None = None
        self._stops: Stops | None = None
        self.edits = EditQueue(self)
        """Changes of breakpoints that wait to be made."""
        if isinstance(engine, Engine):
            engine.stores[_address(self)] = self
            self._deadline = EpochDeadline(engine)
            if engine.guest_debug:
                self._shadow = shadow = Shadow(self, engine, self._attend, self._attend_throw)
                self._fuel = Fuel(shadow) if engine.consume_fuel else None
                self._limits = Limits(shadow, lambda amounts: super(Store, self).set_limits(*amounts))
                self.check_epoch()
        self._audience = Audience(self._shadow)

    def close(self) -> None:
        """As wasmtime's. Raises `WasmscopeError` while a guest runs in the store."""
        if self.occupancy.is_taken:
            raise WasmscopeError("the store cannot be closed: a guest runs in it")
        super().close()

    def _delete(self, ptr: Any) -> None:
        self.execution_version += 1
        if self._shadow is not None:
            self._shadow.close()
        super()._delete(ptr)

    def _context(self) -> Any:
        context, asks = super()._context(), sys._getframe(1)
        return enter_unannounced(self, context) if capi.is_entry(asks) else context

    # -- frames --------------------------------------------------------------------------------------------------

    @property
    def guest_debug(self) -> bool:
        """Whether the guests of this store can be looked into."""
        return self._shadow is not None

    @property
    def shadow(self) -> Shadow:
        """The shadow state. Only with `guest_debug`."""
        assert self._shadow is not None
        return self._shadow

    def debug_frames(self) -> DebugFrameCursor | None:
        """A cursor over all frames, innermost first (Wasmtime `StoreContextMut::debug_frames`).

        None with `guest_debug` off; `done()` at once where no guest code is running.
        """
        return DebugFrameCursor(self) if self._shadow is not None else None

    def debug_exit_frames(self) -> list[FrameHandle]:
        """The innermost frame of each activation, innermost first; empty when off or idle."""
        frames = self.frames() if self._shadow is not None else []
        return [frame for n, frame in enumerate(frames) if n == 0 or frames[n - 1].activation() != frame.activation()]

    def debug_all_instances(self) -> list[Instance]:
        """The instances in the order in which they were made (Wasmtime `StoreContextMut::debug_all_instances`).

        Those whose start function trapped are among them: their functions may be in other instances' tables. Empty
        with `guest_debug` off.
        """
        return [instance for instance in self.instances if instance.is_made]

    def debug_all_modules(self) -> list[Module]:
        """The modules of those instances, each once, in the order of their first instances.

        Wasmtime: `StoreContextMut::debug_all_modules`. Empty with `guest_debug` off.
        """
        return list({id(instance.module): instance.module for instance in self.debug_all_instances()}.values())

    def gc(self) -> None:
        """As wasmtime's; what only frames that are gone referred to is collected, what is in a frame is kept.

        Raises `WasmscopeError` while another thread is in the store.
        """
        self.occupancy.run(self._collect)

    def _collect(self) -> None:
        if self._shadow is not None:
            self._shadow.references.clear(self._shadow.reference_pointer)
        super().gc()

    def begin(self, activation: Activation) -> None:
        """A guest is about to be entered."""
        self.edits.apply()
        if self._stops is not None:
            self._stops.begin(activation)
        self.activations.append(activation)
        self.execution_version += 1

    def end(self, activation: Activation) -> None:
        """It was left, and so were those that were entered from it."""
        del self.activations[self.activations.index(activation) :]
        self.execution_version += 1
        self.shadow.pointers = (activation.base, activation.reference_base)
        self.shadow.references.clear(activation.reference_base)
        if self._stops is not None:
            self._stops.end(activation)

    def frames(self) -> list[FrameHandle]:
        """All frames of all activations, innermost first."""
        handles: list[FrameHandle] = []
        for number in range(len(self.activations)):
            activation = self.activations[-1 - number]
            frames = self.frames_of(number)
            for position in reversed(range(len(frames))):
                reader = activation.reader if frames[position] is activation.trapped else None
                handles.append(FrameHandle(self, number, frames, position, reader))
        return handles

    def frames_of(self, number: int) -> list[RawFrame]:
        """The frames of an activation, oldest first; 0 is the innermost activation."""
        end = self.shadow.stack_pointer
        if number:
            end = self.activations[-number].base
        elif self.activations[-1].top is not None:
            end = self.activations[-1].top
        return walk(self.shadow, self.instances, self.mirrors_made, self.activations[-1 - number], end)

    def innermost_frame(self) -> FrameHandle | None:
        """The innermost frame; None where no guest code is running."""
        activation = self.activations[-1] if self.activations else None
        if activation is not None and activation.stopped is not None:
            return FrameHandle.innermost(self, activation.stopped.frame(self.shadow, activation))
        return next(iter(self.frames()), None)

    def has_tail_calls(self) -> bool:
        """Whether a guest of this store may have handed a frame's place on to another function."""
        return any(instance.module.uses_tail_calls for instance in self.instances)

    # -- stopping ------------------------------------------------------------------------------------------------

    @property
    def stops(self) -> Stops:
        """Where guests stop; made when first asked for. Only with `guest_debug`."""
        if self._stops is None:
            self._stops = self.occupancy.run(lambda: Stops(self))
        return self._stops

    @property
    def stops_made(self) -> Stops | None:
        """The same; None while nobody wanted any."""
        return self._stops

    @property
    def mirrors(self) -> Mirrors:
        """The functions that can be stopped in, so far."""
        return self.stops.mirrors

    @property
    def tiers(self) -> Tiers:
        """Moves frames between tiers, for tests. Only with `guest_debug`."""
        return Tiers(self)

    @property
    def mirrors_made(self) -> Mirrors | None:
        """The same; None while nobody wanted any."""
        return None if self._stops is None else self._stops.mirrors

    def consulting(self) -> Consultation:
        """A context in which somebody is told of a guest that stands still: what they call is no part of what it does.

        Nor is what they write.
        """
        return Consultation(self)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While a guest that called the host stands still."""
        leave = enter_host(self)
        try:
            yield
        finally:
            leave()

    def going_on(self, naturally: Unwinding) -> None:
        """The host is about to return to a guest; see `Stops.leave`."""
        if self._stops is not None and self.activations:
            self._stops.leave(naturally)

    def host_returned(self, returned: Any) -> None:
        """The same where the host is about to return from a host function with `returned`."""
        if self._stops is not None and self.activations:
            self._stops.leave_call(returned)

    def host_called(self) -> HostCall | None:
        """A guest has called a host function; `host_done` wants what this returns."""
        return None if self._stops is None else self._stops.watching.host_writes.host_called()

    def host_done(self, call: HostCall | None) -> None:
        """That has done what it does, and the guest's frames are as they were."""
        if self._stops is not None:
            watching = self._stops.watching
            watching.tell_host_writes(watching.host_writes.host_returned(call))

    def instance_made(self, instance: Instance) -> None:
        """An instance was made, of which nothing ran yet."""
        if self._stops is not None:
            self._stops.instance_made(instance)

    def edit_breakpoints(self) -> BreakpointEdit | None:
        """A context in which breakpoints are changed, all at once at its end (Wasmtime `Store::edit_breakpoints`).

        None with `guest_debug` off. What changes is in effect when it ends, also for functions that run: they stop at
        their next loop iteration or return from a call. From another thread than the guest's it takes effect when the
        guest enters a function or begins a loop iteration next.
        """
        return None if self._shadow is None else BreakpointEdit(self)

    def breakpoints(self) -> list[Breakpoint]:
        """The breakpoints, in the order in which they were set (Wasmtime `Store::breakpoints`)."""
        return [] if self._stops is None else list(self._stops.breakpoints)

    def watchpoints(self) -> list[Watchpoint]:
        """The watchpoints, in the order in which they were set; not those on locals of frames that are gone."""
        return [] if self._stops is None else self._stops.watching.all()

    def is_single_step(self) -> bool:
        """Whether the guests stop before every instruction (Wasmtime `Store::is_single_step`)."""
        return self._stops is not None and self._stops.single_step

    def request_step(self, kind: StepKind) -> None:
        """Have the guest that stands still stop again, once, with `DebugEvent.Step`.

        "into": before the next instruction; "over": before the next one of the innermost frame, or of one that it
        returns to; "out": before the next one of a frame that it returns to; "entry": where the function begins that
        is entered next. Whatever else is told first takes its place. Raises `WasmscopeError` with `guest_debug` off.
        """
        self._require_debugging()
        self.stops.request_step(kind)

    def request_trace(self, count: int, *, keep: int | None = None) -> Trace:
        """Have the guest run so many instructions without the host seeing each, and then stop like at a step.

        They are noted as they are run, in all instances, through calls of any kind, exceptions, and what host functions
        call: the `Trace` has them. It is `DebugEvent.Step` that is told at its end. As with a step, whatever is told
        first takes its place, and ends the trace; where there is nobody to be told, it just ends. With `keep` only so
        many of the latest are kept, for a trace that is longer than there is memory for. It comes before
        `single_step`. Raises `ValueError` for less than one, `WasmscopeError` with `guest_debug` off or where there is
        no room to note anything.
        """
        self._require_debugging()
        count, keep = index(count), None if keep is None else index(keep)
        if count < 1 or (keep is not None and keep < 1):
            raise ValueError("a trace is of one instruction at least, and keeps one at least")
        return self.stops.request_trace(count, keep)

    def redirect(self, redirection: Redirection) -> None:
        """Have the innermost frame go on other than by its next instruction, when the host returns to it.

        `EarlyReturn(values)`, `ThrowException(exn)` or `JumpTo(pc)`; the last one counts. While an event is told, that
        is when the handler returns, also of `HostcallError`: then the error has no consequence any more. A host
        function may ask for it as well; what it returns is then not used. No event is told of an exception thrown so.
        Raises `NotPaused` while no guest stands still, `BreakpointError` where the frame cannot go on so, with the
        reason: values or operands of other types, locals that are not set.
        """
        self._require_debugging()
        redirect(self, redirection)

    def _require_debugging(self) -> None:
        if self._shadow is None:
            raise WasmscopeError("a guest can be stopped with guest_debug on only")

    # -- events --------------------------------------------------------------------------------------------------

    def set_debug_handler(self, handler: Handler, *, caught_exceptions: bool = True) -> None:
        """Have `handler.handle(store, event)` called at every event; it replaces the one before.

        Without `caught_exceptions` the guest does not stop at a throw, so those cost what they always do: only uncaught
        exceptions are told, when the guest call has ended by one, its frames still readable as they were.

        It is called on the guest's thread. What it returns is awaited if it can be: in `Func.call_async` by the task
        that made the call, in a plain call by an event loop of its own, or, where the thread runs one, not at all:
        then the handler has to be done without waiting (`RuntimeError`). Raises `TypeError` for what has no `handle`.
        """
        if not callable(getattr(handler, "handle", None)):
            raise TypeError(f"expected an object with a method handle(store, event), not {handler!r}")
        self._audience.set_handler(handler, caught_exceptions=caught_exceptions)

    def clear_debug_handler(self) -> None:
        """Tell nobody."""
        self._audience.set_handler(None, caught_exceptions=False)

    def told_to(self, listener: Listener | None) -> AbstractContextManager[None]:
        """Have all events that happen meanwhile told to `listener` instead of the handler; None: to the handler."""
        return self._audience.replaced(listener)

    @property
    def debug_handler(self) -> Handler | None:
        """Who is told, if anybody."""
        return self._audience.current

    def tell(self, event: DebugEvent) -> None:
        """Deliver `event`; what the handler raises goes to the caller. A call that was cancelled tells nothing more."""
        worker = current_worker()
        handler = self.debug_handler
        if handler is None or (worker is not None and worker.cancelled is not None):
            return
        if self._stops is not None:
            self._stops.cancel_step(event)
        with self.consulting():
            returned = handler.handle(self, event)
            if returned is not None and (told := Pending(returned)).is_awaitable:
                del returned
                wait_for(self, told)

    def tell_host_error(self, error: BaseException) -> None:
        """A host function failed; the handler may have its caller go on in another way (`is_redirected`)."""
        if self.activations:
            self.activations[-1].take_redirection()
        self.tell(DebugEvent.HostcallError(error))

    @property
    def is_redirected(self) -> bool:
        """Whether the innermost frame is to go on other than by its next instruction."""
        return bool(self.activations) and self.activations[-1].redirection is not None

    def throw_instead(self, exception: ExnRef) -> None:
        """Have `exception` thrown in place of the one that the handler is being told of; the last call counts.

        It is thrown from the same place, so the handlers of the guest that are around it there catch it. There is no
        event for it. Raises `WasmscopeError` while no exception is told at its throw, `ValueError` for an exception of
        another store. `ExnRef(store, tag, fields)` makes one.
        """
        replace_told(self, exception)

    def _attend_throw(self) -> None:
        """The guest is about to throw; its frames are published."""
        attend_throw(self)

    # -- interruption --------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Have the guest stop at the next function entry or loop iteration, and tell `DebugEvent.Interrupted`.

        Safe from any thread and from signal handlers. Without a handler the guest traps (`TrapCode.INTERRUPT`).
        Raises `WasmscopeError` with `guest_debug` off: such a guest cannot be stopped (but see `set_epoch_deadline`).
        """
        if self._shadow is None:
            raise WasmscopeError("a guest can be interrupted with guest_debug on only")
        self._interrupted = True
        self._shadow.attention = True

    def withdraw_interrupt(self) -> bool:
        """Take back what `interrupt` asked for; whether there was anything that was not told yet."""
        if not self._interrupted:
            return False
        self._interrupted = False
        return True

    def wake(self) -> None:
        """Have the guest call the host at its next function entry or loop iteration. Safe from any thread."""
        if self._shadow is not None:
            self._shadow.attention = True

    def _attend(self) -> None:
        """The guest saw the attention flag; its frames are published."""
        self.shadow.attention = False
        self.edits.apply()
        skip, told = SKIP_NOTHING if self._stops is None else self._stops.take_skip(), False
        worker = current_worker()
        if worker is not None and worker.cancelled is not None:
            self.shadow.attention = True  # until all of the guest has ended, whatever the host does about it
            raise worker.cancelled
        if self._interrupted:
            self._interrupted = False
            self.check_epoch()  # a deadline that is past too is for the next test
            if self.debug_handler is None:
                raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)
            told = True
            with self.standing_still():
                self.tell(DebugEvent.Interrupted())
        if self._is_past_deadline():
            self.shadow.attention = True  # until there is a new deadline
            raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)
        if self._fuel is not None and self._fuel.is_used_up():
            raise capi.EndHostCall(wasmtime.TrapCode.OUT_OF_FUEL)
        if self._stops is not None and self.activations:
            self._stops.leave_attention(skip, told)

    # -- what the guests may use up ------------------------------------------------------------------------------

    def set_epoch_deadline(self, ticks_after_current: int) -> None:
        """As wasmtime's."""
        super().set_epoch_deadline(ticks_after_current)
        if self._deadline is not None:
            self._deadline.set(ticks_after_current)
            self.check_epoch()

    def check_epoch(self) -> None:
        """The engine's epoch changed."""
        if self._shadow is not None and self._is_past_deadline():
            self._shadow.attention = True

    def _is_past_deadline(self) -> bool:
        return self._deadline is not None and self._deadline.is_past()

    def set_fuel(self, fuel: int) -> None:
        """As wasmtime's; what is counted are the original's instructions."""
        if self._fuel is None:
            super().set_fuel(fuel)
        else:
            self._fuel.set(fuel)

    def get_fuel(self) -> int:
        """As wasmtime's. After a trap it is exact, where wasmtime's may be a few instructions behind."""
        return super().get_fuel() if self._fuel is None else self._fuel.get()

    def set_limits(
        self,
        memory_size: int = -1,
        table_elements: int = -1,
        instances: int = -1,
        tables: int = -1,
        memories: int = -1,
    ) -> None:
        """As wasmtime's: what the shadow state takes is not counted.

        With `table_elements` the shadow tables are made as long as recursion needs them, at once.
        """
        limits, wanted = self._limits, Amounts(memory_size, table_elements, instances, tables, memories)
        if limits is None:
            super().set_limits(*wanted)
        elif self.occupancy.pause() is None:
            limits.set(wanted)
        else:
            self.occupancy.run(lambda: limits.set(wanted))

    @contextmanager
    def without_limits(self) -> Iterator[None]:
        """While what the shadow state takes grows: the guest's limits are not for it. Only with `guest_debug`."""
        assert self._limits is not None
        with self._limits.lifted():
            yield


def _address(store: wasmtime.Store) -> int:
    return capi.context_address(store)
