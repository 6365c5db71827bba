"""Programs in C, compiled by Zig's `cc` when a test wants them: small ones, and the kernels of the benchmark."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from stepping.program import Program, of_export
from support.guests import ROOT

SMALL = Path(__file__).parent / "programs" / "small.c"
KERNELS = ROOT / "bench" / "kernels.c"
KERNEL_NAMES = ("fib", "sieve", "matmul", "crc", "qsort", "tree", "printf", "interp", "nbody", "hash")
SMALL_NAMES = ("shapes", "recursion", "pointers", "wide", "bytes", "failing")
LEVELS = ("O0", "O2")

COMPILER_ABSENT = "" if importlib.util.find_spec("ziglang") else "no compiler for C (pip install ziglang)"
"""Why tests that compile are skipped; empty where nothing keeps them from it."""

_CACHE = ROOT / ".cache" / "stepping"
#: a kernel is no export of its own: the benchmark's `main` calls them in turn
_REACTOR = (
    f'#define main kernels_main\n#include "{KERNELS}"\n'
    "#define EXPORT(name) __attribute__((export_name(#name))) uint32_t x_##name(uint32_t s) { return run_##name(s); }\n"
    + "".join(f"EXPORT({name})\n" for name in KERNEL_NAMES)
)


def kernel(name: str, level: str) -> Program:
    """A kernel of the benchmark; it would run for a long time, of which the beginning is of interest."""
    return of_export(f"kernels -{level}", _compiled("kernels", _REACTOR, level, KERNELS), name)


def small(name: str, level: str) -> Program:
    """A small program; it ends after some hundred to some thousand instructions."""
    return of_export(f"small -{level}", _compiled("small", SMALL.read_text(), level, SMALL), name)


@cache
def _compiled(name: str, source: str, level: str, file: Path) -> bytes:
    product = _CACHE / f"{name}-{level}.wasm"
    newest = max(file.stat().st_mtime, Path(__file__).stat().st_mtime)
    if not product.exists() or product.stat().st_mtime < newest:
        _CACHE.mkdir(parents=True, exist_ok=True)
        # Other processes may be at it, too.
        partial = product.with_suffix(f".{os.getpid()}")
        # Neither Zig's checks nor a stack protector, which asks the host for random numbers.
        flags = ["-target", "wasm32-wasi", f"-{level}", "-fno-sanitize=undefined", "-fno-stack-protector"]
        command = [sys.executable, "-m", "ziglang", "cc", *flags, "-mexec-model=reactor", "-x", "c", "-", "-o", partial]
        subprocess.run(command, input=source.encode(), check=True)
        partial.rename(product)
    return product.read_bytes()
