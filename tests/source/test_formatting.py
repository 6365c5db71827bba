"""Values as text: notations, limits, and what libraries' types mean, also where memory holds nonsense."""

from __future__ import annotations

import random
import struct

import pytest

from source.fakes import (
    BOOL,
    CHAR,
    COLOUR,
    FLAGS,
    FLOAT,
    INT,
    POINT,
    UCHAR,
    UINT,
    FakeMachine,
    array,
    at,
    member,
    pointer,
    ref,
    struct_of,
)
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting import FormatOptions, format_value, type_name
from wasmscope.source.formatting.views import view_of
from wasmscope.source.locations import InWasm, WasmSpace
from wasmscope.source.model import Language
from wasmscope.source.types import (
    BaseType,
    Encoding,
    FunctionType,
    PointerKind,
    QualifiedType,
    Qualifier,
    StructKind,
    StructType,
    TemplateArgument,
    Type,
    TypedefType,
    WasmType,
)
from wasmscope.wasm.types import I32, V128

USIZE = BaseType("usize", 4, Encoding.UNSIGNED)
U8 = BaseType("u8", 1, Encoding.UNSIGNED)


def shown(machine: FakeMachine, type_: Type | None, address: int = 0x100, **options: object) -> str:
    return format_value(at(machine, type_, address), FormatOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        ("x", "0xffffff9c"), ("d", "-100"), ("u", "4294967196"), ("o", "037777777634"), ("t", "1" * 25 + "0011100"),
        ("z", "0xffffff9c"),
        ("c", "-100 '\\234'"), ("f", "-nan(0x7fff9c)"), ("a", "0xffffff9c"), (None, "-100"),
    ],
)  # fmt: skip
def test_a_number_is_written_in_the_notation_of_its_letter(letter: str | None, text: str) -> None:
    machine = FakeMachine()
    machine.put(0x100, "i", -100)
    assert shown(machine, INT, letter=letter) == text


def test_a_letter_is_for_every_number_in_a_structure() -> None:
    machine = FakeMachine()
    machine.put(0x100, "iib", 10, -1, 65)
    assert shown(machine, POINT, letter="x") == "{x = 0xa, y = 0xffffffff, tag = 0x41}"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (1, "R"), (5, "(R | X)"), (9, "(R | unknown: 0x8)"), (8, "8"), (7, "(R | W | X)")]
)
def test_enumerators_of_single_bits_are_flags(number: int, text: str) -> None:
    machine = FakeMachine()
    machine.put(0x100, "I", number)
    assert shown(machine, FLAGS) == text


def test_an_enumerator_that_is_none_is_a_number() -> None:
    machine = FakeMachine()
    machine.put(0x100, "I", 7)
    assert shown(machine, COLOUR) == "7"


def test_strings_show_no_byte_that_a_terminal_would_obey() -> None:
    machine, rng = FakeMachine(), random.Random(3)
    string = pointer(CHAR)
    machine.put(0x100, "I", 0x200)
    for _ in range(300):
        machine.memory[0x200:0x240] = bytes(rng.randrange(1, 256) for _ in range(64))
        machine.memory[0x240] = 0
        for text in (shown(machine, string), shown(machine, array(CHAR, 64), 0x200), shown(machine, CHAR, 0x200)):
            assert text.isprintable()
    machine.memory[0x200:0x20C] = b'\x1b[31m\xe2\x80\xae"\\\n\0'
    assert shown(machine, string) == '0x200 "\\033[31m\\u{202e}\\"\\\\\\n"'


def test_a_string_is_cut_where_it_is_long_or_where_memory_ends() -> None:
    machine = FakeMachine()
    machine.memory[0x200:0x500] = b"a" * 0x300
    machine.put(0x100, "I", 0x200)
    assert shown(machine, pointer(CHAR), max_characters=5) == '0x200 "aaaaa"...'
    machine.memory[-3:] = b"end"
    machine.put(0x100, "I", len(machine.memory) - 3)
    assert shown(machine, pointer(CHAR)) == '0xfffd "end" <memory ends here>'
    machine.put(0x100, "I", 0xFFFF_0000)
    assert "<unavailable: 0xffff0000 is outside of memory>" in shown(machine, pointer(CHAR))


def test_arrays_of_characters_are_text_without_the_zeros_behind() -> None:
    machine = FakeMachine()
    machine.memory[0x100:0x108] = b"ab\0\0\0\0\0\0"
    assert shown(machine, array(CHAR, 8)) == '"ab"'
    machine.memory[0x106] = 0x63
    assert shown(machine, array(CHAR, 8)) == '"ab\\000\\000\\000\\000c\\000"'
    assert shown(machine, array(UCHAR, 2)) == "{97 'a', 98 'b'}"


def test_long_arrays_are_cut_and_equal_elements_counted() -> None:
    machine = FakeMachine()
    machine.put(0x100, "3i", 1, 2, 3)
    assert shown(machine, array(INT, 3), max_elements=2) == "{1, 2, ...}"
    assert shown(machine, array(INT, 1 << 60), max_elements=30) == "{1, 2, 3, 0 <repeats 27 times>, ...}"
    assert sum(size for _, size in machine.reads) < 1000
    assert shown(machine, array(INT, None)) == "<unavailable: how many elements it has is not known>"


def test_a_structure_of_itself_ends() -> None:
    def endless() -> StructType:
        return struct_of("endless", 4, member("again", endless, 0), member("more", endless, 0))

    text = shown(FakeMachine(), endless())
    assert "{...}" in text
    assert len(text) < 100_000


def test_several_lines_show_one_member_each() -> None:
    machine = FakeMachine()
    machine.put(0x100, "iib", 1, 2, 3)
    nested = struct_of("outer", 16, member("point", POINT, 0), member("n", INT, 4))
    expected = "{\n  point = {\n    x = 1,\n    y = 2,\n    tag = 3 '\\003'\n  },\n  n = 2\n}"
    assert shown(machine, nested, is_multi_line=True) == expected


def test_pointers_say_their_type_and_functions_their_name() -> None:
    machine = FakeMachine()
    machine.functions[7] = "callback", None, None  # type: ignore[assignment]
    machine.table[2] = 7
    machine.put(0x100, "II", 2, 0)
    function = FunctionType(None, (ref(INT),))
    assert shown(machine, pointer(function)) == "(void (*)(int)) 0x2 <callback>"
    assert shown(machine, pointer(POINT)) == "(struct point *) 0x2"
    assert shown(machine, pointer(POINT), letter="x") == "0x2"
    machine.put(0x100, "I", 3)
    assert shown(machine, pointer(function)) == "(void (*)(int)) 0x3 <unavailable: the table has no entry 3>"


def test_references_show_what_they_refer_to() -> None:
    machine = FakeMachine()
    machine.put(0x100, "I", 0x200)
    machine.put(0x200, "i", 5)
    assert shown(machine, pointer(INT, PointerKind.REFERENCE)) == "(int &) @0x200: 5"


def test_what_is_not_there_says_why() -> None:
    machine = FakeMachine()
    for reason, text in (("optimised out here", "<optimized out>"), ("lost\x1b[0m", "<unavailable: lost\\u{1b}[0m>")):
        assert format_value(at(machine, INT, Unavailable(reason))) == text
    assert shown(machine, INT, 0xFFFF) == "<unavailable: 0xffff is outside of memory>"
    assert shown(machine, StructType("s", "s", None, StructKind.STRUCT, is_declaration=True)) == "<incomplete type>"


def test_values_of_wasm_itself_are_shown() -> None:
    machine = FakeMachine()
    machine.numbers[WasmSpace.LOCAL, 0] = I32, 0xFFFF_FFFF
    machine.numbers[WasmSpace.LOCAL, 1] = V128, 1 << 32
    assert format_value(at(machine, WasmType(I32), InWasm(WasmSpace.LOCAL, 0))) == "-1"
    vector = format_value(at(machine, WasmType(V128), InWasm(WasmSpace.LOCAL, 1)))
    assert vector == "i32x4 0x00000000 0x00000001 0x00000000 0x00000000"


@pytest.mark.parametrize(
    ("type_", "language", "name"),
    [
        (pointer(array(INT, 3)), Language.C, "int (*)[3]"), (array(pointer(INT), 3), Language.C, "int *[3]"),
        (pointer(pointer(FunctionType(ref(CHAR), (ref(INT), None), True))), Language.C, "char (**)(int, void, ...)"),
        (QualifiedType(Qualifier.CONST, ref(pointer(QualifiedType(Qualifier.CONST, ref(CHAR))))),
        Language.C, "const char *const"),
        (POINT, Language.C, "struct point"), (POINT, Language.CPP, "point"),
        (pointer(POINT, PointerKind.RVALUE_REFERENCE), Language.CPP, "point &&"),
        (FunctionType(None, ()), Language.C, "void (void)"), (FunctionType(None, ()), Language.CPP, "void ()"),
        (None, Language.C, "void"),
        (array(INT, 2, 3), Language.RUST, "[[int; 3]; 2]"), (array(INT, 2), Language.ZIG, "[2]int"),
        (FunctionType(ref(INT), (ref(INT),)), Language.RUST, "fn(int) -> int"),
        (TypedefType("word", "ns::word", ref(INT)), Language.CPP, "ns::word"),
    ],
)  # fmt: skip
def test_types_are_written_as_their_language_has_them(type_: Type | None, language: Language, name: str) -> None:
    assert type_name(type_, language) == name


def test_a_type_that_refers_to_itself_has_a_name_that_ends() -> None:
    def endless() -> Type:
        return pointer(endless)

    assert "..." in type_name(endless())


# -- Rust, laid out as rustc 1.8x does --------------------------------------------------------------------------------


def generic(name: str, size: int, argument: Type, *members_: object) -> StructType:
    arguments = (TemplateArgument("T", ref(argument)),)
    last = name.rsplit("::", 1)[-1] if "<" not in name else name
    return StructType(last, name, size, StructKind.STRUCT, members_, template_arguments=arguments)  # type: ignore[arg-type]


def vec_of(element: Type) -> StructType:
    unique = struct_of(
        "Unique<u8>", 4, member("pointer", struct_of("NonNull<u8>", 4, member("pointer", pointer(U8), 0)), 0)
    )
    inner = struct_of(
        "RawVecInner", 8, member("cap", struct_of("Cap", 4, member("__0", USIZE, 0)), 0), member("ptr", unique, 4)
    )
    raw = struct_of("RawVec", 8, member("inner", inner, 0))
    return generic("alloc::vec::Vec<T, Global>", 12, element, member("buf", raw, 0), member("len", USIZE, 8))


def rust(machine: FakeMachine, type_: Type) -> str:
    return shown(machine, type_, language=Language.RUST)


def test_rust_vectors_and_strings_are_shown_as_what_they_hold() -> None:
    machine = FakeMachine()
    machine.put(0x100, "III", 4, 0x200, 3)
    machine.put(0x200, "3i", 7, 8, 9)
    assert rust(machine, vec_of(INT)) == "[7, 8, 9]"
    string = StructType("String", "alloc::string::String", 12, StructKind.STRUCT, (member("vec", vec_of(U8), 0),))
    machine.memory[0x200:0x203] = "é!".encode()
    assert rust(machine, string) == '"é!"'
    text = StructType(
        "&str", "&str", 8, StructKind.STRUCT, (member("data_ptr", pointer(U8), 0), member("length", USIZE, 4))
    )
    machine.put(0x100, "II", 0x200, 3)
    assert rust(machine, text) == '"é!"'
    slice_ = StructType(
        "&[i32]", "&[i32]", 8, StructKind.STRUCT, (member("data_ptr", pointer(INT), 0), member("length", USIZE, 4))
    )
    machine.put(0x200, "3i", 1, 2, 3)
    assert rust(machine, slice_) == "[1, 2, 3]"


def hash_map() -> StructType:
    pair = struct_of("(i32, i32)", 8, member("__0", INT, 0), member("__1", INT, 4))
    control = struct_of("NonNull<u8>", 4, member("pointer", pointer(U8), 0))
    inner = struct_of(
        "RawTableInner", 16, member("bucket_mask", USIZE, 0), member("ctrl", control, 4), member("items", USIZE, 12)
    )
    table = generic("RawTable<(i32, i32), Global>", 16, pair, member("table", inner, 0))
    base = struct_of("hashbrown::map::HashMap<i32, i32>", 16, member("table", table, 0))
    return StructType(
        "HashMap<i32, i32>",
        "std::collections::hash::map::HashMap<i32, i32>",
        16,
        StructKind.STRUCT,
        (member("base", base, 0),),
    )


def test_a_rust_hash_map_shows_its_full_buckets() -> None:
    machine = FakeMachine()
    machine.put(0x100, "IIII", 3, 0x300, 0, 2)
    machine.memory[0x300:0x304] = b"\x11\xff\x22\x80"
    machine.put(0x300 - 8, "ii", 1, 10)
    machine.put(0x300 - 24, "ii", 3, 30)
    assert rust(machine, hash_map()) == "{[1] = 10, [3] = 30}"


def test_views_of_random_memory_are_bounded_and_mostly_refused() -> None:
    rng, machine = random.Random(9), FakeMachine()
    types = (hash_map(), vec_of(INT), vec_of(POINT))
    for _ in range(300):
        words = [rng.choice((0, 1, 3, 0x100, 0x200, 0xFFF0, 0xFFFF_FFFF, rng.getrandbits(32))) for _ in range(8)]
        machine.put(0x100, "8I", *words)
        for type_ in types:
            assert len(rust(machine, type_)) < 30_000
    machine.put(0x100, "IIII", 0xFFFF_FFFF, 0x300, 0, 2)
    assert view_of(at(machine, hash_map(), 0x100), Language.RUST) is None


def test_an_assemblyscript_string_is_known_by_its_header() -> None:
    machine = FakeMachine()
    machine.numbers[WasmSpace.LOCAL, 0] = I32, 0x220
    machine.put(0x218, "II", 2, 4)
    machine.memory[0x220:0x224] = "hé".encode("utf-16-le")
    value = at(machine, WasmType(I32), InWasm(WasmSpace.LOCAL, 0))
    assert format_value(value, FormatOptions(Language.ASSEMBLYSCRIPT)) == '"hé"'
    assert format_value(value, FormatOptions(Language.C)) == "544"
    machine.put(0x218, "I", 3)
    assert format_value(value, FormatOptions(Language.ASSEMBLYSCRIPT)) == "544"


def test_booleans_floats_and_characters_follow_their_language() -> None:
    machine = FakeMachine()
    machine.memory[0x100] = 65
    character = BaseType("char", 4, Encoding.UTF)
    assert shown(machine, CHAR) == "65 'A'"
    assert shown(machine, character, language=Language.RUST) == "'A'"
    assert shown(machine, U8, language=Language.ZIG) == "65"
    machine.memory[0x100] = 1
    assert shown(machine, BOOL) == "true"
    machine.memory[0x100:0x104] = struct.pack("<f", 0.1)
    assert (shown(machine, FLOAT), shown(machine, UINT, letter="f")) == ("0.1", "0.1")
