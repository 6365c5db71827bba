"""The words of functions in the shadow memory, given out to instances (`instrument/layout.py`)."""

from __future__ import annotations

from wasmscope.errors import WasmscopeError
from wasmscope.instrument.layout import NO_WORDS, WORDS

_SIZE = 4


class FunctionWords:
    """Which words are whose. Instances keep theirs as long as the store is there, as long as they are themselves."""

    __slots__ = ("_bases", "_end")

    def __init__(self) -> None:
        self._bases: dict[int, int] = {}
        self._end = WORDS

    def add(self, instance_id: int, functions: int) -> int:
        """Give out words for so many functions, one after the other; returns the address of the first.

        When there are not enough left, they are words that stay 0.
        """
        if functions * _SIZE > NO_WORDS - self._end:
            self._bases[instance_id] = NO_WORDS
            return NO_WORDS
        base = self._bases[instance_id] = self._end
        self._end += functions * _SIZE
        return base

    def add_targets(self, functions: int) -> int:
        """Give out as many words more, to an instance that is there; returns the address of the first.

        Raises `WasmscopeError` where there are not enough.
        """
        if functions * _SIZE > NO_WORDS - self._end:
            raise WasmscopeError("the store has too many functions in too many instances")
        base, self._end = self._end, self._end + functions * _SIZE
        return base

    def drop(self, instance_id: int) -> None:
        """Take back the words that were given out last."""
        base = self._bases.pop(instance_id)
        if base != NO_WORDS:
            self._end = base

    def has_any(self, instance_id: int) -> bool:
        """Whether an instance has words that are not always 0."""
        return self._bases[instance_id] != NO_WORDS

    def address(self, instance_id: int, function: int) -> int:
        """Where the word of a defined function is. Raises `WasmscopeError` where the instance has none."""
        base = self._bases[instance_id]
        if base == NO_WORDS:
            raise WasmscopeError(
                "the store has too many functions in too many instances: those made last cannot be stopped in"
            )
        return base + function * _SIZE
