"""Whatever is in a file: a message and an exit status, never a traceback."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Wasmscope
from wasmscope import demo

COMMANDS = [["run"], ["run", "--no-debug"], ["inspect"], ["inspect", "--json"]]


def _garbage() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(1)
    good = demo.WASM.read_bytes()
    yield "empty", b""
    yield "random", chance.randbytes(200)
    yield "zeros", bytes(64)
    yield "text", b"(module (func (export"
    yield "prose", "Ünïcödé is no module".encode()
    yield "header only, cut", good[:6]
    yield "component", b"\0asm\x0d\0\x01\0"
    yield "other version", b"\0asm\x02\0\0\0"
    yield "elf", b"\x7fELF" + bytes(60)
    yield "huge counts", b"\0asm\x01\0\0\0\x01\x06\xff\xff\xff\xff\x0f\x60"
    for cut in (9, 40, 200, 3000, 5000):
        yield f"cut at {cut}", good[:cut]
    for number in range(12):
        damaged = bytearray(good[:3600])
        for _ in range(4):
            damaged[chance.randrange(8, 3400)] = chance.randrange(256)
        yield f"damaged {number}", bytes(damaged)


GARBAGE = dict(_garbage())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_answered(command: list[str], name: str, tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wasm"
    path.write_bytes(GARBAGE[name])
    outcome = wasmscope(*command, "--timeout=2s", str(path)) if command[0] == "run" else wasmscope(*command, str(path))
    assert "Traceback" not in outcome.stderr
    if outcome.status != 0:
        assert outcome.stderr.strip()
    if not name.startswith(("damaged", "cut")):
        assert outcome.status == 1
        assert outcome.stderr.startswith("error: ")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_no_file(command: list[str], tmp_path: Path, wasmscope: Wasmscope) -> None:
    for path in (tmp_path / "missing", tmp_path):
        outcome = wasmscope(*command, str(path))
        assert outcome.status == 1
        assert outcome.stderr.startswith(f"error: cannot read {path}: ")


@pytest.mark.parametrize("command", [["run"], ["inspect"]], ids=" ".join)
def test_what_is_no_module_is_told_by_its_first_bytes(command: list[str], tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wasm"
    path.write_bytes(bytes(5_000_000))
    expected = f"error: {path} is not a WebAssembly module (it begins with 00 00 00 00)\n"
    expected += "hint: expected a WebAssembly module, binary or text\n"
    assert wasmscope(*command, str(path)).stderr == expected
    if Path("/dev/zero").exists():
        assert "(it begins with 00 00 00 00)" in wasmscope(*command, "/dev/zero").stderr


def test_text_with_a_character_across_what_is_read_first_is_text(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wat"
    for spaces in range(4090, 4097):
        path.write_text(" " * spaces + "(;ü€😀;) (module)")
        assert wasmscope("inspect", str(path)).status == 0


def test_endless_text_is_not_read_for_good(
    tmp_path: Path, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasmscope.cli.guest.LARGEST", 3 << 20)
    path = tmp_path / "guest.wat"
    path.write_bytes(b"(" * (4 << 20))
    assert wasmscope("inspect", str(path)).stderr == f"error: {path} is larger than 3 MiB, which no module is\n"


def test_syntax_error_names_the_file_and_the_place(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wat"
    path.write_text("(module\n  (func oops))")
    for command in COMMANDS:
        outcome = wasmscope(*command, str(path))
        assert outcome.status == 1
        assert outcome.stderr.startswith(f"error: {path}: syntax error: ")
        assert f"--> {path}:2:9" in outcome.stderr


def test_component_in_the_text_format_is_told(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wat"
    path.write_text("(component)")
    for command in COMMANDS:
        outcome = wasmscope(*command, str(path))
        assert outcome.status == 1
        assert outcome.stderr.startswith(f"error: {path} is a component\nhint: only core modules are supported; ")


def test_guest_at_the_limits_of_the_engine_is_no_invalid_module(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wat"
    path.write_text(f'(module (func (export "_start") (local {"i32 " * 50_000}) call $f) (func $f))')
    outcome = wasmscope("run", str(path))
    assert outcome.status == 1
    message, hint = outcome.stderr.splitlines()
    assert message.startswith(f"error: {path} cannot be debugged: the guest is valid, but made debuggable it exceeds ")
    assert hint == "hint: --no-debug runs it"
    assert wasmscope("run", "--no-debug", str(path)).status == 0


def test_guest_beyond_the_limits_of_the_engine_gets_no_false_hint(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest.wat"
    path.write_text(f'(module (func (export "_start") (br_table {"0 " * 70_000} (i32.const 0))))')
    outcome = wasmscope("run", str(path))
    assert outcome.status == 1
    assert outcome.stderr.startswith(f"error: {path} is valid, but exceeds what the engine takes: ")
    assert "hint" not in outcome.stderr
