"""When frames leave their mirrors: at the header of a loop that runs long, when nobody needs to stop in their function.

To make a variant (`mirrors/variant.py`) takes some milliseconds, mostly the compiler's. So a frame stays in its mirror
until its loop has taken about as long: passes are counted in the guest, and every now and then one is a sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from wasmscope.instrument.mirror.layout import GO_ON, LEAVE, LEAVE_TO, PASSES, STOP_COUNT, STOP_LEAVE
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors

PASSES_A_SAMPLE = 1024
"""So many times do loops begin anew, all together, for one sample."""
INSTRUCTIONS_A_SAMPLE = 1000
"""A variant is made when there is a sample for so many instructions of the function, and one more."""


class Leaving:
    """Decides it for the mirrors of one store; `stays(mirror)` says whether frames of one have to stay."""

    def __init__(self, mirrors: Mirrors, stays: Callable[[Mirror], bool]) -> None:
        self._mirrors = mirrors
        self._stays = stays
        self._samples = Counter[tuple[int, int]]()
        self._refused: set[tuple[int, int]] = set()
        self.at_random: Callable[[], bool] | None = None
        """For tests: whether a frame leaves, at every pass, whatever `stays` says."""
        self.at_once = False
        """For tests: frames leave at the first pass."""
        mirrors.control.set_word(PASSES, PASSES_A_SAMPLE)

    def bits(self, mirror: Mirror, index: int) -> int:
        """How the host is called at instruction `index` for a frame that may leave there."""
        key = (mirror.number, index)
        if index not in mirror.code.loop_headers or key in self._refused:
            return 0
        if self.at_random is not None:
            return STOP_LEAVE
        if self._stays(mirror):
            return 0
        return STOP_LEAVE if self.at_once or mirror.code.has_variant(index) else STOP_COUNT

    def stopped(self, mirror: Mirror, index: int) -> int:
        """A frame is at instruction `index` and need not stop there: what its page is to go on with."""
        kind = self.bits(mirror, index)
        if not kind or (self.at_random is not None and not self.at_random()):
            return GO_ON
        key = (mirror.number, index)
        if kind == STOP_COUNT:
            self._mirrors.control.set_word(PASSES, PASSES_A_SAMPLE)
            self._samples[key] += 1
            if self._samples[key] <= len(mirror.code.typed.instructions) // INSTRUCTIONS_A_SAMPLE:
                return GO_ON
        variant = self._mirrors.variant(mirror, index)
        if variant is None:
            self._refused.add(key)
            mirror.set_stop(index, mirror.stop(index) & ~(STOP_LEAVE | STOP_COUNT))
            return GO_ON
        mirror.set_stop(index, mirror.stop(index) & ~STOP_COUNT | STOP_LEAVE)
        self._mirrors.control.set_word(LEAVE_TO, variant.leave_to)
        return LEAVE
