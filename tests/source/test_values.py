"""Typed values: where their bits are, what number they are, their parts, and how they are changed."""

from __future__ import annotations

import random
import struct
from fractions import Fraction

import pytest

from source.fakes import (
    BOOL,
    CHAR,
    COLOUR,
    DOUBLE,
    FLOAT,
    INT,
    INT128,
    LONG,
    NODE,
    POINT,
    QUAD,
    SHORT,
    UCHAR,
    UINT,
    FakeMachine,
    array,
    at,
    bits,
    member,
    node_type,
    pointer,
    ref,
    struct_of,
    variable,
)  # fmt: skip
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import Fixed, ImplicitPointer, InMemory, InWasm, Known, Piece, Pieces, WasmSpace
from wasmscope.source.types import (
    BaseType,
    BrokenType,
    Encoding,
    QualifiedType,
    Qualifier,
    StructKind,
    StructType,
    Type,
    TypedefType,
    Variant,
    VariantPart,
)
from wasmscope.source.values import (
    TypedValue,
    assign,
    assign_number,
    dereference,
    element,
    element_count,
    elements,
    members,
    of_variable,
    scalar,
)  # fmt: skip
from wasmscope.source.values.floats import decode_float, encode_float, float_text
from wasmscope.source.values.identity import same_type
from wasmscope.wasm.types import F64, I32, I64


@pytest.fixture
def machine() -> FakeMachine:
    made = FakeMachine()
    made.numbers[WasmSpace.LOCAL, 0] = I32, 0xFFFF_FF85
    made.numbers[WasmSpace.LOCAL, 1] = I64, 0x1122_3344_5566_7788
    made.numbers[WasmSpace.LOCAL, 2] = F64, struct.unpack("<Q", struct.pack("<d", 1.5))[0]
    return made


def reason(value: object) -> str:
    assert isinstance(value, Unavailable), value
    return value.reason


# -- where the bits are -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "layout", "number"),
    [
        (CHAR, "b", -5), (UCHAR, "B", 200), (SHORT, "h", -300), (INT, "i", -(1 << 31)), (UINT, "I", (1 << 32) - 1),
        (LONG, "q", -(1 << 63)), (FLOAT, "f", 0.5), (DOUBLE, "d", -1e300), (BOOL, "B", 1), (COLOUR, "I", 5),
        (pointer(INT), "I", 0xFFFF_FFF0),
    ],
)  # fmt: skip
def test_a_scalar_is_read_from_memory_as_its_type_says(
    machine: FakeMachine, type_: Type, layout: str, number: float
) -> None:
    machine.put(33, layout, number)
    assert scalar(at(machine, type_, 33)) == number


def test_a_local_holds_a_value_in_its_low_bytes(machine: FakeMachine) -> None:
    assert scalar(at(machine, CHAR, InWasm(WasmSpace.LOCAL, 0))) == -0x7B
    assert scalar(at(machine, UINT, InWasm(WasmSpace.LOCAL, 1))) == 0x5566_7788
    assert scalar(at(machine, DOUBLE, InWasm(WasmSpace.LOCAL, 2))) == 1.5
    assert "only 4 bytes" in reason(scalar(at(machine, LONG, InWasm(WasmSpace.LOCAL, 0))))
    assert "no local 9" in reason(scalar(at(machine, INT, InWasm(WasmSpace.LOCAL, 9))))


def test_a_value_in_pieces_is_put_together(machine: FakeMachine) -> None:
    machine.put(64, "H", 0xBEEF)
    where = Pieces((Piece(InWasm(WasmSpace.LOCAL, 1), 8, 8), Piece(InMemory(64), 16), Piece(Known(b"\x12"), 8)))
    value = at(machine, UINT, where)
    assert scalar(value) == 0x12BEEF77
    assert "not stored" in reason(assign_number(value, 1))
    gone = Pieces((Piece(InMemory(64), 16), Piece(Unavailable("optimised out here"), 16)))
    assert reason(scalar(at(machine, UINT, gone))) == "optimised out here"
    assert scalar(at(machine, UINT, gone).part(SHORT, 0)) == 0xBEEF - (1 << 16)
    assert "only 2 bytes" in reason(scalar(at(machine, UINT, Pieces((Piece(InMemory(64), 16),)))))


def test_writing_pieces_changes_each(machine: FakeMachine) -> None:
    where = Pieces((Piece(InWasm(WasmSpace.LOCAL, 1), 8, 8), Piece(InMemory(64), 24)))
    assert assign_number(at(machine, UINT, where), 0xA1B2C3D4) is None
    assert machine.numbers[WasmSpace.LOCAL, 1][1] == 0x1122_3344_5566_D488
    assert machine.memory[64:67] == bytes.fromhex("c3b2a1")


def test_an_implicit_pointer_leads_to_what_is_not_in_memory(machine: FakeMachine) -> None:
    where = ImplicitPointer(Fixed(Known(struct.pack("<ii", 7, 8))), 4)
    value = at(machine, pointer(INT), where)
    assert scalar(dereference(value)) == 8
    assert "optimised away" in reason(scalar(value))


def test_what_is_outside_of_memory_is_unavailable(machine: FakeMachine) -> None:
    assert "outside" in reason(scalar(at(machine, INT, 0xFFFE)))
    assert "outside" in reason(assign_number(at(machine, INT, 0xFFFE), 1))


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_floats_of_all_sizes_keep_their_bits() -> None:
    rng = random.Random(1)
    for size, code in ((2, "e"), (4, "f"), (8, "d")):
        for _ in range(500):
            pattern = rng.getrandbits(size * 8)
            number = decode_float(pattern, size)
            if number == number:
                assert encode_float(number, size) == pattern
                assert struct.pack("<" + code, number) == pattern.to_bytes(size, "little")
    for _ in range(500):
        pattern = rng.getrandbits(128)
        number = decode_float(pattern, 16)
        assert number != number or encode_float(number, 16) == pattern
    assert encode_float(10**400, 8) == 0x7FF0_0000_0000_0000


@pytest.mark.parametrize("size", [4, 8])
def test_numbers_are_rounded_once_to_the_nearest_float(size: int) -> None:
    rng, code = random.Random(2), {4: "f", 8: "d"}[size]
    for _ in range(500):
        number = rng.uniform(-1, 1) * 2.0 ** rng.randrange(-160, 120)
        assert encode_float(number, size).to_bytes(size, "little") == struct.pack("<" + code, number)
    # Halfway after a first rounding to 53 bits, not before it.
    assert decode_float(encode_float((1 << 60) + (1 << 36) + 1, 4), 4) == (1 << 60) + (1 << 37)


@pytest.mark.parametrize(
    ("number", "size", "text"),
    [
        (0.1, 8, "0.1"), (decode_float(0x3DCCCCCD, 4), 4, "0.1"), (3.0, 8, "3"), (-0.0, 4, "-0"),
        (1e300, 8, "1e+300"),
        (float("inf"), 8, "inf"), (float("-inf"), 4, "-inf"), (decode_float(encode_float(Fraction(1, 10), 16), 16),
        16, "0.1"),
        (1.0 / 3, 16, "0.333333333333333314829616256247391"),
    ],
)  # fmt: skip
def test_floats_are_written_with_the_digits_that_tell_them_apart(number: float, size: int, text: str) -> None:
    assert float_text(number, size) == text


def test_a_nan_shows_its_payload() -> None:
    assert float_text(float("nan"), 4, 0xFFC00001) == "-nan(0x400001)"


# -- parts ------------------------------------------------------------------------------------------------------------


def test_members_are_where_their_offsets_say(machine: FakeMachine) -> None:
    machine.put(100, "iib", 1, -2, 65)
    found = members(at(machine, POINT, 100))
    assert [(child.name, scalar(child.value)) for child in found] == [("x", 1), ("y", -2), ("tag", 65)]


def test_members_are_read_when_they_are_asked_for_only(machine: FakeMachine) -> None:
    members(at(machine, POINT, 100))
    assert machine.reads == []


def test_bit_fields_are_read_and_written_without_their_neighbours(machine: FakeMachine) -> None:
    machine.put(40, "I", 0xFFFF_FFFF)
    type_ = struct_of("f", 4, bits("a", UINT, 0, 3), bits("b", INT, 3, 7), bits("c", UINT, 10, 22))
    a, b, c = (child.value for child in members(at(machine, type_, 40)))
    assert (scalar(a), scalar(b), scalar(c)) == (7, -1, (1 << 22) - 1)
    assert assign_number(b, -64) is None
    assert (scalar(a), scalar(b), scalar(c)) == (7, -64, (1 << 22) - 1)
    assert "range from -64 to 63" in reason(assign_number(b, 128))
    assert "bit-field" in reason(b.address)


def test_a_structure_in_a_local_has_members(machine: FakeMachine) -> None:
    type_ = struct_of("s", 8, member("low", INT, 0), member("high", SHORT, 6))
    low, high = (child.value for child in members(at(machine, type_, InWasm(WasmSpace.LOCAL, 1))))
    assert (scalar(low), scalar(high)) == (0x5566_7788, 0x1122)
    assert assign_number(high, -1) is None
    assert machine.numbers[WasmSpace.LOCAL, 1][1] == 0xFFFF_3344_5566_7788


def option(discriminant: bool = True) -> StructType:
    none = struct_of("None", 8)
    some = struct_of("Some", 8, member("__0", INT, 4))
    variants = (Variant(((0, 0),), (member("None", none, 0),)), Variant(((1, 1),), (member("Some", some, 0),)))
    part = VariantPart(member("", UINT, 0) if discriminant else None, variants)
    return StructType("Option<i32>", "core::option::Option<i32>", 8, StructKind.STRUCT, variant_parts=(part,))


def test_only_the_variant_that_is_there_has_members(machine: FakeMachine) -> None:
    machine.put(16, "II", 1, 42)
    assert [child.name for child in members(at(machine, option(), 16))] == ["Some"]
    machine.put(16, "I", 0)
    assert [child.name for child in members(at(machine, option(), 16))] == ["None"]
    machine.put(16, "I", 9)
    (child,) = members(at(machine, option(), 16))
    assert "no variant has the discriminant 9" in reason(child.value.where)
    (child,) = members(at(machine, option(discriminant=False), 16))
    assert "not recorded" in reason(child.value.where)


def test_elements_come_by_page(machine: FakeMachine) -> None:
    machine.put(0, "10i", *range(10))
    value = at(machine, array(INT, 10), 0)
    assert element_count(value) == 10
    assert [scalar(each) for each in elements(value, 7, 100)] == [7, 8, 9]
    assert elements(value, 99, 10) == ()


def test_an_index_picks_a_row_of_an_array_of_two_dimensions(machine: FakeMachine) -> None:
    machine.put(0, "6i", *range(6))
    row = element(at(machine, array(INT, 2, 3), 0), 1)
    assert [scalar(each) for each in elements(row, 0, 9)] == [3, 4, 5]


def test_an_array_of_absurd_size_is_given_in_pages_without_reading(machine: FakeMachine) -> None:
    value = at(machine, array(INT, 1 << 60), 0)
    assert element_count(value) == 1 << 60
    assert len(elements(value, 0, 1 << 60)) == 10_000
    assert machine.reads == []
    assert "at most" in reason(value.bits())
    assert "at most" in reason(at(machine, struct_of("huge", 1 << 32), 0).bits())


def test_a_list_that_leads_back_to_itself_can_be_followed_as_long_as_one_likes(machine: FakeMachine) -> None:
    machine.put(8, "iI", 5, 8)
    value = at(machine, node_type(), 8)
    for _ in range(50):
        value = dereference(members(value)[1].value)
    assert scalar(members(value)[0].value) == 5
    assert value.address == 8


def test_typedefs_that_form_a_loop_are_a_broken_type(machine: FakeMachine) -> None:
    def loop() -> Type:
        return TypedefType("t", "t", ref(loop))

    value = at(machine, loop(), 0)
    assert scalar(value) is None
    assert reason(value.bits()) == "its size is not known"


def test_a_variable_without_a_type_is_unavailable(machine: FakeMachine) -> None:
    assert "type" in reason(of_variable(variable("x", None, 0), machine).where)


# -- assignment -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "number", "expected"),
    [
        (UCHAR, 255, 255),
        (UCHAR, -1, 255),
        (CHAR, 255, -1),
        (INT, 3.0, 3),
        (FLOAT, 0.1, decode_float(0x3DCCCCCD, 4)),
        (BOOL, 1, 1),
    ],
)
def test_numbers_that_fit_are_assigned(machine: FakeMachine, type_: Type, number: float, expected: float) -> None:
    value = at(machine, type_, 50)
    assert assign_number(value, number) is None
    assert scalar(value) == expected


@pytest.mark.parametrize(
    ("type_", "number"), [(UCHAR, 256), (CHAR, -129), (INT, 2.5), (INT, float("nan")), (BOOL, 2), (INT, 1 << 32)]
)
def test_numbers_that_do_not_fit_are_refused_and_nothing_is_written(
    machine: FakeMachine, type_: Type, number: float
) -> None:
    assert "cast it" in reason(assign_number(at(machine, type_, 50), number))
    assert machine.writes == []


def test_a_small_integer_in_a_local_is_extended_as_compiled_code_has_it(machine: FakeMachine) -> None:
    assert assign_number(at(machine, CHAR, InWasm(WasmSpace.LOCAL, 0)), -2) is None
    assert machine.numbers[WasmSpace.LOCAL, 0][1] == 0xFFFF_FFFE
    assert assign_number(at(machine, UCHAR, InWasm(WasmSpace.LOCAL, 0)), 254) is None
    assert machine.numbers[WasmSpace.LOCAL, 0][1] == 0xFE


def test_structures_of_the_same_type_are_copied(machine: FakeMachine) -> None:
    machine.put(100, "iib", 1, 2, 3)
    assert assign(at(machine, POINT, 200), at(machine, POINT, 100)) is None
    assert machine.memory[200:209] == machine.memory[100:109]
    assert "same type" in reason(assign(at(machine, POINT, 200), at(machine, NODE, 100)))


def test_identity_is_the_place_and_the_type(machine: FakeMachine) -> None:
    assert at(machine, INT, 8) == at(FakeMachine(), INT, 8)
    assert at(machine, INT, 8) != at(machine, UINT, 8)
    assert at(machine, INT, 8) != at(machine, INT, 12)


def test_a_copy_does_not_change_with_the_guest(machine: FakeMachine) -> None:
    kept = at(machine, INT, 8).known()
    machine.put(8, "i", 99)
    assert scalar(kept) == 0


def test_types_are_the_same_through_typedefs_and_in_other_units() -> None:
    assert same_type(TypedefType("t", "t", ref(INT)), QualifiedType(Qualifier.CONST, ref(INT)))
    assert same_type(pointer(node_type), pointer(NODE))
    assert not same_type(pointer(INT), pointer(UINT))
    assert not same_type(None, INT)
    assert not same_type(BrokenType("a"), BrokenType("b"))


def test_wide_and_odd_integers_are_exact(machine: FakeMachine) -> None:
    machine.memory[0:16] = (-(1 << 100) % (1 << 128)).to_bytes(16, "little")
    assert scalar(at(machine, INT128, 0)) == -(1 << 100)
    seven = BaseType("u7", 1, Encoding.UNSIGNED, 7)
    machine.memory[0] = 0xFF
    assert scalar(at(machine, seven, 0)) == 127


def test_a_value_of_128_bits_of_float_is_exact(machine: FakeMachine) -> None:
    exact = Fraction(1, 3)
    machine.memory[0:16] = encode_float(exact, 16).to_bytes(16, "little")
    number = scalar(TypedValue(QUAD, InMemory(0), machine))
    assert isinstance(number, Fraction)
    assert abs(number - exact) < Fraction(1, 1 << 113)
