"""Breakpoints set and cleared in CPython: random functions, and the largest ones."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterable

import wasmscope
from controlling.figure import Figure, at_most
from guests import wasi
from programs import cpython

FUNCTIONS = 60
LARGEST = 5


def measure(rounds: int) -> list[Figure]:
    """Milliseconds; the functions of each round are others, so that nothing is known of them."""
    engine = wasi.new_engine(wasmscope)
    program = cpython()
    module = wasmscope.Module.from_file(engine, str(program.wasm))
    with wasi.Guest(wasmscope, engine, module, program.argv) as guest:
        codes = module.original.codes
        by_size = sorted(range(len(codes)), key=lambda function: codes[function].start - codes[function].end)
        chosen = random.Random(7).sample(by_size[LARGEST:], FUNCTIONS * rounds)
        setting, clearing = _measure(guest.store, module, chosen)
        largest_setting, largest_clearing = _measure(guest.store, module, by_size[:LARGEST])
    return [
        _figure("setting a breakpoint in CPython", setting, "median"),
        _figure("clearing it", clearing, "median"),
        _figure("setting a breakpoint in CPython, the worst", [*setting, *largest_setting], "worst"),
        _figure("clearing it, the worst", [*clearing, *largest_clearing], "worst"),
    ]


def _measure(
    store: wasmscope.Store, module: wasmscope.Module, functions: Iterable[int]
) -> tuple[list[float], list[float]]:
    """Milliseconds of processor time of setting and of clearing, for each function."""
    setting, clearing = [], []
    for function in functions:
        code = module.original.codes[function]
        pc = random.Random(function).randrange(code.code_start, code.end)
        started = time.process_time()
        with store.edit_breakpoints() as edit:
            edit.add_breakpoint(module, pc)
        between = time.process_time()
        with store.edit_breakpoints() as edit:
            edit.remove_breakpoint(module, pc)
        setting.append((between - started) * 1000)
        clearing.append((time.process_time() - between) * 1000)
    return setting, clearing


def _figure(name: str, taken: list[float], which: str) -> Figure:
    value = statistics.median(taken) if which == "median" else max(taken)
    return Figure(name, "ms", value, bar=at_most(50), note=f"{which} of {len(taken)} functions")
