"""The peer: `wasmtime run -g`, driven by a bare client of its wire, without a debugger's own time."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import wasmtime

from controlling.loop import PC, TEXT
from stepping.on_wasmtime import WASMTIME_ABSENT, wasmtime_command
from support.gdb_wire import CODE, GdbWire, connected, free_port

__all__ = ["WASMTIME_ABSENT", "hits_a_second", "steps_a_second"]

COUNT = 300
"""Of stops."""


@contextmanager
def _session() -> Iterator[GdbWire]:
    """The loop, which was not begun."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loop.wasm"
        file.write_bytes(bytes(wasmtime.wat2wasm(TEXT)))
        command = [wasmtime_command(), "run", "-g", str(port), "--invoke", "triangle", str(file), "1000000"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connected(port) as wire:
                wire.start()
                wire.stop()
                yield wire
        finally:
            process.kill()
            process.wait()


def hits_a_second() -> float:
    """Continue to a breakpoint and read two locals."""
    with _session() as wire:
        wire.step()
        wire.add_breakpoint(CODE | PC)
        wire.continue_()
        started = time.perf_counter()
        for _ in range(COUNT):
            wire.continue_()
            wire.local(0, 0)
            wire.local(0, 1)
        return COUNT / (time.perf_counter() - started)


def steps_a_second() -> float:
    """Step, and be told where."""
    with _session() as wire:
        wire.step()
        started = time.perf_counter()
        for _ in range(COUNT):
            wire.step()
        return COUNT / (time.perf_counter() - started)
