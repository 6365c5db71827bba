"""Instructions in the text format, against `wasm-tools print` and by hand."""

from __future__ import annotations

import re
import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.wasmtools import print_wat, wasm_tools, wat
from wasm.modules import function, module_of, section, supported_spec_modules
from wasmscope.wasm import writer
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.floats import format_float
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameSection, decode_names
from wasmscope.wasm.opcodes import OPCODES
from wasmscope.wasm.text import format_instruction, format_name

MNEMONICS = {opcode.mnemonic for opcode in OPCODES}


def our_lines(module: Module, names: NameSection) -> Counter[str]:
    lines: Counter[str] = Counter()
    for function_index, code in enumerate(module.codes, module.num_imported_functions):
        instructions = list(decode_instructions(module.bytecode, code.code_start, code.end))
        lines.update(format_instruction(item, module, names, function_index) for item in instructions[:-1])
    return lines


def printed_lines(bytecode: bytes) -> Counter[str]:
    """The instructions in the text: those lines that are indented deeper than the fields of the module."""
    text = re.sub(r";; label = @\d+|\(;.*?;\)", "", print_wat(bytecode))
    lines = (" ".join(line.split()).replace(" )", ")") for line in text.splitlines() if line.startswith("    "))
    return Counter(line for line in lines if line.split(" ")[0] in MNEMONICS)


@pytest.mark.testsuite
@pytest.mark.parametrize("part", range(4))
def test_official_modules_without_names(part: int) -> None:
    compared = 0
    for name, module in list(supported_spec_modules())[part * 15 :: 60]:
        bytecode = wasm_tools("strip", "--all", "-", input=module.bytecode)
        ours = our_lines(decode_module(bytecode), NameSection())
        assert ours == printed_lines(bytecode), name
        compared += ours.total()
    assert compared > 100


NAMED = """
(module
  (type $sig (func (param i32) (result i32)))
  (type $pair (func (param i32 (ref null $s)) (result i32 i32)))
  (type $s (struct (field $first i32) (field (mut i32))))
  (memory $m 1) (memory $m2 1) (table $t 1 funcref) (table $t2 1 funcref)
  (global $g (mut i32) (i32.const 0)) (tag $exn (param i32)) (data $d "x") (elem $e func $f)
  (func $f (param $p i32) (result i32) (local $"odd name" i32) (local i32)
    local.get $p local.set $"odd name" local.get 2 global.set $g
    i32.const 0 i32.load $m2 offset=8 align=1 drop
    i32.const 0 i32.const 0 i32.const 0 memory.init $m2 $d
    i32.const 0 i32.const 0 i32.const 0 table.init $t2 $e
    i32.const 0 i32.const 0 i32.const 0 memory.copy $m $m2
    ref.null $s struct.get $s $first drop
    ref.null $s struct.get $s 1 drop
    i32.const 1 i32.const 0 call_indirect $t2 (type $sig) drop
    i32.const 1 ref.null $s (block (type $pair) drop i32.const 2) drop drop
    ref.func $f ref.is_null drop
    (try_table (param i32) (catch $exn 0) (catch_all_ref 0) drop) unreachable))
"""


@pytest.mark.wasm_tools
def test_names_are_used() -> None:
    module = decode_module(wat(NAMED.replace("(try_table (param i32) (catch $exn 0) (catch_all_ref 0) drop)", "")))
    lines = our_lines(module, decode_names(module))
    assert lines == printed_lines(module.bytecode)
    for line in ('local.set $"odd name"', "local.get 2", "struct.get $s $first", "i32.load $m2 offset=8 align=1"):
        assert lines[line] == 1
    assert lines["block (type $pair) (param i32 (ref null $s)) (result i32 i32)"] == 1


def test_catch_clauses() -> None:
    body = b"\0\x1f\x40\x03\x00\x07\x01\x01\x08\x02\x03\x03\x0b\x0b"
    module = decode_module(function(body))
    first = next(decode_instructions(module.bytecode, module.codes[0].code_start, module.codes[0].end))
    names = NameSection(tags={7: "exn"})
    assert format_instruction(first, names=names) == "try_table (catch $exn 1) (catch_ref 8 2) (catch_all_ref 3)"


def test_a_block_type_without_the_module() -> None:
    (block,) = decode_instructions(b"\x02\x05", 0, 2)
    assert format_instruction(block) == "block (type 5)"
    assert format_instruction(block, decode_module(module_of(section(1, b"\x01\x5f\0")))) == "block (type 5)"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain", "$plain"),
        ("a.b::c<int>", "$a.b::c<int>"),
        ("f(int)", '$"f(int)"'),
        ("", '$""'),
        ("two words", '$"two words"'),
        ('quote"\\', '$"quote\\"\\\\"'),
        ("\x1b[31mred\n", '$"\\u{1b}[31mred\\u{a}"'),
        ("\u202egnp.exe", '$"\\u{202e}gnp.exe"'),
        ("é", '$"é"'),
        ("x" * 5000, f'$"{"x" * 119}…"'),
    ],
)
def test_names_from_hostile_modules(name: str, text: str) -> None:
    assert format_name(name) == text


@given(st.text())
def test_a_name_stays_on_its_line(name: str) -> None:
    text = format_name(name)
    assert text.isprintable()
    assert len(text) < 120 * 12


@given(st.floats(width=64))
def test_doubles_are_exact(value: float) -> None:
    text = format_float(struct.pack("<d", value))
    if value == value:
        assert struct.pack("<d", float.fromhex(text)) == struct.pack("<d", value)


FLOATS = [0, 1, 2, 0x400000, 0x7FFFFF, 0x800000, 0x3F800000, 0x3FC00000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7F800001]


@pytest.mark.wasm_tools
def test_floats_are_printed_as_wasm_tools_does() -> None:
    bits32 = [bits | sign << 31 for bits in FLOATS for sign in (0, 1)]
    bits64 = [1, 2**51, 2**52 - 1, 2**52, 0x3FF8 << 48, 0x7FF << 52, 0x7FF8 << 48, (0x7FF << 52) + 1, 1 << 63]
    singles = b"".join(b"\x43" + bits.to_bytes(4, "little") + b"\x1a" for bits in bits32)
    doubles = b"".join(b"\x44" + bits.to_bytes(8, "little") + b"\x1a" for bits in bits64)
    body = b"\0" + singles + doubles + b"\x0b"
    bytecode = module_of(section(1, b"\x01\x60\0\0"), section(3, b"\x01\0"), section(10, b"\x01" + writer.sized(body)))
    assert our_lines(decode_module(bytecode), NameSection()) == printed_lines(bytecode)
