"""WASI: arguments, environment, files, standard streams and how a program exits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from runtime.sequences import attempt

ECHO = """
(module $echo
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "file.txt")
  (func $print (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $start (export "_start") (local $n i32)
    ;; arguments and environment to stdout, standard input to stderr, the file to stdout
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args (i32.const 100) (i32.const 1024)))
    (call $print (i32.const 1) (i32.const 1024) (i32.load (i32.const 20)))
    (drop (call $env_sizes (i32.const 16) (i32.const 20)))
    (drop (call $env (i32.const 100) (i32.const 2048)))
    (call $print (i32.const 1) (i32.const 2048) (i32.load (i32.const 20)))
    (i32.store (i32.const 0) (i32.const 3072)) (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $print (i32.const 2) (i32.const 3072) (i32.load (i32.const 8)))
    (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 4096) (i32.const 8) (i32.const 0)
                   (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 24)))
      (then
        (i32.store (i32.const 0) (i32.const 5000)) (i32.store (i32.const 4) (i32.const 100))
        (drop (call $read (i32.load (i32.const 24)) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $print (i32.const 1) (i32.const 5000) (i32.load (i32.const 8))))))
  (func $leave (export "exit") (param i32) (call $exit (local.get 0)) unreachable))
"""


def programs(api: Any) -> Any:
    seen: list[Any] = []
    for preopen in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "in").write_text("standard input")
            (folder / "files").mkdir()
            (folder / "files" / "file.txt").write_text("the file")
            engine = api.Engine()
            store, linker = api.Store(engine), api.Linker(engine)
            linker.define_wasi()
            config = api.WasiConfig()
            config.argv = ["program", "one", "two"]
            config.env = [("KEY", "value"), ("OTHER", "")]
            config.stdin_file = folder / "in"
            config.stdout_file = str(folder / "out")
            config.stderr_file = str(folder / "err").encode()
            if preopen:
                config.preopen_dir(str(folder / "files"), "/")
            store.set_wasi(config)
            instance = linker.instantiate(store, api.Module(engine, ECHO))
            seen.append(attempt(lambda store=store, i=instance: i.exports(store)["_start"](store)))
            store.close()
            seen += [(folder / "out").read_bytes(), (folder / "err").read_bytes()]
    return seen


def output_to_functions(api: Any) -> Any:
    written: list[Any] = []
    engine = api.Engine()
    store, linker = api.Store(engine), api.Linker(engine)
    linker.define_wasi()
    config = api.WasiConfig()
    config.argv = ["program"]
    config.stdout_custom = lambda data: written.append(bytes(data))
    store.set_wasi(config)
    linker.instantiate(store, api.Module(engine, ECHO)).exports(store)["_start"](store)
    return written


def exits(api: Any) -> Any:
    engine, seen = api.Engine(), []
    module = api.Module(engine, ECHO)
    for code in (0, 1, 2, 125, 126, 255, 256, -1):
        store, linker = api.Store(engine), api.Linker(engine)
        linker.define_wasi()
        store.set_wasi(api.WasiConfig())
        leave = linker.instantiate(store, module).exports(store)["exit"]
        seen.append(attempt(lambda store=store, leave=leave, code=code: leave(store, code)))
        try:
            leave(store, code)
        except api.WasmtimeError as error:
            seen.append((type(error).__name__, isinstance(error, api.ExitTrap), getattr(error, "code", None)))
    return seen


def without_configuration(api: Any) -> Any:
    engine = api.Engine()
    store, linker = api.Store(engine), api.Linker(engine)
    module = api.Module(engine, ECHO)
    missing = attempt(lambda: linker.instantiate(store, module))
    linker.define_wasi()
    used = api.WasiConfig()
    store.set_wasi(used)
    return [
        missing,
        attempt(lambda: store.set_wasi(used)),
        attempt(lambda: setattr(api.WasiConfig(), "stdin_file", "/absent")),
    ]


def an_exit_in_start(api: Any) -> Any:
    engine = api.Engine()
    text = """(module $m (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func $begin (call $exit (i32.const 7))) (start $begin))"""
    module, linker, seen = api.Module(engine, text), api.Linker(engine), []
    linker.define_wasi()
    for instantiate in (linker.instantiate, lambda store, module: linker.instantiate_pre(module).instantiate(store)):
        store = api.Store(engine)
        store.set_wasi(api.WasiConfig())
        seen.append(attempt(lambda store=store, instantiate=instantiate: instantiate(store, module)))
    return seen


def an_exit_through_the_host(api: Any) -> Any:
    engine, seen = api.Engine(), []
    store, linker = api.Store(engine), api.Linker(engine)
    linker.define_wasi()
    store.set_wasi(api.WasiConfig())
    leave = linker.instantiate(store, api.Module(engine, ECHO)).exports(store)["exit"]

    def host(code: int) -> None:
        try:
            leave(store, code)
        except api.ExitTrap as error:
            seen.append(error.code)
            if code == 3:
                raise

    function = api.Func(store, api.FuncType([api.ValType.i32()], []), host)
    text = """(module $o (import "" "h" (func $h (param i32)))
      (func $run (export "run") (param i32) (call $h (local.get 0))))"""
    run = api.Instance(store, api.Module(engine, text), [function]).exports(store)["run"]
    return [attempt(lambda code=code: run(store, code)) for code in (2, 3)] + seen


CASES = (programs, output_to_functions, exits, without_configuration, an_exit_in_start, an_exit_through_the_host)
