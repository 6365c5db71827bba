"""`Func.call_async`: the guest on a thread of its own, what it waits for on the loop of the task that called."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import ENGINE, I32, MODULE, WAT, Guest, Recorder
from support.processes import ENVIRONMENT
from wasmscope import DebugEvent, Func, FuncType, Instance, Linker, Module, Store, Val, ValType

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE")


def test_the_loop_goes_on_while_the_guest_runs() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def main() -> None:
        guest = Guest()
        ticking = asyncio.create_task(tick())
        spinning = asyncio.create_task(guest.call("spin"))
        while ticks < 20:
            await asyncio.sleep(0)
        ticking.cancel()
        spinning.cancel()
        await asyncio.wait([ticking, spinning])

    asyncio.run(main())


def test_a_coroutine_function_is_awaited_by_the_task_that_called() -> None:
    async def main() -> None:
        task = asyncio.current_task()

        async def host(value: int) -> int:
            await asyncio.sleep(0.001)
            assert asyncio.current_task() is task
            return value * 2

        assert await Guest(host).call("add", 20) == 41

    asyncio.run(main())


def test_a_plain_host_function_is_called_on_the_thread_of_the_guest() -> None:
    threads = []

    def host(value: int) -> int:
        threads.append(threading.current_thread())
        return value

    assert asyncio.run(Guest(host).call("add", 1)) == 2
    assert threads[0] is not threading.main_thread()
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_partial_functions_and_objects_called_as_coroutines_are_coroutine_functions() -> None:
    class Host:
        async def __call__(self, value: int) -> int:
            await asyncio.sleep(0)
            return value + 5

    assert asyncio.run(Guest(Host()).call("add", 1)) == 7


def test_linkers_take_coroutine_functions() -> None:
    async def host(caller: wasmscope.Caller, value: int) -> int:
        await asyncio.sleep(0)
        memory = caller["memory"]
        memory.write(caller, b"seen", 0)
        assert caller.debug_frames().local(0).value == value
        return value

    async def main() -> None:
        store, linker = Store(ENGINE), Linker(ENGINE)
        linker.define_func("", "host", FuncType([I32], [I32]), host, access_caller=True)
        exports = linker.instantiate(store, MODULE).exports(store)
        assert await exports["add"].call_async(store, 3) == 4
        assert exports["memory"].read(store, 0, 4) == b"seen"

    asyncio.run(main())


def test_a_caller_is_good_until_its_coroutine_is_done() -> None:
    callers: list[wasmscope.Caller] = []

    async def host(caller: wasmscope.Caller, value: int) -> int:
        callers.append(caller)
        await asyncio.sleep(0)
        assert caller["memory"].data_len(caller) == 65536
        return value

    guest = Guest(host, access_caller=True)
    asyncio.run(guest.call("add", 1))
    assert callers[0].get("memory") is None


def test_results_of_all_kinds() -> None:
    types = [I32, ValType.i64(), ValType.f32(), ValType.f64(), ValType.externref(), ValType.funcref()]
    values = (-1, 1 << 40, 0.5, -0.25, object(), None)
    wat = """(module (import "" "h" (func $h (param i32 i64 f32 f64 externref funcref)
      (result i32 i64 f32 f64 externref funcref)))
      (func (export "f") (param i32 i64 f32 f64 externref funcref) (result i32 i64 f32 f64 externref funcref)
        (call $h (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
      (func (export "none")) (func (export "v128") (result v128) (v128.const i64x2 1 2)))"""

    async def host(*args: Any) -> Any:
        await asyncio.sleep(0)
        return args

    async def main() -> None:
        store = Store(ENGINE)
        exports = Instance(store, Module(ENGINE, wat), [Func(store, FuncType(types, types), host)]).exports(store)
        assert await exports["f"].call_async(store, *values) == list(values)
        assert await exports["none"].call_async(store) is None
        assert await exports["v128"].call_async(store) == (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
        with pytest.raises(wasmscope.WasmtimeError, match="too few parameters"):
            await exports["f"].call_async(store)
        with pytest.raises(TypeError):
            await exports["f"].call_async(store, "one", *values[1:])

    asyncio.run(main())


def test_what_a_host_coroutine_raises_is_told_and_ends_the_call() -> None:
    recorder = Recorder(pause=lambda: asyncio.sleep(0.001))

    async def host(value: int) -> int:
        await asyncio.sleep(0)
        raise LookupError("not here")

    async def main() -> None:
        guest = Guest(host)
        guest.store.set_debug_handler(recorder)
        with pytest.raises(LookupError, match="not here"):
            await guest.call("add", 1)
        assert recorder.names == ["HostcallError"]
        assert guest.works()

    asyncio.run(main())


def test_a_wrong_result_of_a_host_coroutine_ends_the_call() -> None:
    async def host(value: int) -> Any:
        return "one"

    guest = Guest(host)
    with pytest.raises(TypeError):
        asyncio.run(guest.call("add", 1))
    assert guest.works()


def test_an_asynchronous_handler_sees_the_frames_and_calls_the_guest() -> None:
    seen: list[Any] = []

    async def main() -> None:
        guest = Guest()
        loop = asyncio.get_running_loop()

        async def handle(store: Store, event: DebugEvent) -> None:
            await asyncio.sleep(0.001)
            assert asyncio.get_running_loop() is loop
            frame = store.debug_exit_frames()[0]
            seen.append((type(event).__name__, frame.local(0)))
            seen.append(await guest["add"].call_async(store, 6))
            assert not frame.is_valid()
            seen.append(store.debug_exit_frames()[0].local(0))

        guest.listen(handle)
        with pytest.raises(wasmscope.Trap) as caught:
            await guest.call("divide", 0)
        assert caught.value.trap_code is wasmscope.TrapCode.INTEGER_DIVISION_BY_ZERO
        assert guest.works()

    asyncio.run(main())
    assert seen == [("Trap", Val.i32(0)), 7, Val.i32(0)]


def test_a_plain_handler_is_called_on_the_thread_of_the_guest() -> None:
    threads: list[str] = []
    guest = Guest()
    guest.listen(lambda store, event: threads.append(threading.current_thread().name))
    with pytest.raises(wasmscope.Trap):
        asyncio.run(guest.call("divide", 0))
    assert threads == ["wasmscope-guest"]


def test_what_an_asynchronous_handler_raises_ends_the_call() -> None:
    async def handle(store: Store, event: DebugEvent) -> None:
        await asyncio.sleep(0)
        raise KeyError("handler")

    guest = Guest()
    guest.listen(handle)
    with pytest.raises(KeyError, match="handler"):
        asyncio.run(guest.call("divide", 0))
    assert guest.works()


def test_an_interruption_is_told_and_the_guest_goes_on() -> None:
    recorder = Recorder(pause=lambda: asyncio.sleep(0))

    async def main() -> None:
        guest = Guest()
        guest.store.set_debug_handler(recorder)
        call = asyncio.create_task(guest.call("spin"))
        for n in range(1, 4):
            await asyncio.to_thread(guest.store.interrupt)
            while len(recorder.events) < n:
                await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(main())
    assert recorder.names == ["Interrupted"] * 3


def test_an_interruption_traps_without_a_handler() -> None:
    async def main() -> None:
        guest = Guest()
        call = asyncio.create_task(guest.call("spin"))
        await asyncio.sleep(0.01)
        guest.store.interrupt()
        with pytest.raises(wasmscope.Trap) as caught:
            await call
        assert caught.value.trap_code is wasmscope.TrapCode.INTERRUPT

    asyncio.run(main())


def test_fifty_calls_at_once() -> None:
    waiting = 0
    most = 0

    async def host(value: int) -> int:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.05)
        waiting -= 1
        return value

    async def main() -> None:
        guests = [Guest(host) for _ in range(50)]
        results = await asyncio.gather(*(guest.call("add", n) for n, guest in enumerate(guests)))
        assert results == list(range(1, 51))

    asyncio.run(main())
    assert most > 10


def test_the_context_of_the_task_is_seen_everywhere() -> None:
    seen: list[str] = []

    def plain(value: int) -> int:
        seen.append(VARIABLE.get())
        VARIABLE.set("changed by a plain function: in its own copy")
        return value

    async def coroutine(value: int) -> int:
        seen.append(VARIABLE.get())
        return value

    async def handle(store: Store, event: DebugEvent) -> None:
        seen.append(VARIABLE.get())

    async def main() -> None:
        VARIABLE.set("of the task")
        await Guest(plain).call("add", 1)
        await Guest(coroutine).call("add", 1)
        guest = Guest()
        guest.listen(handle)
        with pytest.raises(wasmscope.Trap):
            await guest.call("divide", 0)
        assert VARIABLE.get() == "of the task"

    asyncio.run(main())
    assert seen == ["of the task"] * 3


def test_exceptions_at_the_throw_are_told_to_an_asynchronous_handler() -> None:
    wat = """(module (tag $t (param i32))
      (func (export "f") (param i32) (result i32)
        (block $caught (result i32)
          (try_table (result i32) (catch $t $caught) (throw $t (local.get 0))))))"""
    seen: list[Any] = []

    class Handler:
        async def handle(self, store: Store, event: DebugEvent) -> None:
            await asyncio.sleep(0)
            assert isinstance(event, DebugEvent.CaughtExceptionThrown)
            seen.append((event.exception.field(0), store.debug_exit_frames()[0].local(0)))
            store.throw_instead(wasmscope.ExnRef(store, event.exception.tag, [7]))

    async def main() -> None:
        store = Store(ENGINE)
        store.set_debug_handler(Handler())
        exports = Instance(store, Module(ENGINE, wat), []).exports(store)
        assert await exports["f"].call_async(store, 5) == 7

    asyncio.run(main())
    assert seen == [(Val.i32(5), Val.i32(5))]


def test_start_functions_may_wait() -> None:
    started: list[int] = []

    async def host() -> None:
        await asyncio.sleep(0.001)
        started.append(len(started))

    wat = '(module (import "" "h" (func $h)) (start $h) (func (export "f") (result i32) i32.const 7))'

    async def main() -> None:
        module, store, linker = Module(ENGINE, wat), Store(ENGINE), Linker(ENGINE)
        linker.define_func("", "h", FuncType([], []), host)
        instances = [
            await Instance.create_async(store, module, [Func(store, FuncType([], []), host)]),
            await linker.instantiate_async(store, module),
            await linker.instantiate_pre(module).instantiate_async(store),
        ]
        for instance in instances:
            assert await instance.exports(store)["f"].call_async(store) == 7

    asyncio.run(main())
    assert started == [0, 1, 2]


def test_a_guest_recurses_as_deep_as_on_the_main_thread() -> None:
    guest = Guest()
    deep = 10_000
    assert guest["deep"](guest.store, deep) == deep
    before = threading.stack_size()
    assert asyncio.run(guest.call("deep", deep)) == deep
    with pytest.raises(wasmscope.Trap) as caught:
        asyncio.run(guest.call("deep", 100_000_000))
    assert caught.value.trap_code is wasmscope.TrapCode.STACK_OVERFLOW
    assert threading.stack_size() == before


def test_the_thread_has_room_for_the_stack_that_was_asked_for() -> None:
    config = wasmscope.Config()
    config.max_wasm_stack = 2 << 20  # as much as the engine takes
    engine = wasmscope.Engine(config)
    store = Store(engine)
    deep = Instance(store, Module(engine, WAT), [Func(store, FuncType([I32], [I32]), abs)]).exports(store)["deep"]
    assert asyncio.run(deep.call_async(store, 30_000)) == 30_000
    with pytest.raises(wasmscope.Trap) as caught:
        asyncio.run(deep.call_async(store, 100_000_000))
    assert caught.value.trap_code is wasmscope.TrapCode.STACK_OVERFLOW


def test_guests_of_plain_engines_can_be_called() -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    engine = wasmscope.Engine(config)

    async def host(value: int) -> int:
        await asyncio.sleep(0)
        return value

    async def main() -> None:
        store = Store(engine)
        wat = """(module (import "" "h" (func $h (param i32) (result i32)))
          (func (export "f") (result i32) (call $h (i32.const 4))))"""
        instance = Instance(store, Module(engine, wat), [Func(store, FuncType([I32], [I32]), host)])
        assert await instance.exports(store)["f"].call_async(store) == 4

    asyncio.run(main())


def test_nothing_is_warned_of_in_development_mode() -> None:
    program = """
import asyncio, gc, threading, wasmscope
from support.guest_for_async import Guest

async def host(value):
    await asyncio.sleep(0.001)
    return value

async def main():
    guest = Guest(host)
    assert await guest.call("add", 1) == 2
    for name, *args in (["spin"], ["spin_calling"], ["add", 1]):
        call = asyncio.create_task(guest.call(name, *args))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    closed = guest.call("spin")
    closed.send(None)
    closed.close()
    try:
        guest["add"](guest.store, 1)
    except RuntimeError as error:
        assert "call_async" in str(error)
    else:
        raise AssertionError

asyncio.run(main())
guest = Guest(host)
assert guest["add"](guest.store, 1) == 2
gc.collect()
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    outcome = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
