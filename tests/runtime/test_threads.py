"""Threads with a store each, two engines, one module an engine: nobody notices the others."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import wasmscope
from wasmscope import DebugEvent

GUEST = """
(module (import "" "h" (func $h (param i32))) (memory 1)
  (func $sum (param $n i32) (param $id i32) (result i32) (local $total i32)
    (block $done (loop $again
      (br_if $done (i32.eqz (local.get $n)))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 63))) (then (call $h (local.get $id))))
      (local.set $total (i32.add (local.get $total) (local.get $id)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $again)))
    local.get $total)
  (func (export "run") (param i32 i32) (result i32) (call $sum (local.get 0) (local.get 1)))
  (func (export "forever") (param $id i32) (loop $l (br $l)))
  (func (export "trap") (param i32) (result i32) (i32.load offset=65535 (local.get 0))))
"""


def host_of(store: wasmscope.Store, called: Any = lambda caller, x: None) -> wasmscope.Func:
    return wasmscope.Func(store, wasmscope.FuncType([wasmscope.ValType.i32()], []), called, access_caller=True)


def test_frames_of_a_thread_are_those_of_its_store() -> None:
    engines = [wasmscope.Engine(), wasmscope.Engine()]
    modules = [wasmscope.Module(engine, GUEST) for engine in engines]

    def work(number: int) -> list[Any]:
        engine, module = engines[number % 2], modules[number % 2]
        seen: list[Any] = []
        for _ in range(3):
            store = wasmscope.Store(engine)

            def look(caller: Any, identity: int, store: wasmscope.Store = store) -> None:
                cursor = caller.debug_frames()
                inner = cursor.local(1).value
                cursor.move_to_parent()
                seen.append((identity, inner, cursor.local(1).value, caller.store is store))

            exports: Any = wasmscope.Instance(store, module, [host_of(store, look)]).exports(store)
            assert exports["run"](store, 640, number) == 640 * number
            with pytest.raises(wasmscope.Trap) as caught:
                exports["trap"](store, number)
            assert caught.value.trap_code is wasmscope.TrapCode.MEMORY_OUT_OF_BOUNDS
        return seen

    with ThreadPoolExecutor(4) as pool:
        for number, seen in enumerate(pool.map(work, range(4))):
            assert seen == [(number, number, number, True)] * 30


def test_an_interruption_is_for_one_store_only() -> None:
    engines = [wasmscope.Engine(), wasmscope.Engine()]
    stores = [wasmscope.Store(engines[number % 2]) for number in range(4)]
    told: list[list[int]] = [[] for _ in stores]
    ended: list[Any] = [None] * len(stores)

    class Handler:
        def __init__(self, number: int) -> None:
            self.number = number

        def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
            if isinstance(event, DebugEvent.Interrupted):
                told[self.number].append(store.frames()[0].local(0).value)

    def work(number: int) -> None:
        store = stores[number]
        module = wasmscope.Module(store.engine, GUEST)
        forever: Any = wasmscope.Instance(store, module, [host_of(store)]).exports(store)["forever"]
        try:
            forever(store, number)
        except wasmscope.Trap as trap:
            ended[number] = trap.trap_code

    for number, store in enumerate(stores):
        store.set_debug_handler(Handler(number))
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in (2, 2, 0):
        before = len(told[number])
        stores[number].interrupt()
        _wait_for(lambda number=number, before=before: len(told[number]) > before)
    assert told == [[0], [], [2, 2], []]
    for store, thread in zip(stores, threads, strict=True):
        assert thread.is_alive()
        store.clear_debug_handler()
        store.interrupt()
        thread.join(30)
    assert ended == [wasmscope.TrapCode.INTERRUPT] * 4


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it was never told"
        time.sleep(0.005)


def test_a_shared_memory_is_shared_between_threads() -> None:
    config = wasmscope.Config()
    config.wasm_threads = config.shared_memory = True
    engine = wasmscope.Engine(config)
    memory = wasmscope.SharedMemory(engine, wasmscope.MemoryType(wasmscope.Limits(1, 1), shared=True))
    text = """(module (import "" "m" (memory 1 1 shared))
      (func (export "add") (param $n i32)
        (loop $l (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"""
    module = wasmscope.Module(engine, text)

    def work(_: int) -> None:
        store, linker = wasmscope.Store(engine), wasmscope.Linker(engine)
        linker.define(store, "", "m", memory)
        for instance in (wasmscope.Instance(store, module, [memory]), linker.instantiate(store, module)):
            add: Any = instance.exports(store)["add"]
            add(store, 500)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert int.from_bytes(bytes(memory.data_ptr()[0:4]), "little") == 4000
