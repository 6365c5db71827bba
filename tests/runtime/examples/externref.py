"""Python objects in a guest."""

import gc
import weakref

from wasmtime import Instance, Module, Store

TEXT = """
(module (table (export "table") 4 externref) (global (export "global") (mut externref) (ref.null extern))
  (func (export "same") (param externref) (result externref) local.get 0)
  (func (export "put") (param i32 externref) (table.set (local.get 0) (local.get 1)))
  (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0))))
"""


class Thing:
    def __repr__(self) -> str:
        return "a thing"


store = Store()
exports = Instance(store, Module(store.engine, TEXT), []).exports(store)
table, variable = exports["table"], exports["global"]
thing = Thing()
gone = weakref.ref(thing)
print(exports["same"](store, thing) is thing, exports["is_null"](store, thing), exports["is_null"](store, None))
exports["put"](store, 1, thing)
table.set(store, 2, {"any": "object"})
variable.set_value(store, 5)
print(table.get(store, 1), table.get(store, 2), table.get(store, 3).value, table.get(store, 4), variable.value(store))
print(exports["same"](store, None), table.grow(store, 1, "new"), table.get(store, 4), table.size(store))
del thing
exports["put"](store, 1, None)
store.gc()
gc.collect()
print(gone())
