"""What it costs to start: rewriting, compiling, and the memory the rewrite takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from contenders import GUEST_DEBUG, compile_command
from programs import Program


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Figures of one rewrite, in a process of its own."""

    seconds: float
    instructions: int
    code_bytes: int
    peak_bytes: int  # above what the process held before it began
    output_code_bytes: int
    compile_seconds: float  # of the rewritten module, by the engine

    @property
    def instructions_per_second(self) -> float:
        """The speed of the rewrite."""
        return self.instructions / self.seconds

    @property
    def growth(self) -> float:
        """The rewritten code section over the original one."""
        return self.output_code_bytes / self.code_bytes

    @property
    def memory_ratio(self) -> float:
        """Peak memory over the size of the code section."""
        return self.peak_bytes / self.code_bytes


@dataclass(frozen=True, slots=True)
class Start:
    """How long a program takes until it can run."""

    program: str
    plain_compile: float
    guest_debug_compile: float
    rewrite: Rewrite | None


def measure_start(program: Program, with_rewrite: bool) -> Start:
    """Time the compilers on the command line, and the rewrite with what follows it."""
    rewrite = measure_rewrite(program.wasm) if with_rewrite else None
    return Start(program.name, time_compile(program), time_compile(program, *GUEST_DEBUG), rewrite)


def time_compile(program: Program, *options: str) -> float:
    """Seconds of `wasmtime compile`."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(compile_command(program, *options, output=str(Path(folder) / "out.cwasm")), check=True)
        return time.perf_counter() - started


def measure_rewrite(wasm: Path) -> Rewrite:
    """Rewrite in a fresh process: only there does its peak memory say anything."""
    command = [sys.executable, str(Path(__file__).with_name("rewrite_once.py")), str(wasm)]
    return Rewrite(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
