"""What values and expressions need of a guest that stands still, and of what its debug information says.

`Machine` is the guest as one of its frames sees it; `Names` is what an expression may speak of there. Nothing here
raises: what cannot be had or done is `Unavailable`, with the reason. Indices and addresses are untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import FrameValues, WasmNumber, WasmSpace
from wasmscope.source.model import Language, Variable
from wasmscope.source.types import FunctionType, Type
from wasmscope.wasm.types import FuncType, ValType

MAX_READ = 1 << 20
"""Bytes of memory that are read at once, at most; what is larger is read in parts by whoever shows it."""


class Machine(FrameValues, Protocol):
    """A guest that stands still, as one of its frames sees it."""

    @property
    def pc(self) -> int:
        """Where the frame is."""
        ...

    def write(self, address: int, data: bytes) -> Unavailable | None:
        """Write bytes of memory 0: all of them, or nothing."""
        ...

    def value_type(self, space: WasmSpace, index: int) -> ValType | None:
        """The type of a local, global or operand; None: there is none of that index."""
        ...

    def set_number(self, space: WasmSpace, index: int, number: WasmNumber) -> Unavailable | None:
        """Set a local, global or operand to a number of its type."""
        ...

    def reference(self, space: WasmSpace, index: int) -> str | Unavailable:
        """What a local, global or operand refers to, in words."""
        ...

    def table_function(self, entry: int) -> int | Unavailable:
        """The index of the function that a function pointer is to: of that entry of the table of functions."""
        ...

    def function_name(self, function: int) -> str:
        """What a function is called, for people."""
        ...

    def function_type(self, function: int) -> FuncType | None:
        """A function's signature; None: there is none of that index."""
        ...

    def call(self, function: int, arguments: Sequence[WasmNumber]) -> tuple[WasmNumber, ...] | Unavailable:
        """Run a function of the guest to its end; if that is a trap or an exception, `Unavailable` says so."""
        ...


@dataclass(frozen=True, slots=True)
class GuestFunction:
    """A function that may be called: its index, imported ones counted, its type and its signature as far as known."""

    index: int
    name: str
    type: FunctionType | None
    signature: FuncType | None = None


class Names(Protocol):
    """What an expression may speak of at one place of the code."""

    @property
    def language(self) -> Language:
        """The language of that place."""
        ...

    @property
    def pointer_size(self) -> int:
        """How many bytes an address has: 4, or 8 where memory 0 has addresses of 64 bits."""
        ...

    @property
    def pc(self) -> int:
        """The place."""
        ...

    def variables(self) -> Sequence[Variable]:
        """The variables in scope, innermost first: of equal names the first is the one that is meant."""
        ...

    def statics_named(self, name: str) -> Sequence[Variable]:
        """As `DebugInfo.statics_named`."""
        ...

    def types_named(self, name: str) -> Sequence[Type]:
        """As `DebugInfo.types_named`."""
        ...

    def functions_named(self, name: str) -> Sequence[GuestFunction]:
        """The functions of that name, qualified name or linkage name."""
        ...

    def method(self, key: int, linkage_name: str) -> GuestFunction | None:
        """The function that defines a `Method`; None: it has no code of its own."""
        ...

    def wasm_names(self) -> Mapping[str, tuple[WasmSpace, int]]:
        """The locals and globals by the names that the module's name section has for them."""
        ...

    def wasm_type(self, space: WasmSpace, index: int) -> ValType | None:
        """The type of a local, global or operand there; None: there is none of that index."""
        ...
