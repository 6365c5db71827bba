"""The guest that is stopped and stepped: a loop with two locals."""

from __future__ import annotations

from typing import Any

import wasmscope

TEXT = """(module (func (export "triangle") (param $n i32) (result i32) (local $sum i32)
  (loop $next
    (local.set $sum (i32.add (local.get $sum) (local.get $n)))
    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (local.get $sum)))"""
PC = 0x2F
"""Of `i32.add`, in the loop."""
INSTRUCTIONS = 9
"""Run in each round of the loop."""


class Loop:
    """The guest in a store of its own, which the handler is told of."""

    def __init__(self, handler: Any = None) -> None:
        self.store = wasmscope.Store(wasmscope.Engine())
        self.module = wasmscope.Module(self.store.engine, TEXT)
        self.function: Any = wasmscope.Instance(self.store, self.module, []).exports(self.store)["triangle"]
        if handler is not None:
            self.store.set_debug_handler(handler)

    def stop(self, condition: str | None = None) -> None:
        """Set a breakpoint in the loop."""
        with self.store.edit_breakpoints() as edit:
            edit.add_breakpoint(self.module, PC, condition)

    def run(self, rounds: int) -> None:
        """Run so many rounds of the loop."""
        self.function(self.store, rounds)
