"""Running a WASI guest on an engine that is a parameter: the module `wasmtime`, or `wasmscope` in its place.

Both have the same names, so a driver written against `api` runs unchanged on either, and the one is the oracle of the
other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import tiers, waking
from support.guests import ROOT

# The module `wasmtime` or one with its names; their types are not each other's, so no annotation fits both.
Api = Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind: the oracle's and the debuggable guest's must be equal."""

    stdout: str
    exit_code: int


def new_engine(api: Api, **settings: object) -> Any:
    """An engine with the proposals the guests use; compiled code is kept in this checkout's cache folder.

    `settings` are further properties of the engine's `Config`.
    """
    config = api.Config()
    config.cache = str(_cache_configuration())
    config.wasm_exceptions = True
    config.wasm_function_references = True
    config.wasm_gc = True
    for name, value in settings.items():
        setattr(config, name, value)
    return api.Engine(config)


def _cache_configuration() -> Path:
    """The file that tells wasmtime where to keep compiled code."""
    folder = ROOT / ".cache" / "wasmtime"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cache.toml"
    content = f"[cache]\ndirectory = '{folder}'\n"
    if not path.exists() or path.read_text() != content:  # parallel tests read it: leave it alone when it is right
        path.write_text(content)
    return path


class Guest:
    """An instance with WASI and what it wrote to stdout; `folder` is what it sees as `/`.

    `define(linker)` adds the host functions that are not WASI's. A context manager: its files go with it.
    """

    def __init__(
        self,
        api: Api,
        engine: Any,
        module: Any,
        argv: Sequence[str] = (),
        *,
        folder: Path | None = None,
        define: Callable[[Any], None] | None = None,
    ) -> None:
        self._api = api
        self._scratch = tempfile.TemporaryDirectory()
        # A file, because a callback may run on a thread of the engine, later than the guest's write.
        self._stdout = Path(self._scratch.name) / "stdout"
        wasi = api.WasiConfig()
        wasi.argv = list(argv)
        wasi.stdout_file = str(self._stdout)
        if folder is not None:
            wasi.preopen_dir(str(folder), "/")
        self.store = tiers.prepared(api.Store(engine))
        self.store.set_wasi(wasi)
        linker = api.Linker(engine)
        linker.define_wasi()
        if define is not None:
            define(linker)
        self._exports = linker.instantiate(self.store, module).exports(self.store)

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *raised: object) -> None:
        self._scratch.cleanup()

    def call(self, name: str, *arguments: object) -> Any:
        """Call the exported function `name`."""
        with waking.woken(self.store):
            return self._exports[name](self.store, *arguments)

    def run(self) -> Outcome:
        """Run a WASI command from its start to its exit."""
        try:
            self.call("_start")
        except self._api.ExitTrap as exit_:
            return self.outcome(exit_.code)
        return self.outcome(0)

    def outcome(self, exit_code: int) -> Outcome:
        """What the guest wrote so far, with an exit code the caller knows."""
        return Outcome(self._stdout.read_text(), exit_code)

    def write(self, data: bytes) -> int:
        """Put `data` into memory the guest's own `malloc` gives; its address."""
        address: int = self.call("malloc", len(data))
        self.write_at(address, data)
        return address

    def write_at(self, address: int, data: bytes) -> None:
        """Write bytes into the guest's memory."""
        self._exports["memory"].write(self.store, data, address)

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the guest's memory."""
        return bytes(self._exports["memory"].read(self.store, address, address + length))

    def export_names(self) -> list[str]:
        """The names of what the guest exports."""
        return list(self._exports)


def run_command(api: Api, wasm: Path, argv: Sequence[str], *, folder: Path | None = None) -> Outcome:
    """Compile a WASI command and run it once."""
    engine = new_engine(api)
    with Guest(api, engine, api.Module.from_file(engine, str(wasm)), argv, folder=folder) as command:
        return command.run()
