"""Places of a guest's state as conditions spell them: memory at an address, a local, a constant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.expressions.arithmetic import Kind
from wasmscope.source.expressions.probe import FromBase, place_of
from wasmscope.source.locations import InMemory, InWasm, Known, WasmSpace
from wasmscope.source.model import Variable
from wasmscope.source.target import Names
from wasmscope.source.values.scalars import Integral
from wasmscope.wasm.types import F32, F64, I32, I64, ValType

_SPELLED = {WasmSpace.LOCAL: "local", WasmSpace.GLOBAL: "global", WasmSpace.OPERAND: "stack"}
_ADDRESSES = 1 << 64


class Refused(Exception):
    """It cannot be said in a condition, for `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Memory:
    """At the address `base`, a u64, plus `bit_offset` bits."""

    base: str
    bit_offset: int = 0

    def moved(self, bits: int) -> Memory:
        """So many bits further on."""
        return replace(self, bit_offset=self.bit_offset + bits)

    def stepped(self, step: str) -> Memory:
        """So many bytes, a u64, further on."""
        return replace(self, base=f"{self.base} + {step}")

    def address(self, ahead: int = 0) -> str:
        """The address of the byte that is `ahead`."""
        offset = (self.bit_offset // 8 + ahead) % _ADDRESSES
        if not offset:
            return self.base
        if offset >= _ADDRESSES // 2:
            return f"{self.base} - {_ADDRESSES - offset}"
        return f"{self.base} + {offset}"

    def integer(self, type_: Integral, size: int | None) -> tuple[str, Kind]:
        """The integer that is there, which fills `size` bytes, or with None is a bit-field."""
        if size is not None and type_.bits == size * 8 and size in (1, 2, 4, 8):
            sign = "i" if type_.is_signed else "u"
            kind = Kind.I32 if size < 4 else Kind(f"{sign}{type_.bits}")
            return f"{sign}{type_.bits}[{self.address()}]", kind
        first = self.bit_offset % 8
        count = -(-(first + type_.bits) // 8)
        if count > 8:
            raise Refused("it lies across more than 64 bits")
        parts = (f"(u64(u8[{self.address(i)}]) << {8 * i})" for i in range(count))
        return _field(f"({' | '.join(parts)})", 64, first, type_)

    def float(self, size: int) -> str:
        """The float that is there."""
        return f"f{size * 8}[{self.address()}]"


@dataclass(frozen=True, slots=True)
class InRegister:
    """In a local, global or operand, from a bit of it on."""

    text: str
    value_type: ValType
    bit_offset: int = 0

    def moved(self, bits: int) -> InRegister:
        """So many bits further on."""
        return replace(self, bit_offset=self.bit_offset + bits)

    def stepped(self, step: str) -> InRegister:
        """Refused: what is not in memory has no address."""
        raise Refused("an element of an array that is not in memory, at an index that is not constant")

    def address(self, ahead: int = 0) -> str:
        """Refused."""
        raise Refused("it is not in memory, so it has no address")

    def integer(self, type_: Integral, size: int | None) -> tuple[str, Kind]:
        """The integer in it."""
        width = 32 if self.value_type in (I32, F32) else 64
        if self.value_type not in (I32, I64, F32, F64):
            raise Refused("it is in a vector or a reference")
        if self.bit_offset < 0 or self.bit_offset + type_.bits > width:
            raise Refused("it is not all there")
        is_float = self.value_type in (F32, F64)
        return _field(f"bits({self.text})" if is_float else f"u{width}({self.text})", width, self.bit_offset, type_)

    def float(self, size: int) -> str:
        """The float it is."""
        if self.value_type is not (F32 if size == 4 else F64) or self.bit_offset:
            raise Refused("a float in an integer or a part of another")
        return self.text


@dataclass(frozen=True, slots=True)
class Constant:
    """Bytes that are known, from a bit of them on."""

    data: bytes
    bit_offset: int = 0

    def moved(self, bits: int) -> Constant:
        """So many bits further on."""
        return replace(self, bit_offset=self.bit_offset + bits)

    def stepped(self, step: str) -> Constant:
        """Refused: it has no address."""
        raise Refused("an element of an array that is not in memory, at an index that is not constant")

    def address(self, ahead: int = 0) -> str:
        """Refused."""
        raise Refused("it is not in memory, so it has no address")

    def _bits(self, count: int) -> int:
        if self.bit_offset < 0 or self.bit_offset + count > len(self.data) * 8:
            raise Refused("it is not all there")
        return int.from_bytes(self.data, "little") >> self.bit_offset & ((1 << count) - 1)

    def integer(self, type_: Integral, size: int | None) -> int:
        """Its bits."""
        return self._bits(type_.bits if size is None else size * 8)

    def float(self, size: int) -> int:
        """Its bits."""
        return self._bits(size * 8)


Place = Memory | InRegister | Constant


def _field(text: str, width: int, first: int, type_: Integral) -> tuple[str, Kind]:
    """The bits of an integer from `first` on, of an unsigned one of `width` bits."""
    if type_.is_signed:
        up, down = width - first - type_.bits, width - type_.bits
        shifted = f"i{width}({text})"
        return (f"({shifted} << {up} >> {down})" if down else shifted), Kind(f"i{width}")
    if first == 0 and type_.bits == width:
        return text, Kind(f"u{width}")
    return f"({text} >> {first} & u{width}({type_.highest}))", Kind(f"u{width}")


class Places:
    """The places at one pc."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def at(self, address: str) -> Memory:
        """Memory at an address, a u64."""
        return Memory(address)

    def of_register(self, space: WasmSpace, index: int) -> InRegister:
        """A local, global or operand."""
        value_type = self._names.wasm_type(space, index)
        if value_type is None:
            raise Refused(f"there is no {space} {index}")
        return InRegister(f"{_SPELLED[space]}[{index}]", value_type)

    def of_variable(self, variable: Variable) -> Place:
        """A variable of the source."""
        found = place_of(variable, self._names)
        match found:
            case Unavailable(reason):
                raise Refused(reason)
            case InMemory(address):
                return Memory(f"u64({address % _ADDRESSES})")
            case InWasm(space, index):
                return self.of_register(space, index)
            case Known(value):
                return Constant(value)
            case FromBase(space, index, offset, bits):
                register = self.of_register(space, index)
                unsigned = "u32" if register.value_type is I32 else "u64"
                base = f"{unsigned}({register.text})"
                if bits == 32:
                    return Memory(f"u64({base} + u32({offset}))" if offset else f"u64({base})")
                return Memory(f"u64({base})").moved((offset - (offset >> 63 << 64)) * 8)
