"""What it costs to have been stopped: every kernel is interrupted once, and stopped by a breakpoint where it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

import wasmscope
from controlling.figure import Figure, at_most
from controlling.kernels import compare

TIMES = 20
"""Each kernel is run so often, which takes between 0.3 and 3 seconds; it is stopped in the first."""
MOST_ROUNDS = 3
DELAY = 0.005
"""Seconds from the beginning of a kernel to its interruption."""


def measure(rounds: int) -> list[Figure]:
    """The kernels' time as a ratio to what it is undisturbed."""
    note = "geometric mean of the kernels; what the stop needs is compiled in each run"
    name = f"kernels, {TIMES} times each, stopped once"
    return [compare(name, _stop_once, min(rounds, MOST_ROUNDS), at_most(1.1), times=TIMES, anew=True, note=note)]


class _StopsOnce:
    """Stops every kernel once where it is interrupted."""

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """A handler of events."""
        cursor = store.debug_frames()
        edit = store.edit_breakpoints()
        assert cursor is not None
        assert edit is not None
        frame = cursor.handle()
        module, place = frame.module(), frame.wasm_function_index_and_pc()
        assert module is not None
        assert place is not None
        with edit:
            if isinstance(event, wasmscope.DebugEvent.Breakpoint):
                edit.remove_breakpoint(module, place[1])
            else:
                edit.add_breakpoint(module, place[1])


def _stop_once(store: wasmscope.Store, module: wasmscope.Module) -> Callable[[], object]:
    store.set_debug_handler(_StopsOnce(), caught_exceptions=False)
    return lambda: threading.Timer(DELAY, store.interrupt).start()
