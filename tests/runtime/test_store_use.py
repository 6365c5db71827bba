"""Who may use a store while a guest runs in it, and what is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import wasmscope
from wasmscope import FuncType, Limits, TableType, TrapCode, ValType, WasmscopeError

ENGINE = wasmscope.Engine()
CALLS_THE_HOST = """(module (import "" "h" (func $h))
  (func (export "f") (call $h))
  (func $r (export "r") (call $r) (call $r)))"""
COUNTS_DOWN = """(module (func (export "f") (param i32)
  (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def _exports(store: wasmscope.Store, wat: str, host: Any, *, params: int = 0, access_caller: bool = False) -> Any:
    ty = FuncType([ValType.i32()] * params, [])
    imported = wasmscope.Func(store, ty, host, access_caller)
    return wasmscope.Instance(store, wasmscope.Module(store.engine, wat), [imported]).exports(store)


def _plain_function(store: wasmscope.Store, function: Any) -> Any:
    """The function as wasmtime's own class, out of a table that the host made."""
    table = wasmscope.Table(store, TableType(ValType.funcref(), Limits(1, None)), None)
    table.set(store, 0, function)
    return table.get(store, 0)


def test_a_function_of_wasmtimes_own_class_is_refused_in_a_host_coroutine() -> None:
    store = wasmscope.Store(ENGINE)

    async def host() -> None:
        plain(store)

    exports = _exports(store, CALLS_THE_HOST, host)
    plain = _plain_function(store, exports["r"])
    with pytest.raises(WasmscopeError, match="in use by another thread"):
        asyncio.run(exports["f"].call_async(store))


def test_a_store_is_not_closed_under_a_guest_that_wasmtimes_own_class_entered() -> None:
    store = wasmscope.Store(ENGINE)
    refused = []

    def host() -> None:
        with pytest.raises(WasmscopeError, match="cannot be closed"):
            store.close()
        refused.append(True)

    _plain_function(store, _exports(store, CALLS_THE_HOST, host)["f"])(store)
    assert refused == [True]
    store.close()


def test_tasks_left_behind_may_call_the_guest_while_they_are_cancelled() -> None:
    store = wasmscope.Store(ENGINE)
    results = []

    async def linger() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            results.append(exports["identity"](store, 4))

    async def host(_: int) -> None:
        tasks.append(asyncio.create_task(linger()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    wat = """(module (import "" "h" (func $h (param i32))) (func (export "f") (param i32) (call $h (local.get 0)))
      (func (export "identity") (param i32) (result i32) (local.get 0)))"""
    exports = _exports(store, wat, host, params=1)
    exports["f"](store, 1)
    assert results == [4]
    store.close()


def test_instances_are_made_with_a_caller() -> None:
    store = wasmscope.Store(ENGINE)
    module = wasmscope.Module(ENGINE, '(module (func (export "f") (result i32) i32.const 7))')
    linker = wasmscope.Linker(ENGINE)
    results = []

    def host(caller: wasmscope.Caller) -> None:
        for instance in (
            wasmscope.Instance(caller, module, []),
            linker.instantiate(caller, module),
            linker.instantiate_pre(module).instantiate(caller),
        ):
            results.append(instance.exports(caller)["f"](caller))
        linker.define_module(caller, "module", module)

    _exports(store, CALLS_THE_HOST, host, access_caller=True)["f"](store)
    assert results == [7, 7, 7]
    assert len(store.debug_all_instances()) == 5


def test_a_deadline_that_is_past_is_not_forgotten_over_an_interruption() -> None:
    config = wasmscope.Config()
    config.epoch_interruption = True
    engine = wasmscope.Engine(config)
    store = wasmscope.Store(engine)
    store.set_epoch_deadline(1)
    count: Any = wasmscope.Instance(store, wasmscope.Module(engine, COUNTS_DOWN), []).exports(store)["f"]
    engine.increment_epoch()
    store.interrupt()
    for _ in range(3):
        with pytest.raises(wasmscope.Trap) as trap:
            count(store, 1000)
        assert trap.value.trap_code is TrapCode.INTERRUPT


def test_a_guest_that_is_not_debugged_cannot_be_interrupted() -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    with pytest.raises(WasmscopeError, match="guest_debug"):
        wasmscope.Store(wasmscope.Engine(config)).interrupt()
