"""What a store holds: functions, memories, tables, globals, tags (spec 4.2.3 to 4.2.11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.values import Value

if TYPE_CHECKING:
    from reference.instance import Instance
    from reference.types import DefinedType, RefType, ValueType


@dataclass(frozen=True, slots=True)
class Limits:
    """What an instance may use; the calls and steps are those of the activations that start in it."""

    call_depth: int = 5000
    steps: int | None = None
    memory_bytes: int = 1 << 28
    table_elements: int = 1 << 20
    array_elements: int = 1 << 22


@dataclass(frozen=True, slots=True)
class MemoryType:
    """Sizes in pages; `address` is "i32" or "i64"."""

    minimum: int
    maximum: int | None = None
    shared: bool = False
    address: str = "i32"
    page_size: int = 65536


@dataclass(frozen=True, slots=True)
class TableType:
    """Sizes in elements; `address` is "i32" or "i64"."""

    element: RefType
    minimum: int
    maximum: int | None = None
    address: str = "i32"


@dataclass(frozen=True, slots=True)
class GlobalType:
    """The type of a global."""

    value: ValueType
    mutable: bool


@dataclass(eq=False, slots=True)
class HostFunc:
    """A function of the host: takes the arguments one by one, gives all results in a sequence."""

    type: DefinedType
    call: Callable[..., Sequence[Value]]


@dataclass(eq=False, slots=True)
class WasmFunction:
    """A guest function; `index` counts the imported functions of its module too."""

    type: DefinedType
    instance: Instance
    index: int


FuncRef = WasmFunction | HostFunc


class Memory:
    """A linear memory."""

    def __init__(self, type: MemoryType, limit: int = 1 << 28) -> None:
        self.type = type
        self.data = bytearray(type.minimum * type.page_size)
        absolute = (1 << (32 if type.address == "i32" else 64)) // type.page_size
        self._most = min(absolute if type.maximum is None else type.maximum, limit // type.page_size)

    @property
    def pages(self) -> int:
        """The size in pages."""
        return len(self.data) // self.type.page_size

    def grow(self, delta: int) -> int:
        """The old size in pages, or -1 where it cannot grow."""
        old = self.pages
        if old + delta > self._most:
            return -1
        self.data += bytes(delta * self.type.page_size)
        return old

    def check(self, address: int, size: int) -> None:
        """Trap where an access leaves the memory."""
        if address + size > len(self.data):
            raise Trap("MEMORY_OUT_OF_BOUNDS")

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes."""
        self.check(address, size)
        return bytes(self.data[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """All of `data` or a trap."""
        self.check(address, len(data))
        self.data[address : address + len(data)] = data


class Table:
    """A table of references."""

    def __init__(self, type: TableType, initial: Value = None, limit: int = 1 << 20) -> None:
        self.type = type
        self.elements: list[Value] = [initial] * type.minimum
        absolute = (1 << (32 if type.address == "i32" else 64)) - 1
        self._most = min(absolute if type.maximum is None else type.maximum, limit)

    def grow(self, delta: int, value: Value) -> int:
        """The old size, or -1 where it cannot grow."""
        old = len(self.elements)
        if old + delta > self._most:
            return -1
        self.elements += [value] * delta
        return old

    def check(self, index: int, size: int) -> None:
        """Trap where an access leaves the table."""
        if index + size > len(self.elements):
            raise Trap("TABLE_OUT_OF_BOUNDS")

    def get(self, index: int) -> Value:
        """One element."""
        self.check(index, 1)
        return self.elements[index]

    def write(self, index: int, values: Sequence[Value]) -> None:
        """All of `values` or a trap."""
        self.check(index, len(values))
        self.elements[index : index + len(values)] = values


@dataclass(eq=False, slots=True)
class Global:
    """A global variable."""

    type: GlobalType
    value: Value


@dataclass(eq=False, slots=True)
class Tag:
    """An exception tag; each instantiation makes its own."""

    type: DefinedType


Extern = FuncRef | Memory | Table | Global | Tag
