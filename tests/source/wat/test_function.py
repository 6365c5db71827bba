"""One function in the text format: which line is which pc, and that only what is asked for is made."""

from __future__ import annotations

import time

import pytest

from support.wasmtools import WASM_TOOLS_ABSENT, print_wat, wat
from wasm.modules import function, leb
from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.source.names import ModuleNames
from wasmscope.source.wat.floats import decimal
from wasmscope.source.wat.function import FunctionText
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.names import NameSection, decode_names

needs_wasm_tools = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def text_of(bytecode: bytes, index: int = 0, *, named: bool = True) -> FunctionText:
    module = decode_module(bytecode)
    names = decode_names(module)
    return FunctionText(module, ModuleNames(module, names).as_section() if named else names, index)


GCD = """
(module
  (func $gcd (param $a i32) (param i32) (result i32) (local $rest i32) (local f64)
    (loop $again
      (if (i32.eqz (local.get 1)) (then (return (local.get $a))))
      (local.set $rest (i32.rem_u (local.get $a) (local.get 1)))
      (local.set $a (local.get 1))
      (local.set 1 (local.get $rest))
      (br $again))
    (drop (f64.const 0.1))
    (drop (f32.const 0.1))
    (block (block (br 1)))
    unreachable))
"""

PRINTED = """\
(func $gcd (;0;) (type $type0) (param $a i32) (param $var1 i32) (result i32)
  (local $rest i32) (local $var3 f64)
  loop $again
    local.get $var1
    i32.eqz
    if ;; label = @2
      local.get $a
      return
    end
    local.get $a
    local.get $var1
    i32.rem_u
    local.set $rest
    local.get $var1
    local.set $a
    local.get $rest
    local.set $var1
    br $again
  end
  f64.const 0x1.999999999999ap-4 (;=0.1;)
  drop
  f32.const 0x1.99999ap-4 (;=0.1;)
  drop
  block ;; label = @1
    block ;; label = @2
      br 1 (;@1;)
    end
  end
  unreachable
)
"""


@needs_wasm_tools
def test_a_function() -> None:
    assert "\n".join(text_of(wat(GCD)).lines()) + "\n" == PRINTED


@needs_wasm_tools
def test_lines_and_pcs() -> None:
    bytecode = wat(GCD)
    module, text = decode_module(bytecode), text_of(bytecode)
    offsets = instruction_offsets(module, module.codes[0])
    assert text.num_lines == len(PRINTED.splitlines())
    assert text.first_code_line == 3
    assert [text.pc_of(line) for line in range(text.num_lines + 2)] == [None, None, None, *offsets, None]
    assert [text.line_at(pc) for pc in offsets] == list(range(3, text.num_lines + 1))
    ends = [text.end_of(line) for line in range(3, text.num_lines + 1)]
    assert ends == [*offsets[1:], module.codes[0].end]
    assert text.line_at(offsets[1] + 1) == text.line_at(offsets[1])
    assert text.line_at(module.codes[0].code_start - 1) is None
    assert text.line_at(module.codes[0].end) is None
    assert text.end_of(1) is None


@needs_wasm_tools
def test_any_part_is_the_same_as_in_the_whole() -> None:
    text = text_of(wat(GCD))
    lines = PRINTED.splitlines()
    for first in range(-1, len(lines) + 2):
        for last in range(first - 1, len(lines) + 2):
            assert list(text.lines(first, last)) == lines[max(first - 1, 0) : max(last, 0)]


@needs_wasm_tools
def test_it_is_laid_out_as_by_wasm_tools() -> None:
    bytecode = wat(GCD)
    printed = print_wat(bytecode).splitlines()[2:-1]
    assert ["  " + line for line in text_of(bytecode, named=False).lines()] == printed


@needs_wasm_tools
def test_a_label_whose_name_an_inner_one_has_too_is_a_number() -> None:
    text = text_of(wat("(module (func (block $x (block $x (br 1) (br 0)))))"))
    # wasm-tools makes names of one function different when it writes them, so that they are made equal here.
    module = decode_module(wat("(module (func (block (block (br 1) (br 0)))))"))
    text = FunctionText(module, NameSection(labels={0: {0: "x", 1: "x"}}), 0)
    assert [line.strip() for line in text.lines()][1:5] == ["block $x", "block $x", "br 1 (;@1;)", "br $x"]


def body(instructions: bytes) -> bytes:
    return function(b"\0" + instructions + b"\x0b")


def test_a_line_of_a_huge_function_is_made_without_the_others() -> None:
    count = 3_000_000
    text = text_of(body(b"\x01" * count))
    start = time.process_time()
    assert list(text.lines(count, count + 2)) == ["  nop", "  nop", ")"]
    assert time.process_time() - start < 10
    start = time.process_time()
    for line in range(1_000_000, 1_000_500):
        assert list(text.lines(line, line)) == ["  nop"]
    assert time.process_time() - start < 5


def test_deep_nesting_is_not_quadratic() -> None:
    depth = 100_000
    text = text_of(body(b"\x02\x40" * depth + b"\x0c" + leb(depth - 1) + b"\x0b" * depth))
    start = time.process_time()
    assert sum(map(len, text.lines())) < depth * 300
    assert time.process_time() - start < 30
    assert list(text.lines(depth + 2, depth + 2)) == ["  " * 51 + f"br {depth - 1} (;@1;)"]


def test_a_name_is_not_sought_through_all_blocks() -> None:
    depth = 50_000
    module = decode_module(body(b"\x02\x40" * depth + (b"\x0c" + leb(depth - 1)) * 1000 + b"\x0b" * depth))
    text = FunctionText(module, NameSection(labels={0: {0: "outermost"}}), 0)
    assert list(text.lines(2, 2)) == ["  block $outermost"]
    start = time.process_time()
    list(text.lines(depth + 2, depth + 1001))
    assert time.process_time() - start < 5


def test_a_long_branch_table_is_cut_where_that_is_asked_for() -> None:
    table = b"\x0e" + leb(100_000) + b"\0" * 100_001
    module = decode_module(body(b"\x41\0" + table))
    names = NameSection()
    assert list(FunctionText(module, names, 0, 3).lines(3, 3)) == ["  br_table 0 0 0 (;99997 more;) 0"]
    assert len(next(FunctionText(module, names, 0).lines(3, 3)).split()) == 100_002


def test_many_locals_are_in_lines_of_their_own() -> None:
    module = decode_module(function(b"\x01" + leb(50_000) + b"\x7f" + b"\x0b"))
    text = FunctionText(module, NameSection(), 0)
    assert text.num_lines == 2 + 50_000 // 8
    assert list(text.lines(2, 2)) == [f"  (local{' i32' * 8})"]
    assert list(text.lines(text.num_lines)) == [")"]


@pytest.mark.parametrize("instructions", [b"\xff", b"\x41", b"\x20\x80\x80\x80\x80\x80\x80"])
def test_what_is_no_instruction(instructions: bytes) -> None:
    with pytest.raises((DecodeError, UnsupportedFeature)):
        text_of(function(b"\0" + instructions))


def test_ends_too_many_are_printed() -> None:
    assert list(text_of(body(b"\x0b\x0b\x05")).lines(2)) == ["  end", "  end", "  else", ")"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cdcccc3d", "0.1"),
        ("0000803f", "1.0"),
        ("ffff7f7f", "3.4028235e+38"),
        ("01000000", "1e-45"),
        ("0000807f", "inf"),
        ("000080ff", "-inf"),
        ("00000080", "-0.0"),
        ("9a9999999999b93f", "0.1"),
        ("000000000000f07f", "inf"),
        ("000000000000f87f", "nan"),
    ],
)
def test_floats_in_decimal(encoding: str, text: str) -> None:
    assert decimal(bytes.fromhex(encoding)) == text
