"""Ctrl-C, timeouts and progress, in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

import wasmscope
from wasmscope.report import Report
from wasmscope.report.model import Frame, Interruption

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

_SPEAKS = """
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "ready\\n")
  (func $speak (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
"""
SPINS = f'(module {_SPEAKS} (func $spin (loop $again br $again)) (func (export "_start") call $speak call $spin))'
READS = f"""(module {_SPEAKS} (func (export "_start") call $speak
  (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))"""

WAITS = f"""(module {_SPEAKS} (func $wait (drop (memory.atomic.wait32 $m (i32.const 0) (i32.const 0) (i64.const -1))))
  (memory $m 1 1 shared) (func (export "_start") call $speak call $wait))"""
TRAPS = f'(module {_SPEAKS} (func (export "_start") call $speak unreachable))'

REPORTS_SLOWLY = """
import sys, time
from wasmscope.cli import main, reporting

def spin():
    end = time.monotonic() + 4
    while time.monotonic() < end:
        sum(range(100))

def slow_handle(reporter, store, event, handle=reporting.Reporter.handle):
    spin()
    handle(reporter, store, event)

def slow_capture(*arguments, capture=reporting.capture, **options):
    spin()
    return capture(*arguments, **options)

if sys.argv[2] == "in the handler":
    reporting.capture = slow_capture
else:
    reporting.Reporter.handle = slow_handle
main(["run", "--timeout", "1s", sys.argv[1]])
"""

COMPILES_SLOWLY = """
import sys, time
from wasmscope.cli import guest, main
def slow(engine, bytecode):
    print("ready", flush=True)
    time.sleep(float(sys.argv[2]))
    raise SystemExit("compiled")
guest.Module = slow
main(["run", "--color", *(sys.argv[3:] or ["auto"]), sys.argv[1]])
"""


#: a process of its own finds the package where this one did
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(wasmscope.__file__).parents[1]), "TERM": "xterm"}


def _start(*command: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, *command],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _guest(folder: Path, wat: str) -> str:
    path = folder / "guest.wat"
    path.write_text(wat)
    return str(path)


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait without closing the guest's stdin, which would end a guest that reads."""
    try:
        status = process.wait(30)
    finally:
        process.kill()
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = process.stderr.read()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return status, errors


def test_ctrl_c_shows_where_the_guest_is(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", _guest(tmp_path, SPINS))
    process.send_signal(signal.SIGINT)
    status, errors = _end(process)
    assert status == 130
    assert errors.startswith("guest.wat: interrupted: Ctrl-C\n")
    assert "_start (function 4)" in errors


def test_ctrl_c_ends_a_guest_that_is_not_debugged(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", "--no-debug", _guest(tmp_path, SPINS))
    process.send_signal(signal.SIGINT)
    assert _end(process)[0] == 130


def test_second_ctrl_c_shows_a_guest_that_waits_for_its_host(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", _guest(tmp_path, READS))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == "note: the guest waits for its host; Ctrl-C again ends\n"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    status, errors = _end(process)
    assert status == 130
    assert errors.startswith("guest.wat: interrupted: Ctrl-C in a host call\n")
    assert "  call $fd_read\n" in errors


def test_timeout_shows_a_guest_that_waits_for_its_host(tmp_path: Path) -> None:
    written = tmp_path / "report"
    guest = _guest(tmp_path, READS)
    process = _start(
        "-m", "wasmscope", "run", "--timeout", "100ms", "--report", "json", "--report-file", str(written), guest
    )
    assert _end(process) == (134, "")
    report = msgspec.json.decode(written.read_bytes(), type=Report)
    assert report.reason == Interruption("timeout of 0.1 s in a host call")
    (frame,) = report.stack
    assert isinstance(frame, Frame)
    assert [operand.value.text for operand in frame.stack] == ["0 (0x0)", "0 (0x0)", "1 (0x1)", "8 (0x8)"]


def test_timeout_does_not_say_host_call_of_a_guest_that_waits_for_a_memory(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", "--timeout", "100ms", "-W", "shared-memory", _guest(tmp_path, WAITS))
    status, errors = _end(process)
    assert status == 134
    assert errors.startswith("guest.wat: interrupted: timeout of 0.1 s where the guest cannot be stopped")
    assert "host call" not in errors


@pytest.mark.parametrize("option", ["--no-debug", "--report=none"])
def test_timeout_ends_a_guest_that_waits_and_has_no_report(option: str, tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", "--timeout", "100ms", option, _guest(tmp_path, READS))
    assert _end(process) == (134, "error: interrupted: timeout of 0.1 s; the guest waits for its host\n")


@pytest.mark.parametrize("where", ["before the handler", "in the handler"])
def test_timeout_waits_for_the_report_of_a_trap(where: str, tmp_path: Path) -> None:
    process = _start("-c", REPORTS_SLOWLY, _guest(tmp_path, TRAPS), where)
    status, errors = _end(process)
    assert status == 134
    assert errors.startswith("guest.wat: trap: wasm `unreachable` instruction executed\n")


def test_ctrl_c_waits_for_the_report_of_a_trap_once(tmp_path: Path) -> None:
    for presses, shown in ((1, True), (2, False)):
        process = _start("-c", REPORTS_SLOWLY, _guest(tmp_path, TRAPS), "in the handler")
        time.sleep(1.5)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        status, errors = _end(process)
        assert status == (134 if shown else 130)
        assert errors.startswith("note: the guest has stopped and is being reported; Ctrl-C again ends without that\n")
        assert ("trap: wasm `unreachable`" in errors) == shown


def test_ctrl_c_ends_a_compilation(tmp_path: Path) -> None:
    started = time.monotonic()
    process = _start("-c", COMPILES_SLOWLY, _guest(tmp_path, SPINS), "60")
    process.send_signal(signal.SIGINT)
    assert _end(process)[0] == 130
    assert time.monotonic() - started < 30


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    guest = _guest(tmp_path, SPINS)
    quiet = subprocess.run(
        [sys.executable, "-c", COMPILES_SLOWLY, guest, "1.5"], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert quiet.stderr == "compiled\n"
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        forced = subprocess.run(
            [sys.executable, "-c", COMPILES_SLOWLY, guest, "1.5"],
            capture_output=True,
            text=True,
            env={**ENVIRONMENT, variable: "1"},
        )
        assert forced.stderr == "compiled\n"
    for color in ("auto", "never"):
        reading, terminal = pty.openpty()
        try:
            command = [sys.executable, "-c", COMPILES_SLOWLY, guest, "2", color]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, env=ENVIRONMENT)
            shown = os.read(reading, 100_000).decode()
        finally:
            os.close(reading)
            os.close(terminal)
        assert "Compiling guest.wat (1 s; Ctrl-C ends)" in shown
        assert bool(re.search("\x1b\\[[0-9;]*m", shown)) == (color == "auto")
