"""Frames that were stopped go back to optimised code at a loop, and nothing of that can be seen."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
import wasmtime

import wasmscope
from mirror.leaving_guests import GUESTS
from wasmscope import DebugEvent

ITERATIONS = 20
STOPS = (3, 7)
"""The iterations in which the frame is stopped."""


@dataclass
class Run:
    """A run of a guest and all that was seen in it."""

    stops: tuple[int, ...] = ()
    seen: list[Any] = field(default_factory=list)
    """Of every event and every call of `look`: what it was, and the frames."""
    told: list[str] = field(default_factory=list)
    """The breakpoints hit: the values then."""
    interrupted: list[Any] = field(default_factory=list)
    """The frames wherever `run` was interrupted."""
    in_variants: int = 0
    """Calls of `look` from a variant."""
    result: Any = None

    def __post_init__(self) -> None:
        config = wasmscope.Config()
        self.store = wasmscope.Store(wasmscope.Engine(config))
        self.store.tiers.leave_at_once()
        self.object = object()

    def run(self, wat: str) -> Run:
        """Run the guest."""
        store = self.store
        self.module = wasmscope.Module(store.engine, wat)
        i32, externref = wasmscope.ValType.i32(), wasmscope.ValType.externref()
        look = wasmscope.Func(store, wasmscope.FuncType([i32], []), self._look)
        object_ = wasmscope.Global(store, wasmscope.GlobalType(externref, False), wasmscope.Val.externref(self.object))
        self.instance = wasmscope.Instance(store, self.module, [look, object_])
        store.set_debug_handler(self)
        try:
            self.result = self.instance.exports(store)["run"](store, ITERATIONS)
        except wasmscope.Trap as trap:
            places = [(frame.func_index, frame.func_name, frame.module_offset) for frame in trap.frames]
            self.result = ("trap", trap.trap_code, places, trap.message)
        except wasmtime.WasmtimeError as error:
            self.result = ("error", type(error))
        assert not store.frames()
        assert store.shadow.pointers == (store.shadow.stack_pointer, 0)
        return self

    def _look(self, iteration: int) -> None:
        self.seen.append(("look", iteration, self._frames()))
        frame = self._run_frame()
        if frame is not None and frame.raw.variant is not None:
            self.in_variants += 1
        if iteration in self.stops:
            assert frame is not None
            with self.store.edit_breakpoints() as edit:
                edit.add_breakpoint(self.module, frame.return_pc)

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        """A handler of events."""
        if isinstance(event, DebugEvent.Breakpoint):
            frame = self._run_frame()
            assert frame is not None
            assert frame.raw.pc == event.breakpoints[0].pc
            self.told.append(str(self._frames()))
            with store.edit_breakpoints() as edit:
                edit.remove_breakpoint(self.module, event.breakpoints[0].pc)
            return
        frames = self._frames()
        if not isinstance(event, DebugEvent.Interrupted):
            self.seen.append((type(event), frames))
            return
        store.interrupt()
        # Where a frame has gone from one tier to another the guest tests for attention once more at the same place.
        if frames[0][0] == self.module.original.exports[1].index and frames not in self.interrupted[-1:]:
            self.interrupted.append(frames)

    def _run_frame(self) -> wasmscope.FrameHandle | None:
        run = self.module.original.exports[1].index
        return next((frame for frame in self.store.frames() if frame.function_index == run), None)

    def _frames(self) -> list[Any]:
        found = []
        for frame in self.store.frames():
            assert frame.instance() is self.instance
            values = [(str(frame.local_type(n)), self._value(frame.local(n))) for n in range(frame.num_locals())]
            stack = [self._value(frame.stack(n)) for n in range(frame.num_stacks())]
            types = [str(frame.stack_type(n)) for n in range(frame.num_stacks())]
            found.append((frame.function_index, frame.raw.pc, values, stack, types))
        return found

    def _value(self, value: Any) -> Any:
        if isinstance(value, wasmscope.Unavailable):
            return value.reason
        if value.bits is not None:
            return value.bits
        if value.value is None or value.value is self.object:
            return "null" if value.value is None else "the object"
        if isinstance(value.value, wasmscope.StructRef):
            return [self._value(value.value.field(n)) for n in range(2)]
        if isinstance(value.value, wasmscope.ExnRef):
            return [self._value(each) for each in value.value.fields()]
        return getattr(value.value, "value", type(value.value))


@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_that_was_stopped_goes_on_in_optimised_code_and_looks_the_same(name: str) -> None:
    plain = Run().run(GUESTS[name])
    stopped = Run(STOPS).run(GUESTS[name])
    assert stopped.told
    assert stopped.in_variants >= 2
    assert stopped.seen == plain.seen
    assert str(stopped.result) == str(plain.result)


@pytest.mark.parametrize("name", GUESTS)
def test_frames_that_change_tiers_at_random_look_the_same(name: str) -> None:
    plain = Run().run(GUESTS[name])
    variants = 0
    for seed in range(4):
        shaken = Run()
        shaken.store.tiers.chaos(random.Random(seed))
        shaken.run(GUESTS[name])
        variants += shaken.in_variants
        assert shaken.seen == plain.seen
        assert str(shaken.result) == str(plain.result)
    assert variants


@pytest.mark.parametrize("name", GUESTS)
def test_it_is_interrupted_where_it_would_be_whatever_tier_it_is_in(name: str) -> None:
    plain = Run()
    plain.store.interrupt()
    plain.run(GUESTS[name])
    assert len(plain.interrupted) > ITERATIONS // 3
    for seed in range(4):
        shaken = Run()
        shaken.store.tiers.chaos(random.Random(seed))
        shaken.store.interrupt()
        shaken.run(GUESTS[name])
        assert shaken.interrupted == plain.interrupted
        assert shaken.seen == plain.seen
        assert str(shaken.result) == str(plain.result)
