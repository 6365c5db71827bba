"""Every throw of the official suite is told as the reference interpreter has it: caught or not, where, with what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import reference
import wasmscope
from frames.observe import Names, Observation, from_reference, from_wasmscope, handles_of
from reference.wast import convert_script
from reference.wast import run_script as run_on_reference
from spec import suite
from spec.backend import Wasmscope, spec_config
from spec.runner import Status, run_script

pytestmark = pytest.mark.skipif(suite.missing() is not None, reason=str(suite.missing()))

COUNTS = {"throw.wast": (1, 7), "throw_ref.wast": (16, 7), "try_table.wast": (37, 4)}
"""So many throws of each file are caught and uncaught."""

_NAMES = Names({}, range(1000))
"""Functions are told by nothing; a type index is itself."""


class Recorder:
    """A debug handler that takes down what is thrown, and has nothing else to say."""

    def __init__(self) -> None:
        self.thrown: list[Observation] = []

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        match event:
            case wasmscope.DebugEvent.CaughtExceptionThrown(exception):
                self._note("caught", store, exception)
            case wasmscope.DebugEvent.UncaughtExceptionThrown(exception):
                self._note("uncaught", store, exception)

    def _note(self, why: str, store: wasmscope.Store, exception: wasmscope.ExnRef) -> None:
        self.thrown.append(from_wasmscope(why, handles_of(store), _NAMES, exception))


def _on_wasmscope(name: str) -> list[Observation]:
    recorder = Recorder()

    def store(engine: wasmscope.Engine) -> wasmscope.Store:
        made = wasmscope.Store(engine)
        made.set_debug_handler(recorder)
        return made

    api: Any = SimpleNamespace(**{**vars(wasmscope), "Store": store})
    engine = wasmscope.Engine(spec_config(wasmscope))
    results = list(run_script(Wasmscope(api), engine, suite.load(name)))
    assert not any(result.status is Status.FAILED for result in results)
    engine.close()
    return recorder.thrown


def _on_reference(name: str) -> list[Observation]:
    store, thrown = reference.Store(), []

    def note(exception: reference.ExnObject, caught: bool) -> None:
        why = "caught" if caught else "uncaught"
        thrown.append(from_reference(why, store.frames(), frozenset(), exception))

    store.on_throw = note
    run_on_reference(convert_script(suite.suite_folder() / name), store=store)
    return thrown


@pytest.mark.parametrize("name", COUNTS)
def test_script(name: str) -> None:
    shown = _on_wasmscope(name)
    assert shown == _on_reference(name)
    assert tuple(sum(each.why == why for each in shown) for why in ("caught", "uncaught")) == COUNTS[name]
