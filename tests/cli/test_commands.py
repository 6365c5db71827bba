"""What the cases cannot show: options that name files, the demo, how the command is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wasmscope as package
from cli.conftest import Wasmscope
from wasmscope.report import Report

TRAPS = '(module (func $deep unreachable) (func (export "_start") (call $deep)))'


@pytest.fixture
def trapping(tmp_path: Path) -> str:
    path = tmp_path / "guest.wat"
    path.write_text(TRAPS)
    return str(path)


def test_report_file_has_the_report(trapping: str, tmp_path: Path, wasmscope: Wasmscope) -> None:
    shown = wasmscope("run", trapping).stderr
    written = tmp_path / "crash"
    outcome = wasmscope("run", "--report-file", str(written), trapping)
    assert (outcome.status, outcome.stderr) == (134, "")
    assert written.read_text() == shown
    wasmscope("run", "--report-file", str(written), "--report", "json", trapping)
    assert json.loads(written.read_text())["depth"] == 2


def test_report_goes_to_stderr_where_the_file_cannot_be_written(
    trapping: str, tmp_path: Path, wasmscope: Wasmscope
) -> None:
    outcome = wasmscope("run", "--report-file", str(tmp_path), trapping)
    assert outcome.status == 134
    assert outcome.stderr.startswith(f"error: cannot write the report to {tmp_path}: ")
    assert "#1   _start (function 1)" in outcome.stderr


def test_colors_are_for_terminals(trapping: str, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" not in wasmscope("run", trapping).stderr
    assert "\x1b[" in wasmscope("run", "--color", "always", trapping).stderr
    assert "\x1b[" not in wasmscope("run", "--color", "never", trapping).stderr
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert "\x1b[" not in wasmscope("run", trapping).stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in wasmscope("run", trapping).stderr
    assert "\x1b[" not in wasmscope("run", "--color", "never", trapping).stderr


def test_no_report_still_says_what_happened(trapping: str, wasmscope: Wasmscope) -> None:
    for options in (["--report", "none"], ["--no-debug"]):
        outcome = wasmscope("run", *options, trapping)
        assert outcome.status == 134
        assert outcome.stderr.startswith(f"error: {trapping}: error while executing at wasm backtrace:")
        assert "!deep" in outcome.stderr
        assert "wasm trap: wasm `unreachable` instruction executed" in outcome.stderr


def test_directories_and_environment_are_passed(
    tmp_path: Path, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = tmp_path / "guest.wat"
    guest.write_text("""(module
      (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func $write (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func (export "_start")
        (drop (call $environ_get (i32.const 16) (i32.const 64)))
        (call $write (i32.const 64) (i32.const 16))
        (drop (call $prestat (i32.const 3) (i32.const 16)))
        (drop (call $name (i32.const 3) (i32.const 128) (i32.load (i32.const 20))))
        (call $write (i32.const 128) (i32.load (i32.const 20)))))""")
    monkeypatch.setenv("INHERITED", "b")
    outcome = wasmscope("run", "--env", "A=1", "--env", "INHERITED", "--dir", f"{tmp_path}::/data", str(guest))
    assert (outcome.status, outcome.stdout) == (0, "A=1\0INHERITED=b\0/data"[:16] + "/data")


def test_demo_shows_its_crash(wasmscope: Wasmscope) -> None:
    outcome = wasmscope("demo")
    assert outcome.status == 0
    assert "9. ship bookshelf 1\n" in outcome.stdout
    assert outcome.stdout.index("A guest is about to run") < outcome.stdout.index("1. receive lamp")
    assert outcome.stdout.index("9. ship bookshelf") < outcome.stdout.index("The guest stopped in same_name")
    assert "i32.load8_u reads 1 byte at address 0x636f6c63" in outcome.stderr
    for number, name in enumerate(["same_name", "find", "ship", "execute", "work_a_day", "_start"]):
        assert f"#{number}   {name} (function " in outcome.stderr


@pytest.mark.parametrize(
    "command", [[], ["run"], ["inspect"], ["demo"]], ids=lambda command: " ".join(command) or "none"
)
def test_help(command: list[str], wasmscope: Wasmscope) -> None:
    outcome = wasmscope(*command, "--help")
    assert outcome.status == 0
    assert outcome.stdout.startswith("Usage: wasmscope")
    assert "Examples:" in outcome.stdout or command == ["demo"]


def test_started_as_a_module(trapping: str) -> None:
    command = [sys.executable, "-m", "wasmscope", "run", "--report", "json", trapping]
    source = Path(package.__file__).parents[1]
    ended = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(source)})
    assert ended.returncode == 134
    report = json.loads(ended.stderr)
    assert report.keys() == set(Report.__struct_fields__)
    assert [frame["name"] for frame in report["stack"]] == ["deep", "_start"]


def _command(script: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `wasmscope` is the command."""
    source = Path(package.__file__).parents[1]
    script = f'wasmscope() {{ {sys.executable} -m wasmscope "$@"; }}; {script}'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, env={"PYTHONPATH": str(source)})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_without_room_is_an_error(tmp_path: Path) -> None:
    guest = tmp_path / "guest.wat"
    guest.write_text('(module (func (export "one") (result i32) (i32.const 1)))')
    for command in (f"inspect {guest}", f"inspect --json {guest}", f"run --invoke one {guest}"):
        ended = _command(f"wasmscope {command} >/dev/full")
        assert (ended.returncode, ended.stderr) == (1, "error: cannot write the output: No space left on device\n")


def test_too_little_memory_is_an_error(trapping: str, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("wasmscope.cli.guest.decode_module", exhausted)
    outcome = wasmscope("inspect", trapping)
    assert (outcome.status, outcome.stderr) == (1, "error: there is not enough memory for this\n")


@pytest.mark.parametrize(
    "options",
    [
        ["--argv0", "\udcff"],
        ["--env", "A=\udcff"],
        ["--env", "NOT_UTF8"],
        ["--dir", "/::\udcff"],
        ["--preload", "\udcff=x"],
    ],
    ids=["argv0", "env", "inherited env", "dir", "preload"],
)
def test_text_that_is_not_utf8_is_refused(
    options: list[str], trapping: str, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_UTF8", "\udcff")
    outcome = wasmscope("run", *options, trapping)
    assert outcome.status == 2
    assert "is not UTF-8, as WASI wants it" in outcome.stderr
    assert wasmscope("run", trapping, "\udcff").status == 2


def test_file_whose_name_is_not_utf8_runs(tmp_path: Path, wasmscope: Wasmscope) -> None:
    path = tmp_path / "guest\udcff.wat"
    try:
        path.write_text(TRAPS)
    except OSError:
        pytest.skip("the file system has only names in UTF-8")
    outcome = wasmscope("run", str(path))
    assert outcome.status == 134
    assert outcome.stderr.startswith("guest\\u{dcff}.wat: trap: ")


def test_report_of_an_earlier_run_is_removed(trapping: str, tmp_path: Path, wasmscope: Wasmscope) -> None:
    written = tmp_path / "crash"
    wasmscope("run", "--report-file", str(written), trapping)
    assert written.exists()
    fine = tmp_path / "fine.wat"
    fine.write_text('(module (func (export "_start")))')
    assert wasmscope("run", "--report-file", str(written), str(fine)).status == 0
    assert not written.exists()


def test_report_file_is_no_guest(trapping: str, wasmscope: Wasmscope) -> None:
    outcome = wasmscope("run", "--report-file", trapping, trapping)
    assert (outcome.status, outcome.stderr) == (1, f"error: --report-file {trapping} is the guest's own file\n")
    assert Path(trapping).read_text() == TRAPS


def test_preload_that_is_in_the_way_is_named(trapping: str, tmp_path: Path, wasmscope: Wasmscope) -> None:
    other = tmp_path / "other.wat"
    other.write_text('(module (func (export "fd_write")))')
    outcome = wasmscope("run", "--preload", f"wasi_snapshot_preview1={other}", trapping)
    assert outcome.status == 1
    assert outcome.stderr.startswith("error: --preload wasi_snapshot_preview1: ")


@pytest.mark.parametrize("digits", [400, 5000])
def test_argument_of_very_many_digits_is_refused(digits: int, tmp_path: Path, wasmscope: Wasmscope) -> None:
    guest = tmp_path / "guest.wat"
    guest.write_text('(module (func (export "f") (param i32)))')
    outcome = wasmscope("run", "--invoke", "f", str(guest), "9" * digits)
    assert outcome.status == 1
    assert outcome.stderr.endswith("is no i32: it does not fit 32 bits\n")


def test_reader_that_goes_away_is_no_traceback(trapping: str) -> None:
    source = Path(package.__file__).parents[1]
    script = f"{sys.executable} -m wasmscope inspect {trapping} | true"
    ended = subprocess.run(script, shell=True, capture_output=True, text=True, env={"PYTHONPATH": str(source)})
    assert ended.stderr == ""
