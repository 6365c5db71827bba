"""Where a variable is: what finds it, what it is found as, and what it is found with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wasmscope.analysis.unavailable import Unavailable


class WasmSpace(StrEnum):
    """Which of a frame's values an index is of."""

    LOCAL = "local"
    GLOBAL = "global"
    OPERAND = "operand"
    """Of the operand stack; index 0 is its bottom."""


@dataclass(frozen=True, slots=True)
class WasmNumber:
    """A number of a frame as its bits: `size` bytes (4, 8, 16), an IEEE 754 number if `is_float`."""

    bits: int
    size: int
    is_float: bool = False

    def to_bytes(self) -> bytes:
        """Its bytes as they would lie in memory."""
        return self.bits.to_bytes(self.size, "little")


class FrameValues(Protocol):
    """The values of one frame of the machine, which a location is worked out with.

    Indices are untrusted: those out of range are `Unavailable`, as are references.
    """

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        """A local, global or operand as it is now."""
        ...

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        """A parameter as it was when the function was entered."""
        ...

    def read(self, address: int, size: int) -> bytes | Unavailable:
        """Bytes of memory 0; all of them or `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """At an address of memory 0."""

    address: int


@dataclass(frozen=True, slots=True)
class InWasm:
    """A local, global or operand holds it; of one larger than it, the low bytes."""

    space: WasmSpace
    index: int


@dataclass(frozen=True, slots=True)
class Known:
    """Its bytes, which are nowhere: a constant, or worked out. It cannot be assigned."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ImplicitPointer:
    """A pointer that is not there to something that may be: `target` plus `offset` bytes (DWARF 5, 2.6.1.1.4)."""

    target: Locator
    offset: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a composite: `size_bits` of what is at `where`, from bit `offset_bits` of it on."""

    where: InMemory | InWasm | Known | ImplicitPointer | Unavailable
    size_bits: int
    offset_bits: int = 0


@dataclass(frozen=True, slots=True)
class Pieces:
    """Scattered: its parts in order, least significant first (DWARF 5, 2.6.1.2)."""

    pieces: tuple[Piece, ...]


Located = InMemory | InWasm | Known | ImplicitPointer | Pieces | Unavailable
"""What a variable is found as."""


class Locator(Protocol):
    """Finds a variable."""

    def locate(self, pc: int, values: FrameValues) -> Located:
        """Where the variable is when its frame is at `pc`. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same everywhere; also of what has no place at all, with the reason."""

    where: Located

    def locate(self, pc: int, values: FrameValues) -> Located:
        """As `Locator` says."""
        return self.where
