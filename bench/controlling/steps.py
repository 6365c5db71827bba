"""Single steps: seen by a handler, by whoever drives a `Debuggee`, and only noted by the guest itself."""

from __future__ import annotations

import wasmscope
from controlling.figure import Figure, Seconds, at_least, at_most, medians, rate, timed
from controlling.loop import INSTRUCTIONS, Loop
from controlling.peer import WASMTIME_ABSENT, steps_a_second

ROUNDS_OF_THE_LOOP = 2000
STEPS = 2000
"""Of a debuggee: each is handed over from thread to thread and back."""
TRACED = 1_000_000


class _Steps:
    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """A handler of events."""
        store.request_step("into")


def measure(rounds: int) -> list[Figure]:
    """How many a second; of those that are only noted, seconds for a million."""
    peer = None if WASMTIME_ABSENT else steps_a_second()
    loop = Loop(_Steps())
    loop.store.request_step("into")
    loop.run(10)

    def step() -> None:
        loop.store.request_step("into")
        loop.run(ROUNDS_OF_THE_LOOP)

    steps = [timed(step) for _ in range(rounds)]
    traced = Loop()

    def trace() -> None:
        trace = traced.store.request_trace(TRACED)
        traced.run(TRACED // INSTRUCTIONS + 1)
        assert trace.steps == TRACED

    trace()
    traces = medians([timed(trace) for _ in range(rounds)])
    return [
        rate("steps, a handler asks for the next", INSTRUCTIONS * ROUNDS_OF_THE_LOOP, steps, at_least(20_000), peer),
        rate("steps of a debuggee", STEPS, [_debuggee() for _ in range(rounds)], None, peer),
        Figure("a million instructions traced", "s", traces.processor, traces.wall, at_most(1)),
    ]


def _debuggee() -> Seconds:
    loop = Loop()
    with wasmscope.Debuggee(loop.store) as debuggee:
        debuggee.launch(loop.function, STEPS)
        debuggee.step()

        def step() -> None:
            for _ in range(STEPS):
                debuggee.step()

        return timed(step)
