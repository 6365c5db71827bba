"""One function of one instance, as it runs in the mirror tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.instrument.mirror.layout import (
    BLOCK_SIZE,
    CONDITIONS,
    COUNT,
    FIRST_PAGE,
    NUMBER,
    PAGE_LOG2,
    RESUME_BASE,
    RESUME_INDEX,
    SITES,
    SKIP,
    SKIP_NOTHING,
    STEPPING,
    STOPS,
    WATCHES,
    site_of,
)
from wasmscope.runtime.mirrors.control import ControlMemory

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.mirrors.code import MirrorCode


class Mirror:
    """A mirror: where its block is in the control memory, and what runs it."""

    __slots__ = (
        "_conditions",
        "_control",
        "_stops",
        "_watches",
        "block",
        "code",
        "entry",
        "first_page",
        "instance",
        "number",
        "resume",
    )

    entry: int
    """Index in the mirrors table of what enters it,"""
    resume: wasmtime.Func
    """and what goes on with a frame of it."""

    def __init__(
        self, control: ControlMemory, number: int, instance: Instance, code: MirrorCode, first_page: int
    ) -> None:
        self._control = control
        self.number = number
        """In its store: frames have it."""
        self.instance = instance
        self.code = code
        self.first_page = first_page
        """Index of its first page in the mirrors table."""
        count = len(code.typed.instructions)
        self.block = control.allocate(BLOCK_SIZE)
        self._stops = control.allocate(count)
        sites = control.allocate(4 * count)
        self._conditions = 0
        self._watches = 0
        control.make_ones(count)
        control.set_words(sites, [site_of(typed.pc) for typed in code.typed.instructions])
        for offset, value in (
            *((COUNT, count), (STOPS, self._stops), (SITES, sites)),
            *((FIRST_PAGE, first_page), (NUMBER, number)),
        ):
            control.set_word(self.block + offset, value)

    @property
    def function(self) -> int:
        """Index among the defined functions."""
        return self.code.function

    @property
    def num_pages(self) -> int:
        """How many pages it has."""
        return page_count(self.code)

    def stop(self, index: int) -> int:
        """What happens before instruction `index`: `STOP_...` bits."""
        return self._control.bytes[self._stops + index]

    def set_stop(self, index: int, kind: int) -> None:
        """Have that happen before instruction `index`."""
        self._control.bytes[self._stops + index] = kind

    def resume_at(self, base: int, index: int, skip: int) -> None:
        """The frame at `base` goes on at instruction `index`; `skip`, `SKIP_...`: what it does not stop for."""
        control = self._control
        control.set_word(RESUME_BASE, base)
        control.set_word(RESUME_INDEX, index)
        # What is skipped is skipped there and then, or it would be another time.
        is_tested = control.bytes[STEPPING] or (index < len(self.code.typed.instructions) and self.stop(index))
        control.set_word(SKIP, skip if is_tested else SKIP_NOTHING)

    def set_conditions(self, index: int, conditions: Sequence[int]) -> None:
        """Have these say whether to stop at instruction `index`: indices of functions in the mirrors table.

        There is at least one where `STOP_CONDITION` is set.
        """
        control = self._control
        if not self._conditions:
            self._conditions = control.allocate(4 * len(self.code.typed.instructions))
            control.set_word(self.block + CONDITIONS, self._conditions)
        cell = self._conditions + 4 * index
        before = control.word(cell)
        address = control.allocate_words(len(conditions) + 1) if conditions else 0
        control.set_word(cell, address)
        if conditions:
            control.set_words(address, [len(conditions), *conditions])
        if before:
            control.free_words(before, control.word(before) + 1)

    def set_watch(self, index: int, descriptor: int) -> None:
        """Have the descriptor at this address say what instruction `index` accesses (`instrument/mirror/watching.py`).

        It is looked at where the instruction's stop has `STOP_WATCH`.
        """
        if not self._watches:
            self._watches = self._control.allocate(4 * len(self.code.typed.instructions))
            self._control.set_word(self.block + WATCHES, self._watches)
        self._control.set_word(self._watches + 4 * index, descriptor)


def page_count(code: MirrorCode) -> int:
    """How many pages a function has."""
    return (len(code.typed.instructions) + (1 << PAGE_LOG2) - 1) >> PAGE_LOG2
