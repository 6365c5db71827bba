"""Which functions go to their mirrors when they are called: the words and flags of `instrument/layout.py`.

A function goes to its mirror as long as somebody wants it to; all of them do while the host steps into whatever is
called next. Mirrors that were not made are stood for by stubs. A function that may access what is watched goes to code
that looks for that: a variant of it if one was made, else its mirror.
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

    __slots__ = ("address", "everywhere", "instance", "reached", "routed", "targets", "variants", "watched")

    def __init__(self, instance: Instance, address: int) -> None:
        self.instance = instance
        self.address = address
        count = len(instance.module.original.functions)
        self.routed = array(_WORD, bytes(4 * count))
        """What they are ordinarily,"""
        self.everywhere: array[int] | None = None
        """and while every function goes to its mirror; made when first needed."""
        self.watched: frozenset[int] = frozenset()
        """The functions that may access what is watched."""
        self.variants: dict[int, int] = {}
        """Where those of them go that have a variant which looks for that."""
        self.targets = 0
        """The address of the words that say what variants call in place of each function, when there are any;"""
        self.reached: dict[int, int] = {}
        """and what that is ordinarily: the function itself, or what leads to it."""


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
        entry = self._entry(instance, function) if key not in self._wanted else 0
        self._wanted[key] += 1
        if entry:
            self._shadow.set_flag(self._flag(instance, function), True)
            self._set(words, function, entry)

    def release(self, instance: Instance, function: int) -> None:
        """They do not want it any more."""
        key = (instance.id, function)
        self._wanted[key] -= 1
        if self._wanted[key] == 0:
            del self._wanted[key]
            words = self._words[instance.id]
            self._set(words, function, self._entry(instance, function))
            self._shadow.set_flag(self._flag(instance, function), False)

    def is_wanted(self, instance: Instance, function: int) -> bool:
        """Whether somebody wants a function in particular to go to its mirror."""
        return (instance.id, function) in self._wanted

    def watch(self, instance: Instance, functions: frozenset[int], variants: dict[int, int]) -> None:
        """Have these functions, and no others, go to code that looks for what is watched: variants, where there are."""
        if instance.id not in self._words and not functions:
            return
        words = self._words_of(instance)
        entries = self._all_entries(words) if functions else array(_WORD)
        before, words.watched, words.variants = words.watched, functions, variants
        for function in functions - before:
            self._shadow.set_flag(self._flag(instance, function), True)
        for function in functions | before:
            words.routed[function] = self._ordinary(words, function, entries[function] if functions else 0)
        if not self._everywhere:
            self._shadow.write_words(words.address, words.routed)
        self._write_targets(words)
        for function in before - functions:
            self._shadow.set_flag(self._flag(instance, function), False)

    def use_variant(self, instance: Instance, function: int, variant: int) -> None:
        """Have a function that may access what is watched go to a variant."""
        words = self._words_of(instance)
        words.variants[function] = variant
        self._set(words, function, self._entry(instance, function))

    def targets(self, instance: Instance) -> int:
        """Where the words are that say what variants call. Raises `WasmscopeError` where there is no room for them."""
        words = self._words_of(instance)
        if not words.targets:
            words.targets = self._shadow.add_targets(len(words.routed))
        return words.targets

    def reach(self, instance: Instance, function: int, entry: int) -> None:
        """Variants call a function: at `entry` of the table of mirrors, unless there is a variant of it."""
        words = self._words_of(instance)
        if function not in words.reached:
            self.targets(instance)
            words.reached[function] = entry
            self._write_target(words, function)

    def _write_targets(self, words: _Words) -> None:
        for function in words.reached:
            self._write_target(words, function)

    def _write_target(self, words: _Words, function: int) -> None:
        if function in words.reached:
            variant = 0 if self._everywhere else words.variants.get(function, 0)
            target = variant if variant and words.routed[function] == variant else words.reached[function]
            self._shadow.set_word(words.targets + 4 * function, target)

    def _ordinary(self, words: _Words, function: int, mirror: int) -> int:
        """Where a function goes while not every one goes to its mirror."""
        if (words.instance.id, function) in self._wanted:
            return mirror or self._entry(words.instance, function)
        return words.variants.get(function, mirror) if function in words.watched else 0

    def _set(self, words: _Words, function: int, mirror: int) -> None:
        words.routed[function] = self._ordinary(words, function, mirror)
        self._write(words, function)

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
        for words in self._words.values():
            self._write_targets(words)
        self._shadow.set_all_flags(wanted)

    def add(self, instance: Instance) -> None:
        """There is a new instance."""
        if self._everywhere:
            self._route_all(instance)

    def _route_all(self, instance: Instance) -> None:
        if not self._shadow.has_words(instance.id):
            return  # its functions run as they are, whatever is stepped into
        words = self._words_of(instance)
        self._shadow.write_words(words.address, self._all_entries(words))

    def _all_entries(self, words: _Words) -> array[int]:
        if words.everywhere is None:
            words.everywhere = array(_WORD, self._entries(words.instance))
        return words.everywhere

    def made(self, instance: Instance, function: int, entry: int) -> None:
        """The mirror of a function was made: it is entered without a stub from now on."""
        words = self._words_of(instance)
        if words.everywhere is not None:
            words.everywhere[function] = entry
        self._set(words, function, entry)

    def _write(self, words: _Words, function: int) -> None:
        current = words.everywhere if self._everywhere and words.everywhere is not None else words.routed
        self._shadow.set_word(words.address + 4 * function, current[function])
        self._write_target(words, function)

    def _words_of(self, instance: Instance) -> _Words:
        if instance.id not in self._words:
            self._words[instance.id] = _Words(instance, self._shadow.word_address(instance.id, 0))
        return self._words[instance.id]

    @staticmethod
    def _flag(instance: Instance, function: int) -> int:
        return instance.module.frame_table.plan.mark.flag(function)
