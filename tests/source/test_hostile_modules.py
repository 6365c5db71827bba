"""Modules that were damaged: whatever still decodes is answered for, without an exception, in bounded time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.wasmtools import WASM_TOOLS_ABSENT, wat
from wasmscope.errors import WasmscopeError
from wasmscope.source.model import DebugInfo
from wasmscope.source.names import ModuleNames
from wasmscope.source.without_dwarf import without_dwarf
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import decode_names

PROGRAMS = Path(__file__).with_name("source_map") / "programs"

RICH = """
(module
  (rec (type $s (sub (struct (field $x (mut i32)) (field i8)))) (type $a (array (mut (ref null $s)))))
  (import "e" "f" (func $imported (param i32)))
  (memory 1) (table 2 funcref) (tag $t (param i32)) (global $g (mut i64) (i64.const 1))
  (elem (i32.const 0) func $f) (elem funcref (ref.func $f)) (data (i32.const 4) "text")
  (start $f)
  (func $f (local $l i32) (local (ref null $s) f32)
    (block $out (loop (br_if $out (i32.load offset=4 (local.get $l))) (br_table 0 1 0 (i32.const 1))))
    (drop (struct.get $s $x (local.get 1)))
    (local.set 2 (f32.const 1.5)) (drop (v128.const i64x2 1 2))
    (call_indirect (param i64) (i64.const 1) (i32.const 0))))
"""


def ask_everything(info: DebugInfo, module: Module) -> int:
    answered = 0
    for file in info.files():
        for line in (0, 1, 3, 1000):
            answered += len(info.places(file.path, line).places)
    step = max(len(module.bytecode) // 40, 1)
    for pc in [-1, *range(0, len(module.bytecode) + 10, step)]:
        answered += info.row_at(pc) is not None
        answered += info.location_at(pc) is not None
        answered += len(info.variables_at(pc)) + len(info.frames_at(pc)) + len(info.ranges_of_line(pc))
        function = info.function_at(pc)
        if function is not None:
            answered += info.entry_place(function) is not None
            answered += len(info.functions_named(function.name))
    assert all(problem.isprintable() for problem in info.problems())
    return answered + len(info.statics())


@pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)
@pytest.mark.parametrize("program", ["rich", "fib", "hello"])
def test_damaged_modules_are_answered_for(program: str) -> None:
    bytecode = wat(RICH) if program == "rich" else (PROGRAMS / f"{program}.wasm").read_bytes()
    rng = random.Random(program)
    decoded = answered = 0
    for _ in range(150):
        damaged = bytearray(bytecode)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(8, len(damaged))] = rng.choice((rng.randrange(256), rng.randrange(12), 0x7F, 0xFF))
        try:
            module = decode_module(bytes(damaged))
        except WasmscopeError:
            continue
        decoded += 1
        found = without_dwarf(module, ModuleNames(module, decode_names(module)), program, [PROGRAMS])
        answered += ask_everything(found.best, module) + ask_everything(found.wat, module)
        for file in found.wat.files():
            text = found.wat.text(file.path)
            assert text is None or all(line.isprintable() for line in text)
    assert decoded > 20
    assert answered > 1000
