"""How often frames change tiers, so that a comparison that moved none does not pass for one that did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from wasmscope.instrument.mirror.layout import LEAVE
from wasmscope.runtime.mirrors.mirrors import Mirrors
from wasmscope.runtime.stops.leaving import Leaving
from wasmscope.runtime.stops.stops import Stops

UNWOUND, LEFT, MIRRORS, VARIANTS = "activations unwound", "frames left mirrors", "mirrors made", "variants made"


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count them in all stores of this process, until the end of the block."""
    counts: Counter[str] = Counter({UNWOUND: 0, LEFT: 0, MIRRORS: 0, VARIANTS: 0})

    def counting(name: str, method: Callable[..., Any], counts_it: Callable[[Any], bool]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            result = method(*arguments)
            counts[name] += counts_it(result)
            return result

        return call

    def unwinding(*arguments: Any) -> None:
        counts[UNWOUND] += 1
        unwind(*arguments)

    unwind = Stops._unwind
    with (
        patch.object(Stops, "_unwind", unwinding),
        patch.object(Leaving, "stopped", counting(LEFT, Leaving.stopped, lambda kind: kind == LEAVE)),
        patch.object(Mirrors, "_make", counting(MIRRORS, Mirrors._make, lambda made: True)),
        patch.object(Mirrors, "_make_variant", counting(VARIANTS, Mirrors._make_variant, lambda made: True)),
    ):
        yield counts
