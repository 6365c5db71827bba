"""Imports: by position, by name, of wasmtime's own objects, missing and wrong."""

from __future__ import annotations

from typing import Any

import wasmtime

from runtime.sequences import attempt, plainly

WANTS = """
(module $wants
  (import "env" "f" (func $f (param i32) (result i32)))
  (import "env" "g" (global $g (mut i64)))
  (import "env" "m" (memory 1 4))
  (import "env" "t" (table 2 10 funcref))
  (import "env" "e" (tag $e (param i32)))
  (export "f" (func $f)) (export "g" (global $g)) (export "m" (memory 0)) (export "t" (table 0))
  (func $own (export "own") (result i32) i32.const 40)
  (elem (i32.const 1) $own)
  (data (i32.const 8) "data")
  (func (export "call") (param i32) (result i32) local.get 0 call $f)
  (func (export "indirect") (param i32) (result i32) local.get 0 call_indirect (result i32))
  (func (export "inc") (result i64) (global.set $g (i64.add (global.get $g) (i64.const 1))) global.get $g)
  (func (export "throw") (throw $e (i32.const 5))))
"""


def environment(api: Any, store: Any, made_by: Any = None) -> list[Any]:
    """Everything that the guest wants, made with the classes of `made_by`."""
    make = made_by or api
    i32, i64, funcref = make.ValType.i32(), make.ValType.i64(), make.ValType.funcref()
    return [
        make.Func(store, make.FuncType([i32], [i32]), lambda x: x + 1),
        make.Global(store, make.GlobalType(i64, True), 41),
        make.Memory(store, make.MemoryType(make.Limits(1, 4))),
        make.Table(store, make.TableType(funcref, make.Limits(2, 10)), None),
        make.Tag(store, make.TagType(make.FuncType([i32], []))),
    ]


def _use(api: Any, store: Any, exports: Any) -> Any:
    return [
        exports["call"](store, 1),
        exports["inc"](store),
        exports["g"].value(store),
        exports["m"].read(store, 8, 12),
        exports["indirect"](store, 1),
        attempt(lambda: exports["indirect"](store, 0)),
        attempt(lambda: exports["indirect"](store, 2)),
        attempt(lambda: exports["throw"](store)),
        exports["t"].get(store, 1)(store),
        plainly(exports["t"].get(store, 0)),
        plainly({name: item.type(store) for name, item in exports.items()}),
    ]


def by_position(api: Any) -> Any:
    store = api.Store()
    instance = api.Instance(store, api.Module(store.engine, WANTS), environment(api, store))
    return _use(api, store, instance.exports(store))


def objects_of_wasmtimes_own(api: Any) -> Any:
    store = api.Store()
    imports = environment(api, store, wasmtime)
    instance = api.Instance(store, api.Module(store.engine, WANTS), tuple(imports))
    return _use(api, store, instance.exports(store))


def by_name(api: Any) -> Any:
    store = api.Store()
    module, linker = api.Module(store.engine, WANTS), api.Linker(store.engine)
    for item, wanted in zip(environment(api, store), module.imports, strict=True):
        before = attempt(lambda: linker.instantiate(store, module)), attempt(lambda: linker.instantiate_pre(module))
        linker.define(store, wanted.module, wanted.name, item)
    pre = linker.instantiate_pre(module)
    first, second = linker.instantiate(store, module), pre.instantiate(store)
    seen = [before, _use(api, store, first.exports(store)), _use(api, store, second.exports(store))]
    linker.define_instance(store, "first", first)
    seen += [linker.get(store, "first", "own")(store), plainly(linker.get(store, "env", "m"))]
    seen += [attempt(lambda: linker.get(store, "first", "absent")), attempt(lambda: linker.get_default(store, "none"))]
    seen += [attempt(lambda: linker.define_instance(store, "first", first)), isinstance(pre, api.InstancePre)]
    return seen


def shadowing(api: Any) -> Any:
    store, seen = api.Store(), []
    linker, nothing = api.Linker(store.engine), api.FuncType([], [api.ValType.i32()])
    linker.define_func("m", "f", nothing, lambda: 1)
    seen.append(attempt(lambda: linker.define_func("m", "f", nothing, lambda: 2)))
    seen.append(attempt(lambda: linker.define(store, "m", "f", api.Func(store, nothing, lambda: 3))))
    module = api.Module(store.engine, '(module (import "m" "f" (func $f (result i32))) (export "f" (func $f)))')
    before, pre = linker.instantiate(store, module), linker.instantiate_pre(module)
    linker.allow_shadowing = True
    linker.define_func("m", "f", nothing, lambda: 4)
    seen += [
        item.exports(store)["f"](store) for item in (before, pre.instantiate(store), linker.instantiate(store, module))
    ]
    linker.define_wasi()
    linker.define_wasi()
    linker.allow_shadowing = False
    seen += [attempt(linker.define_wasi), linker.get(store, "m", "f")(store)]
    return seen


def wrong_imports(api: Any) -> Any:
    store = api.Store()
    module, engine = api.Module(store.engine, WANTS), store.engine
    right = environment(api, store)
    i32, i64, externref = api.ValType.i32(), api.ValType.i64(), api.ValType.externref()
    limits = api.Limits
    wrong = [
        (0, lambda: api.Func(store, api.FuncType([i32], []), lambda x: None)),
        (0, lambda: api.Func(store, api.FuncType([i64], [i32]), lambda x: 1)),
        (0, lambda: right[1]),
        (1, lambda: api.Global(store, api.GlobalType(i64, False), 1)),
        (1, lambda: api.Global(store, api.GlobalType(i32, True), 1)),
        (1, lambda: right[0]),
        (2, lambda: api.Memory(store, api.MemoryType(limits(0, 4)))),
        (2, lambda: api.Memory(store, api.MemoryType(limits(1, 5)))),
        (2, lambda: api.Memory(store, api.MemoryType(limits(1, None)))),
        (2, lambda: api.Memory(store, api.MemoryType(limits(1, 4), is_64=True))),
        (3, lambda: api.Table(store, api.TableType(externref, limits(2, 10)), None)),
        (3, lambda: api.Table(store, api.TableType(api.ValType.funcref(), limits(1, 10)), None)),
        (3, lambda: right[2]),
        (4, lambda: api.Tag(store, api.TagType(api.FuncType([], [])))),
        (4, lambda: right[3]),
    ]
    seen: list[Any] = []
    for position, make in wrong:
        item = make()
        imports = [*right[:position], item, *right[position + 1 :]]
        seen.append(attempt(lambda imports=imports: api.Instance(store, module, imports)))
        linker = api.Linker(engine)
        for definition, wanted in zip(imports, module.imports, strict=True):
            linker.define(store, wanted.module, wanted.name, definition)
        seen.append(attempt(lambda linker=linker: linker.instantiate(store, module)))
        seen.append(attempt(lambda linker=linker: linker.instantiate_pre(module)))
    seen += [attempt(lambda count=count: api.Instance(store, module, right[:count])) for count in range(5)]
    seen.append(attempt(lambda: api.Instance(store, module, [*right, right[0]])))
    seen.append(attempt(lambda: api.Instance(store, module, [None, 5])))
    return seen


def unknown_imports(api: Any) -> Any:
    store = api.Store()
    text = """(module (import "a" "f" (func $f (param i32) (result i64))) (import "a" "g" (global $g i32))
      (import "a" "m" (memory 1)) (import "a" "t" (table 1 externref)) (export "g" (global $g))
      (func (export "call") (result i64) (call $f (i32.const 1))))"""
    module = api.Module(store.engine, text)
    traps = api.Linker(store.engine)
    seen = [attempt(lambda: traps.define_unknown_imports_as_traps(module))]
    seen.append(attempt(lambda: traps.instantiate(store, module)))
    functions = api.Module(store.engine, '(module $m (import "b" "f" (func $f)) (func $x (export "x") call $f))')
    traps.define_unknown_imports_as_traps(functions)
    exports = traps.instantiate(store, functions).exports(store)
    seen.append(attempt(lambda: exports["x"](store)))
    defaults = api.Linker(store.engine)
    defaults.define_unknown_imports_as_default_values(store, module)
    exports = defaults.instantiate(store, module).exports(store)
    return [*seen, exports["call"](store), exports["g"].value(store)]


COMMAND = """(module $command (import "a" "b" (func $b)) (global $n (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (func $start (export "_start") call $b)
  (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) global.get $n)
  (func (export "fail") unreachable))"""


def commands(api: Any) -> Any:
    store, called = api.Store(), []
    linker, module = api.Linker(store.engine), api.Module(store.engine, COMMAND)
    seen = [attempt(lambda: linker.define_module(store, "c", module))]
    linker.define_func("a", "b", api.FuncType([], []), lambda: called.append(1))
    linker.define_module(store, "c", module)
    seen += [linker.get(store, "c", "count")(store) for _ in range(3)]
    seen += [linker.get_default(store, "c")(store), called, attempt(lambda: linker.get(store, "c", "memory"))]
    user = '(module $user (import "c" "fail" (func $f)) (func $go (export "go") nop call $f))'
    exports = linker.instantiate(store, api.Module(store.engine, user)).exports(store)
    seen.append(attempt(lambda: exports["go"](store)))
    seen.append(attempt(lambda: linker.get(store, "c", "fail")(store)))
    seen.append(attempt(lambda: linker.define_module(store, "c", module)))
    return seen


def reactors(api: Any) -> Any:
    store = api.Store()
    linker = api.Linker(store.engine)
    text = """(module $reactor (global $n (mut i32) (i32.const 0)) (global (export "g") i32 (i32.const 9))
      (func (export "_initialize") (global.set $n (i32.const 10)))
      (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) global.get $n)
      (func (export "") (result i32) i32.const 3))"""
    linker.define_module(store, "r", api.Module(store.engine, text))
    seen = [linker.get(store, "r", "count")(store) for _ in range(3)]
    seen += [linker.get_default(store, "r")(store), linker.get(store, "r", "g").value(store)]
    for bad in (
        '(module (func (export "_start")) (func (export "_initialize")))',
        '(module (global (export "_start") i32 (i32.const 1)))',
        '(module (memory (export "_initialize") 1))',
        '(module (func (export "_start")) (global (export "x") i32 (i32.const 1)))',
        '(module (func (export "_start")) (global (export "__data_end") i32 (i32.const 1)))',
        '(module (func (export "_start")) (table (export "table") 1 funcref))',
        '(module $bad (func $init (export "_initialize") unreachable))',
        '(module $bad (func $init (export "_initialize") (param i32)))',
        "(module $bad (func $start unreachable) (start $start))",
        '(module (func (export "_start") (param i32)))',
        '(module (import "no" "where" (func)))',
    ):
        module = api.Module(store.engine, bad)
        seen.append((bad, attempt(lambda bad=bad, module=module: linker.define_module(store, bad, module))))
    return seen


def memories_that_grew(api: Any) -> Any:
    store = api.Store()
    memory = api.Memory(store, api.MemoryType(api.Limits(1, 9)))
    linker, module = api.Linker(store.engine), api.Module(store.engine, '(module (import "a" "m" (memory 3 9)))')
    linker.define(store, "a", "m", memory)
    before = attempt(lambda: linker.instantiate(store, module))
    memory.grow(store, 2)
    return [before, attempt(lambda: linker.instantiate(store, module)), attempt(lambda: linker.instantiate_pre(module))]


def linkers_for_many_stores(api: Any) -> Any:
    engine = api.Engine()
    linker, module = (
        api.Linker(engine),
        api.Module(engine, '(module (import "a" "b" (func $b (result i32))) (export "b" (func $b)))'),
    )
    linker.define_func("a", "b", api.FuncType([], [api.ValType.i32()]), lambda caller: caller.get("none") or 6, True)
    pre = linker.instantiate_pre(module)
    seen = []
    for _ in range(3):
        store = api.Store(engine)
        seen += [
            pre.instantiate(store).exports(store)["b"](store),
            linker.instantiate(store, module).exports(store)["b"](store),
        ]
    return [*seen, [(item.module, item.name) for item in pre.module.imports], linker.engine is engine]


CASES = (
    by_position, objects_of_wasmtimes_own, by_name, shadowing, wrong_imports, unknown_imports, commands, reactors,
    memories_that_grew, linkers_for_many_stores,
)  # fmt: skip
