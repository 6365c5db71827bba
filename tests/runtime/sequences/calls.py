"""Calling functions of guests: arguments and results of every type, right and wrong."""

from __future__ import annotations

from typing import Any

from runtime.sequences import attempt

ECHO = """
(module
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "externref") (param externref) (result externref) local.get 0)
  (func (export "funcref") (param funcref) (result funcref) local.get 0)
  (func (export "two") (param i32 i64) (result i64 i32) local.get 1 local.get 0)
  (func (export "none"))
  (func (export "unreachable") (param externref) unreachable))
"""

ARGUMENTS = [
    0, 1, -1, True, 2**31, 2**32, 2**63, 2**64, -(2**63), 10**30, 0.0, 1.5, -0.0, 1e300, float("inf"),
    None, "text", b"bytes", [1], (), {}, object, 1j, 0.1, 3.4028236e38,
]  # fmt: skip


def exports_of(api: Any, text: str = ECHO) -> tuple[Any, Any]:
    store = api.Store()
    return store, api.Instance(store, api.Module(store.engine, text), []).exports(store)


def every_argument_to_every_type(api: Any) -> Any:
    store, exports = exports_of(api)
    return {
        (name, repr(argument)): attempt(lambda name=name, argument=argument: exports[name](store, argument))
        for name in ("i32", "i64", "f32", "f64", "externref", "funcref")
        for argument in ARGUMENTS
    }


def every_val_to_every_type(api: Any) -> Any:
    store, exports = exports_of(api)
    vals = {
        "i32": lambda: api.Val.i32(-7), "i64": lambda: api.Val.i64(2**40), "f32": lambda: api.Val.f32(0.1),
        "f64": lambda: api.Val.f64(0.1), "externref": lambda: api.Val.externref("x"),
        "null extern": lambda: api.Val.externref(None), "null func": lambda: api.Val.funcref(None),
        "funcref": lambda: api.Val.funcref(exports["none"]),
        "ref_null": lambda: api.Val.ref_null(api.ValType.externref()),
        "ref_null func": lambda: api.Val.ref_null(api.ValType.funcref()),
        "ref_null i32": lambda: api.Val.ref_null(api.ValType.i32()),
        "i32 of float": lambda: api.Val.i32(1.5), "f32 of int": lambda: api.Val.f32(1),
        "i64 of text": lambda: api.Val.i64("1"), "f64 of none": lambda: api.Val.f64(None),
    }  # fmt: skip
    return {
        (name, val): attempt(lambda name=name, val=val: exports[name](store, vals[val]()))
        for name in ("i32", "i64", "f32", "f64", "externref", "funcref")
        for val in vals
    }


def vals(api: Any) -> Any:
    makers = {"i32": (-1, 2**31, 2**32 + 5), "i64": (-1, 2**63, 2**64), "f32": (0.1, 1e300), "f64": (0.1, -0.0)}
    seen: list[Any] = []
    for name, values in makers.items():
        for value in values:
            val = getattr(api.Val, name)(value)
            seen += [val.value, str(val.type), val == val.value, val == getattr(api.Val, name)(value), val == "no"]
            seen += [getattr(val, f"as_{other}")() for other in (*makers, "externref", "funcref")]
    seen.append(attempt(lambda: hash(api.Val.i32(1))))
    seen += [api.Val.externref(None) == api.Val.externref(None), api.Val.i32(1) != api.Val.i64(1)]
    seen += [api.Val.externref(5) == 5, api.Val.externref([]).as_externref()]
    return seen


def wrong_numbers_of_arguments(api: Any) -> Any:
    store, exports = exports_of(api)
    return [
        attempt(lambda: exports["none"](store, 1)),
        attempt(lambda: exports["two"](store, 1)),
        attempt(lambda: exports["two"](store)),
        attempt(lambda: exports["two"](store, 1, 2, 3)),
        attempt(lambda: exports["two"](store, 1, 2)),
        attempt(lambda: exports["two"](store, "one", 2)),
        attempt(lambda: exports["two"]()),
        attempt(lambda: exports["none"](None)),
        attempt(lambda: exports["none"](store, keyword=1)),
    ]


def functions_as_arguments(api: Any) -> Any:
    store, exports = exports_of(api)
    host = api.Func(store, api.FuncType([api.ValType.i32()], [api.ValType.i32()]), lambda x: x + 1)
    back = exports["funcref"](store, host)
    guest = exports["funcref"](store, exports["i32"])
    return [
        back(store, 4),
        guest(store, 5),
        attempt(lambda: exports["i32"](store, host)),
        attempt(lambda: exports["f64"](store, host)),
        exports["externref"](store, host) is host,
    ]


def types_of_functions(api: Any) -> Any:
    store, exports = exports_of(api)
    return [attempt(lambda function=function: function.type(store)) for function in exports.by_index]


def a_closed_store(api: Any) -> Any:
    store, exports = exports_of(api)
    function = exports["i32"]
    store.close()
    store.close()
    return [
        attempt(lambda: function(store, 1)),
        attempt(lambda: function.type(store)),
        attempt(lambda: store.set_fuel(1)),
        attempt(lambda: store.gc()),
        attempt(lambda: store.data()),
        attempt(lambda: api.Instance(store, api.Module(store.engine, "(module)"), [])),
        attempt(lambda: api.Func(store, api.FuncType([], []), lambda: None)),
        attempt(lambda: api.Memory(store, api.MemoryType(api.Limits(1, None)))),
        attempt(lambda: store.set_epoch_deadline(1)),
        attempt(lambda: store.set_limits(memory_size=1)),
    ]


def closed_objects(api: Any) -> Any:
    engine = api.Engine()
    store, module, linker = api.Store(engine), api.Module(engine, "(module)"), api.Linker(engine)
    pre = linker.instantiate_pre(module)
    config = api.Config()
    api.Engine(config)
    with api.Module(engine, "(module)") as used:
        imports = used.imports
    for item in (pre, module, linker, pre):
        item.close()
    return [
        imports,
        attempt(lambda: used.imports),
        attempt(lambda: api.Instance(store, module, [])),
        attempt(lambda: linker.instantiate(store, module)),
        attempt(lambda: pre.instantiate(store)),
        attempt(lambda: pre.module),
        attempt(lambda: module.serialize()),
        attempt(lambda: api.Engine(config)),
    ]


def another_engine(api: Any) -> Any:
    one, two = api.Engine(), api.Engine()
    store, module = api.Store(one), api.Module(two, '(module (import "a" "b" (func)))')
    host = api.Func(store, api.FuncType([], []), lambda: None)
    return [attempt(lambda: api.Instance(store, module, [host]))]


def wrong_objects(api: Any) -> Any:
    store = api.Store()
    module, linker = api.Module(store.engine, "(module)"), api.Linker(store.engine)
    return [
        attempt(call)
        for call in (
            lambda: api.Store("engine"),
            lambda: api.Engine("config"),
            lambda: api.Module("engine", "(module)"),
            lambda: api.Module(store.engine, 5),
            lambda: api.Module(store.engine, None),
            lambda: api.Module.validate(store.engine, "(module)"),
            lambda: api.Module.deserialize(store.engine, "text"),
            lambda: api.Instance(store, module, [1]),
            lambda: api.Instance(store, module, [module]),
            lambda: api.Instance(store, "module", []),
            lambda: api.Func("store", api.FuncType([], []), lambda: None),
            lambda: api.Func(store, "type", lambda: None),
            lambda: api.FuncType(["i32"], []),
            lambda: api.FuncType([], [1]),
            lambda: api.ValType(),
            lambda: api.Global(store, "type", 1),
            lambda: api.TableType(api.ValType.funcref(), 5),
            lambda: api.MemoryType(api.Limits(2**33, None)),
            lambda: linker.define(store, "a", "b", 5),
            lambda: linker.define_func("a", "b", "type", lambda: None),
            lambda: linker.define_instance(store, "a", module),
            lambda: linker.define_module(store, "a", "module"),
            lambda: linker.instantiate(store, "module"),
            lambda: linker.instantiate_pre("module"),
            lambda: linker.define_unknown_imports_as_traps("module"),
            lambda: linker.define_unknown_imports_as_default_values(store, "module"),
            lambda: linker.allow_shadowing,
            lambda: setattr(api.Config(), "consume_fuel", 1),
            lambda: setattr(api.Config(), "wasm_threads", "yes"),
            lambda: setattr(api.Config(), "strategy", "slow"),
            lambda: setattr(api.Config(), "cranelift_opt_level", "most"),
            lambda: setattr(api.Config(), "profiler", "mine"),
            lambda: setattr(api.Config(), "max_wasm_stack", "big"),
            lambda: setattr(api.Config(), "target", "nowhere"),
            lambda: api.Config().consume_fuel,
            lambda: api.Config().unknown,
        )
    ]


CASES = (
    every_argument_to_every_type, every_val_to_every_type, vals, wrong_numbers_of_arguments, functions_as_arguments,
    types_of_functions, a_closed_store, closed_objects, another_engine, wrong_objects,
)  # fmt: skip
