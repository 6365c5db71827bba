"""Type equality by structure, subtyping and the types of values."""

from __future__ import annotations

import pytest

from reference.module import Module
from reference.state import HostFunc
from reference.types import DefinedType, RefType, has_type, is_heap_subtype, is_subtype, type_name
from reference.values import I31, ArrayObject, StructObject
from support.wasmtools import WASM_TOOLS_ABSENT, wat

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def _types(text: str) -> list[DefinedType]:
    return Module.decode(wat(f"(module {text})")).types


_GROUP = """(rec (type $a (sub (struct (field (ref null $b))))) (type $b (sub (struct (field (ref null $a))))))
  (type $c (sub $a (struct (field (ref null $b)) (field i32)))) (type $f (func (param (ref $c))))"""


def test_equal_groups_of_two_modules_are_equal() -> None:
    assert _types(_GROUP) == _types(_GROUP)
    shifted = _types("(type (func)) " + _GROUP)
    assert shifted[1:] == _types(_GROUP)


def test_members_of_a_group_differ() -> None:
    first, second, *_ = _types(_GROUP)
    assert first != second


def test_the_same_structure_in_another_group_is_another_type() -> None:
    (alone,) = _types("(type (struct))")
    first, second = _types("(rec (type (struct)) (type (struct)))")
    assert len({alone, first, second}) == 3


def test_unrolling_closes_the_circle() -> None:
    first, second, *_ = _types(_GROUP)
    assert first.fields[0].storage == RefType(True, second)
    assert second.fields[0].storage == RefType(True, first)


def test_subtypes() -> None:
    a, b, c, f = _types(_GROUP)
    assert is_heap_subtype(c, a)
    assert not is_heap_subtype(a, c)
    assert not is_heap_subtype(c, b)
    for high in ("struct", "eq", "any"):
        assert is_heap_subtype(c, high)
    for high in ("array", "i31", "func", "extern"):
        assert not is_heap_subtype(c, high)
    assert is_heap_subtype(f, "func")
    assert is_heap_subtype("none", c)
    assert is_heap_subtype("nofunc", f)
    assert not is_heap_subtype("none", f)
    assert is_subtype(RefType(False, a), RefType(True, "eq"))
    assert not is_subtype(RefType(True, a), RefType(False, "eq"))


def test_types_of_values() -> None:
    a, _, c, f = _types(_GROUP)
    (array,) = _types("(type (array i8))")
    assert has_type(StructObject(c, []), RefType(False, a))
    assert not has_type(StructObject(a, []), RefType(False, c))
    assert has_type(I31(1), RefType(False, "eq"))
    assert not has_type(I31(1), RefType(False, "struct"))
    assert has_type(ArrayObject(array, []), RefType(False, "array"))
    assert has_type(None, RefType(True, c))
    assert not has_type(None, RefType(False, "any"))
    assert has_type(HostFunc(f, lambda _: ()), RefType(False, f))
    # A host object that was made internal is an any and nothing below it.
    assert has_type(object(), RefType(False, "any"))
    assert not has_type(object(), RefType(False, "eq"))


def test_names() -> None:
    types = _types(_GROUP)
    assert type_name(RefType(True, types[2]), types) == "(ref null 2)"
    assert type_name(RefType(False, "func"), types) == "(ref func)"
    assert type_name(RefType(True, "noexn"), types) == "nullexnref"
