"""A Python program compiled to Wasm GC by p2w: structs, arrays, i31, casts, exceptions.

It is compiled here and not kept, because p2w states no licence for the runtime it links in.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from guests import wasi
from guests.wasi import Api, Outcome
from support.guests import guest

from . import PROGRAMS

COMPILE = """
import pathlib, sys
from p2w.compiler import compile_to_wat
sys.stdout.write(compile_to_wat(pathlib.Path(sys.argv[1]).read_text()))
"""


def run(api: Api) -> Outcome:
    """Compile `programs/script_p2w.py` and run it."""
    engine = wasi.new_engine(api)
    module = api.Module(engine, api.wat2wasm(compile_program()))
    stdout = bytearray()
    with wasi.Guest(api, engine, module, define=lambda linker: _define_imports(linker, module, stdout)) as program:
        exit_code = program.call("_start")
    return Outcome(stdout.decode(), exit_code)


def compile_program() -> str:
    """The program as WAT; p2w runs in a process of its own, so that its package does not get into this one."""
    environment = {**os.environ, "PYTHONPATH": str(guest("p2w").parent)}
    command = [sys.executable, "-c", COMPILE, str(PROGRAMS / "script_p2w.py")]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def _define_imports(linker: Any, module: Any, stdout: bytearray) -> None:
    """What p2w expects of its host: output, the formatting of floats, and a browser, of which there is nothing."""

    def put(caller: Any, text: str, address: int) -> int:
        caller["memory"].write(caller, text.encode(), address)
        return len(text)

    host = {
        "write_char": lambda caller, byte: stdout.append(byte),
        "write_i32": lambda caller, value: stdout.extend(str(value).encode()),
        "write_i64": lambda caller, value: stdout.extend(str(value).encode()),
        "write_f64": lambda caller, value: stdout.extend(repr(value).encode()),
        "f64_to_string": lambda caller, value, address: put(caller, repr(value), address),
        "f64_format_precision": lambda caller, value, digits, address: put(caller, f"{value:.{digits}f}", address),
        "math_pow": lambda caller, base, exponent: base**exponent,
    }
    for item in module.imports:
        answer = 0 if item.type.results else None
        function = host[item.name] if item.module == "env" else lambda *arguments, answer=answer: answer
        linker.define_func(item.module, item.name, item.type, function, access_caller=True)
