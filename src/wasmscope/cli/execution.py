"""Instantiate a guest, call it, and turn how that ended into an exit status."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click
import wasmtime

from wasmscope.cli.arguments import format_result, parse_arguments
from wasmscope.cli.failure import FAILED, TRAPPED, Failure, complain
from wasmscope.cli.guest import compile_guest, decode_guest, read_guest
from wasmscope.cli.interrupts import Interrupts
from wasmscope.cli.linking import UnknownImportCalled, provide_imports
from wasmscope.cli.progress import progress
from wasmscope.cli.reporting import GuestEnded, Reporter, ReportOptions
from wasmscope.cli.switches import Switches
from wasmscope.runtime.config import Config
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.func import Func
from wasmscope.runtime.instance import Instance
from wasmscope.runtime.linker import Linker
from wasmscope.runtime.module import Module
from wasmscope.runtime.store import Store
from wasmscope.wasm.escape import escaped, escaped_lines
from wasmscope.wasm.module import ExternKind
from wasmscope.wasm.module import Module as Decoded

_DEFAULT_ENTRIES = ("", "_start")
"""What is called without `--invoke`: the first of these that is exported, as `wasmtime run` does."""


@dataclass(frozen=True, slots=True)
class Request:
    """What `run` was asked to do."""

    path: str
    arguments: Sequence[str] = ()
    invoke: str | None = None
    argv0: str | None = None
    directories: Sequence[tuple[str, str]] = ()
    environment: Sequence[tuple[str, str]] = ()
    preloads: Sequence[tuple[str, str]] = ()
    switches: Switches = field(default_factory=lambda: Switches({}, {}))
    debug: bool = True
    report: ReportOptions = field(default_factory=ReportOptions)


def execute(request: Request) -> int:
    """Run the guest; returns the exit status. Raises `Failure` where it cannot be run."""
    _remove_former_report(request)
    with Interrupts() as interrupts:
        return _Execution(request, interrupts).run()


def _remove_former_report(request: Request) -> None:
    """What is in the report's file afterwards is of this run; a device, a pipe or the like is left alone."""
    path = request.report.path
    if path is None or not path.is_file():
        return
    try:
        for guest in (request.path, *(path for _, path in request.preloads)):
            if os.path.exists(guest) and path.samefile(guest):
                raise Failure(f"--report-file {escaped(str(path))} is the guest's own file")
        path.resolve().unlink()
    except OSError as error:
        raise Failure(f"cannot remove the former report {escaped(str(path))}: {error.strerror}") from None


class _Execution:
    def __init__(self, request: Request, interrupts: Interrupts) -> None:
        self._request = request
        self._interrupts = interrupts
        self._reporter = Reporter(Path(request.path).name, request.report, interrupts)

    def run(self) -> int:
        try:
            self._run()
            return 0
        except GuestEnded as ended:
            self._explain(f"interrupted: {ended.cause.words}")
            return ended.cause.status
        except wasmtime.ExitTrap as end:
            return end.code
        except wasmtime.Trap as trap:
            return self._trapped(trap)
        except UnknownImportCalled as error:
            self._explain(str(error))
            return FAILED
        except wasmtime.WasmtimeError as error:
            if self._reporter.reports:
                return FAILED  # the report says it
            raise Failure(f"{escaped(self._request.path)} failed: {escaped_lines(str(error).strip())}") from None
        finally:
            self._reporter.write()

    def _run(self) -> None:
        request = self._request
        engine = Engine(self._config())
        module, decoded = self._compile(engine, request.path)
        preloads = [(name, *self._compile(engine, path), path) for name, path in request.preloads]
        store = self._store(engine)
        linker = Linker(engine)
        linker.define_wasi()
        show = partial(self._reporter.show_waiting, store)
        with self._interrupts.stopping_by(self._stop(engine, store), show, request.switches.timeout):
            for name, preload, preload_decoded, path in preloads:
                instance = self._instantiate(linker, store, preload, preload_decoded, path)
                self._provide(linker, store, name, instance)
            self._call(store, self._instantiate(linker, store, module, decoded, request.path), decoded)

    def _config(self) -> Config:
        config = Config()
        config.guest_debug = self._request.debug
        if self._request.switches.timeout is not None and not self._request.debug:
            config.epoch_interruption = True
        self._request.switches.configure(config)
        return config

    def _compile(self, engine: Engine, path: str) -> tuple[Module, Decoded]:
        bytecode = read_guest(path)
        with progress(f"Compiling {escaped(Path(path).name)}", self._request.report.color):
            module = compile_guest(engine, bytecode, path)
        return module, module.original if module.instrumented is not None else decode_guest(bytecode, path)

    def _store(self, engine: Engine) -> Store:
        store = Store(engine)
        self._request.switches.limit(store)
        if engine.guest_debug:
            store.set_debug_handler(self._reporter, caught_exceptions=False)
        elif self._request.switches.timeout is not None:
            store.set_epoch_deadline(1)
        store.set_wasi(self._wasi())
        return store

    def _wasi(self) -> wasmtime.WasiConfig:
        request = self._request
        wasi = wasmtime.WasiConfig()
        wasi.inherit_stdin()
        wasi.inherit_stdout()
        wasi.inherit_stderr()
        # The name of a file need not be UTF-8, what WASI takes has to.
        name = os.fsencode(Path(request.path).name).decode(errors="replace")
        name = request.argv0 if request.argv0 is not None else name
        wasi.argv = [name, *request.arguments] if request.invoke is None else [name]
        wasi.env = request.environment
        for host, guest in request.directories:
            if not os.path.isdir(host):
                raise Failure(f"--dir {escaped(host)}: there is no such directory")
            wasi.preopen_dir(host, guest)
        return wasi

    def _stop(self, engine: Engine, store: Store) -> Callable[[], None] | None:
        if engine.guest_debug:
            return store.interrupt
        return engine.increment_epoch if self._request.switches.timeout is not None else None

    def _instantiate(self, linker: Linker, store: Store, module: Module, decoded: Decoded, path: str) -> Instance:
        """The instance, its `_initialize` called if it is a reactor (WASI application ABI)."""
        provide_imports(linker, store, module, decoded, path, self._request.switches)
        instance = linker.instantiate(store, module)
        assert isinstance(instance, Instance)
        initialize = instance.exports(store).get("_initialize")
        if isinstance(initialize, Func):
            initialize(store)
        return instance

    def _provide(self, linker: Linker, store: Store, name: str, instance: Instance) -> None:
        try:
            linker.define_instance(store, name, instance)
        except wasmtime.WasmtimeError as error:
            raise Failure(f"--preload {escaped(name)}: {escaped_lines(str(error))}") from None

    def _call(self, store: Store, instance: Instance, decoded: Decoded) -> None:
        request = self._request
        functions = {item.name: item.index for item in decoded.exports if item.kind is ExternKind.FUNC}
        if request.invoke is None:
            name = next((name for name in _DEFAULT_ENTRIES if name in functions), None)
            if name is None:
                complain("note", f"{escaped(request.path)} was instantiated; it has no _start; {_exported(functions)}")
                if request.arguments:
                    complain(
                        "hint", "what stands behind GUEST is for the guest; options such as --invoke stand before it"
                    )
                return
            words: Sequence[str] = ()
        else:
            name, words = request.invoke, request.arguments
            if name not in functions:
                raise Failure(f"{escaped(request.path)} exports no function {escaped(name)!r}", _exported(functions))
        function_type = decoded.func_type(functions[name])
        arguments = parse_arguments(words, function_type.params, name)
        function = instance.exports(store)[name]
        assert isinstance(function, Func)
        returned = function(store, *arguments)
        results = [returned] if len(function_type.results) == 1 else returned or []
        for result, value_type in zip(results, function_type.results, strict=True):
            click.echo(format_result(result, value_type))

    def _trapped(self, trap: wasmtime.Trap) -> int:
        cause = self._interrupts.cause
        if trap.trap_code is wasmtime.TrapCode.INTERRUPT and cause is not None:
            self._explain(f"interrupted: {cause.words}\n{trap.message}")
            return cause.status
        self._explain(trap.message)
        # An exception that nothing caught comes as a trap without a code.
        return TRAPPED if trap.trap_code is not None else FAILED

    def _explain(self, message: str) -> None:
        """Say how the guest ended where no report does."""
        if not self._reporter.reports:
            complain("error", f"{escaped(self._request.path)}: {escaped_lines(message)}")


def _exported(functions: Sequence[str] | dict[str, int]) -> str:
    names = [escaped(name) for name in functions]
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"--invoke can call: {shown}" if names else "it exports no functions"
