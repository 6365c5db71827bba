"""Two modules that share a memory and a function, put together by name, with WASI."""

from wasmtime import Engine, FuncType, Linker, Module, Store, Trap, WasiConfig, WasmtimeError

engine = Engine()
store, linker = Store(engine), Linker(engine)
linker.define_wasi()
store.set_wasi(WasiConfig())
linker.define_func("host", "note", FuncType([], []), lambda: print("noted"))
double = Module(
    engine,
    """
(module $double (memory (export "memory") 1) (data (i32.const 20) "shared")
  (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $crash (export "crash") unreachable))
""",
)
main = Module(
    engine,
    """
(module $main (import "double" "memory" (memory 1)) (import "host" "note" (func $note))
  (import "double" "double" (func $double (param i32) (result i32))) (import "double" "crash" (func $crash))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (func (export "run") (result i32) call $note (call $double (i32.load8_u (i32.const 20))))
  (func (export "close") (result i32) (call $close (i32.const 99)))
  (func $fail (export "fail") call $crash))
""",
)
try:
    linker.instantiate(store, main)
except WasmtimeError as error:
    print(error)
linker.define_instance(store, "double", linker.instantiate(store, double))
exports = linker.instantiate(store, main).exports(store)
print(exports["run"](store), exports["close"](store))
try:
    exports["fail"](store)
except Trap as trap:
    print([(frame.module_name, frame.func_name, frame.func_index) for frame in trap.frames], trap, sep="\n")
