"""The official suite passes on the plain engine, and on wasmscope wherever it does on the plain engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from spec import known, suite
from spec.backend import Backend, Plain, spec_config, wasmscope_backend
from spec.observed import observed_backend
from spec.runner import Status, run_script

pytestmark = pytest.mark.skipif(suite.missing() is not None, reason=str(suite.missing()))


@pytest.fixture(scope="module", params=["plain", "wasmscope"])
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend | None = Plain() if request.param == "plain" else wasmscope_backend()
    if chosen is None:
        pytest.skip("wasmscope has no engine layer here")
    return chosen


@pytest.fixture(scope="module")
def engine(backend: Backend) -> Iterator[Any]:
    engine = backend.api.Engine(spec_config(backend.api))
    yield engine
    engine.close()


@pytest.mark.parametrize("name", suite.script_names())
def test_script(backend: Backend, engine: Any, name: str) -> None:
    entries = known.load(backend.name)
    results = list(run_script(backend, engine, suite.load(name)))
    failed = [result for result in results if result.status is Status.FAILED]
    assert [result for result in failed if known.reason_for(result, entries) is None] == []
    failed_lines = {result.line for result in failed}
    stale = [entry for entry in entries if entry.script == name and not failed_lines.issuperset(entry.lines)]
    assert stale == [], "these pass now: take them out of known.toml"


#: of the kinds of frames, one script each; `python -m spec.run --backend observed` runs them all
OBSERVED = (
    "loop.wast", "memory_trap.wast", "try_table.wast", "struct.wast", "ref_cast.wast", "array.wast", "simd_load.wast",
    "start.wast", "br_table.wast", "return_call.wast", "table_get.wast", "local_init.wast", "memory_copy.wast",
    "proposals/threads/atomic.wast", "throw_ref.wast", "left-to-right.wast",
)  # fmt: skip


def test_it_passes_while_every_value_of_every_frame_is_read() -> None:
    backend = observed_backend()
    engine = backend.api.Engine(spec_config(backend.api))
    for name in OBSERVED:
        failed = [each for each in run_script(backend, engine, suite.load(name)) if each.status is Status.FAILED]
        assert [each for each in failed if known.reason_for(each, known.load("observed")) is None] == []
    observer = backend.observer
    assert set(observer.events) == {"Interrupted", "Trap", "CaughtExceptionThrown", "UncaughtExceptionThrown"}
    assert observer.frames > 1000
    assert sum(observer.unavailable.values()) < observer.values // 100


def test_every_known_script_exists() -> None:
    assert {entry.script for entry in known.load("wasmscope")} <= set(suite.script_names())


class Counting:
    """Hooks that remember where they were called."""

    def __init__(self) -> None:
        self.traps: list[int] = []
        self.host_calls = 0

    def on_trap(self, store: Any, trap: Any) -> None:
        self.traps.append(len(trap.frames))

    def on_host_call(self, caller: Any) -> None:
        assert caller._context()
        self.host_calls += 1


def test_hooks_see_every_trap_and_host_call(backend: Backend, engine: Any) -> None:
    hooks, trapping = Counting(), 0
    for name in ("traps.wast", "names.wast", "throw.wast"):
        script = suite.load(name)
        trapping += sum(c["type"] in ("assert_trap", "assert_exception") for c in script.commands)
        assert all(result.status is not Status.FAILED for result in run_script(backend, engine, script, hooks))
    assert len(hooks.traps) == trapping > 0
    assert all(hooks.traps), "a trap without frames"
    assert hooks.host_calls == 2  # names.wast prints two characters
