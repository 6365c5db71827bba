"""A host function that looks for its caller's exports finds those of the guest, whatever tier the guest runs in."""

from __future__ import annotations

import pytest

import wasmscope

GUEST = """
(module
  (import "" "read" (func $read (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\2a")
  (func (export "call") (result i32) (call $read (i32.const 8)))
  (func (export "tail") (result i32) (return_call $read (i32.const 8))))
"""


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("export", ["call", "tail"])
def test_a_host_function_finds_the_exports_of_the_guest(forced: bool, export: str) -> None:
    store = wasmscope.Store(wasmscope.Engine())
    if forced:
        store.tiers.force_mirror()

    def read(caller: wasmscope.Caller, address: int) -> int:
        memory = caller["memory"]
        assert isinstance(memory, wasmscope.Memory)
        return int(memory.read(caller, address, address + 1)[0])

    i32 = wasmscope.ValType.i32()
    function = wasmscope.Func(store, wasmscope.FuncType([i32], [i32]), read, access_caller=True)
    instance = wasmscope.Instance(store, wasmscope.Module(store.engine, GUEST), [function])
    assert instance.exports(store)[export](store) == 42
