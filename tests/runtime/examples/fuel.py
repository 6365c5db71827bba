"""A guest gets so much to run, and no more."""

from wasmtime import Config, Engine, Instance, Module, Store, Trap, TrapCode, WasmtimeError

TEXT = """
(module $fib (func $fib (export "fib") (param i32) (result i32)
  (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (i32.const 1))
    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                   (call $fib (i32.sub (local.get 0) (i32.const 2))))))))
"""

config = Config()
config.consume_fuel = True
store = Store(Engine(config))
store.set_fuel(10_000)
fib = Instance(store, Module(store.engine, TEXT), []).exports(store)["fib"]
for n in range(20):
    before = store.get_fuel()
    try:
        print(n, fib(store, n), before - store.get_fuel())
    except Trap as trap:
        print(n, trap.trap_code is TrapCode.OUT_OF_FUEL, {frame.func_name for frame in trap.frames})
        break
try:
    Store().set_fuel(1)
except WasmtimeError as error:
    print(error)
