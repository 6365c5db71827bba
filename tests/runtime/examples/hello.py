"""A guest that calls the host."""

from wasmtime import Func, FuncType, Instance, Module, Store

store = Store()
module = Module(store.engine, '(module (import "" "greet" (func $greet)) (func (export "run") call $greet))')
greet = Func(store, FuncType([], []), lambda: print("greetings from the host"))
Instance(store, module, [greet]).exports(store)["run"](store)
