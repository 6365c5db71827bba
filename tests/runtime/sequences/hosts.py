"""Functions of the host: what they return, what they raise, and what they do with their caller."""

from __future__ import annotations

import gc
from typing import Any

from runtime.sequences import attempt

GUEST = """
(module $guest
  (import "" "h" (func $h (param i32) (result i32)))
  (memory (export "memory") 1)
  (global (export "g") (mut i32) (i32.const 7))
  (table (export "t") 2 funcref)
  (func $inner (param i32) (result i32) nop local.get 0 call $h)
  (func $run (export "run") (param i32) (result i32) local.get 0 call $inner i32.const 1 i32.add))
"""


class Mine(Exception):
    pass


class Ours(BaseException):
    pass


def running(api: Any, host: Any, access_caller: bool = False, params: Any = None, results: Any = None) -> Any:
    """The guest's `run`, on `host`, in a store."""
    store = api.Store()
    i32 = api.ValType.i32()
    ty = api.FuncType([i32] if params is None else params, [i32] if results is None else results)
    function = api.Func(store, ty, host, access_caller)
    exports = api.Instance(store, api.Module(store.engine, GUEST), [function]).exports(store)
    return store, exports, function


def exceptions(api: Any) -> Any:
    seen: list[Any] = []
    for error in (
        Mine("mine"), ValueError("value"), KeyError("key"), Ours("ours"), KeyboardInterrupt(), SystemExit(3),
        api.Trap("trapped"), api.WasmtimeError("failed"), GeneratorExit(), MemoryError(),
    ):  # fmt: skip

        def raise_it(_: int, error: BaseException = error) -> int:
            raise error

        store, exports, _ = running(api, raise_it)
        try:
            exports["run"](store, 1)
        except BaseException as raised:
            seen += [raised is error, type(raised).__name__, str(raised)]
        seen.append(attempt(lambda store=store, exports=exports: exports["run"](store, 1))[0])
    return seen


def wrong_results(api: Any) -> Any:
    i32, i64, f32, externref = (getattr(api.ValType, n)() for n in ("i32", "i64", "f32", "externref"))
    signatures = {"none": [], "i32": [i32], "f32": [f32], "two": [i32, i64], "extern": [externref]}
    values = [None, 1, 1.5, "text", [], [1], [1, 2], (1, 2), [1, "2"], [1, 2, 3], {1: 2, 3: 4}, api.Val.i32(5)]
    values += [api.Val.i64(6), 2**40, True, b"", "ab"]
    seen = {}
    for name, results in signatures.items():
        for value in values:
            store = api.Store()
            host = api.Func(store, api.FuncType([], results), lambda value=value: value)
            seen[name, repr(value) if not isinstance(value, api.Val) else name] = attempt(
                lambda host=host, store=store: host(store)
            )
    return seen


def wrong_signatures(api: Any) -> Any:
    store, exports, _ = running(api, lambda: 1)
    missing = attempt(lambda: exports["run"](store, 1))
    store, exports, _ = running(api, lambda caller: 1, access_caller=True)
    caller = attempt(lambda: exports["run"](store, 1))
    store, exports, _ = running(api, 5)
    return [missing[0], caller[0], attempt(lambda: exports["run"](store, 1))]


def host_functions_called_directly(api: Any) -> Any:
    seen: list[Any] = []

    def look(caller: Any, x: int) -> int:
        seen.append((type(caller).__name__, caller.get("memory"), attempt(lambda: caller["memory"])))
        if x:
            raise Mine(x)
        return x

    store, _, function = running(api, look, access_caller=True)
    seen += [function(store, 0), attempt(lambda: function(store, 5)), attempt(lambda: function(store))]
    return seen


def callers(api: Any) -> Any:
    seen: list[Any] = []
    kept: list[Any] = []

    def look(caller: Any, x: int) -> int:
        memory, table = caller["memory"], caller.get("t")
        kept.append(caller)
        seen.extend([type(memory).__name__, table.size(caller), caller["g"].value(caller), memory.size(caller)])
        seen.extend([caller.get("absent"), attempt(lambda: caller["absent"]), attempt(lambda: caller.get(5))])
        memory.write(caller, b"hello", 8)
        caller["g"].set_value(caller, x * 2)
        seen.append(attempt(lambda: caller["run"].type(caller)))
        seen.append(memory.grow(caller, 1))
        return 5

    store, exports, _ = running(api, look, access_caller=True)
    seen.append(exports["run"](store, 4))
    seen += [exports["memory"].read(store, 8, 13), exports["g"].value(store), exports["memory"].size(store)]
    seen += [kept[0].get("memory"), attempt(lambda: kept[0]["memory"]), attempt(lambda: kept[0]._context())]
    return seen


def callbacks_of_callbacks(api: Any) -> Any:
    seen: list[Any] = []

    def again(caller: Any, x: int) -> int:
        if x == 0:
            raise Mine("at the bottom")
        try:
            return int(caller["run"](caller, x - 1))
        except Mine as error:
            seen.append((x, str(error)))
            if x == 3:
                raise ValueError("on the way") from error
            if x == 5:
                return 50
            raise
        except ValueError as error:
            seen.append((x, str(error)))
            if x == 5:
                return 55
            raise

    store, exports, _ = running(api, again, access_caller=True)
    seen.append([attempt(lambda depth=depth: exports["run"](store, depth)) for depth in (0, 1, 2, 3, 4, 5, 6)])
    return seen


def a_deep_chain_of_callbacks(api: Any) -> Any:
    """Guest and host call each other; the innermost fails, each host says where it was."""
    seen: list[int] = []

    def again(caller: Any, x: int) -> int:
        if x == 0:
            return int(caller["div"](caller, 0))
        try:
            return int(caller["run"](caller, x - 1))
        except api.Trap as trap:
            seen.append(len(trap.frames))
            raise

    text = GUEST.replace(
        "(func $inner",
        """(func $div (export "div") (param i32) (result i32)
      (i32.rem_s (i32.const 1) (local.get 0))) (func $inner""",
    )
    store = api.Store()
    i32 = api.ValType.i32()
    function = api.Func(store, api.FuncType([i32], [i32]), again, access_caller=True)
    exports = api.Instance(store, api.Module(store.engine, text), [function]).exports(store)
    return [attempt(lambda: exports["run"](store, 60)), seen]


def traps_through_callbacks(api: Any) -> Any:
    seen: list[Any] = []
    wat = """(module $t (import "" "h" (func $h (param i32)))
      (func $div (export "div") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $run (export "run") (param i32) (call $h (local.get 0)) unreachable))"""
    store = api.Store()

    def host(caller: Any, x: int) -> None:
        seen.append(attempt(lambda: caller["div"](caller, x)))
        if x == 0:
            caller["div"](caller, x)

    function = api.Func(store, api.FuncType([api.ValType.i32()], []), host, access_caller=True)
    exports = api.Instance(store, api.Module(store.engine, wat), [function]).exports(store)
    return [attempt(lambda: exports["run"](store, 0)), attempt(lambda: exports["run"](store, 1)), seen]


def data_of_stores(api: Any) -> Any:
    class Data:
        pass

    data, store = Data(), None
    store = api.Store(data=data)
    empty = api.Store(data=0)
    keyword = api.Store(engine=store.engine, data="text")
    return [store.data() is data, api.Store().data(), empty.data(), keyword.data(), keyword.engine is store.engine]


def references_are_let_go(api: Any) -> Any:
    freed: list[str] = []

    class Noisy:
        def __del__(self) -> None:
            freed.append("freed")

    wat = """(module (table (export "t") 1 externref) (global (export "g") (mut externref) (ref.null extern))
      (func (export "f") (param externref) (global.set 0 (local.get 0))))"""
    store = api.Store()
    exports = api.Instance(store, api.Module(store.engine, wat), []).exports(store)
    exports["f"](store, Noisy())
    kept = type(exports["g"].value(store)).__name__
    exports["g"].set_value(store, None)
    store.gc()
    gc.collect()
    return kept, freed, attempt(lambda: exports["g"].value(store))


CASES = (
    exceptions, wrong_results, wrong_signatures, host_functions_called_directly, callers, callbacks_of_callbacks,
    a_deep_chain_of_callbacks,
    traps_through_callbacks, data_of_stores, references_are_let_go,
)  # fmt: skip
