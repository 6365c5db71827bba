"""The command line: `wasmscope run`, `inspect`, `demo`.

- `run`           runs a guest, and reports how it ended if it ended badly
- `inspect`       says what is in a module, without running it (`inspection/`)
- `demo`          runs the shipped guest that has a bug
- `failure`       errors for the user: what, where, what to do; exit statuses
- `switches`      `-W` and `-O` as `wasmtime run` has them
- `arguments`     the arguments and results of `--invoke`
- `linking`       where a guest's imports come from
- `execution`     instantiate, call, and turn the outcome into an exit status
- `reporting`     the handler that takes reports down, and where they are written
- `interrupts`    Ctrl-C and timeouts
- `terminal`      whether stderr is a terminal, and has colours
- `progress`      that a long compilation is going on
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

import wasmscope
from wasmscope.cli.demo import demo
from wasmscope.cli.failure import FAILED, INTERRUPTED, complain
from wasmscope.cli.inspect import inspect
from wasmscope.cli.run import run
from wasmscope.wasm.escape import escaped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(wasmscope.__version__, prog_name="wasmscope")
def commands() -> None:
    """The debugger for WebAssembly guests that run in Python.

    \b
    Examples:
      wasmscope demo                      see what a crash report shows
      wasmscope run app.wasm arg          run a guest, as `wasmtime run` does
      wasmscope inspect app.wasm          what the guest needs, and how well it can be debugged
    """


for command in (run, inspect, demo):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit status."""
    try:
        status = commands.main(arguments, prog_name="wasmscope", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _discard_output()
        sys.exit(FAILED)
    except OSError as error:
        what = f"use {escaped(str(error.filename))}" if error.filename is not None else "write the output"
        complain("error", f"cannot {what}: {error.strerror}")
        _discard_output()
        sys.exit(FAILED)
    except MemoryError:
        complain("error", "there is not enough memory for this")
        sys.exit(FAILED)
    sys.exit(status)


def _discard_output() -> None:
    """Whoever read our output has gone, or it has no room: nothing may be flushed to it at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
