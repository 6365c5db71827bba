"""What walking a deep stack of many functions takes: where values are is worked out for frames that are asked."""

from __future__ import annotations

from typing import Any

import pytest

import wasmscope
from support.observing import all_frames, locals_of, stack_of, store_with
from wasmscope.instrument.frame_table import FrameTable

FUNCTIONS, DEPTH = 600, 10_000


def guest() -> str:
    """`FUNCTIONS` functions, each calling the next, round and round until the first parameter is 0."""
    functions = "".join(
        f"""(func $f{n} (param i32) (result i32) (local i64)
          (local.set 1 (i64.const {n * 1000}))
          (if (i32.eqz (local.get 0)) (then (call $look) (return (i32.const 0))))
          (i32.add (i32.const {n}) (call $f{(n + 1) % FUNCTIONS} (i32.sub (local.get 0) (i32.const 1)))))"""
        for n in range(FUNCTIONS)
    )
    return f'(module (import "" "look" (func $look)) {functions} (export "run" (func $f0)))'


def test_a_walk_rewrites_no_function_again_and_one_frame_its_own_only(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with()
    module = wasmscope.Module(store.engine, guest())
    rewritten: list[int] = []
    rewrite_again = FrameTable._rewrite_again

    def counted(table: FrameTable, function: int, recorder: Any) -> Any:
        rewritten.append(function)
        return rewrite_again(table, function, recorder)

    monkeypatch.setattr(FrameTable, "_rewrite_again", counted)
    middle = DEPTH // 2
    seen: list[Any] = []

    def look() -> None:
        frames = all_frames(store)[::-1]
        pcs = {frame.wasm_function_index_and_pc() for frame in frames}
        seen.append((len(frames), len(pcs), {frame.instance() for frame in frames}, list(rewritten)))
        seen.append((locals_of(frames[middle]), stack_of(frames[middle]), list(rewritten)))

    imported = wasmscope.Func(store, wasmscope.FuncType([], []), look)
    instance = wasmscope.Instance(store, module, [imported])
    run = instance.exports(store)["run"]
    assert isinstance(run, wasmscope.Func)
    run(store, DEPTH)
    function = middle % FUNCTIONS
    # The innermost frame is at its call of the host, the others of its function at their call of the next.
    assert seen[0] == (DEPTH + 1, FUNCTIONS + 1, {instance}, [])
    assert seen[1] == ([DEPTH - middle, function * 1000], [function, DEPTH - middle - 1], [function])
