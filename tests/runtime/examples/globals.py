"""Globals that host and guest both see."""

from wasmtime import Global, GlobalType, Instance, Module, Store, Val, ValType, WasmtimeError

TEXT = """
(module (import "" "count" (global $count (mut i32))) (import "" "scale" (global $scale f64))
  (global (export "last") (mut f64) (f64.const 0))
  (func (export "step") (result f64)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.set 2 (f64.mul (f64.convert_i32_s (global.get $count)) (global.get $scale)))
    global.get 2))
"""

store = Store()
count = Global(store, GlobalType(ValType.i32(), True), Val.i32(10))
scale = Global(store, GlobalType(ValType.f64(), False), 0.5)
exports = Instance(store, Module(store.engine, TEXT), [count, scale]).exports(store)
print(exports["step"](store), count.value(store), exports["last"].value(store))
count.set_value(store, 99)
print(exports["step"](store), count.value(store), count.type(store).mutable, scale.type(store).content)
try:
    scale.set_value(store, 1.0)
except WasmtimeError as error:
    print(error)
