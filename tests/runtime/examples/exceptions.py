"""What goes wrong in the host goes through the guest to the host."""

import wasmtime

TEXT = """
(module $between (import "" "ask" (func $ask (param i32) (result i32)))
  (func $inner (param i32) (result i32) (call $ask (local.get 0)) (i32.const 1) i32.add)
  (func (export "run") (param i32) (result i32) (call $inner (local.get 0)) (i32.const 1) i32.add)
  (func $start (drop (call $ask (i32.const 0))))
  (start $start))
"""


def ask(x: int) -> int:
    if x == 1:
        raise ValueError("one will not do")
    if x == 2:
        return "two"  # type: ignore[return-value]
    if x == 3:
        raise wasmtime.Trap("three traps")
    return x


store = wasmtime.Store()
i32 = wasmtime.ValType.i32()
function = wasmtime.Func(store, wasmtime.FuncType([i32], [i32]), ask)
run = wasmtime.Instance(store, wasmtime.Module(store.engine, TEXT), [function]).exports(store)["run"]
for argument in (0, 1, 2, 3, "four"):
    try:
        print(run(store, argument))
    except Exception as error:
        print(type(error).__name__, error)
run(store, 1)
