"""wasmscope with its guest traced: the instructions that were run, in pieces of random lengths, one after the other."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import wasmscope
from stepping.engine import EngineRun, new_engine
from stepping.program import Program
from stepping.step import Ending
from support import tiers

Place = tuple[int, int]
"""The index of a function, imported ones counted, and a pc."""


class _Enough(Exception):
    """There is as much as was asked for."""


@dataclass(slots=True)
class Traced:
    """What was run, how that ended, and what the traces ended with."""

    places: list[Place] = field(default_factory=list)
    ending: Ending = field(default_factory=lambda: Ending("stopped"))
    events: Counter[str] = field(default_factory=Counter)


def traced(program: Program, limit: int, seed: int, tier: tiers.Tier = tiers.Tier.FAST) -> Traced:
    """The first `limit` instructions of a program; breakpoints and interruptions at random end traces early."""
    rng = random.Random(f"traces {seed} {program.name}")
    run = EngineRun(wasmscope, new_engine(wasmscope, rng.choice(("none", "speed"))), program)
    handler = _Handler(rng, limit)
    try:
        match tier:
            case tiers.Tier.MIRROR:
                tiers.force_mirror(run.store)
            case tiers.Tier.CHAOS:
                tiers.move_at_random(run.store, rng)
        run.store.set_debug_handler(handler, caught_exceptions=rng.random() < 0.5)
        with run.store.edit_breakpoints() as edit:
            edit.single_step(True)
        traced = Traced()
        traced.ending = run.run(_Enough)
        for trace in handler.traces:
            assert trace.is_done
            assert len(trace) == trace.steps <= trace.requested
            assert trace.steps == trace.requested or not isinstance(trace.event, wasmscope.DebugEvent.Step)
            traced.events[type(trace.event).__name__] += 1
            imported = run.module.original.num_imported_functions
            traced.places += [(imported + each.function, each.pc) for each in trace]
        return traced
    finally:
        run.store.close()


class _Handler:
    def __init__(self, rng: random.Random, limit: int) -> None:
        self._rng = rng
        self._left = limit
        self.traces: list[wasmscope.Trace] = []

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        if self.traces:
            self._left -= self.traces[-1].steps
        if self._left <= 0:
            raise _Enough
        if self._rng.random() < 0.2:
            self._add_breakpoint(store)
        if self._rng.random() < 0.1:
            store.interrupt()
        self.traces.append(store.request_trace(self._rng.choice((1, 2, 5, 20, 100))))

    def _add_breakpoint(self, store: wasmscope.Store) -> None:
        frames = store.frames()
        if not frames:
            return  # the instance could not be made
        frame = self._rng.choice(frames)
        module, located = frame.module(), frame.wasm_function_index_and_pc()
        assert module is not None
        assert located is not None
        code = module.original.codes[located[0]]
        with store.edit_breakpoints() as edit:
            edit.add_breakpoint(module, self._rng.randrange(code.code_start, code.end), temporary=True)
