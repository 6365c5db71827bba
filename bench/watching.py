"""What a watchpoint costs: `python bench/watching.py [--only PROGRAM,...] [--times N] [--rounds N] [--address A]`.

Each program runs undisturbed, with a write watchpoint on one word of its memory, and with one that was set and cleared
before. The table has the processor seconds of each section, the least of `--times` repetitions (so what it costs
to make code that looks for writes is in the first ones only, whose total is in the last column), and the ratios.
By default the word is never written. Needs: pip install rich; python bench/fetch_guests.py cpython-3.11
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import checkout  # noqa: F401  (makes the package importable)
import wasmscope
from programs import PROGRAMS, Program

MODES = ("plain", "watched", "cleared")

NEVER_WRITTEN = 16
"""An address below what C programs have in their memories."""


@dataclass
class _Run:
    """Seconds of every section, in the order of the repetitions; and the hits."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    checksums: dict[str, set[str]] = field(default_factory=dict)
    hits: int = 0
    setting: float = 0.0
    """Seconds that it took to set the watchpoint."""


class _Counts:
    """A handler that lets the guest go on."""

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        """Does nothing."""


def _clock(caller: wasmscope.Caller, _clock: int, _precision: int, address: int) -> int:
    """`clock_time_get` of WASI, of processor time, whatever else the machine does."""
    memory: Any = caller["memory"]
    memory.write(caller, time.process_time_ns().to_bytes(8, "little"), address)
    return 0


def argv_of(program: Program, times: int) -> tuple[str, ...]:
    """The arguments by which it does everything so often."""
    if program.name != "cpython":
        return program.argv
    *start, script = program.argv
    return (*start, f"for _ in range({times}): exec({script!r})")


def run(engine: wasmscope.Engine, module: wasmscope.Module, argv: tuple[str, ...], mode: str, address: int) -> _Run:
    """One run of a program."""
    store = wasmscope.Store(engine)
    store.set_debug_handler(_Counts(), caught_exceptions=False)
    linker = wasmscope.Linker(engine)
    linker.allow_shadowing = True
    linker.define_wasi()
    i32, i64 = wasmscope.ValType.i32(), wasmscope.ValType.i64()
    clock_type = wasmscope.FuncType([i32, i64, i32], [i32])
    linker.define_func("wasi_snapshot_preview1", "clock_time_get", clock_type, _clock, access_caller=True)
    wasi = wasmscope.WasiConfig()
    wasi.argv = argv
    result = _Run()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stdout"
        wasi.stdout_file = str(out)
        store.set_wasi(wasi)
        exports: Any = linker.instantiate(store, module).exports(store)
        watch = None
        if mode != "plain":
            start = time.process_time()
            watch = _set(store, exports["memory"], address)
            result.setting = time.process_time() - start
        if watch is not None and mode == "cleared":
            edit = store.edit_breakpoints()
            assert edit is not None
            with edit:
                edit.remove_watchpoint(watch)
        with contextlib.suppress(wasmscope.ExitTrap):
            exports["_start"](store)
        for line in out.read_text().splitlines():
            name, checksum, seconds = line.split()
            result.seconds.setdefault(name, []).append(float(seconds))
            result.checksums.setdefault(name, set()).add(checksum)
    result.hits = 0 if watch is None else watch.hits
    store.close()
    return result


def _set(store: wasmscope.Store, memory: Any, address: int) -> wasmscope.Watchpoint:
    edit = store.edit_breakpoints()
    assert edit is not None
    with edit:
        return edit.add_watchpoint(memory, address, 4)


def measure(program: Program, times: int, rounds: int, address: int) -> Table:
    """The table of one program."""
    engine = wasmscope.Engine(wasmscope.Config())
    module = wasmscope.Module(engine, program.wasm.read_bytes())
    runs: dict[str, list[_Run]] = {mode: [] for mode in MODES}
    for _ in range(rounds if program.name == "cpython" else rounds * times):
        for mode, found in runs.items():
            found.append(run(engine, module, argv_of(program, times), mode, address))
    checksums = [each.checksums for found in runs.values() for each in found]
    assert all(each == checksums[0] for each in checksums), "a program computed something else"
    table = Table("", "plain s", "watched s", "ratio", "cleared s", "ratio", "first watched s", title=program.name)
    ratios: dict[str, list[float]] = {mode: [] for mode in MODES}
    for section in runs["plain"][0].seconds:
        best = {mode: min(min(each.seconds[section]) for each in found) for mode, found in runs.items()}
        for mode in MODES:
            ratios[mode].append(best[mode] / best["plain"])
        cells = [f"{best['plain']:.4f}"]
        for mode in MODES[1:]:
            cells += [f"{best[mode]:.4f}", f"{ratios[mode][-1]:.2f}"]
        table.add_row(section, *cells, f"{runs['watched'][0].seconds[section][0]:.3f}")
    watched, cleared = (f"{statistics.geometric_mean(ratios[mode]):.3f}" for mode in MODES[1:])
    first = runs["watched"][0]
    total = sum(each[0] for each in first.seconds.values())
    table.add_row("geometric mean", "", "", watched, "", cleared, f"{total:.3f}", style="bold")
    setting = ", ".join(f"{each.setting * 1000:.0f}" for each in runs["watched"])
    table.caption = f"{runs['watched'][-1].hits} hits; ms to set the watchpoint: {setting}"
    return table


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PROGRAMS), help=f"among {', '.join(PROGRAMS)}")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--address", type=int, default=NEVER_WRITTEN)
    options = parser.parse_args()
    for name in options.only.split(","):
        Console(width=120).print(measure(PROGRAMS[name](), options.times, options.rounds, options.address))


if __name__ == "__main__":
    main()
