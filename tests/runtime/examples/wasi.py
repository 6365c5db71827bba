"""A program that writes to its standard output and exits with a code."""

import tempfile
from pathlib import Path

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

TEXT = """
(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (data (i32.const 8) "out of the guest\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 17))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
    (call $exit (i32.const 3))))
"""

engine = Engine()
linker = Linker(engine)
linker.define_wasi()
module = Module(engine, TEXT)
with tempfile.TemporaryDirectory() as folder:
    output = Path(folder) / "output"
    config = WasiConfig()
    config.stdout_file = output
    config.env = [["A", "1"]]
    store = Store(engine)
    store.set_wasi(config)
    linker.define_module(store, "", module)
    try:
        linker.get_default(store, "")(store)
    except ExitTrap as error:
        print("exit code", error.code)
        print(error)
    store.close()
    print(output.read_text())
