"""Vectors, which go through memory."""

from wasmtime import Instance, Module, Store

TEXT = """
(module (memory (export "m") 1)
  (func (export "add") (v128.store (i32.const 32)
    (i8x16.add (v128.load (i32.const 0)) (v128.load (i32.const 16))))))
"""

store = Store()
exports = Instance(store, Module(store.engine, TEXT), []).exports(store)
exports["m"].write(store, bytes(range(16)) + bytes(range(250, 256)) * 2 + bytes(4), 0)
exports["add"](store)
print(list(exports["m"].read(store, 32, 48)))
