"""One function of one instance, as it runs in the mirror tier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import wasmtime

from wasmscope.instrument.mirror.layout import (
    BLOCK_SIZE,
    CONDITIONS,
    COUNT,
    FIRST_PAGE,
    NUMBER,
    PAGE_LOG2,
    SITES,
    STOPS,
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

    def set_condition(self, index: int, condition: int) -> None:
        """Have the function at index `condition` of the mirrors table say whether to stop at instruction `index`."""
        if not self._conditions:
            self._conditions = self._control.allocate(4 * len(self.code.typed.instructions))
            self._control.set_word(self.block + CONDITIONS, self._conditions)
        self._control.set_word(self._conditions + 4 * index, condition)


def page_count(code: MirrorCode) -> int:
    """How many pages a function has."""
    return (len(code.typed.instructions) + (1 << PAGE_LOG2) - 1) >> PAGE_LOG2
