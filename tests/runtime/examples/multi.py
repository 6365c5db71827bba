"""Functions with several results, on both sides."""

from wasmtime import Func, FuncType, Instance, Module, Store, ValType

TEXT = """
(module (import "" "swap" (func $swap (param i32 i64) (result i64 i32)))
  (func (export "twice") (param i32 i64) (result i64 i32)
    (call $swap (local.get 0) (local.get 1)) (i32.const 2) i32.mul)
  (func (export "ten") (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    i64.const 0 i64.const 1 i64.const 2 i64.const 3 i64.const 4
    i64.const 5 i64.const 6 i64.const 7 i64.const 8 i64.const 9))
"""


def swap(a: int, b: int) -> tuple[int, int]:
    print("swapping", a, b)
    return b, a


store = Store()
types = [ValType.i32(), ValType.i64()]
function = Func(store, FuncType(types, list(reversed(types))), swap)
exports = Instance(store, Module(store.engine, TEXT), [function]).exports(store)
print(exports["twice"](store, 3, 1 << 40), exports["ten"](store), function(store, 1, 2))
