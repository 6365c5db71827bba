"""Functions with so many points and values that not every point's state is kept."""

from __future__ import annotations

import pytest

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


def test_rewritten_code_stays_in_proportion_to_the_guest() -> None:
    """Every attention test publishes what is not in its slot: 2,000 locals at each of 2,000 loops would be 40 MB."""
    count = 2000
    body = "".join(f"(local.set {n} (i32.add (local.get {n}) (i32.const 1)))" for n in range(count))
    inner = "(loop (local.set 1 (local.get 2)))" * count
    wat = f"""(module (func (export "run") (result i32) (local {"i32 " * count}) (loop $l {body} {inner}
      (br_if $l (i32.lt_u (local.get 7) (i32.const 3)))) (i32.load (local.get 7)) unreachable) (memory 0))"""
    engine = wasmscope.Engine()
    module = wasmscope.Module(engine, wat)
    assert module.instrumented is not None
    assert len(module.instrumented.bytecode) < 100 * len(module.bytecode)
    shown = []

    class Look:
        def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
            frames = store.debug_frames()
            assert frames is not None
            shown.extend(frames.local(n).value for n in range(frames.num_locals()))

    store = wasmscope.Store(engine)
    store.set_debug_handler(Look())
    run = wasmscope.Instance(store, module, []).exports(store)["run"]
    assert isinstance(run, wasmscope.Func)
    with pytest.raises(wasmscope.Trap):
        run(store)
    assert shown == [3] * count


@pytest.mark.parametrize(
    "wat",
    [f"(module (func (local {'i32 ' * 50_000}) call 0))", f"(module {'(memory 1)' * 100})"],
    ids=["locals", "memories"],
)
def test_a_guest_at_the_limits_of_the_engine_is_refused_in_words(wat: str) -> None:
    config = wasmscope.Config()
    config.wasm_multi_memory = True
    with pytest.raises(wasmscope.WasmscopeError, match="close to the engine's limits"):
        wasmscope.Module(wasmscope.Engine(config), wat)
