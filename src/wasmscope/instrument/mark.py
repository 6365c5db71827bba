"""What tells rewritten modules apart: for the engine's backtraces by name, for the flags of functions by number."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from wasmscope.instrument.layout import SHARED_FLAG


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one module; it follows from the module's bytes."""

    name: str
    """The name that the rewritten module has."""
    number: int | None
    """The flag of the first function that the module defines: scattered, so that modules seldom share flags. None: its
    functions have no words, and one flag."""

    @classmethod
    def of(cls, bytecode: bytes) -> Mark:
        """The mark of the module `bytecode`."""
        digest = sha256(bytecode).digest()
        return cls(f"wasmscope:{digest[:16].hex()}", int.from_bytes(digest[16:], "little") % SHARED_FLAG)

    def without_words(self) -> Mark:
        """The mark of the same module whose functions are never run by others."""
        return Mark(self.name, None)

    def flag(self, function: int) -> int:
        """The number of the flag of a function, by its index among the defined ones."""
        return SHARED_FLAG if self.number is None else (self.number + function) % SHARED_FLAG
