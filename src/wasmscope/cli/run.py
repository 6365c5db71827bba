"""`wasmscope run`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from wasmscope.cli.execution import Request, execute
from wasmscope.cli.reporting import ReportOptions
from wasmscope.cli.switches import Switches, parse_duration, parse_switches
from wasmscope.report import Limits
from wasmscope.wasm.escape import escaped


def _timeout(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    try:
        return parse_duration(value) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _text(value: str, option: str) -> str:
    """`value`, if it can be given to WASI, whose strings are UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{escaped(value)!r} is not UTF-8, as WASI wants it", param_hint=option) from None
    return value


def _directory(value: str) -> tuple[str, str]:
    host, separator, guest = _text(value, "--dir").partition("::")
    return host, guest if separator else host


def _variable(value: str) -> tuple[str, str]:
    name, equals, text = _text(value, "--env").partition("=")
    if equals:
        return name, text
    if name not in os.environ:
        message = f"{name} is not set here, so it cannot be passed on; give a value: {name}=VAL"
        raise click.BadParameter(message, param_hint="--env")
    return name, _text(os.environ[name], f"--env {name}")


def _preload(value: str) -> tuple[str, str]:
    name, equals, path = value.partition("=")
    if not equals:
        raise click.BadParameter(f"{escaped(value)!r} is not of the form NAME=FILE", param_hint="--preload")
    return _text(name, "--preload"), path


def _preloads(values: Sequence[str]) -> list[tuple[str, str]]:
    preloads = [_preload(value) for value in values]
    names = [name for name, _ in preloads]
    for name in names:
        if names.count(name) > 1:
            raise click.BadParameter(f"{escaped(name)!r} is the name of two modules", param_hint="--preload")
    return preloads


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("guest", metavar="GUEST")
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--invoke", metavar="NAME", help="Call this exported function with ARGUMENTS and print its results.")
@click.option("--dir", "directories", metavar="HOST[::GUEST]", multiple=True, help="Let the guest use a directory.")
@click.option("--env", "environment", metavar="NAME[=VAL]", multiple=True, help="Pass an environment variable.")
@click.option("--argv0", metavar="NAME", help="What the guest is told it is called. Default: its file's name.")
@click.option("--preload", "preloads", metavar="NAME=FILE", multiple=True, help="Provide a module's exports as NAME.")
@click.option("-W", "--wasm", metavar="KEY[=VAL]", multiple=True, help="Proposals and limits, as in `wasmtime run -W`.")
@click.option(
    "-O", "--optimize", metavar="KEY[=VAL]", multiple=True, help="As in `wasmtime run -O`: opt-level=0|1|2|s."
)
@click.option("--timeout", metavar="TIME", callback=_timeout, help="Stop the guest after 1s, 500ms, ... (-W timeout).")
@click.option("--no-debug", is_flag=True, help="Run the guest as it is: full speed, no frames in a report.")
@click.option(
    "--report",
    "form",
    type=click.Choice(["text", "json", "none"]),
    default="text",
    show_default=True,
    help="What to write when the guest ends badly.",
)
@click.option("--report-file", metavar="PATH", type=click.Path(path_type=Path), help="Write it there, not to stderr.")
@click.option(
    "--frames",
    metavar="N",
    type=click.IntRange(min=0),
    default=32,
    show_default=True,
    help="Frames shown of a deep stack; 0: all.",
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours."
)
def run(guest: str, arguments: tuple[str, ...], **options: Any) -> int:
    """Run GUEST, a WebAssembly module (.wasm or .wat), as `wasmtime run` does.

    If it traps, throws, is interrupted (Ctrl-C) or times out, all of its frames are shown with their locals and
    operands. WASI preview 1 is provided; stdin, stdout and stderr are passed through.

    \b
    Examples:
      wasmscope run app.wasm --verbose input.txt
      wasmscope run --dir .::/data --env HOME app.wasm
      wasmscope run --invoke fac math.wat 20
      wasmscope run --timeout 5s --report json --report-file crash.json app.wasm
      wasmscope run -W fuel=1000000,max-memory-size=0x1000000 app.wasm

    \b
    Exit status:
      the guest's own; 134 for a trap, a timeout, out of fuel; 130 for Ctrl-C;
      1 if it cannot be run or throws an exception; 2 for a wrong command line
    """
    switches = parse_switches(options["wasm"], options["optimize"])
    return execute(
        Request(
            path=guest,
            arguments=[_text(argument, "ARGUMENTS") for argument in arguments],
            invoke=options["invoke"],
            argv0=_text(options["argv0"], "--argv0") if options["argv0"] is not None else None,
            directories=[_directory(value) for value in options["directories"]],
            environment=[_variable(value) for value in options["environment"]],
            preloads=_preloads(options["preloads"]),
            switches=_with_timeout(switches, options["timeout"]),
            debug=not options["no_debug"],
            report=ReportOptions(
                form=options["form"],
                path=options["report_file"],
                color=options["color"],
                limits=Limits(frames=options["frames"] or None),
            ),
        )
    )


def _with_timeout(switches: Switches, timeout: float | None) -> Switches:
    return replace(switches, timeout=timeout) if timeout is not None else switches
