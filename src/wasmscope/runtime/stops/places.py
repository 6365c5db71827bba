"""Where instances stop for breakpoints: what their mirrors are told, and which breakpoints hold there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasmscope.errors import BreakpointError
from wasmscope.instrument.condition import FALSE
from wasmscope.instrument.mirror.condition_function import CONDITION_EXPORT
from wasmscope.instrument.mirror.layout import MOST_CONDITIONS, OUTCOMES, STOP_ALWAYS, STOP_CONDITION
from wasmscope.runtime import capi
from wasmscope.runtime.mirrors.code import ConditionCode
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.stops.breakpoint import Breakpoint

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store


@dataclass(slots=True)
class _Place:
    """The breakpoints at one instruction of one instance; the order of `compiled` is that of their outcomes."""

    breakpoints: dict[Breakpoint, None] = field(default_factory=dict)
    compiled: dict[Breakpoint, ConditionCode] = field(default_factory=dict)

    @property
    def kind(self) -> int:
        always = STOP_ALWAYS if len(self.breakpoints) > len(self.compiled) else 0
        return always | (STOP_CONDITION if self.compiled else 0)


class Places:
    """The places of one store."""

    def __init__(self, store: Store, mirrors: Mirrors) -> None:
        self._store = store
        self._mirrors = mirrors
        self._places: dict[tuple[int, int], dict[int, _Place]] = {}
        """By instance and function, then by the number of the instruction."""
        self._functions: dict[tuple[int, int, str], int] = {}
        """Conditions by mirror, instruction and text: where they are in the mirrors table. They stay there."""

    def add(self, instance: Instance, breakpoint_: Breakpoint) -> None:
        """Have an instance stop at a breakpoint. Raises `WasmscopeError` where it cannot: nothing has changed then."""
        function, index = breakpoint_.function, breakpoint_.index
        self._mirrors.routes.want(instance, function)
        place = self._places.setdefault((instance.id, function), {}).setdefault(index, _Place())
        place.breakpoints[breakpoint_] = None
        try:
            if isinstance(breakpoint_.condition, str):
                if len(place.compiled) == MOST_CONDITIONS:
                    raise BreakpointError(f"there are {MOST_CONDITIONS} conditions at {breakpoint_.pc:#x} already")
                code = instance.module.mirror_code.mirror(function).condition(index, breakpoint_.condition)
                place.compiled[breakpoint_] = code
                mirror = self._mirrors.find(instance, function)
                if mirror is not None:
                    self.tell_conditions(mirror, index)
        except BaseException:
            self.remove(instance, breakpoint_)
            raise

    def remove(self, instance: Instance, breakpoint_: Breakpoint) -> None:
        """Have it not stop there any more."""
        function, index = breakpoint_.function, breakpoint_.index
        places = self._places[instance.id, function]
        place = places[index]
        del place.breakpoints[breakpoint_]
        had_condition = place.compiled.pop(breakpoint_, None) is not None
        if not place.breakpoints:
            del places[index]
            if not places:
                del self._places[instance.id, function]
        mirror = self._mirrors.find(instance, function)
        if mirror is not None and had_condition:
            self.tell_conditions(mirror, index)
        self._mirrors.routes.release(instance, function)

    def has_any(self, instance: Instance, function: int) -> bool:
        """Whether there are breakpoints in a function."""
        return (instance.id, function) in self._places

    def indices(self, mirror: Mirror) -> list[int]:
        """The numbers of the instructions of a mirror's function at which there are breakpoints."""
        return list(self._of(mirror))

    def kind(self, mirror: Mirror, index: int) -> int:
        """How breakpoints have a mirror stop at an instruction: bits `STOP_...`."""
        place = self._of(mirror).get(index)
        return 0 if place is None else place.kind

    def holding(self, mirror: Mirror, index: int) -> list[tuple[Breakpoint, str]]:
        """Those breakpoints where a mirror has just stopped whose compiled condition, if any, is not false.

        With each the reason why its condition could not be worked out, if so.
        """
        place = self._of(mirror).get(index)
        if place is None:
            return []
        if not place.compiled:
            return [(each, "") for each in place.breakpoints]
        control = self._mirrors.control
        faults: dict[Breakpoint, str | None] = {}
        for position, (each, code) in enumerate(place.compiled.items()):
            outcome = control.word(OUTCOMES + 4 * position)
            fault = code.condition.fault(outcome)
            said = "" if fault is None else f"{fault.reason} (at column {fault.column})"
            faults[each] = None if outcome == FALSE else said
        found = [(each, faults.get(each, "")) for each in place.breakpoints]
        return [(each, fault) for each, fault in found if fault is not None]

    def tell_conditions(self, mirror: Mirror, index: int) -> None:
        """Have a mirror work out the conditions at an instruction."""
        place = self._of(mirror).get(index)
        conditions = place.compiled.values() if place is not None else ()
        mirror.set_conditions(index, [self._function(mirror, index, each) for each in conditions])

    def _of(self, mirror: Mirror) -> dict[int, _Place]:
        return self._places.get((mirror.instance.id, mirror.function), {})

    def _function(self, mirror: Mirror, index: int, code: ConditionCode) -> int:
        key = mirror.number, index, code.condition.text
        if key not in self._functions:
            instance = self._mirrors.instantiate(code.compiled, mirror)
            function = capi.function_named(self._store, instance, CONDITION_EXPORT)
            self._functions[key] = self._store.shadow.mirrors.add(function)
        return self._functions[key]
