"""Types as their sources declare them."""

from __future__ import annotations

import pytest

from source.programs import info_of
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.model import Language
from wasmscope.source.types import (
    Access,
    ArrayType,
    BaseType,
    Encoding,
    EnumType,
    FunctionType,
    MemberPointerType,
    PointerKind,
    PointerType,
    QualifiedType,
    StructKind,
    StructType,
    Type,
    TypedefType,
    TypeRef,
    UnspecifiedType,
    size_of,
    stripped,
)

C = pytest.mark.parametrize("name", ["types_O0.wasm", "types_O2.wasm", "types_v5.wasm"])


def struct(info: DwarfInfo, name: str) -> StructType:
    found = [each for each in info.types_named(name) if isinstance(each, StructType)]
    assert found, name
    return found[0]


def at(reference: TypeRef | None) -> Type:
    assert reference is not None
    return reference.get()


def members(found: StructType) -> dict[str, Type]:
    return {member.name: at(member.type) for member in found.members}


@C
def test_the_members_of_a_c_structure(name: str) -> None:
    everything = struct(info_of(name), "struct everything")
    assert everything.size == 160
    assert everything.kind is StructKind.STRUCT
    types = members(everything)
    assert types["c"] == BaseType("signed char", 1, Encoding.SIGNED_CHAR)
    assert types["ull"] == BaseType("unsigned long long", 8, Encoding.UNSIGNED)
    assert types["d"] == BaseType("double", 8, Encoding.FLOAT)
    assert types["b"] == BaseType("_Bool", 1, Encoding.BOOLEAN)
    word = types["u"]
    assert isinstance(word, TypedefType)
    assert (word.name, at(word.target)) == ("word", BaseType("unsigned int", 4, Encoding.UNSIGNED))
    matrix = types["matrix"]
    assert isinstance(matrix, ArrayType)
    assert (matrix.counts, matrix.lower_bounds, size_of(matrix)) == ((2, 3), (0, 0), 12)
    vector = stripped(types["vector"])
    assert isinstance(vector, ArrayType)
    assert (vector.is_vector, vector.counts, size_of(vector)) == (True, (4,), 16)
    number = types["number"]
    assert isinstance(number, StructType)
    assert (number.kind, [member.offset for member in number.members]) == (StructKind.UNION, [0, 0, 0])
    operation = stripped(types["op"])
    assert isinstance(operation, PointerType)
    function = at(operation.target)
    assert isinstance(function, FunctionType)
    assert [at(each) for each in function.parameters] == [at(function.result)] * 2
    nothing = types["nothing"]
    assert nothing == PointerType("", 4, None, PointerKind.POINTER)
    pinned = types["pinned"]
    assert isinstance(pinned, PointerType)
    outer = at(pinned.target)
    assert isinstance(outer, QualifiedType)
    inner = at(outer.target)
    assert isinstance(inner, QualifiedType)
    assert {outer.qualifier, inner.qualifier} == {"const", "volatile"}
    assert stripped(outer) == BaseType("int", 4, Encoding.SIGNED)
    anonymous = types["anonymous"]
    assert isinstance(anonymous, StructType)
    assert [member.name for member in anonymous.members] == ["inner", ""]


@C
def test_bit_fields_are_counted_from_the_lowest_bit(name: str) -> None:
    flags = struct(info_of(name), "flags")
    places = {member.name: (member.bit_offset, member.bit_size, member.offset) for member in flags.members}
    assert places == {"ready": (0, 1, 0), "mode": (1, 3, 0), "level": (4, 5, 0), "wide": (9, 40, 1)}


@C
def test_enumerations_are_signed_if_they_have_to_be(name: str) -> None:
    info = info_of(name)
    color, level = info.types_named("enum color") + info.types_named("level")
    assert isinstance(color, EnumType)
    assert isinstance(level, EnumType)
    assert [(each.name, each.value) for each in color.enumerators] == [("RED", 0), ("GREEN", 5), ("BLUE", -1)]
    assert (color.is_signed, level.is_signed, level.size) == (True, False, 4)


@C
def test_a_structure_that_refers_to_itself_is_one_type(name: str) -> None:
    node = struct(info_of(name), "struct node")
    pointer = members(node)["next"]
    assert isinstance(pointer, PointerType)
    assert at(pointer.target) is node
    assert "StructType" in repr(node)


def test_a_class_has_bases_members_methods_and_statics() -> None:
    info = info_of("classes_O0.wasm")
    square = struct(info, "shapes::Square")
    assert (square.kind, square.size, square.qualified_name) == (StructKind.CLASS, 16, "shapes::Square")
    bases = [(at(base.type), base.offset, base.access) for base in square.bases]
    shape, named = struct(info, "Shape"), struct(info, "Named")
    assert [(each, offset) for each, offset, _ in bases] == [(shape, 0), (named, 8)]
    assert [access for _, _, access in bases] == [Access.PUBLIC, None]
    methods = {method.name: method for method in square.methods}
    assert methods["doubled"].is_static
    assert not methods["area"].is_static
    assert methods["area"].is_virtual
    assert methods["area"].linkage_name == "_ZNK6shapes6Square4areaEv"
    area = methods["area"].type.get()
    assert isinstance(area, FunctionType)
    assert at(area.result) == BaseType("int", 4, Encoding.SIGNED)
    (function,) = info.functions_named("shapes::Square::area")
    assert function.key == methods["area"].key
    (count,) = [each for each in shape.static_members if each.name == "count"]
    (variable,) = info.statics_named(count.qualified_name)
    assert (variable.name, variable.qualified_name, variable.kind) == ("count", "shapes::Shape::count", "static")
    assert variable.language is Language.CPP


def test_a_virtual_base_has_no_fixed_place() -> None:
    (base,) = struct(info_of("classes_O0.wasm"), "Virtual").bases
    assert base.offset is None


def test_a_template_has_its_arguments() -> None:
    info = info_of("classes_O0.wasm")
    for name in ("Buffer<short, 4>", "shapes::Buffer<short, 4>", "Buffer"):
        arguments = struct(info, name).template_arguments
        assert [(each.name, each.value, each.is_value) for each in arguments] == [("T", None, False), ("N", 4, True)]
        assert at(arguments[0].type) == BaseType("short", 2, Encoding.SIGNED)


def test_types_of_c_plus_plus_variables() -> None:
    info = info_of("classes_O0.wasm")
    (run,) = info.functions_named("run")
    place = info.entry_place(run)
    assert place is not None
    types = {variable.name: at(variable.type) for variable in info.variables_at(place.pc)}
    shape, temporary, method = types["shape"], types["temporary"], types["method"]
    assert isinstance(shape, PointerType)
    assert isinstance(temporary, PointerType)
    assert (shape.kind, temporary.kind) == (PointerKind.REFERENCE, PointerKind.RVALUE_REFERENCE)
    assert types["wide"] == BaseType("char16_t", 2, Encoding.UTF)
    assert types["nothing"] == UnspecifiedType("decltype(nullptr)")
    assert isinstance(method, MemberPointerType)
    assert at(method.container) is struct(info, "shapes::Square")
    kind = stripped(info.types_named("shapes::Kind")[0])
    assert isinstance(kind, EnumType)
    assert (kind.is_scoped, kind.size, kind.is_signed) == (True, 1, False)


def test_names_that_are_not_there_are_found_nowhere() -> None:
    info = info_of("classes_O0.wasm")
    assert info.types_named("struct nothing") == ()
    assert info.types_named("") == ()
    assert info.statics_named("shapes::") == ()
    assert info.types_named("other::Square") == ()
