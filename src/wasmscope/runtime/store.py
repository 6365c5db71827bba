"""The unit of isolation, and of debugging: frames, events and interruption belong to a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.runtime import capi
from wasmscope.runtime.asynchronous import wait_for
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.enter import enter_host, enter_unannounced
from wasmscope.runtime.event import DebugEvent, Handler
from wasmscope.runtime.frame import DebugFrameCursor, FrameHandle
from wasmscope.runtime.instance_registry import InstanceRegistry
from wasmscope.runtime.occupancy import Occupancy
from wasmscope.runtime.pending import Pending
from wasmscope.runtime.shadow import Shadow
from wasmscope.runtime.throw import Telling, attend_throw, replace_told
from wasmscope.runtime.val import ExnRef
from wasmscope.runtime.walk import Activation, walk
from wasmscope.runtime.worker import current_worker

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module

MOST_FUEL = (1 << 63) - 1
"""As much as the guest's counter holds; what was set beyond that is kept here until it is used up."""


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
        self._handler: Handler | None = None
        self._interrupted = False
        self._fuel_reserve = 0
        self._epoch_deadline: int | None = 0
        self._limits = (-1, -1, -1, -1, -1)
        """As `set_limits` has them."""
        self._shadow: Shadow | None = None
        if isinstance(engine, Engine):
            engine.stores[_address(self)] = self
            if engine.guest_debug:
                self._shadow = Shadow(self, engine, self._attend, self._attend_throw)
                self.check_epoch()

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
        with self.occupancy:
            if self._shadow is not None:
                self._shadow.references.clear(self._shadow.reference_pointer)
            super().gc()

    def frames(self) -> list[FrameHandle]:
        """All frames of all activations, innermost first."""
        handles: list[FrameHandle] = []
        end = self.shadow.stack_pointer
        if self.activations and self.activations[-1].top is not None:
            end = self.activations[-1].top
        for number, activation in enumerate(reversed(self.activations)):
            frames = walk(self.shadow, self.instances, activation, end)
            for position in reversed(range(len(frames))):
                reader = activation.reader if frames[position] is activation.trapped else None
                handles.append(FrameHandle(self, number, frames, position, reader))
            end = activation.base
        return handles

    def has_tail_calls(self) -> bool:
        """Whether a guest of this store may have handed a frame's place on to another function."""
        return any(instance.module.uses_tail_calls for instance in self.instances)

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
        self._handler = handler
        self._want_throws(caught_exceptions)

    def clear_debug_handler(self) -> None:
        """Tell nobody."""
        self._handler = None
        self._want_throws(False)

    def _want_throws(self, wanted: bool) -> None:
        """A guest that throws calls the host only while there is somebody who wants to be told."""
        if self._shadow is not None:
            self._shadow.throws = wanted

    @property
    def debug_handler(self) -> Handler | None:
        """Who is told, if anybody."""
        return self._handler

    def tell(self, event: DebugEvent) -> None:
        """Deliver `event`; what the handler raises goes to the caller. A call that was cancelled tells nothing more."""
        worker = current_worker()
        if self._handler is None or (worker is not None and worker.cancelled is not None):
            return
        told = Pending(self._handler.handle(self, event))
        if told.is_awaitable:
            wait_for(self, told)

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

    def wake(self) -> None:
        """Have the guest call the host at its next function entry or loop iteration. Safe from any thread."""
        if self._shadow is not None:
            self._shadow.attention = True

    def _attend(self) -> None:
        """The guest saw the attention flag; its frames are published."""
        self.shadow.attention = False
        worker = current_worker()
        if worker is not None and worker.cancelled is not None:
            self.shadow.attention = True  # until all of the guest has ended, whatever the host does about it
            raise worker.cancelled
        if self._interrupted:
            self._interrupted = False
            self.check_epoch()  # a deadline that is past too is for the next test
            if self._handler is None:
                raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)
            leave = enter_host(self)
            try:
                self.tell(DebugEvent.Interrupted())
            finally:
                leave()
        if self._is_past_deadline():
            self.shadow.attention = True  # until there is a new deadline
            raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)
        if self._counts_fuel and self.shadow.fuel >= 0:
            self._fuel_reserve -= self._refuel(self._fuel_reserve)
            if self.shadow.fuel >= 0:
                raise capi.EndHostCall(wasmtime.TrapCode.OUT_OF_FUEL)

    # -- wasmtime's own ways to end a guest, at points where its state is published ------------------------------

    def set_epoch_deadline(self, ticks_after_current: int) -> None:
        """As wasmtime's."""
        super().set_epoch_deadline(ticks_after_current)
        if isinstance(self.engine, Engine):
            self._epoch_deadline = self.engine.epoch + ticks_after_current
            self.check_epoch()

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
        if self._shadow is None:
            super().set_limits(memory_size, table_elements, instances, tables, memories)
            return
        super().set_limits()
        self._shadow.references.make_all()
        if table_elements >= 0:
            self._shadow.references.reserve()
        self._limits = (memory_size, table_elements, instances, tables, memories)
        self._set_limits()

    @contextmanager
    def without_limits(self) -> Iterator[None]:
        """While what the shadow state takes grows (`Shadow.own`): the guest's limits are not for it."""
        super().set_limits()
        try:
            yield
        finally:
            self._set_limits()

    def _set_limits(self) -> None:
        """Have the engine keep to what was set for the guest."""
        memory_size, table_elements, instances, tables, memories = self._limits
        own = self.shadow.own
        super().set_limits(
            memory_size,
            table_elements,
            instances if instances < 0 else instances + own["instance"],
            tables if tables < 0 else tables + own["table"],
            memories if memories < 0 else memories + own["memory"],
        )

    @property
    def _counts_fuel(self) -> bool:
        return self._shadow is not None and isinstance(self.engine, Engine) and self.engine.consume_fuel

    def set_fuel(self, fuel: int) -> None:
        """As wasmtime's; what is counted are the original's instructions."""
        if not self._counts_fuel:
            super().set_fuel(fuel)
            return
        self._fuel_reserve = fuel - self._refuel(fuel)

    def get_fuel(self) -> int:
        """As wasmtime's. After a trap it is exact, where wasmtime's may be a few instructions behind."""
        if not self._counts_fuel:
            return super().get_fuel()
        return max(0, self._fuel_reserve - self.shadow.fuel)

    def _refuel(self, fuel: int) -> int:
        """Let the guest have as much of `fuel` as the counter holds; returns how much that is."""
        injected = max(0, min(fuel, MOST_FUEL))
        self.shadow.fuel = -injected
        return injected

    def check_epoch(self) -> None:
        """The engine's epoch changed."""
        if self._shadow is not None and self._is_past_deadline():
            self._shadow.attention = True

    def _is_past_deadline(self) -> bool:
        engine = self.engine
        if not isinstance(engine, Engine) or not engine.epoch_interruption or self._epoch_deadline is None:
            return False
        return engine.epoch >= self._epoch_deadline


def _address(store: wasmtime.Store) -> int:
    return capi.context_address(store)
