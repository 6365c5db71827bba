"""Breakpoints that are hit: with a handler in Python that reads two locals, and with a condition that is false."""

from __future__ import annotations

import wasmscope
from controlling.figure import Figure, at_least, rate, timed
from controlling.loop import Loop
from controlling.peer import WASMTIME_ABSENT, hits_a_second

HITS = 20_000
FALSE = 3_000_000


class _ReadsTwoLocals:
    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """A handler of events."""
        cursor = store.debug_frames()
        assert cursor is not None
        frame = cursor.handle()
        frame.local(0)
        frame.local(1)


def measure(rounds: int) -> list[Figure]:
    """How many a second."""
    peer = None if WASMTIME_ABSENT else hits_a_second()
    loop = Loop(_ReadsTwoLocals())
    loop.stop()
    loop.run(100)
    hits = [timed(lambda: loop.run(HITS)) for _ in range(rounds)]
    conditional = Loop(_ReadsTwoLocals())
    conditional.stop("$sum == 0xffffffff && $n == 0")
    conditional.run(100)
    false = [timed(lambda: conditional.run(FALSE)) for _ in range(rounds)]
    return [
        rate("hits, a handler reads two locals", HITS, hits, at_least(20_000), peer),
        # The peer has no conditions: its client has to be told of every hit.
        rate("conditions that are false", FALSE, false, at_least(10_000_000), peer),
    ]
