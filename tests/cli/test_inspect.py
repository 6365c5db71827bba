"""What `inspect` says of debug information that is there, gone, or broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.conftest import Wasmscope
from support.guests import GuestAbsent, guest
from wasmscope import demo, wat2wasm
from wasmscope.cli.inspection.dwarf import inspect_dwarf
from wasmscope.cli.inspection.proposals import proposals_of
from wasmscope.wasm.decode.module import decode_module

DEMO = demo.WASM.read_bytes()


def _section(name: str) -> slice:
    section = next(item for item in decode_module(DEMO).sections if item.name == name)
    return slice(section.payload_start, section.end)


def _custom(name: str, payload: bytes) -> bytes:
    content = bytes([len(name)]) + name.encode() + payload
    assert len(content) < 128
    return bytes([0, len(content)]) + content


def _with_line_table(change: bytes) -> bytes:
    where = _section(".debug_line")
    assert len(change) == len(DEMO[where])
    return DEMO[: where.start] + change + DEMO[where.stop :]


def _zeroed_addresses() -> bytes:
    """As wasm-opt leaves a line table: `DW_LNE_set_address` is there, the address is not."""
    changed, count = re.subn(rb"\x00\x05\x02....", b"\x00\x05\x02\0\0\0\0", DEMO[_section(".debug_line")], flags=re.S)
    assert count > 0
    return _with_line_table(changed)


def _renamed(old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return DEMO.replace(old, new)


@pytest.mark.parametrize(
    ("bytecode", "state"),
    [
        (DEMO, "usable"),
        (_zeroed_addresses(), "addresses gone"),
        (_renamed(b".debug_line", b".debug_lime"), "no line table"),
        (_with_line_table(b"\xf0" * len(DEMO[_section(".debug_line")])), "malformed"),
        (_with_line_table(b"\x20\0\0\0\x09\0".ljust(len(DEMO[_section(".debug_line")]), b"\0")), "malformed"),
        (b"\0asm\x01\0\0\0" + _custom("external_debug_info", b"\x0aother.wasm"), "elsewhere"),
        (b"\0asm\x01\0\0\0", "absent"),
    ],
    ids=["usable", "gone", "no line table", "reserved length", "unknown version", "elsewhere", "absent"],
)
def test_dwarf(bytecode: bytes, state: str, tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wasm"
    path.write_bytes(bytecode)
    outcome = wasmscope("inspect", "--json", str(path))
    assert outcome.status == 0
    assert json.loads(outcome.stdout)["dwarf"]["state"] == state


@pytest.mark.parametrize(
    ("name", "state"),
    [("cpython-3.11", "addresses gone"), ("cpython-3.12", "addresses gone"), ("ruby-debug", "usable")],
)
def test_dwarf_of_real_guests(name: str, state: str) -> None:
    try:
        path = guest(name)
    except GuestAbsent as absent:
        pytest.skip(str(absent))
    assert inspect_dwarf(decode_module(path.read_bytes()), None).state == state


def test_tool_sections(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wasm"
    sections = [
        _custom("build_id", b"\x03\x01\x02\xff"),
        _custom("sourceMappingURL", b"\x09shop.map\x1b"),
        _custom("producers", b"\x01\x08language\x01\x04Rust\x042021"),
        _custom("target_features", b"\x02+\x04simd-\x07threads"),
    ]
    path.write_bytes(b"\0asm\x01\0\0\0" + b"".join(sections))
    found = json.loads(wasmscope("inspect", "--json", str(path)).stdout)
    assert found["build_id"] == "0102ff"
    assert found["source_map"] == "shop.map\\u{1b}"
    assert found["producers"] == [{"field": "language", "name": "Rust", "version": "2021"}]
    assert found["target_features"] == ["+simd", "-threads"]
    path.write_bytes(b"\0asm\x01\0\0\0" + _custom("producers", b"\x05"))
    assert "producers section: " in json.loads(wasmscope("inspect", "--json", str(path)).stdout)["problems"][0]


@pytest.mark.parametrize(
    ("body", "proposal"),
    [
        ("(func (result i32 i32) unreachable)", "multi-value"),
        ("(memory 1) (memory 1)", "multi-memory"),
        ("(memory i64 1)", "memory64"),
        ("(memory 1 1 shared)", "threads"),
        ("(memory 1 (pagesize 1))", "custom-page-sizes"),
        ("(func (param v128))", "simd"),
        ("(tag)", "exception-handling"),
        ("(type (array i8))", "gc"),
        ("(func return_call 0)", "tail-call"),
        ("(type $f (func)) (func (param (ref $f)))", "function-references"),
        ("(table 1 externref)", "reference-types"),
        ('(global (export "g") (mut i32) (i32.const 0))', "mutable-global"),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", "extended-const"),
        ('(memory 1) (data "passive")', "bulk-memory-operations"),
    ],
)
def test_proposal_is_needed(body: str, proposal: str) -> None:
    assert proposals_of(decode_module(bytes(wat2wasm(f"(module {body})")))) == ([proposal], [], [])


def test_first_version_needs_nothing() -> None:
    wat = (
        "(module (memory 1) (table 2 funcref) (elem (i32.const 0) 0) (func (param i32) (local.get 0) (i32.load) drop))"
    )
    assert proposals_of(decode_module(bytes(wat2wasm(wat)))) == ([], [], [])


def test_unsupported_proposals_are_named() -> None:
    # try ... end, of the exceptions proposal as it was before it was standardised
    body = b"\x00\x06\x40\x0b\x0b"
    code = bytes([10, len(body) + 2, 1, len(body)]) + body
    module = decode_module(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\x00" + code)
    assert proposals_of(module) == ([], ["legacy-exception-handling"], [])


def test_names_of_nothing_are_not_counted(tmp_path: Path, wasmscope: Wasmscope) -> None:
    good = bytes(wat2wasm('(module (import "" "" (func)) (func) (func))'))
    functions = b"\x01\x0f\x05\x00\x01a\x01\x00\x02\x01b\x03\x01c\x09\x01d"
    local_names = b"\x02\x0d\x03\x01\x01\x00\x01x\x02\x00\x07\x01\x00\x01x"
    path = tmp_path / "guest.wasm"
    path.write_bytes(good + _custom("name", functions + local_names))
    assert json.loads(wasmscope("inspect", "--json", str(path)).stdout)["names"] == {
        "module": None,
        "functions": 2,
        "all_functions": 3,
        "functions_with_local_names": 1,
        "notes": ["names that are of no use: 2 of functions that do not exist", "names that are of no use: 1 empty"],
    }
    shown = wasmscope("inspect", str(path)).stdout
    assert "  names       2 of 3 functions, locals of 1\n              names that are of no use: 2 of" in shown
