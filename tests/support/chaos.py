"""A debug handler that does at random whatever a debugger may do and a guest must not notice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import wasmscope
from wasmscope import DebugEvent, Unavailable

LOOKED_AT = 6
"""How many frames are read when it looks."""


class Controller:
    """Interrupts, single-steps for a while, sets and clears breakpoints, reads frames: at any event, in any order.

    After `budget` events it takes everything back and leaves the guest alone, so that long runs end. `counts` says what
    happened and what it did.
    """

    def __init__(self, rng: random.Random, budget: int = 400) -> None:
        self._rng = rng
        self._budget = budget
        self._steps_left = 0
        self._breakpoints: list[tuple[Any, int]] = []
        self.counts: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()

    def take(self, store: wasmscope.Store) -> None:
        """Become the handler of a store, and have its guest stop at the first opportunity."""
        store.set_debug_handler(self)
        store.interrupt()

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        """Do something, or nothing."""
        self.counts[f"event {type(event).__name__}"] += 1
        if self._budget == 0:
            return
        self._budget -= 1
        if self._budget == 0:
            self._let_go(store)
            return
        if isinstance(event, DebugEvent.Step):
            self._steps_left -= 1
            if self._steps_left <= 0:
                self._single_step(store, False)
        for action in self._rng.sample(self._actions(store), self._rng.randrange(3)):
            action(store)
        if self._rng.random() < 0.9:
            store.interrupt()

    def _actions(self, store: wasmscope.Store) -> list[Callable[[wasmscope.Store], None]]:
        return [self._look, self._collect, self._step_for_a_while, self._add, self._add, self._add_many, self._remove]

    # -- what it does ------------------------------------------------------------------------------------------------

    def _look(self, store: wasmscope.Store) -> None:
        for frame in store.frames()[:LOOKED_AT]:
            values = [frame.local(i) for i in range(frame.num_locals())]
            values += [frame.stack(i) for i in range(frame.num_stacks())]
            self.counts["values read"] += len(values)
            self.unavailable.update(each.reason for each in values if isinstance(each, Unavailable))

    def _collect(self, store: wasmscope.Store) -> None:
        """Have the engine move and free objects while frames refer to them."""
        self.counts["collections"] += 1
        store.gc()

    def _step_for_a_while(self, store: wasmscope.Store) -> None:
        self._steps_left = self._rng.choice((2, 5, 20, 100))
        self._single_step(store, True)

    def _add(self, store: wasmscope.Store) -> None:
        self._edit(store, 1)

    def _add_many(self, store: wasmscope.Store) -> None:
        self._edit(store, self._rng.randrange(2, 20))

    def _remove(self, store: wasmscope.Store) -> None:
        self._rng.shuffle(self._breakpoints)
        count = self._rng.randrange(len(self._breakpoints) + 1)
        removed, self._breakpoints = self._breakpoints[:count], self._breakpoints[count:]
        with store.edit_breakpoints() as edit:
            for module, pc in removed:
                edit.remove_breakpoint(module, pc)
        self.counts["breakpoints removed"] += count

    def _edit(self, store: wasmscope.Store, count: int) -> None:
        added = []
        with store.edit_breakpoints() as edit:
            for _ in range(count):
                place = self._place(store)
                if place is not None and place not in self._breakpoints:
                    added.append((place[0], edit.add_breakpoint(*place)))
        for module, breakpoint_ in added:
            # Two places may slip to the same instruction.
            if (module, breakpoint_.pc) not in self._breakpoints:
                self._breakpoints.append((module, breakpoint_.pc))
        self.counts["breakpoints added"] += len(added)

    def _place(self, store: wasmscope.Store) -> tuple[Any, int] | None:
        """A pc somewhere in a function, on an instruction or between: mostly in one that runs, so that it is hit."""
        frames = store.frames()
        if frames and self._rng.random() < 0.7:
            frame = self._rng.choice(frames[:LOOKED_AT])
            module, located = frame.module(), frame.wasm_function_index_and_pc()
            if module is None or located is None:
                return None
            function = located[0]
        else:
            modules = [each for each in store.debug_all_modules() if each.original.codes]
            if not modules:  # it is being instantiated
                return None
            module = self._rng.choice(modules)
            function = self._rng.randrange(len(module.original.codes))
        code = module.original.codes[function]
        return module, self._rng.randrange(code.code_start, code.end)

    def _single_step(self, store: wasmscope.Store, on: bool) -> None:
        self.counts[f"stepping {'on' if on else 'off'}"] += 1
        with store.edit_breakpoints() as edit:
            edit.single_step(on)

    def _let_go(self, store: wasmscope.Store) -> None:
        with store.edit_breakpoints() as edit:
            edit.single_step(False)
            for module, pc in self._breakpoints:
                edit.remove_breakpoint(module, pc)
        self._breakpoints.clear()
