"""A value with its type and the place where it is; it is read when it is asked for, and again each time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import InMemory, Known, Located
from wasmscope.source.model import Variable
from wasmscope.source.target import Machine
from wasmscope.source.types import Type, TypeRef, size_of
from wasmscope.source.values.reading import read_bits, read_bytes


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value of `type` (None: `void`) that begins `bit_offset` bits into what is at `where`.

    `bit_size` is given where it does not fill its type: of a bit-field. Two are equal if they are the same place as the
    same type, whatever is there.
    """

    type: Type | None
    where: Located
    machine: Machine = field(repr=False, compare=False)
    bit_offset: int = 0
    bit_size: int | None = None

    @property
    def size(self) -> int | None:
        """How many bytes its type has; None: that is not known."""
        return size_of(self.type)

    @property
    def address(self) -> int | Unavailable:
        """Where in memory 0 it is; `Unavailable` if it is not in memory, or not at a byte's beginning."""
        match self.where:
            case Unavailable():
                return self.where
            case InMemory(address) if self.bit_size is None and self.bit_offset % 8 == 0:
                return address + self.bit_offset // 8
            case InMemory():
                return Unavailable("a bit-field has no address")
            case Known():
                return Unavailable("it is not stored anywhere, so it has no address")
            case _:
                return Unavailable("it is not in memory, so it has no address")

    def bits(self) -> int | Unavailable:
        """Its bits as an unsigned integer, as they are now."""
        count = self.bit_size
        if count is None:
            size = self.size
            if size is None:
                return self.where if isinstance(self.where, Unavailable) else Unavailable("its size is not known")
            count = size * 8
        return read_bits(self.machine, self.where, self.bit_offset, count)

    def read(self, size: int, offset: int = 0) -> bytes | Unavailable:
        """`size` of its bytes, from byte `offset` on, as they are now."""
        return read_bytes(self.machine, self.where, size, self.bit_offset + offset * 8)

    def part(self, type_: Type | None, bit_offset: int, bit_size: int | None = None) -> TypedValue:
        """What of `type_` lies `bit_offset` bits from its beginning on."""
        offset = self.bit_offset + bit_offset
        if isinstance(self.where, InMemory) and bit_size is None and offset % 8 == 0:
            return TypedValue(type_, InMemory(self.where.address + offset // 8), self.machine)
        return TypedValue(type_, self.where, self.machine, offset, bit_size)

    def as_type(self, type_: Type | None) -> TypedValue:
        """The same place, taken as another type."""
        return replace(self, type=type_, bit_size=None)

    def known(self) -> TypedValue:
        """A copy of its bytes as they are now, which what the guest does later does not change."""
        size = self.size
        if size is None or self.bit_size is not None or isinstance(self.where, Known | Unavailable):
            return self
        data = self.read(size)
        return replace(self, where=data if isinstance(data, Unavailable) else Known(data), bit_offset=0)


def loaded(ref: TypeRef | None) -> Type | None:
    """The type that is referred to; None is `void`."""
    return None if ref is None else ref.get()


def of_variable(variable: Variable, machine: Machine) -> TypedValue:
    """A variable as it is where `machine` stands."""
    where = variable.locator.locate(machine.pc, machine)
    if variable.type is None:
        return TypedValue(None, Unavailable("its type is not recorded"), machine)
    return TypedValue(variable.type.get(), where, machine)


def of_number(type_: Type, bits: int, machine: Machine) -> TypedValue:
    """A number that is stored nowhere."""
    size = size_of(type_) or 0
    return TypedValue(type_, Known((bits & ((1 << size * 8) - 1)).to_bytes(size, "little")), machine)


def unavailable(type_: Type | None, reason: str | Unavailable, machine: Machine) -> TypedValue:
    """What stands for a value that cannot be had."""
    where = reason if isinstance(reason, Unavailable) else Unavailable(reason)
    return TypedValue(type_, where, machine)
