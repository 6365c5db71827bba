"""Makes a module smaller that shows a difference: `python -m frames.shrink FILE [none|speed [TIER]]`.

`wasm-tools shrink` asks this file, with `--check`, whether what it made of the module still fails in the same way.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

import wasmtime

from frames.compare import compare, engine
from support import tiers
from support.wasmtools import WasmToolsError, print_wat, wasm_tools

ATTEMPTS = 600


def failure_of(bytecode: bytes, opt_level: str, tier: tiers.Choice) -> str:
    """How a module fails, in a word: "" if it does not, nor where it is not valid to begin with."""
    try:
        wasmtime.Module.validate(engine(opt_level).plain, bytecode)
    except wasmtime.WasmtimeError:
        return ""
    try:
        differences, _ = compare(bytecode, opt_level, tier)
    except Exception as error:
        return type(error).__name__
    return differences[0].kind if differences else ""


def shrink(file: Path, opt_level: str, tier: tiers.Choice) -> Path:
    """The smaller module's file, beside the one given; that one itself where it cannot be made smaller."""
    wanted = failure_of(file.read_bytes(), opt_level, tier)
    smaller = file.with_suffix(".min.wasm")
    with tempfile.TemporaryDirectory() as folder:
        predicate = Path(folder) / "predicate"
        command = [sys.executable, "-m", "frames.shrink", "--check", wanted, opt_level, str(tier)]
        predicate.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$1" >/dev/null 2>&1\n')
        predicate.chmod(0o755)
        try:
            wasm_tools("shrink", "--attempts", str(ATTEMPTS), str(predicate), str(file), "-o", str(smaller))
        except WasmToolsError:
            return file
    return smaller


def main() -> int:
    """Shrink the file of the command line and print what is left; or answer `wasm-tools shrink`."""
    match sys.argv[1:]:
        case ["--check", wanted, opt_level, tier, file]:
            failure = failure_of(Path(file).read_bytes(), opt_level, tiers.Choice.parse(tier))
            return 0 if failure == wanted else 1
        case [file, *rest]:
            opt_level = rest[0] if rest else "none"
            tier = rest[1] if len(rest) > 1 else "fast"
            smaller = shrink(Path(file), opt_level, tiers.Choice.parse(tier))
            print(print_wat(smaller.read_bytes()))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
