"""What becomes of each proposal: `docs/features.md` has a row for each of these tests, and they for each row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import wasmtime
from wasmtime import _bindings as bindings

from support.wasmtools import wat
from wasm.modules import custom, function, module_of, section
from wasm.test_reencode import AppendImports
from wasmscope.errors import UnsupportedFeature
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.module import Module
from wasmscope.wasm.reencode import Reencoder, reencode

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"


@dataclass(frozen=True, slots=True)
class Case:
    """A module of a proposal (text or bytes), and the engine's flags for it."""

    module: str | bytes
    flags: tuple[str, ...] = ()
    off_by_default: bool = False

    @property
    def bytecode(self) -> bytes:
        return self.module if isinstance(self.module, bytes) else wat(self.module)


COMPACT_IMPORTS = module_of(
    section(1, b"\x01\x60\0\0"),
    section(2, b"\x02\x01a\0\x7f\x02\x01b\0\0\x01c\x03\x7f\0" + b"\x01a\0\x7e\0\0\x01\x01d"),
)

SUPPORTED = {
    "mvp": Case('(module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 0))))'),
    "mutable-global": Case(
        '(module (import "a" "b" (global (mut i32))) (global (export "c") (mut i32) (i32.const 0)))'
    ),
    "sign-extension-ops": Case("(module (func (result i32) (i32.extend8_s (i32.const 255))))"),
    "nontrapping-float-to-int-conversions": Case("(module (func (result i32) (i32.trunc_sat_f32_s (f32.const 1))))"),
    "multi-value": Case("(module (func (result i32 i32) i32.const 1 i32.const 2))", ("wasm_multi_value",)),
    "bulk-memory-operations": Case(
        '(module (memory 1) (data "a") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0)))',
        ("wasm_bulk_memory",),
    ),
    "reference-types": Case(
        "(module (table 1 externref) (func (param externref) (table.set (i32.const 0) (local.get 0))))",
        ("wasm_reference_types",),
    ),
    "simd": Case("(module (func (result v128) (i8x16.splat (i32.const 1))))", ("wasm_simd",)),
    "relaxed-simd": Case(
        "(module (func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
        ("wasm_relaxed_simd",),
    ),
    "tail-call": Case("(module (func (return_call 0)))", ("wasm_tail_call",)),
    "extended-const": Case("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"),
    "multi-memory": Case(
        "(module (memory 1) (memory 1) (func (result i32) (i32.load 1 (i32.const 0))))", ("wasm_multi_memory",)
    ),
    "memory64": Case(
        "(module (memory i64 1) (table i64 1 funcref) (func (result i32) (i32.load offset=0x100000000 (i64.const 0))))",
        ("wasm_memory64",),
    ),
    "function-references": Case(
        "(module (type $t (func)) (table 1 (ref $t) (ref.func 0)) (func (call_ref $t (ref.func 0))))",
        ("wasm_function_references",),
    ),
    "gc": Case(
        "(module (rec (type $s (sub (struct (field (ref null $a))))) (type $a (array i8)))"
        " (func (result anyref) (struct.new $s (array.new_default $a (i32.const 1)))))",
        ("wasm_function_references", "wasm_gc", "gc_support"),
    ),
    "exception-handling": Case(
        "(module (tag $e) (func (block (try_table (catch $e 0) (throw $e)))))", ("wasm_exceptions", "gc_support")
    ),
    "threads": Case(
        "(module (memory 1 1 shared) (func (result i32) (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))",
        ("wasm_threads", "shared_memory"),
    ),
    "wide-arithmetic": Case(
        "(module (func (result i64 i64) (i64.mul_wide_u (i64.const 2) (i64.const 3))))", ("wasm_wide_arithmetic",)
    ),
    "custom-page-sizes": Case("(module (memory 1 (pagesize 1)))", ("wasm_custom_page_sizes",), off_by_default=True),
    "compact-import-section": Case(COMPACT_IMPORTS, ("wasm_compact_imports",), off_by_default=True),
    "branch-hinting": Case(
        '(module (func (@metadata.code.branch_hint "\\01") (if (i32.const 0) (then))))',
        ("wasm_branch_hinting",),
    ),
    "extended-name-section": Case('(module (memory $m 1) (data $d "a"))'),
}

REFUSED = {
    "component-model": Case(b"\0asm\x0d\0\x01\0", ("wasm_component_model",)),
    "stack-switching": Case(
        "(module (type $f (func)) (type $c (cont $f)) (func (param (ref $c))))",
        ("wasm_stack_switching", "wasm_function_references", "wasm_exceptions", "wasm_gc", "gc_support"),
        off_by_default=True,
    ),
    "legacy-exception-handling": Case(function(b"\0\x06\x40\x19\x0b\x0b")),
    "shared-everything-threads": Case("(module (global (shared i32) (i32.const 0)))"),
    "custom-descriptors": Case("(module (rec (type (descriptor 1) (struct)) (type (describes 0) (struct))))"),
    "memory-control": Case(function(b"\0\x41\0\x41\0\xfc\x12\0\x0b")),
}


def engine(flags: tuple[str, ...]) -> wasmtime.Engine:
    config = wasmtime.Config()
    for flag in flags:
        if hasattr(wasmtime.Config, flag):
            setattr(config, flag, True)
        else:  # the package has no property for it, its C API has a function
            getattr(bindings, f"wasmtime_config_{flag}_set")(config.ptr(), True)
    return wasmtime.Engine(config)


def decode_all(bytecode: bytes) -> Module:
    module = decode_module(bytecode)
    for code in module.codes:
        list(decode_instructions(bytecode, code.code_start, code.end))
    return module


@pytest.mark.wasm_tools
@pytest.mark.parametrize("proposal", SUPPORTED)
def test_supported(proposal: str) -> None:
    """The engine takes the module; it is decoded, given back as it was, and still taken when imports are appended."""
    case = SUPPORTED[proposal]
    module = decode_all(case.bytecode)
    assert reencode(Reencoder(module)) == case.bytecode
    wasmtime.Module(engine(case.flags), case.bytecode)
    wasmtime.Module(engine((*case.flags, "wasm_exceptions")), reencode(AppendImports(module)))


@pytest.mark.wasm_tools
@pytest.mark.parametrize("proposal", REFUSED)
def test_refused(proposal: str) -> None:
    """Refused by its name; where the engine has no flag for it, by the engine too."""
    case = REFUSED[proposal]
    with pytest.raises(UnsupportedFeature) as caught:
        decode_all(case.bytecode)
    assert caught.value.proposal == proposal
    if not case.flags:
        with pytest.raises(wasmtime.WasmtimeError):
            wasmtime.Module(engine(()), case.bytecode)


@pytest.mark.wasm_tools
@pytest.mark.parametrize("proposal", [name for name, case in (SUPPORTED | REFUSED).items() if case.off_by_default])
def test_off_by_default(proposal: str) -> None:
    """The engine takes the module only with its flags."""
    case = (SUPPORTED | REFUSED)[proposal]
    wasmtime.Module(engine(case.flags), case.bytecode)
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Module(engine(()), case.bytecode)


def test_a_branch_hint_section_is_opaque() -> None:
    bytecode = module_of(custom("metadata.code.branch_hint", b"\xff\xff"))
    assert reencode(Reencoder(decode_module(bytecode))) == bytecode


def test_the_page_has_a_row_for_each_test() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and "::" in line
    ]
    tests = {f"test_supported[{name}]" for name in SUPPORTED} | {f"test_refused[{name}]" for name in REFUSED}
    assert {match for row in rows for match in re.findall(r"test_\w+\[[\w-]+\]", row[-1])} == tests
    for proposal, flags, *_ in rows:
        assert set(re.findall(r"`(\w+)`", flags)) == set((SUPPORTED | REFUSED)[proposal.strip("`")].flags), proposal
