"""Traps of each kind, where they happen and what is said of them."""

from __future__ import annotations

from typing import Any

from runtime.sequences import attempt

KINDS = """
(module $kinds
  (type $t (func (result i32))) (type $s (struct (field i32))) (type $a (array i32))
  (memory 1) (table 2 funcref) (elem (i32.const 0) $void) (tag $e (param i32 f64)) (data $d "abc") (elem $p func $void)
  (func $void)
  (func $unreachable (export "unreachable") unreachable)
  (func $load (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
  (func $store (export "store") (param i32) (f64.store (local.get 0) (f64.const 1)))
  (func $far (export "far") (param i32) (result i64) (i64.load offset=4294967295 (local.get 0)))
  (func $fill (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 1) (i32.const 65536)))
  (func $copy (export "copy") (param i32) (memory.copy (local.get 0) (i32.const 0) (i32.const 65536)))
  (func $init (export "init") (param i32) (memory.init $d (i32.const 0) (local.get 0) (i32.const 3)))
  (func $div (export "div") (param i32) (result i32) (i32.div_s (i32.const -2147483648) (local.get 0)))
  (func $rem (export "rem") (param i64) (result i64) (i64.rem_u (i64.const 5) (local.get 0)))
  (func $trunc (export "trunc") (param f64) (result i32) (i32.trunc_f64_u (local.get 0)))
  (func $table (export "table") (param i32) (result funcref) (table.get 0 (local.get 0)))
  (func $tinit (export "tinit") (param i32) (table.init $p (local.get 0) (i32.const 0) (i32.const 1)))
  (func $indirect (export "indirect") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
  (func $null (export "null") (param i32) (call_ref $v (ref.null $v)))
  (type $v (func))
  (func $struct (export "struct") (param i32) (result i32) (struct.get $s 0 (ref.null $s)))
  (func $array (export "array") (param i32) (result i32)
    (array.get $a (array.new $a (i32.const 7) (i32.const 3)) (local.get 0)))
  (func $cast (export "cast") (param i32) (result i32)
    (i31.get_s (ref.cast (ref i31) (array.new $a (i32.const 1) (local.get 0)))))
  (func $throw (export "throw") (param i32) (throw $e (local.get 0) (f64.const 1.5)))
  (func $caught (export "caught") (param i32) (result i32 f64)
    (block $h (result i32 f64) (try_table (catch $e $h) (call $throw (local.get 0))) unreachable))
  (func $wait (export "wait") (param i32) (result i32) (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 1)))
  (func $odd (export "odd") (param i32) (result i32) (i32.atomic.load (local.get 0)))
 ;; a call first: of a branch that does nothing but trap the engine reports the condition
  (func $middle (param i32) (result i32) (local.get 0) (call $div) (i32.const 1) i32.add)
  (func $outer (export "outer") (param i32) (result i32) (call $middle (local.get 0)) (i32.const 1) i32.add)
  (func $deep (export "deep") (param i32) (if (local.get 0)
    (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (call $void) unreachable)))
  (func $tail (export "tail") (param i32) (if (local.get 0)
    (then (return_call $tail (i32.sub (local.get 0) (i32.const 1)))) (else (call $void) unreachable))))
"""


def _engine(api: Any) -> Any:
    config = api.Config()
    config.wasm_threads = config.wasm_gc = config.wasm_exceptions = config.wasm_function_references = True
    return api.Engine(config)


def every_kind(api: Any) -> Any:
    store = api.Store(_engine(api))
    exports = api.Instance(store, api.Module(store.engine, KINDS), []).exports(store)
    seen: list[Any] = [attempt(lambda: exports["unreachable"](store))]
    for name in exports:
        for value in (0, 1, -1, 5, 65532, 65536, 100):
            value = float(value) if name == "trunc" else value
            if name != "unreachable" and (name, value) != ("tail", -1):  # which goes round 4 billion times
                seen.append((name, value, attempt(lambda name=name, value=value: exports[name](store, value))))
    return seen


def without_names(api: Any) -> Any:
    store = api.Store()
    text = """(module (func (param i32) unreachable) (func (export "run") (param i32) (call 0 (local.get 0)))
      (func (export "x\\e2\\98\\83") (call 1 (i32.const 4))))"""
    exports = api.Instance(store, api.Module(store.engine, text), []).exports(store)
    return [attempt(lambda: exports["run"](store, 1)), attempt(lambda: exports["x\N{SNOWMAN}"](store))]


def of_the_hosts_own(api: Any) -> Any:
    trap = api.Trap("a message")
    seen = [
        str(trap),
        trap.message,
        trap.frames,
        trap.trap_code,
        isinstance(trap, Exception),
        attempt(lambda: api.Trap(5)),
    ]
    error = api.WasmtimeError("an error")
    return [*seen, str(error), error.args, trap.args, type(api.ExitTrap("x")).__name__]


START = """(module $start (import "" "h" (func $h (param i32))) (memory 1)
  (func $begin (call $h (i32.const 3)) {})
  (start $begin))"""


def in_start_functions(api: Any) -> Any:
    seen: list[Any] = []
    for body in ("nop", "unreachable", "(drop (i32.load (i32.const 65536)))", "(call $begin)"):
        for fails in (False, True):
            store = api.Store()

            def host(x: int, fails: bool = fails) -> None:
                seen.append(x) if len(seen) < 1000 else None
                if fails:
                    raise ValueError(x)

            module = api.Module(store.engine, START.format(body))
            linker = api.Linker(store.engine)
            linker.define_func("", "h", api.FuncType([api.ValType.i32()], []), host)
            function = api.Func(store, api.FuncType([api.ValType.i32()], []), host)
            if body == "(call $begin)" and not fails:
                continue  # how deep it gets differs
            seen.append(attempt(lambda store=store, module=module, f=function: api.Instance(store, module, [f])))
            seen.append(attempt(lambda store=store, module=module, linker=linker: linker.instantiate(store, module)))
            seen.append(
                attempt(
                    lambda store=store, module=module, linker=linker: linker.instantiate_pre(module).instantiate(store)
                )
            )
    return seen


def in_segments(api: Any) -> Any:
    seen: list[Any] = []
    for fields in (
        '(memory 1) (data (i32.const 65536) "x")', "(table 1 funcref) (elem (i32.const 1) $f) (func $f)",
        '(memory 1) (data (i32.const -1) "x")', '(memory 0) (data (i32.const 0) "")',
    ):  # fmt: skip
        store = api.Store()
        module = api.Module(store.engine, f"(module {fields})")
        seen.append(attempt(lambda store=store, module=module: api.Instance(store, module, [])))
        seen.append(attempt(lambda store=store, module=module: api.Linker(store.engine).instantiate(store, module)))
    return seen


def stack_overflows(api: Any) -> Any:
    store = api.Store()
    text = '(module $m (func $deep (export "deep") (param i32) (call $deep (i32.add (local.get 0) (i32.const 1)))))'
    exports = api.Instance(store, api.Module(store.engine, text), []).exports(store)
    kind, _, code, frames = attempt(lambda: exports["deep"](store, 1))
    return kind, code, len(frames), [frame[:3] for frame in frames], attempt(lambda: exports["deep"](store, 2))[0]


def between_instances(api: Any) -> Any:
    store = api.Store()
    linker = api.Linker(store.engine)
    inner = (
        '(module $inner (func $fail (export "fail") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))'
    )
    outer = """(module $outer (import "inner" "fail" (func $f (param i32) (result i32))) (table (export "t") 2 funcref)
      (elem (i32.const 0) $f $call) (func $call (export "call") (param i32) (result i32) (call $f (local.get 0))))"""
    linker.define_instance(store, "inner", linker.instantiate(store, api.Module(store.engine, inner)))
    exports = linker.instantiate(store, api.Module(store.engine, outer)).exports(store)
    seen = [attempt(lambda value=value: exports["call"](store, value)) for value in (0, 1)]
    return [
        *seen,
        attempt(lambda: exports["t"].get(store, 0)(store, 0)),
        attempt(lambda: exports["t"].get(store, 1)(store, 0)),
    ]


CASES = (
    every_kind,
    without_names,
    of_the_hosts_own,
    in_start_functions,
    in_segments,
    stack_overflows,
    between_instances,
)
