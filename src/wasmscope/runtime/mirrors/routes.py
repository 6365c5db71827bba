"""Which functions go to their mirrors when they are called: the words and flags of `instrument/layout.py`.

A function goes to its mirror as long as somebody wants it to; all of them do while the host steps into whatever is
called next. Mirrors that were not made are stood for by stubs.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from wasmscope.runtime.shadow import Shadow

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance

_WORD = "I"


class _Words:
    """The words of one instance."""

    __slots__ = ("address", "everywhere", "instance", "routed")

    def __init__(self, instance: Instance, address: int) -> None:
        self.instance = instance
        self.address = address
        count = len(instance.module.original.functions)
        self.routed = array(_WORD, bytes(4 * count))
        """What they are ordinarily,"""
        self.everywhere: array[int] | None = None
        """and while every function goes to its mirror; made when first needed."""


class Routes:
    """The routes of a store's functions."""

    def __init__(
        self, shadow: Shadow, entry: Callable[[Instance, int], int], entries: Callable[[Instance], list[int]]
    ) -> None:
        """`entry` gives what a function of an instance goes to, `entries` what each of them does."""
        self._shadow = shadow
        self._entry = entry
        self._entries = entries
        self._words: dict[int, _Words] = {}
        self._wanted = Counter[tuple[int, int]]()
        self._everywhere = False

    def want(self, instance: Instance, function: int) -> None:
        """Somebody wants a function to go to its mirror. Raises `WasmscopeError` where it cannot."""
        words = self._words_of(instance)
        key = (instance.id, function)
        if key not in self._wanted:
            words.routed[function] = self._entry(instance, function)
            self._shadow.set_flag(self._flag(instance, function), True)
            if not self._everywhere:
                self._write(words, function)
        self._wanted[key] += 1

    def release(self, instance: Instance, function: int) -> None:
        """They do not want it any more."""
        key = (instance.id, function)
        self._wanted[key] -= 1
        if self._wanted[key] == 0:
            del self._wanted[key]
            words = self._words[instance.id]
            words.routed[function] = 0
            if not self._everywhere:
                self._write(words, function)
            self._shadow.set_flag(self._flag(instance, function), False)

    def is_wanted(self, instance: Instance, function: int) -> bool:
        """Whether somebody wants a function in particular to go to its mirror."""
        return (instance.id, function) in self._wanted

    @property
    def everywhere(self) -> bool:
        """Whether all functions go to their mirrors."""
        return self._everywhere

    def set_everywhere(self, wanted: bool, instances: list[Instance]) -> None:
        """Have all functions of these instances, all that there are, go to their mirrors, or not any more."""
        if wanted == self._everywhere:
            return
        if wanted:
            for instance in instances:
                self._route_all(instance)
        else:
            for words in self._words.values():
                self._shadow.write_words(words.address, words.routed)
        self._everywhere = wanted
        self._shadow.set_all_flags(wanted)

    def add(self, instance: Instance) -> None:
        """There is a new instance."""
        if self._everywhere:
            self._route_all(instance)

    def _route_all(self, instance: Instance) -> None:
        if not self._shadow.has_words(instance.id):
            return  # its functions run as they are, whatever is stepped into
        words = self._words_of(instance)
        if words.everywhere is None:
            words.everywhere = array(_WORD, self._entries(instance))
        self._shadow.write_words(words.address, words.everywhere)

    def made(self, instance: Instance, function: int, entry: int) -> None:
        """The mirror of a function was made: it is entered without a stub from now on."""
        words = self._words_of(instance)
        if words.everywhere is not None:
            words.everywhere[function] = entry
        if words.routed[function]:
            words.routed[function] = entry
        self._write(words, function)

    def _write(self, words: _Words, function: int) -> None:
        current = words.everywhere if self._everywhere and words.everywhere is not None else words.routed
        self._shadow.set_word(words.address + 4 * function, current[function])

    def _words_of(self, instance: Instance) -> _Words:
        if instance.id not in self._words:
            self._words[instance.id] = _Words(instance, self._shadow.word_address(instance.id, 0))
        return self._words[instance.id]

    @staticmethod
    def _flag(instance: Instance, function: int) -> int:
        return instance.module.frame_table.plan.mark.flag(function)
