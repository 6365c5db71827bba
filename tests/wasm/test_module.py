"""Decoded modules: values, ranges, index spaces."""

from __future__ import annotations

import copy
import pickle

import pytest

from support.wasmtools import wat
from wasm.modules import custom, function, leb, module_of, section
from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import ExternKind, FuncImport
from wasmscope.wasm.types import (
    ANYREF,
    F64,
    FUNCREF,
    I32,
    I64,
    ArrayType,
    FieldType,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    PackedType,
    StructType,
    SubType,
    TableType,
    TagType,
    ref_type,
)

EVERYTHING = """
(module
  (type $pair (func (param i32 i64) (result f64)))
  (rec (type $s (sub (struct (field (mut i8)) (field (ref null $a))))) (type $a (array (mut i32))))
  (type $t (sub final $s (struct (field (mut i8)) (field (ref null $a)))))
  (import "env" "f" (func (type $pair)))
  (import "env" "table" (table 1 2 funcref))
  (import "env" "memory" (memory 1))
  (import "env" "global" (global (mut i64)))
  (import "env" "tag" (tag (param i32)))
  (func $g (type $pair) (local i32 i32 f64 anyref) f64.const 1)
  (func $start)
  (table $t2 i64 3 (ref null $pair) (ref.func $g))
  (memory $m64 i64 1 2)
  (tag $tag2 (param i32))
  (global $c i32 (i32.const 7))
  (export "g" (func $g))
  (export "mem" (memory $m64))
  (start $start)
  (elem (table 0) (i32.const 0) func $g $g)
  (elem declare func 0)
  (elem (ref null $a) (ref.null $a))
  (data (memory $m64) (i64.const 1) "abc")
  (data "xyz"))
"""


@pytest.mark.wasm_tools
def test_everything_once() -> None:
    module = decode_module(wat(EVERYTHING))
    bytecode = module.bytecode
    pair = FuncType((I32, I64), (F64,))
    fields = (FieldType(PackedType.I8, True), FieldType(ref_type(2, True), False))
    assert module.types[:4] == (
        SubType(pair),
        SubType(StructType(fields), final=False),
        SubType(ArrayType(FieldType(I32, True))),
        SubType(StructType(fields), final=True, supertypes=(1,)),
    )
    assert module.rec_groups[:3] == ((0, 1), (1, 2), (3, 1))
    assert [(item.module, item.name) for item in module.imports][:2] == [("env", "f"), ("env", "table")]
    assert [item.desc for item in module.imports] == [
        FuncImport(0),
        TableType(FUNCREF, Limits(1, 2)),
        MemoryType(Limits(1)),
        GlobalType(I64, True),
        TagType(4),
    ]
    assert module.func_type(0) == module.func_type(1) == pair
    assert module.func_type(2) == FuncType((), ())
    assert module.num_imported_functions == module.num_imported_tables == module.num_imported_memories == 1
    assert module.num_imported_globals == module.num_imported_tags == 1
    assert module.all_tables[1] == TableType(ref_type(0, True), Limits(3, is64=True))
    assert module.all_memories == (MemoryType(Limits(1)), MemoryType(Limits(1, 2, is64=True)))
    assert module.all_globals == (GlobalType(I64, True), GlobalType(I32, False))
    assert module.all_tags == (4, 4)
    init = module.tables[0].init
    assert init is not None
    assert bytecode[init.start : init.end] == b"\xd2\x01\x0b"
    assert bytecode[module.globals[0].init.start : module.globals[0].init.end] == b"\x41\x07\x0b"
    assert [(e.name, e.kind, e.index) for e in module.exports] == [
        ("g", ExternKind.FUNC, 1),
        ("mem", ExternKind.MEMORY, 1),
    ]
    assert module.start == 2
    active, declared, passive = module.elements
    assert (active.mode, active.table, active.functions) == ("active", 0, (1, 1))
    assert (declared.mode, declared.table, declared.functions) == ("declared", None, (0,))
    assert (passive.mode, passive.element_type, len(passive.expressions or ())) == ("passive", ref_type(2, True), 1)
    first, second = module.data
    assert (first.memory, bytecode[first.init_start : first.init_end]) == (1, b"abc")
    assert (second.mode, bytecode[second.init_start : second.init_end]) == ("passive", b"xyz")
    code = module.codes[0]
    assert code.locals == ((2, I32), (1, F64), (1, ANYREF))
    assert bytecode[code.code_start] == 0x44
    assert bytecode[code.end - 1] == 0x0B
    assert code.start < code.body_start < code.code_start < code.end


def test_sections_have_their_ranges() -> None:
    bytecode = module_of(custom("a", b"xyz"), section(1, b"\x01\x60\0\0", size=3))
    first, second = decode_module(bytecode).sections
    assert (first.id, first.name, first.start, bytecode[first.payload_start : first.end]) == (0, "a", 8, b"xyz")
    assert (second.id, second.name, second.start, second.end) == (1, "", first.end, len(bytecode))
    assert bytecode[second.payload_start : second.end] == b"\x01\x60\0\0"


def test_value_types_are_interned() -> None:
    assert ref_type("func", True) is FUNCREF
    assert ref_type(3, False) is ref_type(3, False)
    assert copy.deepcopy(I32) is I32
    assert pickle.loads(pickle.dumps((I32, FUNCREF, ref_type(3, True)))) == (I32, FUNCREF, ref_type(3, True))


@pytest.mark.parametrize(
    ("value_type", "name", "encoding"),
    [
        (I32, "i32", b"\x7f"),
        (FUNCREF, "funcref", b"\x70"),
        (ref_type("none", True), "nullref", b"\x71"),
        (ref_type("func", False), "(ref func)", b"\x64\x70"),
        (ref_type(3, True), "(ref null 3)", b"\x63\x03"),
        (ref_type(64, False), "(ref 64)", b"\x64\xc0\x00"),
    ],
)
def test_value_type_forms(value_type: object, name: str, encoding: bytes) -> None:
    assert str(value_type) == name
    assert value_type.encoding == encoding  # type: ignore[attr-defined]


def test_the_long_form_of_a_reference_type_is_the_same_type() -> None:
    module = decode_module(function(b"\x01\x01\x63\x70\x0b"))
    assert module.codes[0].locals[0][1] is FUNCREF


def test_a_function_without_function_type() -> None:
    module = decode_module(function(b"\0\x0b", b"\x01\x5f\0"))
    with pytest.raises(LookupError):
        module.func_type(0)


@pytest.mark.parametrize(
    ("bytecode", "message"),
    [
        (b"", "unexpected end"),
        (b"\0asn\x01\0\0\0", "magic"),
        (b"\0asm\x02\0\0\0", "version"),
        (module_of(section(14, b"")), "section id 14"),
        (module_of(section(3, b"\0"), section(1, b"\0")), "out of order"),
        (module_of(section(1, b"\0"), section(1, b"\0")), "out of order"),
        (module_of(section(13, b"\0"), section(5, b"\0")), "out of order"),
        (module_of(section(1, b"\0\0")), "left over"),
        (module_of(section(1, b"\x01\x60\0\0"), section(3, b"\x01\0")), "inconsistent"),
        (module_of(section(12, b"\x01")), "inconsistent"),
        (module_of(section(0, b"\x01\xff")), "UTF-8"),
        (module_of(section(6, b"\x01\x7f\0\x02\x40\x0b\x0b")), "constant expression"),
        (module_of(section(4, b"\x01\x40\x01\x70\0\0\xd0\x70\x0b")), "table"),
        (module_of(section(7, b"\x01\0\x05\0")), "export kind"),
        (module_of(section(9, b"\x01\x08")), "flags"),
        (module_of(section(11, b"\x01\x03")), "flags"),
        (module_of(section(2, b"\x01\0\x01a\x7f\0")), "import kind"),
    ],
)
def test_malformed(bytecode: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode_module(bytecode)


def test_a_component_is_refused_in_words() -> None:
    with pytest.raises(UnsupportedFeature, match=r"component") as caught:
        decode_module(b"\0asm\x0d\0\x01\0")
    assert caught.value.proposal == "component-model"


def test_compact_imports_are_taken_apart() -> None:
    """Both groups of the compact import section proposal, and an ordinary import with an empty name."""
    group_of_pairs = b"\x01m\0\x7f\x02\x01a\0\0\x01b\x03\x7f\0"
    group_of_names = b"\x01n\0\x7e\x03\x7e\0\x02\x01c\0"
    single = b"\x01o\0\0\0"
    payload = b"\x03" + group_of_pairs + group_of_names + single
    bytecode = module_of(section(1, b"\x01\x60\0\0"), section(2, payload))
    module = decode_module(bytecode)
    assert [(item.module, item.name, item.desc) for item in module.imports] == [
        ("m", "a", FuncImport(0)),
        ("m", "b", GlobalType(I32, False)),
        ("n", "c", GlobalType(I64, False)),
        ("n", "", GlobalType(I64, False)),
        ("o", "", FuncImport(0)),
    ]
    assert bytecode[module.imports[1].start : module.imports[1].end] == b"\x01b\x03\x7f\0"
    assert bytecode[module.imports[2].start : module.imports[2].end] == b"\x01c"
    assert leb(module.num_imported_functions) == b"\x02"
