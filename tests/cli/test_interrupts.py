"""Ctrl-C, timeouts and progress, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wasmscope

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

COMPILES_SLOWLY = """
import sys, time
from wasmscope.cli import guest, main
def slow(engine, bytecode):
    print("ready", flush=True)
    time.sleep(float(sys.argv[2]))
    raise SystemExit("compiled")
guest.Module = slow
main(["run", sys.argv[1]])
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


def test_second_ctrl_c_ends_a_guest_that_waits_for_its_host(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", _guest(tmp_path, READS))
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert _end(process)[0] == 130


def test_timeout_ends_a_guest_that_waits_for_its_host(tmp_path: Path) -> None:
    process = _start("-m", "wasmscope", "run", "--timeout", "100ms", _guest(tmp_path, READS))
    status, errors = _end(process)
    assert status == 134
    assert errors.startswith("error: timeout of 0.1 s: the guest is waiting for its host")


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
    reading, terminal = pty.openpty()
    try:
        command = [sys.executable, "-c", COMPILES_SLOWLY, guest, "2"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, env=ENVIRONMENT)
        shown = os.read(reading, 100_000).decode()
    finally:
        os.close(reading)
        os.close(terminal)
    assert "Compiling guest.wat (1 s; Ctrl-C ends)" in shown
