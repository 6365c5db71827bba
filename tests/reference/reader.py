"""A cursor over the bytes of a module (spec 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reference.errors import DecodeError

T = TypeVar("T")


class Reader:
    """Reads forwards from `position`, an offset in the whole module, up to `end`."""

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def done(self) -> bool:
        """Whether nothing is left."""
        return self.position >= self.end

    def byte(self) -> int:
        """One byte."""
        if self.position >= self.end:
            raise DecodeError("unexpected end", self.position)
        value = self.data[self.position]
        self.position += 1
        return value

    def bytes(self, count: int) -> bytes:
        """`count` bytes as they are."""
        if self.position + count > self.end:
            raise DecodeError("unexpected end", self.position)
        self.position += count
        return self.data[self.position - count : self.position]

    def unsigned(self) -> int:
        """An unsigned LEB128 number of any size."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        """A signed LEB128 number of any size."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - ((byte & 0x40) << (shift - 6))

    def vector(self, element: Callable[[], T]) -> list[T]:
        """A count and that many elements."""
        return [element() for _ in range(self.unsigned())]

    def name(self) -> str:
        """A UTF-8 string with its length in front."""
        return self.bytes(self.unsigned()).decode()

    def part(self, size: int) -> Reader:
        """A reader of the next `size` bytes, which this one skips."""
        start = self.position
        self.bytes(size)
        return Reader(self.data, start, self.position)
