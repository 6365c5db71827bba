"""Random programs: every access that the reference interpreter makes to what is watched is told, and no other."""

from __future__ import annotations

import random
from collections import Counter

import pytest

import reference
import wasmscope
from frames.corpus import PROGRAMS, Case
from frames.interface import RESOURCES
from frames.on_reference import exported_functions
from frames.on_wasmscope import _Recorder, engine_config
from support.tiers import Choice, Tier
from support.wasmtools import WASM_TOOLS_ABSENT
from watch.on_reference import Recorder as ReferenceRecorder
from watch.watched import Accessed, Watched

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

PROGRAM_COUNT, CHUNK = 30, 5


class _WatchingRecorder(_Recorder):
    """Sets watchpoints when the instance is there, and notes what is told of them."""

    def __init__(self, engine: wasmscope.Engine, equal_types: list[int], watches: list[Watched], tier: str) -> None:
        super().__init__(engine, equal_types, Choice(Tier.FAST))
        self.tier = tier
        self.watches = watches
        self.found: list[Accessed] = []
        self.by_host: list[wasmscope.DebugEvent] = []
        self.names_of: dict[int, str] = {}

    def _learn_functions(self, module: wasmscope.Module) -> None:
        super()._learn_functions(module)
        assert self.instance is not None
        if self.tier == "mirrors":
            self.store.tiers.force_mirror()
        elif self.tier == "both":
            self.store.tiers.chaos(random.Random(self.watches[0].start))
        edit = self.store.edit_breakpoints()
        assert edit is not None
        with edit:
            for watched in self.watches:
                if watched.kind == "memory":
                    memory = self.instance.debug_memory(self.store, watched.index)
                    assert memory is not None
                    watch = edit.add_watchpoint(memory, watched.start, watched.length, "rw")
                else:
                    global_ = self.instance.debug_global(self.store, watched.index)
                    assert global_ is not None
                    watch = edit.add_watchpoint(global_, access="rw")
                self.names_of[id(watch)] = watched.name

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        if not isinstance(event, wasmscope.DebugEvent.Watchpoint):
            super().handle(store, event)
            return
        if event.by_host:
            self.by_host.append(event)
        cursor = store.debug_frames()
        assert cursor is not None
        at = cursor.wasm_function_index_and_pc()
        instance = cursor.instance()
        assert at is not None
        assert instance is not None
        function = at[0] + instance.module.original.num_imported_functions
        bits = (each if isinstance(each, bytes) else each.bits for each in (event.old, event.new))
        self.found.append(Accessed(self.names_of[id(event.watch)], function, at[1], event.access, *bits))


def _watches(seed: int) -> list[Watched]:
    rng = random.Random(f"watches {seed}")
    return [
        Watched("memory", 0, rng.choice((0, 2, 8, 255, 260, 8000)), rng.choice((1, 3, 8, 200, 4000))),
        Watched("memory", 1, rng.choice((0, 2, 5, 40, 8000)), rng.choice((1, 3, 8, 200, 4000))),
        Watched("global", rng.randrange(0, 3)),
    ]


@pytest.mark.spread
@pytest.mark.parametrize("tier", ["variants", "mirrors", "both"])
@pytest.mark.parametrize("first", range(0, PROGRAM_COUNT, CHUNK))
def test_every_access_of_the_reference_is_told_and_no_other(first: int, tier: str) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        case = Case(PROGRAMS, seed)
        bytecode, watches = case.bytecode(), _watches(seed)
        engine = wasmscope.Engine(engine_config(case.opt_level))
        module = wasmscope.Module(engine, bytecode)
        parsed = reference.Module.decode(bytecode)
        equal_types = [parsed.types.index(each) for each in parsed.types]
        for export in exported_functions(parsed):
            if not export.startswith("run"):
                continue
            expected = ReferenceRecorder(parsed, watches)
            ending = expected.invoke(export).ending
            recorder = _WatchingRecorder(engine, equal_types, watches, tier)
            try:
                found = recorder.invoke(module, export).ending
            finally:
                recorder.store.close()
            if RESOURCES in (ending, found):
                counts["out of resources"] += 1
                continue
            assert found == ending, (seed, export)
            assert recorder.by_host == [], (seed, export)
            for position, pair in enumerate(zip(recorder.found, expected.log.found, strict=False)):
                assert pair[0] == pair[1], (seed, export, position)
            assert len(recorder.found) == len(expected.log.found), (seed, export)
            counts += Counter(f"{each.name.split()[0]} {each.access}" for each in recorder.found)
    assert counts.total() > 20, counts
