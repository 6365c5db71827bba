"""The kernels, with a clock of processor time, debugged in ways that do not change what they compute."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import wasmscope
from controlling.figure import Bar, Figure
from measure import parse
from programs import PROGRAMS

Prepare = Callable[[wasmscope.Store, wasmscope.Module], Any]
"""What is done to a store before a run; the result, if any, is called when a kernel begins."""


class _Clock:
    """The guest's clock: processor time, whatever else the machine does. Kernels ask before and after."""

    def __init__(self, began: Callable[[], object] | None) -> None:
        self._began = began
        self._runs = False

    def get(self, caller: wasmscope.Caller, _clock: int, _precision: int, address: int) -> int:
        """`clock_time_get` of WASI."""
        self._runs = not self._runs
        if self._runs and self._began is not None:
            self._began()
        memory: Any = caller["memory"]
        memory.write(caller, time.process_time_ns().to_bytes(8, "little"), address)
        return 0


def run(engine: wasmscope.Engine, module: wasmscope.Module, argv: Sequence[str], prepare: Prepare) -> dict[str, float]:
    """Seconds of each kernel."""
    store = wasmscope.Store(engine)
    clock = _Clock(prepare(store, module))
    linker = wasmscope.Linker(engine)
    linker.allow_shadowing = True
    linker.define_wasi()
    i32, i64 = wasmscope.ValType.i32(), wasmscope.ValType.i64()
    clock_type = wasmscope.FuncType([i32, i64, i32], [i32])
    linker.define_func("wasi_snapshot_preview1", "clock_time_get", clock_type, clock.get, access_caller=True)
    wasi = wasmscope.WasiConfig()
    wasi.argv = argv
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stdout"
        wasi.stdout_file = str(out)
        store.set_wasi(wasi)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        with contextlib.suppress(wasmscope.ExitTrap):
            start(store)
        printed = parse(out.read_text())
    store.close()
    return {kernel: seconds for kernel, (_, seconds) in printed.items()}


def compare(name: str, prepare: Prepare, rounds: int, bar: Bar, *, times: int, anew: bool, note: str) -> Figure:
    """How much longer kernels take when `prepare` was done, as a ratio: of each, of the least times of the rounds.

    Each kernel is run so many `times` in a row, which is what is timed. With `anew` the code that debugging needs is
    made again in each run.
    """
    program = PROGRAMS["kernels-O2"]()
    engine = wasmscope.Engine(wasmscope.Config())
    wasm = program.wasm.read_bytes()
    module = wasmscope.Module(engine, wasm)
    ways: Mapping[Prepare, dict[str, list[float]]] = {_nothing: {}, prepare: {}}
    for _ in range(rounds):
        for way, seconds in ways.items():
            if anew:
                module = wasmscope.Module(engine, wasm)
            for kernel, taken in run(engine, module, (*program.argv, str(times)), way).items():
                seconds.setdefault(kernel, []).append(taken)
    plain, prepared = ways.values()
    ratios = {kernel: min(prepared[kernel]) / min(plain[kernel]) for kernel in plain}
    return Figure(name, "times the time", statistics.geometric_mean(ratios.values()), None, bar, None, note, ratios)


def _nothing(store: wasmscope.Store, module: wasmscope.Module) -> None:
    pass
