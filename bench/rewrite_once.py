"""Rewrite one module and print the figures as JSON: `python bench/rewrite_once.py MODULE`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import wasmtime

import checkout  # noqa: F401  (makes the package importable)
from wasmscope.instrument.pipeline import instrument
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.instructions import decode_instructions


def peak_bytes() -> int:
    """The most memory this program has held so far.

    `getrusage` would count what the process held before it became this program (Linux only).
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def main() -> None:
    """Rewrite, then compile; counting the instructions comes last, because it takes memory too."""
    bytecode = Path(sys.argv[1]).read_bytes()
    before = peak_bytes()
    started = time.perf_counter()
    result = instrument(bytecode)
    seconds = time.perf_counter() - started
    peak = peak_bytes() - before

    config = wasmtime.Config()
    config.wasm_exceptions = config.wasm_gc = config.wasm_function_references = True
    engine = wasmtime.Engine(config)
    started = time.perf_counter()
    wasmtime.Module(engine, result.bytecode)
    compile_seconds = time.perf_counter() - started

    codes = decode_module(bytecode).codes
    output_codes = decode_module(result.bytecode).codes
    figures = {
        "seconds": seconds,
        "instructions": sum(1 for code in codes for _ in decode_instructions(bytecode, code.code_start, code.end)),
        "code_bytes": sum(code.end - code.start for code in codes),
        "peak_bytes": peak,
        "output_code_bytes": sum(code.end - code.start for code in output_codes),
        "compile_seconds": compile_seconds,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
