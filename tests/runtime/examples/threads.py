"""A store for each thread, a module for all."""

from concurrent.futures import ThreadPoolExecutor

from wasmtime import Engine, Func, FuncType, Instance, Module, Store, ValType

TEXT = """
(module (import "" "add" (func $add (param i32)))
  (func (export "count") (param $n i32)
    (loop $l (call $add (local.get $n)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
"""

engine = Engine()
module = Module(engine, TEXT)


def work(number: int) -> int:
    total = 0

    def add(x: int) -> None:
        nonlocal total
        total += x

    store = Store(engine)
    function = Func(store, FuncType([ValType.i32()], []), add)
    Instance(store, module, [function]).exports(store)["count"](store, number)
    return total


with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(work, range(1, 9))))
