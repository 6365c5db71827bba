"""Which instance the frame of a stack overflow is of: the engine says the module only."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, instantiate, store_with

DIRECT = "(call $f (local.get 0))"
INDIRECT = "(call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))"
TABLE = "(table 1 funcref) (elem (i32.const 0) func $f)"


def recursion(call: str, *fields: str) -> str:
    """A module with an endless recursion, `f`."""
    return f"""(module {" ".join(fields)}
      (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) {call})))"""


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
@pytest.mark.parametrize("same_module", [False, True])
@pytest.mark.parametrize(
    ("text", "known"),
    [
        (recursion(DIRECT), True),
        (recursion(INDIRECT, TABLE), False),
        (recursion(DIRECT, "(func return_call 0)"), False),
    ],
    ids=["call", "call_indirect", "call, with tail calls about"],
)
def test_of_two_instances_of_the_same_code_neither_is_named_for_the_other(
    text: str, known: bool, same_module: bool, number: int
) -> None:
    store = store_with(wasm_tail_call=True)
    module = wasmscope.Module(store.engine, text)
    modules = [module, module if same_module else wasmscope.Module(store.engine, text)]
    instances = [wasmscope.Instance(store, each, []) for each in modules]
    assert overflow_in(store, instances[number]) == (instances[number] if known else None, instances[number])


def test_an_instance_that_was_refused_for_its_imports_is_not_taken_for_another() -> None:
    store = store_with()
    module = wasmscope.Module(store.engine, recursion(INDIRECT, '(import "" "g" (global i32))', TABLE))
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
    elements = "(elem (i32.const 0) func $f)"
    table = '(module (table (export "t") 1 funcref))'
    memory, data = '(import "" "m" (memory 0))', '(data (i32.const 1) "x")'
    imported, own = '(import "" "t" (table 1 funcref))', "(table 1 funcref)"
    for fields, expected in (
        ((memory, imported, own, "(elem (table 1) (i32.const 0) func $f)", data), True),
        ((memory, imported, elements, data), False),
    ):
        store = store_with()
        call = INDIRECT.replace("(param", "1 (param", 1) if expected else INDIRECT
        module = wasmscope.Module(store.engine, recursion(call, *fields))
        imports = {"t": instantiate(table, store).exports(store)["t"]}
        memories = [wasmscope.Memory(store, wasmscope.MemoryType(wasmscope.Limits(n, None))) for n in range(2)]
        with pytest.raises(wasmtime.Trap):
            instantiate(module, store, {**imports, "m": memories[0]})
        instance = instantiate(module, store, {**imports, "m": memories[1]})
        assert overflow_in(store, instance) == (instance if expected else None, instance)
