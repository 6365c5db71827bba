"""Where a variable is, in terms of the values of any frame at one pc, found by asking its locator with made-up values.

What a locator answers is a place for given values. Compilers put variables at a fixed distance from the value of a
local or a global, or into one; whether that is so is seen by asking several times, also where the sum wraps around.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import InMemory, InWasm, Known, Located, Pieces, WasmNumber, WasmSpace
from wasmscope.source.model import Variable
from wasmscope.source.target import Names
from wasmscope.wasm.types import F32, F64, I32, I64

_SIZES = {I32: 4, I64: 8, F32: 4, F64: 8}
_PROBES = (0x1000, 0, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x9E37_79B9, 0x0012_34F5, 0xFFFF_0000)


@dataclass(frozen=True, slots=True)
class FromBase:
    """In memory, `offset` bytes from the value of a local, global or operand, modulo two to the power of `bits`."""

    space: WasmSpace
    index: int
    offset: int
    bits: int


Symbolic = FromBase | InMemory | InWasm | Known | Unavailable


class _MadeUp:
    """A frame all of whose values are `value`; notes what was asked for."""

    def __init__(self, names: Names, value: int) -> None:
        self._names = names
        self._value = value
        self.asked: set[tuple[WasmSpace, int]] = set()
        self.needs_more = False

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        self.asked.add((space, index))
        value_type = self._names.wasm_type(space, index)
        size = _SIZES.get(value_type) if value_type is not None else None
        if size is None:
            return Unavailable("it is no number")
        return WasmNumber(self._value, size, value_type in (F32, F64))

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        self.needs_more = True
        return Unavailable("only a stopped guest tells")

    def read(self, address: int, size: int) -> bytes | Unavailable:
        self.needs_more = True
        return Unavailable("only a stopped guest tells")


def place_of(variable: Variable, names: Names) -> Symbolic:
    """Where a variable is at `names.pc` in any frame; `Unavailable`: nowhere, or it takes more to tell."""
    frames = [_MadeUp(names, value) for value in _PROBES]
    found = [variable.locator.locate(names.pc, frame) for frame in frames]
    name = variable.name
    if any(frame.needs_more for frame in frames):
        return Unavailable(f"where {name} is depends on memory or on what it was at first")
    first = found[0]
    match first:
        case Unavailable():
            return Unavailable(f"{name}: {first.reason}")
        case InMemory():
            return _in_memory(name, found, frames, names)
        case InWasm() | Known() if all(each == first for each in found):
            return first
        case Pieces():
            return Unavailable(f"{name} is in several pieces")
        case _:
            return Unavailable(f"{name} is worked out from other values")


def _in_memory(name: str, found: list[Located], frames: list[_MadeUp], names: Names) -> Symbolic:
    asked = frozenset().union(*(frame.asked for frame in frames))
    places = [each.address for each in found if isinstance(each, InMemory)]
    if len(places) == len(found):
        if not asked and len(set(places)) == 1:
            return InMemory(places[0])
        if len(asked) == 1:
            ((space, index),) = asked
            value_type = names.wasm_type(space, index)
            for bits in (32, 64) if value_type is I32 else (64,) if value_type is I64 else ():
                offset = (places[0] - _PROBES[0]) % (1 << bits)
                if all((value + offset) % (1 << bits) == place for value, place in zip(_PROBES, places, strict=True)):
                    return FromBase(space, index, offset, bits)
    return Unavailable(f"where {name} is depends on more than one value")
