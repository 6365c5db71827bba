"""The same program on `wasmtime` and on `wasmscope`: what a host can see of both must be the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

import wasmscope

FUEL = """
(module (import "" "h" (func $h)) (memory 1)
  (func $leaf (param i32) (result i32) local.get 0 i32.const 3 i32.mul)
  (func (export "run") (param i32) (result i32) (local $a i32)
    (block $b (loop $l (br_if $b (i32.eqz (local.get 0)))
      (if (i32.and (local.get 0) (i32.const 1))
        (then (local.set $a (i32.add (local.get $a) (call $leaf (local.get 0)))))
        (else (call $h) nop))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br $l)))
    local.get $a)
  (func (export "forever") (loop $l (br $l))))
"""


def on_both(observe: Callable[[Any], Any]) -> tuple[Any, Any]:
    return observe(wasmtime), observe(wasmscope)


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except wasmtime.Trap as trap:
        return trap.trap_code
    except wasmtime.WasmtimeError as error:
        return str(error)


@pytest.mark.parametrize("argument", [0, 1, 2, 17, 100])
def test_fuel_counts_the_original(argument: int) -> None:
    def observe(api: Any) -> Any:
        config = api.Config()
        config.consume_fuel = True
        store = api.Store(api.Engine(config))
        store.set_fuel(10_000)
        host = api.Func(store, api.FuncType([], []), lambda: None)
        instance = api.Instance(store, api.Module(store.engine, FUEL), [host])
        result = instance.exports(store)["run"](store, argument)
        return result, store.get_fuel()

    plain, ours = on_both(observe)
    assert plain == ours


@pytest.mark.parametrize("function", ["run", "forever"])
def test_fuel_runs_out(function: str) -> None:
    def observe(api: Any) -> Any:
        config = api.Config()
        config.consume_fuel = True
        store = api.Store(api.Engine(config))
        host = api.Func(store, api.FuncType([], []), lambda: None)
        instance = api.Instance(store, api.Module(store.engine, FUEL), [host])
        arguments = (100_000,) if function == "run" else ()
        without_any = outcome(lambda: instance.exports(store)[function](store, *arguments))
        store.set_fuel(1000)
        with_some = outcome(lambda: instance.exports(store)[function](store, *arguments))
        return without_any, with_some, store.get_fuel()

    plain, ours = on_both(observe)
    assert plain == ours
    assert plain[1] is wasmtime.TrapCode.OUT_OF_FUEL


def test_more_fuel_than_the_counter_holds() -> None:
    def observe(api: Any) -> Any:
        config = api.Config()
        config.consume_fuel = True
        store = api.Store(api.Engine(config))
        store.set_fuel(2**64 - 1)
        return store.get_fuel()

    plain, ours = on_both(observe)
    assert plain == ours == 2**64 - 1


def test_fuel_without_being_asked_for() -> None:
    plain, ours = on_both(lambda api: outcome(lambda: api.Store().set_fuel(1)))
    assert plain == ours


def test_epochs() -> None:
    def observe(api: Any) -> Any:
        config = api.Config()
        config.epoch_interruption = True
        engine = api.Engine(config)
        store = api.Store(engine)
        module = api.Module(engine, '(module (func (export "f") (result i32) (loop $l (br $l)) unreachable))')
        function = api.Instance(store, module, []).exports(store)["f"]
        endings = [outcome(lambda: function(store)), outcome(lambda: function(store))]
        store.set_epoch_deadline(2)
        engine.increment_epoch()
        engine.increment_epoch()
        return [*endings, outcome(lambda: function(store))]

    plain, ours = on_both(observe)
    assert plain == ours == [wasmtime.TrapCode.INTERRUPT] * 3


def test_limits_do_not_count_the_shadow_state() -> None:
    def observe(api: Any) -> Any:
        store = api.Store()
        store.set_limits(instances=1, memories=1, tables=1, memory_size=65536)
        wat = '(module (memory 1) (table 1 funcref) (func (export "grow") (result i32) i32.const 1 memory.grow))'
        module = api.Module(store.engine, wat)
        grown = api.Instance(store, module, []).exports(store)["grow"](store)
        return grown, isinstance(outcome(lambda: api.Instance(store, module, [])), str)

    plain, ours = on_both(observe)
    assert plain == ours == (-1, True)


UNKNOWN = """
(module (import "a" "b" (func $x (param i32) (result i64))) (import "a" "g" (global i32)) (memory (export "m") 1)
  (func (export "call") (result i64) i32.const 1 call $x))
"""


def test_unknown_imports() -> None:
    def observe(api: Any) -> Any:
        engine = api.Engine(api.Config())
        store, linker, module = api.Store(engine), api.Linker(engine), api.Module(engine, UNKNOWN)
        missing = outcome(lambda: linker.instantiate(store, module))
        linker.define_unknown_imports_as_default_values(store, module)
        return missing, linker.instantiate(store, module).exports(store)["call"](store)

    plain, ours = on_both(observe)
    assert plain == ours


def test_a_module_shows_the_original() -> None:
    def observe(api: Any) -> Any:
        engine = api.Engine(api.Config())
        store, module = api.Store(engine), api.Module(engine, UNKNOWN)
        host = api.Func(store, module.imports[0].type, lambda _: 5)
        number = api.Global(store, module.imports[1].type, api.Val.i32(1))
        exports = api.Instance(store, module, [host, number]).exports(store)
        shown = [(item.module, item.name) for item in module.imports], [item.name for item in module.exports]
        wrong = outcome(lambda: api.Instance(store, module, [host]))
        return shown, list(exports), len(exports.by_index), exports["call"](store), wrong

    plain, ours = on_both(observe)
    assert plain == ours


TRAPS = """
(module $named (import "" "h" (func $h (param i32))) (memory 1)
  (func $inner (param $x i32) (result i32) local.get $x call $h local.get $x i32.load offset=65530)
  (func (export "run") (param i32) (result i32) local.get 0 i32.const 1 i32.add call $inner)
  (func $deep (export "deep") (param i32) local.get 0 i32.const 1 i32.add call $deep))
"""


def traps(api: Any, function: str) -> wasmtime.Trap:
    store = api.Store()
    host = api.Func(store, api.FuncType([api.ValType.i32()], []), lambda _: None)
    instance = api.Instance(store, api.Module(store.engine, TRAPS), [host])
    with pytest.raises(wasmtime.Trap) as caught:
        instance.exports(store)[function](store, 100)
    return caught.value


def test_the_frames_and_the_text_of_a_trap_are_the_originals() -> None:
    plain, ours = on_both(lambda api: traps(api, "run"))

    def shown(trap: wasmtime.Trap) -> Any:
        return [
            (frame.func_index, frame.func_name, frame.module_name, frame.module_offset, frame.func_offset)
            for frame in trap.frames
        ]

    assert shown(plain) == shown(ours)
    assert str(plain) == str(ours)
    assert plain.trap_code is ours.trap_code


def test_a_stack_overflow_shows_the_originals_names() -> None:
    plain, ours = on_both(lambda api: traps(api, "deep"))
    assert plain.trap_code is ours.trap_code is wasmtime.TrapCode.STACK_OVERFLOW
    assert [(f.func_index, f.func_name, f.module_name) for f in plain.frames] == [
        (f.func_index, f.func_name, f.module_name) for f in ours.frames
    ]
    lines = [[line.split("named!")[-1] for line in str(trap).splitlines()] for trap in (plain, ours)]
    assert lines[0] == lines[1]


def test_an_exit_that_fails_shows_the_original() -> None:
    def observe(api: Any) -> Any:
        engine = api.Engine(api.Config())
        store, linker = api.Store(engine), api.Linker(engine)
        linker.define_wasi()
        store.set_wasi(api.WasiConfig())
        wat = """(module (import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))
          (memory (export "memory") 1) (func (export "_start") i32.const 300 call $x))"""
        start = linker.instantiate(store, api.Module(engine, wat)).exports(store)["_start"]
        return outcome(lambda: start(store))

    plain, ours = on_both(observe)
    assert plain == ours


def test_invalid_modules_fail_alike() -> None:
    for wat in ["(module (func i32.const 1))", "(module (memory 100000000))"]:
        binary = bytes(wasmtime.wat2wasm(wat))
        plain, ours = on_both(lambda api, binary=binary: outcome(lambda: api.Module(api.Engine(api.Config()), binary)))
        assert plain == ours


def test_recursion_gets_as_deep() -> None:
    wat = """(module (global $n (mut i32) (i32.const 0)) (export "n" (global $n))
      (func $deep (export "deep") (param i32 i64 f64) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1)) (i64.extend_i32_u (local.get 0)) (local.get 2))
                 (i32.wrap_i64 (local.get 1)))))"""

    def observe(api: Any) -> int:
        store = api.Store()
        exports = api.Instance(store, api.Module(store.engine, wat), []).exports(store)
        assert outcome(lambda: exports["deep"](store, 1, 2, 3.0)) is wasmtime.TrapCode.STACK_OVERFLOW
        depth: int = exports["n"].value(store)
        return depth

    plain, ours = on_both(observe)
    assert ours >= plain


def test_the_smallest_frames_get_as_deep() -> None:
    wat = """(module (global $n (mut i32) (i32.const 0)) (export "n" (global $n))
      (func $deep (export "deep") (global.set $n (i32.add (global.get $n) (i32.const 1))) call $deep))"""

    def observe(api: Any) -> int:
        store = api.Store()
        exports = api.Instance(store, api.Module(store.engine, wat), []).exports(store)
        assert outcome(lambda: exports["deep"](store)) is wasmtime.TrapCode.STACK_OVERFLOW
        depth: int = exports["n"].value(store)
        return depth

    plain, ours = on_both(observe)
    assert ours >= plain


def test_guest_debug_off_is_plain() -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    engine = wasmscope.Engine(config)
    store = wasmscope.Store(engine)
    module = wasmscope.Module(engine, '(module (func (export "f") (result i32) i32.const 5))')
    assert module.instrumented is None
    assert wasmscope.Instance(store, module, []).exports(store)["f"](store) == 5
    assert store.debug_frames() is None
    assert store.debug_exit_frames() == []


def test_a_module_survives_serialisation() -> None:
    engine = wasmscope.Engine()
    module = wasmscope.Module.deserialize(engine, wasmscope.Module(engine, TRAPS).serialize())
    store = wasmscope.Store(engine)
    seen: list[list[int]] = []

    def look(caller: Any, _: int) -> None:
        seen.append([frame.local(0).value for frame in caller.store.frames()])

    host = wasmscope.Func(store, wasmscope.FuncType([wasmscope.ValType.i32()], []), look, access_caller=True)
    exports = wasmscope.Instance(store, module, [host]).exports(store)
    with pytest.raises(wasmtime.Trap):
        exports["run"](store, 100)
    assert seen == [[101, 100]]
    with pytest.raises(wasmtime.WasmtimeError, match="not a serialized module"):
        wasmscope.Module.deserialize(engine, b"\0wasmscope\x01garbage")


@pytest.mark.parametrize("counted", [False, True])
def test_a_serialized_module_counts_fuel_where_its_engine_does(counted: bool) -> None:
    messages = []
    for package in (wasmtime, wasmscope):
        engines = []
        for consume_fuel in (counted, not counted):
            config = package.Config()
            config.consume_fuel = consume_fuel
            engines.append(package.Engine(config))
        encoded = package.Module(engines[0], "(module)").serialize()
        package.Module.deserialize(engines[0], encoded)
        with pytest.raises(wasmtime.WasmtimeError) as raised:
            package.Module.deserialize(engines[1], encoded)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("setting", "wat"),
    [
        ("wasm_tail_call", "(module (func $f return_call $f))"),
        ("wasm_multi_memory", "(module (memory 0) (memory 0))"),
        ("wasm_simd", "(module (func (param v128)))"),
        ("wasm_memory64", "(module (memory i64 0))"),
    ],
)
def test_a_serialized_module_uses_only_what_the_engine_allows(setting: str, wat: str, tmp_path: Path) -> None:
    config = wasmscope.Config()
    setattr(config, setting, False)
    if setting == "wasm_simd":
        config.wasm_relaxed_simd = False
    without, everything = wasmscope.Engine(config), wasmscope.Engine()
    encoded = wasmscope.Module(everything, wat).serialize()
    wasmscope.Module.deserialize(everything, encoded)
    (tmp_path / "module").write_bytes(encoded)
    with pytest.raises(wasmtime.WasmtimeError, match="with support for what this host has not"):
        wasmscope.Module.deserialize(without, encoded)
    with pytest.raises(wasmtime.WasmtimeError, match="with support for what this host has not"):
        wasmscope.Module.deserialize_file(without, str(tmp_path / "module"))
