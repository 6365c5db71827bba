"""When mirrors are left: at the header of a loop that runs long, when nobody needs to stop in its function.

To make a variant (`mirrors/variant.py`) takes some milliseconds, mostly the compiler's. So a frame stays in its mirror
until its loop has taken about as long: passes are counted in the guest, and every now and then one is a sample. While
something is watched all functions run in other code: small ones in a variant of all of it, from the first call on,
because their mirrors take as long to make. Large ones are entered by their mirrors, and get one when that is often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.mirror.layout import GO_ON, LEAVE, LEAVE_TO, PASSES, STOP_COUNT, STOP_LEAVE
from wasmscope.instrument.mirror.watched import NOTHING, Watched
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.mirrors.variant import Variant

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance

PASSES_A_SAMPLE = 1024
"""So many times do loops begin anew, or functions begin, all together, for one sample."""
INSTRUCTIONS_A_SAMPLE = 1000
"""A variant is made when there is a sample for so many instructions of the function, and one more.

A page that was compiled takes about as long as so many instructions of a variant, and counts as a sample: a loop that
runs through a large function would have page after page made.
"""
SMALL = 1 << 16
"""Bytes of a function whose variant is made at once: this takes a second for the largest such."""


class Leaving:
    """Decides it for the mirrors of one store.

    `stays(instance, function)` says whether a function's frames have to be in its mirror, `watched(instance, function)`
    what other code looks for in which they are.
    """

    def __init__(
        self,
        mirrors: Mirrors,
        stays: Callable[[Instance, int], bool],
        watched: Callable[[Instance, int], Watched],
    ) -> None:
        self._mirrors = mirrors
        self._stays = stays
        self._watched = watched
        self._samples = Counter[tuple[int, bool]]()
        """By mirror, of its loops and of its entry."""
        self._refused: set[tuple[int, int, int | None, Watched]] = set()
        self.at_random: Callable[[], bool] | None = None
        """For tests: whether a frame leaves, at every pass, whatever `stays` says."""
        self.at_once = False
        """For tests: frames leave at the first pass."""
        mirrors.control.set_word(PASSES, PASSES_A_SAMPLE)

    def bits(self, mirror: Mirror, index: int) -> int:
        """How the host is called at instruction `index` for a frame that may leave there, or for one that begins."""
        return self._bits_of_loop(mirror, index) | (self._bits_of_entry(mirror) if index == 0 else 0)

    def _bits_of_loop(self, mirror: Mirror, index: int) -> int:
        if index not in mirror.code.loop_headers:
            return 0
        instance, function = mirror.instance, mirror.function
        watched = self._watched(instance, function)
        if (instance.id, function, index, watched) in self._refused:
            return 0
        if self.at_random is not None:
            return STOP_LEAVE
        if self._stays(instance, function):
            return 0
        return STOP_LEAVE if self.at_once or mirror.code.has_variant(index, watched) else STOP_COUNT

    def _bits_of_entry(self, mirror: Mirror) -> int:
        if not self._can_promote(mirror.instance, mirror.function):
            return 0
        return STOP_LEAVE if self.at_once else STOP_COUNT

    def _can_promote(self, instance: Instance, function: int) -> bool:
        watched = self._watched(instance, function)
        is_refused = (instance.id, function, None, watched) in self._refused
        return bool(watched) and not is_refused and not self._stays(instance, function)

    def stopped(self, mirror: Mirror, index: int) -> int:
        """A frame is at instruction `index` and need not stop there: what its page is to go on with."""
        is_sample = not self._mirrors.control.word(PASSES)
        if index == 0 and (kind := self._bits_of_entry(mirror)) and self._is_due(mirror, None, kind, is_sample):
            self._promote(mirror.instance, mirror.function)
            mirror.set_stop(0, mirror.stop(0) & ~(STOP_LEAVE | STOP_COUNT) | self.bits(mirror, 0))
        kind = self._bits_of_loop(mirror, index)
        if not kind or (self.at_random is not None and not self.at_random()):
            return GO_ON
        if not self._is_due(mirror, index, kind, is_sample):
            return GO_ON
        instance, function = mirror.instance, mirror.function
        watched = self._watched(instance, function)
        variant = self._variant(instance, function, index, watched)
        if variant is None:
            self._refused.add((instance.id, function, index, watched))
            mirror.set_stop(index, mirror.stop(index) & ~(STOP_LEAVE | STOP_COUNT) | self.bits(mirror, index))
            return GO_ON
        mirror.set_stop(index, mirror.stop(index) & ~STOP_COUNT | STOP_LEAVE)
        self._mirrors.control.set_word(LEAVE_TO, variant.entry)
        return LEAVE

    def begin_sample(self) -> None:
        """A mirror stopped, perhaps at the pass that is a sample: the next one is some passes on."""
        if not self._mirrors.control.word(PASSES):
            self._mirrors.control.set_word(PASSES, PASSES_A_SAMPLE)

    def _is_due(self, mirror: Mirror, index: int | None, kind: int, is_sample: bool) -> bool:
        """Whether it is worth a variant by now."""
        if kind != STOP_COUNT:
            return True
        key = (mirror.number, index is None)
        self._samples[key] += is_sample
        samples, code = self._samples[key], mirror.code
        return samples > 0 and samples + code.pages_made - 1 > len(code.typed.instructions) // INSTRUCTIONS_A_SAMPLE

    def entered(self, instance: Instance, function: int) -> bool:
        """A function is called that goes to its mirror, which was not made: whether it goes to a variant now."""
        code = instance.module.original.codes[function]
        if code.end - code.code_start > SMALL and not self.at_once:
            return False
        return self._can_promote(instance, function) and self._promote(instance, function)

    def _promote(self, instance: Instance, function: int) -> bool:
        """Have calls of a function go to a variant of all of it, if there can be one."""
        watched = self._watched(instance, function)
        variant = self._variant(instance, function, None, watched)
        if variant is None:
            self._refused.add((instance.id, function, None, watched))
            return False
        self._mirrors.routes.use_variant(instance, function, variant.entry)
        return True

    def _variant(self, instance: Instance, function: int, header: int | None, watched: Watched) -> Variant | None:
        try:
            return self._mirrors.variant(instance, function, header, watched)
        except WasmscopeError:
            return None  # the store has no room for it

    def promoted(self, instance: Instance) -> dict[int, int]:
        """Where those functions of an instance go that have a variant by now which looks for what is watched."""
        found = {}
        for function, variant in self._mirrors.whole_variants(instance):
            if variant.code.watched == self._watched(instance, function) != NOTHING:
                found[function] = variant.entry
        return found
