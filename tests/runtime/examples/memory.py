"""Reading, writing and growing a guest's memory."""

from wasmtime import Instance, Limits, Memory, MemoryType, Module, Store, Trap, WasmtimeError

TEXT = """
(module $words (memory (export "memory") 2 3) (data (i32.const 4096) "\\01\\02\\03\\04")
  (func (export "size") (result i32) memory.size)
  (func $peek (export "peek") (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func $poke (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))
"""

store = Store()
exports = Instance(store, Module(store.engine, TEXT), []).exports(store)
memory, size, peek, poke = (exports[name] for name in ("memory", "size", "peek", "poke"))
print(memory.size(store), memory.data_len(store), size(store))
print(memory.read(store, 4096, 4100), peek(store, 4097), memory.data_ptr(store)[4098])
poke(store, 4096, 200)
print(peek(store, 4096), memory.read(store, 4096, 4097))
print(memory.write(store, b"hello", 100), memory.read(store, 100, 105))
for access in (lambda: peek(store, 0x20000), lambda: poke(store, 0x20000, 1)):
    try:
        access()
    except Trap as trap:
        print(trap.trap_code, [(frame.func_name, hex(frame.module_offset)) for frame in trap.frames])
        print(trap)
print(memory.grow(store, 1), memory.size(store), peek(store, 0x20000))
try:
    memory.grow(store, 1)
except WasmtimeError as error:
    print(error)
own = Memory(store, MemoryType(Limits(5, 5)))
print(own.size(store), own.type(store).limits.max)
