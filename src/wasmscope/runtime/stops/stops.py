"""Where the guests of a store stop, and how they go on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import wasmtime

from wasmscope.analysis.signatures import effect_of
from wasmscope.errors import BreakpointError
from wasmscope.instrument.mirror.layout import (
    GO_ON,
    SKIP,
    SKIP_ALL,
    SKIP_NOTHING,
    SKIP_STEP,
    STEP_LIMIT,
    STEPPING,
    STOP_ALWAYS,
    STOP_CONDITION,
    STOP_ENTRY,
    STOP_STEP,
    STOP_WATCH,
)
from wasmscope.instrument.mirror.watched import NOTHING, Watched
from wasmscope.instrument.watch_tests import BEHIND_IMPORT
from wasmscope.runtime import capi
from wasmscope.runtime.enter import enter_host
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame_values import kind_of
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.mirrors.reference_types import ReferenceTypes
from wasmscope.runtime.mirrors.unwinding import Rerun, Return, Unwinding
from wasmscope.runtime.stops.breakpoint import Breakpoint
from wasmscope.runtime.stops.edit import Undo
from wasmscope.runtime.stops.leaving import Leaving
from wasmscope.runtime.stops.places import Places
from wasmscope.runtime.stops.registry import BreakpointRegistry
from wasmscope.runtime.stops.step import EVERYTHING, TAIL_CALLS, Reach, StepKind
from wasmscope.runtime.stops.tracing import Trace, Tracer
from wasmscope.runtime.stops.watching import Watching
from wasmscope.runtime.trap_point import instruction_at
from wasmscope.runtime.val import Val
from wasmscope.runtime.walk import Activation, Changes, RawFrame, Stop, VariantStop, call_site, call_sites

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store

_FROM_STOP = Rerun(skips_stop=True)
_TOLD = STOP_ALWAYS | STOP_CONDITION | STOP_ENTRY | STOP_WATCH
"""Why the host may have to tell somebody of a stop, besides steps."""


class Stops:
    """The breakpoints and steps of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.mirrors = Mirrors(store, self._stopped, self._made, self._entered, self._accessed)
        self.reference_types = ReferenceTypes(store)
        self._tracer = Tracer(self.mirrors.control)
        self.breakpoints = BreakpointRegistry()
        self._places = Places(store, self.mirrors)
        self._leaving = Leaving(self.mirrors, self._stays, self._watched_by)
        self._instances: dict[Module, list[Instance]] = {}
        """Those that were made, by their modules."""
        self.single_step = False
        self._step: Reach | None = None
        """Of the step that was asked for, until the guest stops."""
        self._armed: Reach | None = None
        """What the mirrors were told:"""
        self._limit = -1
        """frames at addresses up to here stop at their next instruction."""
        self._watched_in: dict[int, Watched] = {}
        """What functions look for now, by the instance."""
        self._version = 0
        """Grows when frames that run may have to go to their mirrors."""
        self._forced = False
        self._shake: Callable[[], bool] | None = None
        self.watching = Watching(store, self.mirrors, self._watched)
        for instance in self._made_instances():
            self._instances.setdefault(instance.module, []).append(instance)

    # -- what is wanted ------------------------------------------------------------------------------------------

    def add(self, breakpoint_: Breakpoint) -> Undo:
        """Have the guest stop at a breakpoint from now on; returns what takes that back.

        Raises `WasmscopeError` where it cannot.
        """
        if breakpoint_ in self.breakpoints:
            raise BreakpointError("the breakpoint is set already")
        self._add(breakpoint_)

        def undo() -> None:
            self._remove(breakpoint_)

        return undo

    def remove(self, breakpoint_: Breakpoint) -> Undo:
        """Not any more; returns what takes that back."""
        serial = self._remove(breakpoint_)
        return lambda: self._add(breakpoint_, serial)

    def _add(self, breakpoint_: Breakpoint, serial: int | None = None) -> None:
        done: list[Instance] = []
        try:
            for instance in self._concerned(breakpoint_):
                self._add_to(instance, breakpoint_)
                done.append(instance)
        except BaseException:
            for instance in done:
                self._remove_from(instance, breakpoint_)
            raise
        self.breakpoints.add(breakpoint_, serial)
        self._version += 1

    def _remove(self, breakpoint_: Breakpoint) -> int:
        for instance in self._concerned(breakpoint_):
            self._remove_from(instance, breakpoint_)
        return self.breakpoints.remove(breakpoint_)

    def _concerned(self, breakpoint_: Breakpoint) -> list[Instance]:
        return [each for each in self._instances.get(breakpoint_.module, ()) if breakpoint_.concerns(each)]

    def _add_to(self, instance: Instance, breakpoint_: Breakpoint) -> None:
        self._places.add(instance, breakpoint_)
        self._set_stops(instance, breakpoint_.function, breakpoint_.index)

    def _remove_from(self, instance: Instance, breakpoint_: Breakpoint) -> None:
        self._places.remove(instance, breakpoint_)
        self._set_stops(instance, breakpoint_.function, breakpoint_.index)

    def instance_made(self, instance: Instance) -> None:
        """There is a new instance, of which nothing ran yet."""
        self._instances.setdefault(instance.module, []).append(instance)
        for breakpoint_ in self.breakpoints.of(instance.module):
            if breakpoint_.concerns(instance):
                self._add_to(instance, breakpoint_)
        self.mirrors.routes.add(instance)
        self._route_watched(instance)

    def set_single_step(self, enabled: bool) -> Undo:
        """Have the guests stop before every instruction, or not any more; returns what takes that back."""
        before, self.single_step = self.single_step, enabled
        return lambda: self._reset_single_step(before)

    def _reset_single_step(self, enabled: bool) -> None:
        self.single_step = enabled

    def force_mirrors(self) -> None:
        """Have every function run in the mirror tier."""
        self._forced = True
        self._route(self._armed)
        self._update_loops()

    def leave_at_once(self) -> None:
        """Have frames leave their mirrors at the first loop header where nobody needs to stop in their functions."""
        self._leaving.at_once = True
        self._update_loops()

    def shake(self, chance: Callable[[], bool]) -> None:
        """Move frames and functions to the mirror tier at every opportunity at which `chance()` holds."""
        self._shake = self._leaving.at_random = chance
        self._update_loops()
        self._store.wake()

    def request_step(self, kind: StepKind) -> None:
        """Have the guest stop at the end of a step, once, unless something else is told before."""
        top = None if kind in ("into", "entry") else self._store.innermost_frame()
        if top is None:
            self._replace_step(Reach.of(kind, None))
            return
        # A tail call does not come back to its frame: beyond it is the caller's.
        is_tail_call = kind == "over" and _opcode_name(top.raw) in TAIL_CALLS
        self._replace_step(Reach.of("out" if is_tail_call else kind, top.raw.base))

    def request_trace(self, count: int, keep: int | None) -> Trace:
        """The same for a step of so many instructions, which are noted. Raises `WasmscopeError` for lack of room."""
        self._tracer.reserve()
        trace = Trace(count, keep, self.mirrors.__getitem__)
        self._replace_step(replace(EVERYTHING, trace=trace))
        return trace

    def cancel_step(self, event: DebugEvent) -> None:
        """Something is told."""
        self._replace_step(None, event)

    def _replace_step(self, step: Reach | None, event: DebugEvent | None = None) -> None:
        """Another step is in effect, or none any more because of an event."""
        trace = None if self._step is None else self._step.trace
        if trace is not None:
            if self._armed is not None and self._armed.trace is trace:
                self._tracer.stop()
            trace.end(event)
        self._step = step

    def begin(self, activation: Activation) -> None:
        """A guest is about to be entered.

        A step goes into what a host function calls, but not into what is called by whoever asked for it.
        """
        self.watching.host_writes.settle()
        outer = self._store.activations[-1] if self._store.activations else None
        if outer is not None and outer.is_consulted:
            activation.suspends_step = True
            activation.suspended_step, self._step = self._step, None
        self.arm()
        if self._shake is not None:
            self._shake_up(self._shake)

    def end(self, activation: Activation) -> None:
        """It was left; it is not among the store's any more."""
        self.watching.activation_ended(activation)
        if activation.suspends_step:
            self._replace_step(activation.suspended_step)
        elif not self._store.activations:
            self._replace_step(None)
        elif self._step is not None:
            self._step = self._step.beyond(activation.base)

    def changed(self, activation: Activation, base: int) -> Changes:
        """The changes of a frame whose code does not look at its slots: it goes on in its mirror."""
        self._version += 1
        return activation.changes.setdefault(base, Changes())

    # -- what mirrors are told -----------------------------------------------------------------------------------

    def arm(self) -> None:
        """The guest is about to go on: tell mirrors how far."""
        wanted = self._step
        if self.single_step and (wanted is None or wanted.trace is None):
            wanted = EVERYTHING
        if wanted is not self._armed and wanted != self._armed:
            self._tell_mirrors(wanted)
        if self._store.activations:
            activation = self._store.activations[-1]
            if activation.checked_limit > self._limit:
                activation.checked_limit = self._limit  # frames that come above it may be others than mirrors'

    def _tell_mirrors(self, wanted: Reach | None) -> None:
        self._route(wanted)
        control, armed = self.mirrors.control, self._armed
        self._tracer.stop()
        self._armed = wanted
        self._limit = -1 if wanted is None else wanted.limit
        control.set_byte(STEPPING, int(wanted is not None and not wanted.entries))
        if wanted is not None:
            control.set_word(STEP_LIMIT, wanted.limit)
            if wanted.trace is not None:
                self._tracer.start(wanted.trace)
        if (wanted is not None and wanted.entries) != (armed is not None and armed.entries):
            for mirror in self.mirrors:
                self._set_stop(mirror, 0)

    def _route(self, wanted: Reach | None) -> None:
        """Have all functions go to their mirrors, or not any more; `wanted`: what mirrors are told or about to be."""
        everywhere = self._forced or (wanted is not None and wanted.calls)
        self.mirrors.routes.set_everywhere(everywhere, self._made_instances())

    def _route_watched(self, instance: Instance) -> None:
        """Have those functions of an instance look for what is watched that may access it."""
        if self._store.shadow.has_words(instance.id):
            watched = self.watching.of_instance(instance)
            if self._watched_in.get(instance.id, NOTHING) != watched:
                self._watched_in[instance.id] = watched
                functions = self.watching.functions(instance)
                self.mirrors.routes.watch(instance, functions, self._leaving.promoted(instance))

    def _watched(self, stops: list[tuple[Mirror, int]]) -> None:
        """Watchpoints have changed, and these stops with them."""
        self._version += 1
        for mirror, index in stops:
            self._set_stop(mirror, index)
        for instance in self._made_instances():
            self._route_watched(instance)
        self._update_loops()

    def _made_instances(self) -> list[Instance]:
        return [instance for instance in self._store.instances if instance.is_made]

    def _made(self, mirror: Mirror) -> None:
        """A mirror was made."""
        placed, watched = self._places.indices(mirror), self.watching.mark(mirror)
        for index in {0, *mirror.code.loop_headers, *placed, *watched}:
            if index in placed:
                self._places.tell_conditions(mirror, index)
            self._set_stop(mirror, index)

    def _set_stops(self, instance: Instance, function: int, index: int) -> None:
        """Breakpoints at instruction `index` have changed, and with them whether frames may leave."""
        mirror = self.mirrors.find(instance, function)
        if mirror is not None:
            for each in {index, 0, *mirror.code.loop_headers}:
                self._set_stop(mirror, each)

    def _update_loops(self) -> None:
        for mirror in self.mirrors:
            for index in {0, *mirror.code.loop_headers}:
                self._set_stop(mirror, index)

    def _stays(self, instance: Instance, function: int) -> bool:
        """Whether frames of a function have to be in its mirror, because somebody wants to stop there."""
        return self._forced or self.mirrors.routes.is_wanted(instance, function)

    def _watched_by(self, instance: Instance, function: int) -> Watched:
        return self.watching.of_function(instance, function)

    def _entered(self, instance: Instance, function: int) -> bool:
        """A function is called whose mirror was not made: whether it goes to a variant."""
        return not self.mirrors.routes.everywhere and self._leaving.entered(instance, function)

    def _set_stop(self, mirror: Mirror, index: int) -> None:
        kind = STOP_ENTRY if index == 0 and self._armed is not None and self._armed.entries else 0
        if self.watching.stops_at(mirror, index):
            kind |= STOP_WATCH
        mirror.set_stop(index, kind | self._places.kind(mirror, index) | self._leaving.bits(mirror, index))

    # -- stopping ------------------------------------------------------------------------------------------------

    def _stopped(self, mirror: Mirror, base: int, index: int, kind: int) -> int:
        """A mirror stopped before instruction `index` of the frame at `base`, which is the innermost."""
        if kind & STOP_STEP and self._tracer.go_on():
            kind &= ~STOP_STEP
            if not kind & _TOLD:
                return GO_ON
        activation = self._store.activations[-1]
        activation.stopped = stop = Stop(mirror, base, index)
        try:
            asked, hit = self._hit(mirror, index) if kind & (STOP_ALWAYS | STOP_CONDITION) else (False, False)
            watched = False
            if kind & STOP_WATCH:
                frame = stop.frame(self._store.shadow, activation)
                watched = self.watching.tell(frame, index, self._is_redirected)
            steps = kind & (STOP_STEP | STOP_ENTRY) and (self.single_step or self._step is not None)
            if steps and not hit and not watched:
                event = DebugEvent.Step()
                if self._step is not None and self._step.trace is not None:
                    self.cancel_step(event)  # it is over, whether or not there is anybody to be told
                self._tell(event)
            elif not hit and not watched and not asked:
                # What is accessed has been looked at: a variant would once more.
                return GO_ON if kind & (STOP_STEP | STOP_WATCH) else self._leaving.stopped(mirror, index)
            self.leave(_FROM_STOP)
            return GO_ON
        finally:
            self._leaving.begin_sample()
            activation.stopped = None

    def _hit(self, mirror: Mirror, index: int) -> tuple[bool, bool]:
        """Tell of the breakpoints that a mirror came to; whether anybody was asked about them, and was told."""
        holding = self._places.holding(mirror, index)
        asked = [each for each, _ in holding if callable(each.condition)]
        if asked:
            refused = {each for each in asked if not self._ask(each)}
            holding = [(each, fault) for each, fault in holding if each not in refused]
        hit = [each for each, fault in holding if each in self.breakpoints and self._counts(each, fault)]
        for each in hit:
            if each.temporary:
                self._remove(each)
        if hit:
            self._tell(DebugEvent.Breakpoint(tuple(hit)))
        return bool(asked), bool(hit)

    def _accessed(self, base: int, why: int) -> None:
        """A variant, whose frame at `base` is on top, is at an access to what is watched, or behind an import."""
        activation, watching = self._store.activations[-1], self.watching
        frame = self._variant_frame(activation, base)
        activation.stopped = VariantStop(frame)
        try:
            if why == BEHIND_IMPORT:
                if watching.tell_host_writes(watching.host_writes.unseen()):
                    self.leave(Rerun())
            elif watching.tell_hits(frame, self._is_redirected):
                self.leave(Rerun(skips_stop=True))
        finally:
            activation.stopped = None

    def _variant_frame(self, activation: Activation, base: int) -> RawFrame:
        store = self._store
        frame = call_site(store.shadow, store.instances, self.mirrors, activation, base, 0, None).frame()
        return replace(frame, reference_base=store.shadow.reference_pointer - frame.end[1])

    def _tell(self, event: DebugEvent) -> None:
        leave_host = enter_host(self._store)
        try:
            self._store.tell(event)
        finally:
            leave_host()

    def _is_redirected(self) -> bool:
        return self._store.activations[-1].redirection is not None

    def _ask(self, breakpoint_: Breakpoint) -> bool:
        """What a condition in Python says of the innermost frame."""
        condition, store = breakpoint_.condition, self._store
        top = store.innermost_frame()
        assert top is not None
        assert callable(condition)
        with store.standing_still(), store.consulting():
            return bool(condition(top))

    @staticmethod
    def _counts(breakpoint_: Breakpoint, fault: str) -> bool:
        """Count a hit; whether it is to be told."""
        breakpoint_.hits += 1
        breakpoint_.fault = fault
        if breakpoint_.ignore_count > 0:
            breakpoint_.ignore_count -= 1
            return False
        return True

    def take_skip(self) -> int:
        """What the frame that called the host because of the attention flag does not stop for where it is.

        It is yet to come to the stop there, and guests that are called meanwhile are not concerned.
        """
        control = self.mirrors.control
        skip = control.word(SKIP)
        control.set_word(SKIP, SKIP_NOTHING)
        return skip

    def leave_attention(self, skip: int, told: bool) -> None:
        """The same as `leave` for that frame; `skip`: as it was, `told`: the handler knows that it stands there."""
        if skip == SKIP_NOTHING and told and self._step is not None and not self.single_step:
            skip = SKIP_STEP
        self.leave(Rerun(skips_stop=skip == SKIP_ALL, skips_step=skip == SKIP_STEP))
        top = self._store.innermost_frame() if skip != SKIP_NOTHING else None
        if top is not None and top.raw.mirror is not None:
            mirror = top.raw.mirror
            if mirror.code.typed.numbers[top.raw.pc] == 0:
                self.watching.entered(mirror, top.raw.base)
            mirror.resume_at(top.raw.base, mirror.code.typed.numbers[top.raw.pc], skip)

    def leave(self, naturally: Unwinding) -> None:
        """The host is about to return to the guest of the innermost activation.

        Where it cannot go on as it is, it is unwound, to go on `naturally` or as was asked: `capi.EndHostCall`.
        """
        self.arm()
        activation = self._store.activations[-1]
        if activation.is_drivable and self._is_to_be_unwound(activation):
            self._unwind(activation, naturally)

    def leave_call(self, returned: Any) -> None:
        """The same where the guest called a host function, which is about to return this to it."""
        self.arm()
        activation = self._store.activations[-1]
        if not activation.is_drivable or not self._is_to_be_unwound(activation):
            return
        if activation.redirection is not None:
            self._unwind(activation, Rerun())
        top = self._store.innermost_frame()
        if top is None or top.activation() != 0:
            return
        try:
            values = self._results(top.raw, returned)
        except (TypeError, ValueError, wasmtime.WasmtimeError):
            return  # the host function fails by what it returned, as the engine is about to find
        self._unwind(activation, Return(values))

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

    def _is_to_be_unwound(self, activation: Activation) -> bool:
        """Whether its frames have to be taken off the engine's stack before it goes on."""
        if self._shake is not None and self._shake_up(self._shake):
            return True
        if activation.redirection is not None:
            return True
        if activation.checked == self._version and self._limit <= activation.checked_limit:
            return False
        activation.checked, activation.checked_limit = self._version, self._limit
        return self._has_to_unwind(activation)

    def _shake_up(self, chance: Callable[[], bool]) -> bool:
        store = self._store
        self._forced = chance()
        self._route(self._armed)
        if not chance():
            store.wake()
        return chance()

    def _unwind(self, activation: Activation, naturally: Unwinding) -> NoReturn:
        redirection = activation.take_redirection()
        if redirection is not None:
            activation.uncaught = False
        activation.unwinding = redirection or naturally
        raise capi.EndHostCall(wasmtime.TrapCode.INTERRUPT)

    def _has_to_unwind(self, activation: Activation) -> bool:
        """Whether a frame on the engine's stack, not one of a mirror, is to stop, or was changed."""
        store, running = self._store, activation.running
        start = None if running is None else (running.base, running.reference_base, running.instance)
        sites = call_sites(store.shadow, store.instances, self.mirrors, activation, store.shadow.stack_pointer, start)
        unfit = self.watching.unfit()
        return any(
            site.mirror is None
            and (
                site.base <= self._limit
                or site.changes is not None
                or self._places.has_any(site.instance, site.function)
                or unfit(site)
            )
            for site in sites
        )


def _opcode_name(frame: RawFrame) -> str:
    """What the instruction that a frame is at is called."""
    if frame.mirror is not None:
        return frame.mirror.code.typed.at(frame.pc).instruction.opcode.name
    return instruction_at(frame.table, frame.pc).opcode.name
