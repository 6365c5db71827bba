"""What is measured: programs that time themselves and print "name checksum seconds" a line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import checkout
from support.guests import guest


@dataclass(frozen=True, slots=True)
class Program:
    """A Wasm module and its arguments."""

    name: str
    wasm: Path
    argv: tuple[str, ...]


def kernels(level: str) -> Program:
    """`kernels.c` at an optimisation level of the compiler."""
    name = f"kernels-{level}"
    source, wasm = checkout.BENCH / "kernels.c", checkout.CACHE / f"kernels-{level}.wasm"
    if is_stale(wasm, source):
        # Zig's checks of undefined behaviour are no part of the program.
        flags = ["-target", "wasm32-wasi", f"-{level}", "-g", "-fno-sanitize=undefined"]
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *flags, str(source), "-o", str(wasm)], check=True)
    return Program(name, wasm, ("kernels",))


def cpython() -> Program:
    """CPython 3.11 with `mixed.py`."""
    return Program("cpython", guest("cpython-3.11"), ("python", "-c", (checkout.BENCH / "mixed.py").read_text()))


PROGRAMS: Mapping[str, Callable[[], Program]] = {
    "kernels-O2": lambda: kernels("O2"),
    "kernels-O0": lambda: kernels("O0"),
    "cpython": cpython,
}


def is_stale(product: Path, source: Path) -> bool:
    """Whether `product` must be made (again) from `source`."""
    product.parent.mkdir(parents=True, exist_ok=True)
    return not product.exists() or product.stat().st_mtime < source.stat().st_mtime
