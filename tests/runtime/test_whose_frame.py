"""Which instance the frame of a stack overflow is of: the engine says the module only."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, instantiate, store_with

RECURSION = """(module (func $f (export "f") (param i32) (result i32)
  (i32.add (i32.const 1) (call $f (local.get 0)))))"""
NEEDS_A_GLOBAL = """(module (import "" "g" (global i32)) (func $f (export "f") (param i32) (result i32)
  (i32.add (i32.const 1) (call $f (local.get 0)))))"""


def overflow_in(store: wasmscope.Store, instance: wasmscope.Instance) -> tuple[Any, Any]:
    """The instance of the frame that overflowed, and that of its caller."""

    def look(store: wasmscope.Store, _: wasmscope.DebugEvent) -> tuple[Any, Any]:
        frame = store.debug_exit_frames()[0]
        caller = frame.parent()
        assert caller is not None
        return frame.instance(), caller.instance()

    told = Handler(look)
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap):
        instance.exports(store)["f"](store, 1)
    seen: tuple[Any, Any] = told.seen[0]
    return seen


@pytest.mark.parametrize("number", [0, 1])
def test_of_two_modules_of_the_same_bytes_neither_is_named_for_the_other(number: int) -> None:
    store = store_with()
    instances = [wasmscope.Instance(store, wasmscope.Module(store.engine, RECURSION), []) for _ in range(2)]
    assert overflow_in(store, instances[number]) == (None, instances[number])


def test_an_instance_that_was_refused_for_its_imports_is_not_taken_for_another() -> None:
    store = store_with()
    module = wasmscope.Module(store.engine, NEEDS_A_GLOBAL)
    number = wasmscope.Global(store, wasmscope.GlobalType(wasmscope.ValType.i32(), False), wasmscope.Val.i32(1))
    wrong = wasmscope.Global(store, wasmscope.GlobalType(wasmscope.ValType.i64(), False), wasmscope.Val.i64(1))
    for _ in range(3):
        with pytest.raises(wasmtime.WasmtimeError, match="incompatible import type"):
            wasmscope.Instance(store, module, [wrong])
    instance = wasmscope.Instance(store, module, [number])
    with pytest.raises(wasmtime.WasmtimeError, match="incompatible import type"):
        wasmscope.Instance(store, module, [wrong])
    assert len(store.instances) == 1
    assert overflow_in(store, instance) == (instance, instance)


def test_an_instance_whose_data_did_not_fit_is_a_candidate_only_if_its_functions_were_left_somewhere() -> None:
    recursion = '(func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))'
    table = '(module (table (export "t") 1 funcref))'
    for elements, expected in (("", True), ("(elem (i32.const 0) func $f)", False)):
        store = store_with()
        module = wasmscope.Module(
            store.engine,
            f"""(module (import "" "m" (memory 0)) (import "" "t" (table 1 funcref)) {recursion} {elements}
              (data (i32.const 1) "x"))""",
        )
        imports = {"t": instantiate(table, store).exports(store)["t"]}
        memories = [wasmscope.Memory(store, wasmscope.MemoryType(wasmscope.Limits(n, None))) for n in range(2)]
        with pytest.raises(wasmtime.Trap):
            instantiate(module, store, {**imports, "m": memories[0]})
        instance = instantiate(module, store, {**imports, "m": memories[1]})
        assert overflow_in(store, instance) == (instance if expected else None, instance)
