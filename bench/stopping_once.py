"""What it costs to have been stopped: `python bench/stopping_once.py [--rounds N] [--level O2] [--set] [--warm]`.

Every kernel is interrupted once while it runs, which is then stopped by a breakpoint where it is; with `--set` the
breakpoint is set and cleared again at once. The table has the seconds of each kernel undisturbed and so, of processor
time, the least of the rounds, and their ratio. The code that a stop needs is made anew for each run, unless with
`--warm`. Needs: pip install rich
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import wasmscope
from measure import parse
from programs import PROGRAMS, Program

INTERVAL = 0.03


class _StopsOnce:
    """Stops every kernel once."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._done: set[str] = set()
        self.stops = 0

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """A handler of events."""
        cursor = store.debug_frames()
        assert cursor is not None
        frame = cursor.handle()
        module = frame.module()
        assert module is not None
        place = frame.wasm_function_index_and_pc()
        assert place is not None
        edit = store.edit_breakpoints()
        assert edit is not None
        if isinstance(event, wasmscope.DebugEvent.Breakpoint):
            self.stops += 1
            with edit:
                edit.remove_breakpoint(module, place[1])
            return
        kernel = None
        while not cursor.done() and kernel is None:
            name = module.frame_table.names.functions.get(cursor.handle().function_index, "")
            kernel = name if name.startswith("run_") else None
            cursor.move_to_parent()
        if kernel is None or kernel in self._done:
            return
        self._done.add(kernel)
        with edit:
            edit.add_breakpoint(module, place[1])
        if self._mode == "set":
            with edit:
                edit.remove_breakpoint(module, place[1])


def run(engine: wasmscope.Engine, module: wasmscope.Module, program: Program, mode: str | None) -> str:
    """What the program prints."""
    store = wasmscope.Store(engine)
    linker = wasmscope.Linker(engine)
    linker.allow_shadowing = True
    linker.define_wasi()
    i32, i64 = wasmscope.ValType.i32(), wasmscope.ValType.i64()
    clock_type = wasmscope.FuncType([i32, i64, i32], [i32])
    linker.define_func("wasi_snapshot_preview1", "clock_time_get", clock_type, _clock, access_caller=True)
    wasi = wasmscope.WasiConfig()
    wasi.argv = program.argv
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stdout"
        wasi.stdout_file = str(out)
        store.set_wasi(wasi)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        ended = threading.Event()
        thread = threading.Thread(target=_interrupt, args=(store, ended)) if mode else None
        if mode:
            store.set_debug_handler(_StopsOnce(mode), caught_exceptions=False)
        if thread:
            thread.start()
        try:
            start(store)
        except wasmscope.ExitTrap:
            pass
        finally:
            ended.set()
            if thread:
                thread.join()
        return out.read_text()


def _clock(caller: wasmscope.Caller, _clock: int, _precision: int, address: int) -> int:
    """The processor time of all threads, whatever else the machine does."""
    memory: Any = caller["memory"]
    memory.write(caller, time.process_time_ns().to_bytes(8, "little"), address)
    return 0


def _interrupt(store: wasmscope.Store, ended: threading.Event) -> None:
    while not ended.wait(INTERVAL):
        store.interrupt()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--level", default="O2", choices=("O2", "O0"))
    parser.add_argument("--set", action="store_true")
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    disturbed = "set" if options.set else "stop"
    program = PROGRAMS[f"kernels-{options.level}"]()
    engine = wasmscope.Engine(wasmscope.Config())
    module = wasmscope.Module(engine, program.wasm.read_bytes())
    times: dict[str | None, dict[str, list[float]]] = {None: {}, disturbed: {}}
    for _ in range(options.rounds):
        for mode, seconds in times.items():
            if mode and not options.warm:
                module = wasmscope.Module(engine, program.wasm.read_bytes())
            for kernel, (_, taken) in parse(run(engine, module, program, mode)).items():
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
