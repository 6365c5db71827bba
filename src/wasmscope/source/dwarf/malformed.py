"""What is raised where DWARF is malformed, and what keeps reading it bounded."""

from __future__ import annotations

from wasmscope.errors import WasmscopeError

SLACK = 1 << 20
"""Bytes that may be read in any case."""

REREADS = 8
"""How many times each byte of the debug sections may be read in tables that entries share."""


class MalformedDwarf(WasmscopeError):
    """Debug information that cannot be read. It does not leave `source`: `DebugInfo.problems` tells of it."""


class Budget:
    """How much may be read of tables that many entries can point into: headers, abbreviations, range lists.

    Each is short in itself, but 100,000 entries may each point to another byte of one long table. In honest debug
    information they share tables, which are read once, or have their own.
    """

    __slots__ = ("_left",)

    def __init__(self, size: int) -> None:
        self._left = size * REREADS + SLACK

    def spend(self, size: int) -> None:
        """Counts `size` bytes; raises `MalformedDwarf` when far more was read than is there."""
        self._left -= size
        if self._left < 0:
            raise MalformedDwarf("its tables overlap, and reading them again and again was given up")
