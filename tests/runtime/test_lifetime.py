"""Nothing outlives its store, and memory stays flat."""

from __future__ import annotations

import gc
import resource
import weakref
from typing import Any

import wasmscope

CALLS_HOST = """(module (import "" "h" (func $h (param i32))) (memory 1)
  (func $f (param i32) (result i32) local.get 0 call $h local.get 0)
  (func (export "run") (param i32) (result i32) (local $i i32)
    (loop $l (drop (call $f (local.get $i)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    local.get $i))"""


def make(engine: wasmscope.Engine, look: Any) -> tuple[wasmscope.Store, Any]:
    store = wasmscope.Store(engine)
    host = wasmscope.Func(store, wasmscope.FuncType([wasmscope.ValType.i32()], []), look, access_caller=True)
    instance = wasmscope.Instance(store, wasmscope.Module(engine, CALLS_HOST), [host])
    return store, instance.exports(store)["run"]


def test_a_store_is_freed() -> None:
    engine = wasmscope.Engine()
    store, run = make(engine, lambda caller, _: caller.debug_frames().num_locals() and None)
    assert run(store, 3) == 3
    gone = weakref.ref(store)
    del store, run
    gc.collect()
    assert gone() is None


def test_reading_frames_at_every_host_call_keeps_memory_flat() -> None:
    seen = 0

    def look(caller: Any, value: int) -> None:
        nonlocal seen
        cursor = caller.debug_frames()
        assert cursor.local(0).value == value
        cursor.move_to_parent()
        assert cursor.local(1).value == value
        seen += 1

    store, run = make(wasmscope.Engine(), look)
    run(store, 2_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(store, 20_000)
    assert seen == 22_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024  # KiB
