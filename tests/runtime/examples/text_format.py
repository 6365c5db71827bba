"""The text format, and what is wrong with a module."""

from wasmtime import Engine, Module, WasmtimeError, wat2wasm

binary = wat2wasm('(module (func (export "f") (param i32) (result i32) local.get 0))')
print(type(binary).__name__, bytes(binary))
engine = Engine()
Module.validate(engine, binary)
for text in ("(module (func", "(module (func (result i32)))", "(module (func unknown))", "(modul)"):
    for make in (wat2wasm, lambda text: Module(engine, text)):
        try:
            print(len(make(text)))
        except (WasmtimeError, TypeError) as error:
            print(type(error).__name__, error)
for item in Module(
    engine, '(module (import "a" "b" (global i32)) (memory (export "m") 1 2) (tag (export "t")))'
).exports:
    print(item.name, type(item.type).__name__)
