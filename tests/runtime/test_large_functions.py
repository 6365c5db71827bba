"""Functions with so many points and values that not every point's state is kept."""

from __future__ import annotations

import wasmscope

LOCALS, CALLS = 4000, 600


def test_every_value_of_a_function_with_very_many_is_shown_at_every_call() -> None:
    """`LOCALS * CALLS` locations: each local is what it was set to, at the first call, the middle one and the last."""
    calls = "".join(f"(local.set {n} (i32.add (local.get 0) (i32.const {n}))) call $f\n" for n in range(1, CALLS + 1))
    wat = f"""(module (import "" "f" (func $f))
      (func (export "run") (param i32) (local {"i32 " * LOCALS}) {calls}))"""
    engine = wasmscope.Engine()
    module = wasmscope.Module(engine, wat)
    store = wasmscope.Store(engine)
    looked_at = []

    def look() -> None:
        number = looked_at[-1] + 1 if looked_at else 1
        looked_at.append(number)
        if number in (1, CALLS // 2, CALLS):
            frames = store.debug_frames()
            assert frames is not None
            shown = [frames.local(n).value for n in range(frames.num_locals())]
            assert shown == [7, *(7 + n for n in range(1, number + 1)), *[0] * (LOCALS - number)]

    imported = wasmscope.Func(store, wasmscope.FuncType([], []), look)
    run = wasmscope.Instance(store, module, [imported]).exports(store)["run"]
    assert isinstance(run, wasmscope.Func)
    run(store, 7)
    assert looked_at[-1] == CALLS
