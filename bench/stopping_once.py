"""What it costs to have been stopped: `python bench/stopping_once.py [--rounds N] [--times N] [--set] [--warm] ...`.

Every kernel is interrupted once while it runs, which is then stopped by a breakpoint where it is; with `--set` the
breakpoint is set and cleared again at once. The table has the seconds of each kernel undisturbed and so, of processor
time, the least of the rounds, and their ratio. The code that a stop needs is made anew for each run, unless with
`--warm`; a kernel runs `--times` in a row, and is stopped in the first. Needs: pip install rich
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import wasmscope
from measure import parse
from programs import PROGRAMS

DELAY = 0.005
"""Seconds from the beginning of a kernel to its interruption."""


class _StopsOnce:
    """Stops every kernel once."""

    def __init__(self, clears: bool) -> None:
        self._clears = clears

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """A handler of events."""
        cursor = store.debug_frames()
        edit = store.edit_breakpoints()
        assert cursor is not None
        assert edit is not None
        frame = cursor.handle()
        module, place = frame.module(), frame.wasm_function_index_and_pc()
        assert module is not None
        assert place is not None
        with edit:
            if isinstance(event, wasmscope.DebugEvent.Breakpoint):
                edit.remove_breakpoint(module, place[1])
            else:
                edit.add_breakpoint(module, place[1])
        if self._clears:
            again = store.edit_breakpoints()
            assert again is not None
            with again:
                again.remove_breakpoint(module, place[1])


class _Clock:
    """The guest's clock: processor time, whatever else the machine does. Kernels ask before and after."""

    def __init__(self, store: wasmscope.Store, interrupts: bool) -> None:
        self._store = store
        self._interrupts = interrupts
        self._runs = False

    def get(self, caller: wasmscope.Caller, _clock: int, _precision: int, address: int) -> int:
        """`clock_time_get` of WASI."""
        self._runs = not self._runs
        if self._runs and self._interrupts:
            threading.Timer(DELAY, self._store.interrupt).start()
        memory: Any = caller["memory"]
        memory.write(caller, time.process_time_ns().to_bytes(8, "little"), address)
        return 0


def run(engine: wasmscope.Engine, module: wasmscope.Module, argv: Sequence[str], handler: _StopsOnce | None) -> str:
    """What the program prints."""
    store = wasmscope.Store(engine)
    clock = _Clock(store, handler is not None)
    linker = wasmscope.Linker(engine)
    linker.allow_shadowing = True
    linker.define_wasi()
    i32, i64 = wasmscope.ValType.i32(), wasmscope.ValType.i64()
    clock_type = wasmscope.FuncType([i32, i64, i32], [i32])
    linker.define_func("wasi_snapshot_preview1", "clock_time_get", clock_type, clock.get, access_caller=True)
    wasi = wasmscope.WasiConfig()
    wasi.argv = argv
    if handler is not None:
        store.set_debug_handler(handler, caught_exceptions=False)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stdout"
        wasi.stdout_file = str(out)
        store.set_wasi(wasi)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        with contextlib.suppress(wasmscope.ExitTrap):
            start(store)
        return out.read_text()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--level", default="O2", choices=("O2", "O0"))
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--set", action="store_true")
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    disturbed = "set" if options.set else "stop"
    program = PROGRAMS[f"kernels-{options.level}"]()
    engine = wasmscope.Engine(wasmscope.Config())
    module = wasmscope.Module(engine, program.wasm.read_bytes())
    argv = (*program.argv, str(options.times))
    times: dict[str | None, dict[str, list[float]]] = {None: {}, disturbed: {}}
    for _ in range(options.rounds):
        for mode, seconds in times.items():
            if mode and not options.warm:
                module = wasmscope.Module(engine, program.wasm.read_bytes())
            handler = _StopsOnce(options.set) if mode else None
            for kernel, (_, taken) in parse(run(engine, module, argv, handler)).items():
                seconds.setdefault(kernel, []).append(taken)
    table = Table("kernel", "undisturbed s", f"{disturbed} s", "ratio")
    ratios = []
    for kernel in times[None]:
        plain, stopped = (min(times[mode][kernel]) for mode in (None, disturbed))
        ratios.append(stopped / plain)
        table.add_row(kernel, f"{plain:.4f}", f"{stopped:.4f}", f"{stopped / plain:.3f}")
    table.add_row("geometric mean", "", "", f"{statistics.geometric_mean(ratios):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
