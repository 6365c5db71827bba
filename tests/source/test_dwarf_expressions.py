"""Location expressions, each operation by what it leaves (DWARF 5, 2.5 and 2.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from source.programs import info_of, module_of
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.dwarf.entries import Entries
from wasmscope.source.dwarf.expressions import evaluate
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf
from wasmscope.source.dwarf.sections import read_sections
from wasmscope.source.dwarf.units import Units
from wasmscope.source.locations import (
    Fixed,
    FrameValues,
    ImplicitPointer,
    InMemory,
    InWasm,
    Known,
    Located,
    Locator,
    Piece,
    Pieces,
    WasmNumber,
    WasmSpace,
)
from wasmscope.source.types import BaseType, Encoding

LOCAL, GLOBAL, OPERAND = WasmSpace.LOCAL, WasmSpace.GLOBAL, WasmSpace.OPERAND

TYPES = {
    1: BaseType("i8", 1, Encoding.SIGNED),
    2: BaseType("u16", 2, Encoding.UNSIGNED),
    3: BaseType("i64", 8, Encoding.SIGNED),
    4: BaseType("f32", 4, Encoding.FLOAT),
    5: BaseType("f64", 8, Encoding.FLOAT),
    6: BaseType("i32", 4, Encoding.SIGNED),
    7: BaseType("u32", 4, Encoding.UNSIGNED),
}


@dataclass(frozen=True)
class Frame:
    """A frame with a few values, and memory that is the low byte of its address."""

    numbers: dict[tuple[WasmSpace, int], WasmNumber] = field(default_factory=dict)

    def number(self, space: WasmSpace, index: int) -> WasmNumber | Unavailable:
        return self.numbers.get((space, index), Unavailable(f"no {space} {index}"))

    def parameter_at_entry(self, index: int) -> WasmNumber | Unavailable:
        return WasmNumber(0x77, 4)

    def read(self, address: int, size: int) -> bytes | Unavailable:
        if address + size > 0x10000:
            return Unavailable("out of bounds")
        return bytes((address + place) & 0xFF for place in range(size))


FRAME = Frame(
    {
        (LOCAL, 0): WasmNumber(0x1000, 4),
        (LOCAL, 1): WasmNumber(0xFFFFFFFFFFFFFFFE, 8),
        (LOCAL, 2): WasmNumber(0x3FC00000, 4, is_float=True),
        (GLOBAL, 3): WasmNumber(0x2000, 4),
        (OPERAND, 1): WasmNumber(5, 4),
    }
)


class Context:
    """What expressions refer to."""

    def frame_base(self, values: FrameValues) -> int | Unavailable:
        return 0x4000

    def indexed_address(self, index: int) -> int:
        return 0x5000 + index

    def base_type(self, offset: int) -> BaseType | None:
        return TYPES.get(offset)

    def variable(self, offset: int) -> Locator:
        return TARGET


TARGET = Fixed(InMemory(0x123))


def located(expression: bytes) -> Located:
    sections = read_sections(module_of("types_O0.wasm"))
    units = Units(sections, Budget(sections.size))
    operations = Entries(sections, units).expression(units.all[0], expression)
    return evaluate(operations, len(expression), FRAME, Context(), 4)


def number(expression: bytes) -> int:
    """The value of an expression that ends with `DW_OP_stack_value`, as a signed number of 64 bits."""
    found = located(expression + b"\x9f")
    assert isinstance(found, Known), found
    return int.from_bytes(found.value[:8], "little", signed=True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (b"\x03\x34\x12\0\0", InMemory(0x1234)),  # addr
        (b"\xa1\x02", InMemory(0x5002)),  # addrx
        (b"\x91\x10", InMemory(0x4010)),  # fbreg
        (b"\x91\x70", InMemory(0x3FF0)),
        (b"\xed\0\0", InMemory(0x1000)),  # WASM_location of a local that has the address
        (b"\xed\0\0\x23\x04", InMemory(0x1004)),
        (b"\xed\0\0\x9f", InWasm(LOCAL, 0)),  # and of one that has the value
        (b"\xed\1\3\x9f", InWasm(GLOBAL, 3)),
        (b"\xed\3\3\0\0\0\x9f", InWasm(GLOBAL, 3)),
        (b"\xed\2\1\x9f", InWasm(OPERAND, 1)),
        (b"\xed\0\2\x9f", InWasm(LOCAL, 2)),
        (b"\x9e\3abc", Known(b"abc")),  # implicit_value
        (b"\xf2\1\0\0\0\x02", ImplicitPointer(TARGET, 2)),  # GNU_implicit_pointer
        (b"", Unavailable("optimised out here")),
        (b"\x03\xff\xff\xff\xff", Unavailable("the linker dropped it")),
        (b"\x03\xfe\xff\xff\xff", Unavailable("the linker dropped it")),
        (b"\xed\0\x63", Unavailable("no local 99")),
        (b"\x93\4\x93\4", Pieces((Piece(Unavailable("optimised out here"), 32),) * 2)),
        (
            b"\xed\0\0\x9f\x93\4\x30\x9f\x93\1",
            Pieces((Piece(InWasm(LOCAL, 0), 32), Piece(Known(bytes(8)), 8))),
        ),
        (b"\x91\0\x9d\x05\x03", Pieces((Piece(InMemory(0x4000), 5, 3),))),  # bit_piece
    ],
)
def test_locations(expression: bytes, expected: Located) -> None:
    assert located(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (b"\x30", 0), (b"\x4f", 31),  # lit
        (b"\x08\xff", 255), (b"\x09\xff", -1), (b"\x0a\xff\xff", 65535), (b"\x0b\xff\xff", -1),
        (b"\x0c\xff\xff\xff\xff", 0xFFFFFFFF), (b"\x0d\xff\xff\xff\xff", -1),
        (b"\x0e" + b"\xff" * 7 + b"\x7f", 0x7FFFFFFFFFFFFFFF), (b"\x0f" + b"\xff" * 8, -1),
        (b"\x10\x80\x01", 128), (b"\x11\x7f", -1),
        (b"\x31\x12\x22", 2),  # dup, plus
        (b"\x31\x32\x13", 1),  # drop
        (b"\x31\x32\x14", 1),  # over
        (b"\x31\x32\x33\x15\2", 1),  # pick
        (b"\x31\x33\x16\x1c", 2),  # swap, minus: 3 - 1
        (b"\x31\x32\x33\x17\x1c", -1),  # rot: 3 1 2 -> 1 - 2
        (b"\x09\xfd\x19", 3), (b"\x33\x1f", -3), (b"\x30\x20", -1),  # abs, neg, not
        (b"\x36\x33\x1a", 2), (b"\x36\x33\x21", 7), (b"\x36\x33\x27", 5),  # and, or, xor
        (b"\x09\xf9\x32\x1b", -3),  # div: -7 / 2
        (b"\x37\x33\x1d", 1), (b"\x37\x33\x1e", 21),  # mod, mul
        (b"\x31\x34\x24", 16), (b"\x40\x34\x25", 1), (b"\x09\xf0\x34\x26", -1),  # shl, shr, shra
        (b"\x31\x31\x29", 1), (b"\x31\x32\x2a", 0), (b"\x31\x32\x2b", 0), (b"\x31\x32\x2c", 1),  # eq ge gt le
        (b"\x09\xff\x31\x2d", 1), (b"\x31\x32\x2e", 1),  # lt, which is signed; ne
        (b"\x31\x2f\1\0\x30\x32", 2), (b"\x31\x28\1\0\x30\x35", 5), (b"\x30\x28\1\0\x33", 3),  # skip, bra
        (b"\xed\0\0\x31\x22", 0x1001),
        (b"\xed\0\1\x31\x22", -1),  # a local of 64 bits is pushed whole
        (b"\xed\0\0\x06", 0x03020100), (b"\xed\0\0\x94\x02", 0x0100),  # deref, deref_size
        (b"\xed\0\0\xa6\2\2", 0x0100),  # deref_type
        (b"\xa3\3\xed\0\0", 0x77),  # entry_value of a parameter
        (b"\x08\xff\xa8\1\xa8\3", -1),  # convert: to i8, sign-extended to i64
        (b"\x09\xff\xa8\2\xa8\3", 65535),  # convert: to u16, zero-extended
        (b"\xed\0\2\xa8\6", 1),  # convert: f32 1.5 to i32
        (b"\xa4\1\1\x80\xa8\3", -128),  # const_type
    ],
)  # fmt: skip
def test_arithmetic(expression: bytes, expected: int) -> None:
    assert number(expression) == expected


def test_a_conversion_to_a_float_gives_its_bytes() -> None:
    assert located(b"\x09\xfd\xa8\6\xa8\5\x9f") == Known(bytes.fromhex("00000000000008c0"))
    assert located(b"\x09\xfd\xa8\6\xa8\4\x9f") == Known(bytes.fromhex("000040c0"))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (b"\x22", "takes more from the stack"),
        (b"\x31\x30\x1b\x9f", "division by zero"),
        (b"\x31\x2f\xfc\xff", "too large a stack"),
        (b"\x96\x2f\xfc\xff", "too many steps"),
        (b"\x2f\1\0\x0c\1\2\3\4", "branches to where no operation is"),
        (b"\x50", "register"),
        (b"\x9b", "thread-local"),
        (b"\x97", "depends on the object"),
        (b"\x98\0\0", "not supported"),
        (b"\x31\x9f\x31", "behind its end"),
        (b"\xed\0\2\x31\x22\x9f", "floating-point"),
        (b"\x0c\0\0\1\0\x06\x9f", "out of bounds"),
        (b"\xa3\1\x31\x9f", "function was entered"),
        (b"\xa3\5", "function was entered"),
        (b"\x31\xa8\x63\x9f", "needs a type"),
        (b"\x93\xff\xff\xff\xff\x7f", "scattered"),
    ],
)
def test_what_cannot_be_worked_out_says_why(expression: bytes, reason: str) -> None:
    found = located(expression)
    assert isinstance(found, Unavailable), found
    assert reason in found.reason


@pytest.mark.parametrize("expression", [b"\x03\1", b"\x01", b"\xed\x09\0"])
def test_operations_that_are_cut_off_or_unknown_are_malformed(expression: bytes) -> None:
    with pytest.raises(MalformedDwarf):
        located(expression)


def test_statics_of_both_versions_are_at_the_same_addresses() -> None:
    old = {each.name: each.locator.locate(0, FRAME) for each in info_of("types_O0.wasm").statics()}
    new = {each.name: each.locator.locate(0, FRAME) for each in info_of("types_v5.wasm").statics()}
    assert old == new
    assert all(isinstance(each, InMemory) for each in old.values())
