"""Rewrites: what is appended, what is replaced, and that every index follows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pytest

from support.wasmtools import WasmToolsError, print_wat, validate, wat
from wasm.modules import custom, leb, module_of, section, supported_spec_modules
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.encode.names import encode_names
from wasmscope.wasm.module import Code, ExternKind, FuncImport, ImportDesc, Section
from wasmscope.wasm.names import NameSection, decode_names
from wasmscope.wasm.reencode import Reencoder, reencode
from wasmscope.wasm.types import (
    EXTERNREF,
    FUNCREF,
    I32,
    I64,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    SubType,
    TableType,
    TagType,
)

NOTHING = FuncType((), ())


class AppendImports(Reencoder):
    """One import of each kind, and a type for two of them."""

    def new_types(self) -> Sequence[Sequence[SubType]]:
        return ([SubType(NOTHING)],)

    def new_imports(self) -> Sequence[tuple[str, str, ImportDesc]]:
        new_type = len(self.module.types)
        return (
            ("scope", "function", FuncImport(new_type)),
            ("scope", "table", TableType(EXTERNREF, Limits(0))),
            ("scope", "memory", MemoryType(Limits(0))),
            ("scope", "global", GlobalType(I32, True)),
            ("scope", "tag", TagType(new_type)),
        )


class AppendEverything(AppendImports):
    def new_functions(self) -> Sequence[tuple[int, bytes]]:
        return ((len(self.module.types), b"\0\x01\x0b"),)

    def new_tables(self) -> Sequence[tuple[TableType, bytes | None]]:
        return ((TableType(FUNCREF, Limits(1, 2)), b"\xd0\x70\x0b"), (TableType(FUNCREF, Limits(3)), None))

    def new_memories(self) -> Sequence[MemoryType]:
        return (MemoryType(Limits(1, 1)),)

    def new_globals(self) -> Sequence[tuple[GlobalType, bytes]]:
        return ((GlobalType(I64, True), b"\x42\x07\x0b"),)

    def new_exports(self) -> Sequence[tuple[str, ExternKind, int]]:
        return (("new", ExternKind.FUNC, len(self.module.function_types_indices) + 1),)

    def new_custom_sections(self) -> Sequence[tuple[str, bytes]]:
        return (("note", b"hello"),)


REFERENCES = """
(module
  (import "env" "g" (global $imported i32))
  (import "env" "f" (func $f))
  (type $s (func (param i32)))
  (func $a (param $p i32) (result i32)
    call $b  call $f
    local.get $p  global.get $imported  i32.add  global.get $own  i32.add
    i32.load offset=4
    (block $l br $l)
    (block (try_table (catch $tag 0) (throw $tag))))
  (func $b
    (table.set $t (i32.const 0) (ref.func $a))
    (call_indirect $t (type $s) (i32.const 1) (i32.const 0))
    (table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 0))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))
    (memory.copy $m $m (i32.const 0) (i32.const 0) (i32.const 0))
    (v128.store8_lane $m 3 (i32.const 0) (v128.const i64x2 1 2))
    (drop (memory.grow (i32.const 1)))
    (return_call $b))
  (table $t 4 funcref)
  (memory $m 1)
  (global $own i32 (i32.const 3))
  (global $ref funcref (ref.func $a))
  (global $sum i32 (i32.add (global.get $imported) (global.get $own)))
  (tag $tag)
  (export "a" (func $a)) (export "t" (table $t)) (export "m" (memory $m)) (export "g" (global $own))
  (export "tag" (tag $tag))
  (start $b)
  (elem (table $t) (i32.const 0) func $a $f $b)
  (elem (table $t) (offset (global.get $own)) (ref null func) (ref.func $a) (ref.null func))
  (elem declare func $a $b)
  (data $d (memory $m) (i32.const 0) "abc"))
"""


@pytest.mark.wasm_tools
def test_every_reference_follows_what_it_names() -> None:
    """The text of a module has names for indices, so it stays what it was, but for what was appended."""
    original = wat(REFERENCES)
    rewritten = reencode(AppendImports(decode_module(original)))
    validate(original)
    validate(rewritten)
    # wasm-tools prints no name for an exported tag.
    assert named_lines(original) - named_lines(rewritten) == {'(export "tag" (tag 0': 1}
    appended = named_lines(rewritten) - named_lines(original)
    assert appended.pop('(export "tag" (tag 1') == 1
    assert sum('(import "scope"' in line for line in appended) == 5
    assert appended.pop("(type (func") == 1
    assert appended.total() == 5


def named_lines(bytecode: bytes) -> Counter[str]:
    text = re.sub(r" ?\(;.*?;\)", "", print_wat(bytecode))
    # The first table and the first memory are not written out, and they are not the first any more.
    text = re.sub(r" \((?:table|memory) \$[tm]\)| \$[tm]\b", "", text)
    return Counter(" ".join(line.split()).rstrip(")") for line in text.splitlines())


@pytest.mark.testsuite
def test_official_modules_stay_valid_when_everything_is_appended() -> None:
    checked = 0
    for name, module in list(supported_spec_modules())[::30]:
        try:
            validate(module.bytecode)
        except WasmToolsError:
            continue
        if len(module.all_memories) > 50:
            continue
        rewritten = reencode(AppendEverything(module))
        validate(rewritten)
        assert decode_module(rewritten).num_imported_functions == module.num_imported_functions + 1, name
        checked += 1
    assert checked > 60


def test_appending_to_an_empty_module_makes_the_sections() -> None:
    rewritten = decode_module(reencode(AppendEverything(decode_module(module_of()))))
    assert [section.id for section in rewritten.sections] == [1, 2, 3, 4, 5, 6, 7, 10, 0]
    assert rewritten.types == (SubType(NOTHING),)
    assert len(rewritten.imports) == 5
    assert rewritten.functions == (0,)
    assert [table.type.limits.minimum for table in rewritten.tables] == [1, 3]
    assert rewritten.memories == (MemoryType(Limits(1, 1)),)
    assert rewritten.globals[0].type == GlobalType(I64, True)
    assert [(export.name, export.index) for export in rewritten.exports] == [("new", 1)]
    assert rewritten.sections[-1].name == "note"


def test_new_sections_come_at_their_places_among_custom_sections() -> None:
    bytecode = module_of(custom("dylink.0", b""), section(1, b"\x01\x60\0\0"), custom("a", b""), section(11, b"\0"))
    rewritten = decode_module(reencode(AppendEverything(decode_module(bytecode + custom("name", b"")))))
    assert [section.name or section.id for section in rewritten.sections] == (
        ["dylink.0", 1, "a", 2, 3, 4, 5, 6, 7, 10, 11, "name", "note"]
    )


def test_what_is_not_touched_keeps_its_bytes() -> None:
    overlong_type = leb(1, 5) + b"\x60\0" + leb(0, 3)
    memory = b"\x00" + leb(1, 5)
    export = leb(1, 4) + b"t\x01" + leb(0, 5)
    table_import = b"\x01e" + leb(1, 3) + b"t\x01\x70\0" + leb(1, 5)
    bytecode = module_of(
        section(1, overlong_type, size=5),
        section(2, leb(1, 5) + table_import),
        section(5, leb(1, 2) + memory),
        section(7, leb(1, 5) + export),
    )
    rewritten = reencode(AppendEverything(decode_module(bytecode)))
    for kept in (overlong_type[5:], table_import, memory, export):
        assert kept in rewritten
    assert section(5, b"\x02" + memory + b"\x01\x01\x01") in rewritten


def test_imports_are_appended_behind_compact_groups() -> None:
    group = b"\x01m\0\x7e\0\0\x02\x01a\x01b"
    bytecode = module_of(section(1, b"\x01\x60\0\0"), section(2, b"\x01" + group))
    rewritten = reencode(AppendImports(decode_module(bytecode)))
    assert group in rewritten
    module = decode_module(rewritten)
    assert [item.name for item in module.imports] == ["a", "b", "function", "table", "memory", "global", "tag"]


class NewBodies(Reencoder):
    """Bodies of functions 1 and 2 (the second the module defines) get a `nop` in front."""

    def body(self, index: int, code: Code) -> bytes | None:
        if index != 2:
            return None
        bytecode = self.module.bytecode
        return bytecode[code.body_start : code.code_start] + b"\x01" + bytecode[code.code_start : code.end]


@pytest.mark.wasm_tools
def test_bodies_are_replaced_by_function_index() -> None:
    original = decode_module(wat('(module (import "e" "f" (func)) (func) (func (local i32)))'))
    rewritten = decode_module(reencode(NewBodies(original)))
    sizes = [code.end - code.code_start for code in original.codes]
    assert [code.end - code.code_start for code in rewritten.codes] == [sizes[0], sizes[1] + 1]
    assert rewritten.codes[1].locals == ((1, I32),)
    validate(rewritten.bytecode)


class CustomSections(Reencoder):
    def keeps_custom(self, section: Section) -> bool:
        return section.name != "drop"

    def custom(self, section: Section) -> bytes | None:
        return b"new" if section.name == "replace" else None


def test_custom_sections_are_dropped_and_replaced_by_name() -> None:
    bytecode = module_of(custom("keep", b"1"), custom("drop", b"2"), custom("replace", b"3"))
    assert reencode(CustomSections(decode_module(bytecode))) == module_of(
        custom("keep", b"1"), custom("replace", b"new")
    )


class AppendImportsDropLabels(AppendImports):
    def keeps_labels(self, function: int) -> bool:
        return function != 1


NAMES = NameSection(
    module="m",
    functions={0: "imported", 1: "a"},
    locals={1: {0: "x"}},
    labels={1: {0: "l"}, 2: {0: "k"}},
    types={0: "t"},
    tables={0: "t"},
    memories={0: "m"},
    globals={0: "g", 5: "far"},
    elements={0: "e"},
    data={0: "d"},
    fields={0: {0: "f"}},
    tags={0: "tag"},
)

IMPORT_ONE_FUNCTION = (section(1, b"\x01\x60\0\0"), section(2, b"\x01\x01e\x01f\0\0"))


def test_names_move_with_what_they_name() -> None:
    bytecode = module_of(*IMPORT_ONE_FUNCTION, custom("name", encode_names(NAMES)))
    names = decode_names(decode_module(reencode(AppendImportsDropLabels(decode_module(bytecode)))))
    assert names == NameSection(
        module="m",
        functions={0: "imported", 2: "a"},
        locals={2: {0: "x"}},
        labels={3: {0: "k"}},
        types={0: "t"},
        tables={1: "t"},
        memories={1: "m"},
        globals={1: "g", 6: "far"},
        elements={0: "e"},
        data={0: "d"},
        fields={0: {0: "f"}},
        tags={1: "tag"},
    )


def test_a_malformed_name_section_passes_or_is_repaired() -> None:
    payload = section(1, b"\x02\x01\x01a\x05\xff") + b"\x07\xff"
    module = decode_module(module_of(*IMPORT_ONE_FUNCTION, custom("name", payload)))
    assert reencode(Reencoder(module)) == module.bytecode
    names = decode_names(decode_module(reencode(AppendImports(module))))
    assert names == NameSection(functions={2: "a"})


@pytest.mark.wasm_tools
def test_first_table_and_memory_are_named_once_they_are_not_first() -> None:
    module = decode_module(
        wat(
            """(module (table 2 funcref) (memory 1) (func $f)
              (elem (i32.const 0) $f) (elem (i32.const 1) funcref (ref.func $f)) (data (i32.const 0) "a"))"""
        )
    )
    rewritten = decode_module(reencode(AppendImports(module)))
    assert [element.table for element in rewritten.elements] == [1, 1]
    assert rewritten.data[0].memory == 1
    validate(rewritten.bytecode)


def test_the_start_function_moves() -> None:
    before = (section(1, b"\x01\x60\0\0"), section(3, b"\x01\0"))
    bytecode = module_of(*before, section(8, leb(0, 3)), section(10, b"\x01\x02\0\x0b"))
    assert decode_module(reencode(AppendImports(decode_module(bytecode)))).start == 1


def test_the_start_function_can_be_left_out() -> None:
    class NoStart(Reencoder):
        def start(self, function: int) -> int | None:
            return None

    bytecode = wat("(module (func $f) (start $f) (memory 1))")
    rewritten = decode_module(reencode(NoStart(decode_module(bytecode))))
    assert decode_module(bytecode).start == 0
    assert rewritten.start is None
    assert len(rewritten.codes) == 1
