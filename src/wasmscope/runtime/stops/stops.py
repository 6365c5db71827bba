"""Where the guests of a store stop, and how they go on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import wasmtime

from wasmscope.analysis.signatures import effect_of
from wasmscope.instrument.mirror.layout import (
    GO_ON,
    STEP_LIMIT,
    STEPPING,
    STOP_ALWAYS,
    STOP_ENTRY,
)
from wasmscope.runtime import capi
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame import FrameHandle
from wasmscope.runtime.frame_values import kind_of
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.mirrors.reference_types import ReferenceTypes
from wasmscope.runtime.mirrors.unwinding import Rerun, Return, Unwinding
from wasmscope.runtime.stops.breakpoint import Breakpoint
from wasmscope.runtime.stops.step import Reach, StepKind
from wasmscope.runtime.val import Val
from wasmscope.runtime.walk import Activation, Changes, RawFrame, call_sites

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store


class Stops:
    """The breakpoints and steps of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.mirrors = Mirrors(store, self._stopped, self._made)
        self.reference_types = ReferenceTypes(store)
        self.breakpoints: list[Breakpoint] = []
        self._places: dict[tuple[int, int], dict[int, list[Breakpoint]]] = {}
        """By instance and function, then by the number of the instruction."""
        self.single_step = False
        self._step: Reach | None = None
        """Of the step that was asked for, until the guest stops."""
        self._armed: Reach | None = None
        """What the mirrors were told."""
        self._version = 0
        """Grows when frames that run may have to go to their mirrors."""
        self._forced = False
        self._shake: Callable[[], bool] | None = None

    # -- what is wanted ------------------------------------------------------------------------------------------

    def add(self, breakpoint_: Breakpoint) -> None:
        """Have the guest stop at a breakpoint from now on. Raises `WasmscopeError` where it cannot."""
        for instance in self._store.instances:
            if instance.is_made and breakpoint_.concerns(instance):
                self._add_to(instance, breakpoint_)
        self.breakpoints.append(breakpoint_)
        self._version += 1

    def remove(self, breakpoint_: Breakpoint) -> None:
        """Not any more."""
        self.breakpoints.remove(breakpoint_)
        for instance in self._store.instances:
            places = self._places.get((instance.id, breakpoint_.function), {})
            if breakpoint_ in places.get(breakpoint_.index, ()):
                places[breakpoint_.index].remove(breakpoint_)
                if not places[breakpoint_.index]:
                    del places[breakpoint_.index]
                self._set_stop(instance, breakpoint_.function, breakpoint_.index)
                self.mirrors.routes.release(instance, breakpoint_.function)

    def _add_to(self, instance: Instance, breakpoint_: Breakpoint) -> None:
        self.mirrors.routes.want(instance, breakpoint_.function)
        places = self._places.setdefault((instance.id, breakpoint_.function), {})
        places.setdefault(breakpoint_.index, []).append(breakpoint_)
        self._set_stop(instance, breakpoint_.function, breakpoint_.index)

    def instance_made(self, instance: Instance) -> None:
        """There is a new instance, of which nothing ran yet."""
        for breakpoint_ in self.breakpoints:
            if breakpoint_.concerns(instance):
                self._add_to(instance, breakpoint_)
        self.mirrors.routes.add(instance)

    def set_single_step(self, enabled: bool) -> None:
        """Have the guests stop before every instruction, or not any more."""
        self.single_step = enabled
        self._version += 1

    def force_mirrors(self) -> None:
        """Have every function run in the mirror tier."""
        self._forced = True
        self.mirrors.routes.set_everywhere(True, self._made_instances())

    def shake(self, chance: Callable[[], bool]) -> None:
        """Move frames and functions to the mirror tier at every opportunity at which `chance()` holds."""
        self._shake = chance
        self._store.wake()

    def request_step(self, kind: StepKind) -> None:
        """Have the guest stop at the end of a step, once, unless something else is told before."""
        top = self._top()
        self._step = Reach.of(kind, None if top is None else top.raw.base)
        self._version += 1

    def cancel_step(self) -> None:
        """Something was told."""
        self._step = None

    def exchange_step(self, wanted: Reach | None) -> Reach | None:
        """Have another step asked for; returns the one that was."""
        asked, self._step = self._step, wanted
        return asked

    def changed(self, activation: Activation, base: int) -> Changes:
        """The changes of a frame whose code does not look at its slots: it goes on in its mirror."""
        self._version += 1
        return activation.changes.setdefault(base, Changes())

    # -- what mirrors are told -----------------------------------------------------------------------------------

    def arm(self) -> None:
        """The guest is about to go on: tell mirrors how far."""
        wanted = Reach.of("into", None) if self.single_step else self._step
        self._tell_mirrors(wanted)

    def disarm(self) -> None:
        """Another guest is about to run while this one stands still."""
        if not self.single_step:
            self._tell_mirrors(None)

    def _tell_mirrors(self, wanted: Reach | None) -> None:
        if wanted == self._armed:
            return
        control, armed = self.mirrors.control, self._armed
        self._armed = wanted
        control.set_byte(STEPPING, int(wanted is not None and not wanted.entries))
        if wanted is not None:
            control.set_word(STEP_LIMIT, wanted.limit)
        everywhere = self._forced or (wanted is not None and wanted.calls)
        self.mirrors.routes.set_everywhere(everywhere, self._made_instances())
        if (wanted is not None and wanted.entries) != (armed is not None and armed.entries):
            for mirror in self.mirrors:
                self._set_stop(mirror.instance, mirror.function, 0)

    def _made_instances(self) -> list[Instance]:
        return [instance for instance in self._store.instances if instance.is_made]

    def _made(self, mirror: Mirror) -> None:
        """A mirror was made."""
        for index in {0, *self._places.get((mirror.instance.id, mirror.function), ())}:
            self._set_stop(mirror.instance, mirror.function, index)

    def _set_stop(self, instance: Instance, function: int, index: int) -> None:
        mirror = self.mirrors.find(instance, function)
        if mirror is None:
            return
        kind = STOP_ENTRY if index == 0 and self._armed is not None and self._armed.entries else 0
        if self._places.get((instance.id, function), {}).get(index):
            kind |= STOP_ALWAYS
        mirror.set_stop(index, kind)

    # -- stopping ------------------------------------------------------------------------------------------------

    def _stopped(self, mirror: Mirror, base: int, index: int) -> int:
        """A mirror stopped before instruction `index` of the frame at `base`, which is the innermost."""
        store = self._store
        places = self._places.get((mirror.instance.id, mirror.function), {})
        hit = [each for each in places.get(index, ()) if self._hits(each)]
        stepped = self._armed is not None and (base <= self._armed.limit or (self._armed.entries and index == 0))
        if not hit and not (stepped and (self.single_step or self._step is not None)):
            return GO_ON
        for each in hit:
            if each.temporary:
                self.remove(each)
        event = DebugEvent.Breakpoint(tuple(hit)) if hit else DebugEvent.Step()
        with store.standing_still():
            store.tell(event)
        self.leave(Rerun(skips_stop=True))
        return GO_ON

    def _hits(self, breakpoint_: Breakpoint) -> bool:
        condition = breakpoint_.condition
        if callable(condition):
            top = self._top()
            assert top is not None
            with self._store.standing_still():
                if not condition(top):
                    return False
        breakpoint_.hits += 1
        if breakpoint_.ignore_count > 0:
            breakpoint_.ignore_count -= 1
            return False
        return True

    def _top(self) -> FrameHandle | None:
        frames = self._store.debug_frames()
        return None if frames is None or frames.done() else frames.handle()

    def leave(self, naturally: Unwinding) -> None:
        """The host is about to return to the guest of the innermost activation.

        Where it cannot go on as it is, it is unwound, to go on `naturally` or as was asked: `capi.EndHostCall`.
        """
        store = self._store
        activation = store.activations[-1]
        self.arm()
        if not activation.is_drivable:
            return
        if activation.redirection is not None:
            activation.uncaught = False
        if self._shake is not None:
            self._shake_up(activation, naturally, self._shake)
        redirection = activation.take_redirection()
        if redirection is not None:
            self._unwind(activation, redirection)
        if activation.checked != self._version:
            activation.checked = self._version
            if self._has_to_unwind(activation):
                self._unwind(activation, naturally)

    def leave_call(self, returned: Any) -> None:
        """The same where the guest called a host function, which is about to return this to it."""
        activation = self._store.activations[-1]
        if not activation.is_drivable:
            return
        if activation.redirection is not None:
            self.leave(Rerun())
        unchanged = activation.checked == self._version
        if unchanged and self._shake is None:
            self.arm()
            return
        top = self._top()
        if top is None or top.activation() != 0:
            return
        try:
            values = self._results(top.raw, returned)
        except (TypeError, ValueError, wasmtime.WasmtimeError):
            return  # the host function fails by what it returned, as the engine is about to find
        self.leave(Return(values))

    def _results(self, frame: RawFrame, returned: Any) -> tuple[Val, ...]:
        """What a host function returned to the call that `frame` is in. Raises `TypeError` where it does not fit."""
        module, instance = frame.table.module, frame.instance
        assert instance is not None
        types = effect_of(frame.table.typed(frame.function).at(frame.pc).instruction, module).pushes
        if not types and returned is not None:
            raise TypeError("there are no results")
        given = (returned,) if len(types) == 1 else returned or ()
        if len(given) != len(types):
            raise TypeError("wrong number of results")
        values = tuple(
            capi.as_val(self._store, kind_of(value_type, module), value)
            for value_type, value in zip(types, given, strict=True)
        )
        for value_type, value in zip(types, values, strict=True):
            if value_type.is_ref and not self.reference_types.fits(instance, value_type, value):
                raise TypeError("a reference of another type")
        return values

    def _shake_up(self, activation: Activation, naturally: Unwinding, chance: Callable[[], bool]) -> None:
        store = self._store
        self._forced = chance()
        self.mirrors.routes.set_everywhere(self._forced, self._made_instances())
        if chance():
            store.wake()
        if activation.redirection is None and chance():
            self._unwind(activation, naturally)

    def _unwind(self, activation: Activation, unwinding: Unwinding) -> NoReturn:
        activation.unwinding = unwinding
        raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)

    def _has_to_unwind(self, activation: Activation) -> bool:
        """Whether a frame on the engine's stack, not one of a mirror, is to stop, or was changed."""
        store, running = self._store, activation.running
        start = None if running is None else (running.base, running.reference_base, running.instance)
        sites = call_sites(store.shadow, store.instances, self.mirrors, activation, store.shadow.stack_pointer, start)
        limit = -1 if self._armed is None else self._armed.limit
        return any(
            site.mirror is None
            and (site.base <= limit or site.changes is not None or (site.instance.id, site.function) in self._places)
            for site in sites
        )
