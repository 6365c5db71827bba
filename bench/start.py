"""What it costs to start: rewriting, compiling, and the memory the rewrite takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

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


def measure_start(program: Program, with_rewrite: bool, rounds: int) -> Start:
    """Time the compilers on the command line, and the rewrite with what follows it, a round after the other."""
    plain, guest_debug, rewrites = [], [], []
    for _ in range(rounds):
        plain.append(time_compile(program))
        guest_debug.append(time_compile(program, *GUEST_DEBUG))
        if with_rewrite:
            rewrites.append(measure_rewrite(program.wasm))
    return Start(program.name, median(plain), median(guest_debug), median_of(rewrites) if rewrites else None)


def median_of(rewrites: list[Rewrite]) -> Rewrite:
    """The median of each figure that is measured; the others are the same in all."""
    return replace(
        rewrites[0],
        seconds=median(each.seconds for each in rewrites),
        peak_bytes=int(median(each.peak_bytes for each in rewrites)),
        compile_seconds=median(each.compile_seconds for each in rewrites),
    )


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
