"""Modules that `wasm-tools smith` makes from random bytes: all of the format, in combinations nobody writes."""

from __future__ import annotations

import random

import pytest

from support.wasmtools import validate, wasm_tools
from wasm.test_reencode import AppendImports
from wasm.test_text import our_lines, printed_lines
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.encode.module import encode_module
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.reencode import Reencoder, reencode

PROPOSALS = [
    "bulk-memory",
    "compact-imports",
    "custom-page-sizes",
    "exceptions",
    "extended-const",
    "gc",
    "memory64",
    "multi-value",
    "reference-types",
    "relaxed-simd",
    "saturating-float-to-int",
    "sign-extension-ops",
    "simd",
    "tail-call",
    "threads",
    "wide-arithmetic",
]
FLAGS = [f"--{proposal}-enabled=true" for proposal in PROPOSALS] + ["--max-memories=3", "--max-tables=3"]


@pytest.mark.wasm_tools
@pytest.mark.parametrize("seed", range(15))
def test_random_modules(seed: int) -> None:
    chosen = random.Random(seed)
    made = wasm_tools("smith", *FLAGS, input=chosen.randbytes(chosen.choice((500, 5_000, 20_000))))
    bytecode = wasm_tools("strip", "--all", "-", input=made)
    module = decode_module(bytecode)
    assert reencode(Reencoder(module)) == bytecode
    validate(reencode(AppendImports(module)))
    for code in module.codes:
        instructions = decode_instructions(bytecode, code.code_start, code.end)
        encoded = b"".join(encode_instruction(item.opcode, item.immediates) for item in instructions)
        assert encoded == bytecode[code.code_start : code.end]
    assert our_lines(module, NameSection()) == printed_lines(bytecode)
    encoded = encode_module(module)
    validate(encoded)
    assert encode_module(decode_module(encoded)) == encoded
