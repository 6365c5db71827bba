"""What users call the parts of a module: every index has one name, no two the same, all safe to print."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.wasmtools import WASM_TOOLS_ABSENT, wat
from wasmscope.source.names import LONGEST, ModuleNames, Space, shown
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.names import NameSection, decode_names
from wasmscope.wasm.text import format_name

needs_wasm_tools = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def named(text: str, section: NameSection | None = None) -> ModuleNames:
    module = decode_module(wat(text))
    return ModuleNames(module, decode_names(module) if section is None else section)


def test_what_has_no_name_is_called_by_its_index() -> None:
    assert list(Space(3, {1: "middle"}, "func").values()) == ["func0", "middle", "func2"]


def test_equal_names_get_their_index() -> None:
    assert list(Space(3, {0: "same", 1: "other", 2: "same"}, "f").values()) == ["same#0", "other", "same#2"]


def test_a_made_up_name_is_never_that_of_another() -> None:
    assert list(Space(3, {0: "func2", 1: "x", 2: ""}, "func").values()) == ["func2", "x", "func2#2"]
    assert list(Space(4, {0: "a", 1: "a", 2: "a#0", 3: "a#1"}, "f").values()) == ["a#0#0", "a#1#1", "a#0", "a#1"]


@given(st.dictionaries(st.integers(0, 12), st.sampled_from(["", "a", "a#1", "a#1#1", "f3", "f3#3", "f", "\n", "a\0"])))
def test_names_are_unique_and_lead_back(given: Mapping[int, str]) -> None:
    space = Space(13, given, "f")
    names = list(space.values())
    assert len(set(names)) == 13
    assert [space.index(name) for name in names] == list(range(13))


@given(st.text(max_size=300))
def test_names_are_safe_to_print(name: str) -> None:
    safe = shown(name)
    assert safe.isprintable()
    assert len(safe) <= LONGEST
    assert bool(safe) == bool(name)


HOSTILE = ["\x1b[2J", "\u202egnp.exe", "a\nb", "x" * 1_000_000, "\x1b" * 1000, "\ufffd", "a" * 99 + "\x1b"]


def test_hostile_names_stay_different_in_the_text_format() -> None:
    given = dict(enumerate([*HOSTILE, *HOSTILE, "x" * 999_999]))
    identifiers = [format_name(name) for name in Space(len(given), given, "f").values()]
    assert len(set(identifiers)) == len(given)
    assert all(each.isprintable() and "…$" not in each for each in identifiers)


def test_names_beyond_the_module_are_passed_over() -> None:
    space = Space(1, {7: "nowhere"}, "f")
    assert dict(space) == {0: "f0"}
    assert 7 not in space
    assert space.index("nowhere") is None
    with pytest.raises(KeyError):
        space[7]


MODULE = """
(module $m
  (import "env" "print" (func))
  (import "env" "memory" (memory 1))
  (type $t (struct (field $first i32) (field i32)))
  (func $_ZN3foo3barEv (param $p i32) (param i64) (local $p2 f32) (local f64))
  (func (export "exported"))
  (func)
  (global $g i32 (i32.const 0)) (global (export "limit") i32 (i32.const 1))
  (table 1 funcref) (tag $e) (data "x") (elem func 0))
"""


@needs_wasm_tools
def test_names_come_from_the_name_section_then_exports_then_imports() -> None:
    names = named(MODULE)
    assert names.module == "m"
    assert list(names.functions.values()) == ["env.print", "_ZN3foo3barEv", "exported", "func3"]
    assert list(names.memories.values()) == ["env.memory"]
    assert list(names.globals.values()) == ["g", "limit"]
    assert list(names.tables.values()) == ["table0"]
    assert list(names.tags.values()) == ["e"]
    assert list(names.data.values()) == ["data0"]
    assert list(names.elements.values()) == ["elem0"]
    assert list(names.locals(1).values()) == ["p", "var1", "p2", "var3"]
    assert list(names.locals(0).values()) == []
    assert list(names.locals(99).values()) == []
    assert list(names.fields(0).values()) in (["first", "field1"], [])
    assert [list(names.fields(i).values()) for i in range(4)].count(["first", "field1"]) == 1


@needs_wasm_tools
def test_mangled_names_are_readable() -> None:
    names = named(MODULE)
    assert names.readable(1) == "foo::bar()"
    assert names.recorded(1) == "_ZN3foo3barEv"
    assert names.readable(3) == "func3"
    assert names.recorded(3) is None


@needs_wasm_tools
def test_without_a_name_section_everything_has_a_name() -> None:
    names = named("(module (func (param i32) (local i64)) (memory 1))", NameSection())
    section = names.as_section()
    assert dict(section.functions) == {0: "func0"}
    assert dict(section.locals[0]) == {0: "var0", 1: "var1"}
    assert dict(section.memories) == {0: "memory0"}
    assert section.module is None
    assert 1 not in section.locals
