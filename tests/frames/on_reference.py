"""One export of a module, run by the reference interpreter: what the frames are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import reference
from frames.interface import (
    CAUGHT,
    INTERRUPTED,
    NESTED,
    OBSERVED,
    RESOURCE_CODES,
    RESOURCES,
    HostFailure,
    Place,
    Run,
    arguments,
    wants_caught,
)
from frames.observe import from_reference, type_names
from reference.errors import GuestError, OutOfSteps
from reference.smith import IMPORTED_GLOBALS, host_result
from reference.state import Extern
from reference.types import DefinedType

STEPS = 200_000


def exported_functions(module: reference.Module) -> dict[str, int]:
    """The exported functions and their indices."""
    return {each.name: each.index for each in module.exports if each.kind == "func"}


def run_reference(module: reference.Module, export: str, stops: Sequence[Place] = ()) -> Run:
    """Run an export in a new instance; interrupted, it stops at the next of `stops`."""
    return _Recorder(module, stops).invoke(export)


class _Recorder:
    def __init__(self, module: reference.Module, stops: Sequence[Place]) -> None:
        self.run = Run()
        self.stops = list(reversed(stops))
        self.module = module
        self.store = reference.Store()
        self.instance: reference.Instance | None = None
        self.exported = frozenset(exported_functions(module).values())
        self.counts: Counter[str] = Counter()

    def invoke(self, export: str) -> Run:
        try:
            limits = reference.Limits(call_depth=800, steps=STEPS)
            imports = {(each.module, each.name): self._import(each) for each in self.module.imports}
            self.instance = reference.Instance(self.store, self.module, imports, limits)
            function = self.instance.exports[export]
            assert isinstance(function, reference.WasmFunction)
            if wants_caught(export):
                self.store.on_throw = self._throw
            self.instance.invoke(export, arguments(export, type_names(function.type.function.params)))
        except OutOfSteps:
            self.run.ending = RESOURCES
        except GuestError as error:
            why = self._ended(error)
            self.run.ending = RESOURCES if why in RESOURCE_CODES else why
        except HostFailure:
            self.run.ending = "raised"
        return self.run

    def _import(self, wanted: reference.module.Import) -> Extern:
        if not isinstance(wanted.type, DefinedType):
            return reference.Global(reference.GlobalType("i32", False), IMPORTED_GLOBALS[wanted.name])
        name, results = wanted.name, type_names(wanted.type.function.results)

        def call(*given: Any) -> list[Any]:
            self.counts[name] += 1
            if self.counts.total() <= OBSERVED:
                self._observe(f"call {name}")
            try:
                if name == "fail" and given[0] == 0:
                    raise HostFailure
                if name == "tick" and self.counts.total() <= OBSERVED and self.stops:
                    self.store.on_step = self._step
                if name == "nest" and self.counts[name] <= NESTED:
                    self._nest(given)
            except HostFailure:
                self._observe("host error")
                raise
            return [host_result(name, self.counts[name], result) for result in results]

        return reference.HostFunc(wanted.type, call)

    def _nest(self, given: tuple[Any, ...]) -> None:
        assert self.instance is not None
        try:
            self.instance.invoke("nested", given)
        except OutOfSteps:
            raise
        except GuestError as error:
            self._ended(error)
        self._observe("after nested")

    def _throw(self, exception: reference.ExnObject, caught: bool) -> None:
        """What nothing catches is noted where it ends."""
        if caught:
            self._observe(CAUGHT, exception)

    def _step(self, frame: reference.Frame) -> None:
        """While interrupted: is this where wasmscope's guest stopped? It cannot have passed there without."""
        function, pc, depth = self.stops[-1]
        if (frame.function_index, frame.pc) == (function, pc) and len(self.store.frames()) == depth:
            self.stops.pop()
            self.store.on_step = None
            self._observe(INTERRUPTED)

    def _observe(self, why: str, thrown: reference.ExnObject | None = None) -> None:
        self.run.observations.append(from_reference(why, self.store.frames(), self.exported, thrown))

    def _ended(self, error: GuestError) -> str:
        """Note the frames where the guest ended; a host's own error was noted when it was raised."""
        why: str = getattr(error, "code", "exception")
        thrown = error.exception if isinstance(error, reference.WasmException) else None
        self.run.observations.append(from_reference(why, error.frames, self.exported, thrown))
        return why
