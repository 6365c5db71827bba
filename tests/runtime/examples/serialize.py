"""A compiled module, kept for another time; what cannot be read is compiled anew."""

import tempfile
from pathlib import Path

from wasmtime import Engine, Instance, Module, Store, Trap, WasmtimeError

TEXT = '(module $kept (func $div (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))'


def cached(engine: Engine, path: Path) -> Module:
    try:
        return Module.deserialize(engine, path.read_bytes())
    except (OSError, WasmtimeError) as error:
        print("compiling because of", type(error).__name__)
    module = Module(engine, TEXT)
    path.write_bytes(module.serialize())
    return module


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "module"
    for garbage in (None, None, b"garbage", None):
        if garbage is not None:
            path.write_bytes(garbage)
        store = Store()
        module = cached(store.engine, path)
        div = Instance(store, module, []).exports(store)["div"]
        print(div(store, 7, 2))
        try:
            div(store, 1, 0)
        except Trap as trap:
            print(trap)
    print([item.name for item in Module.deserialize_file(store.engine, str(path)).exports])
