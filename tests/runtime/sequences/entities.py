"""Globals, memories, tables, tags and shared memories: made by the host or exported by a guest."""

from __future__ import annotations

from typing import Any

from runtime.sequences import attempt, plainly

GUEST = """
(module $entities
  (global (export "i32") (mut i32) (i32.const 1)) (global (export "i64") (mut i64) (i64.const 2))
  (global (export "f32") (mut f32) (f32.const 0.5)) (global (export "f64") (mut f64) (f64.const 0.25))
  (global (export "funcref") (mut funcref) (ref.func $one))
  (global (export "externref") (mut externref) (ref.null extern))
  (global (export "const") i32 (i32.const 6))
  (memory (export "memory") 1 3)
  (table (export "table") 3 5 funcref) (table (export "externs") 2 externref)
  (tag (export "tag") (param i64))
  (elem (table 0) (i32.const 0) func $one $trap)
  (func $one (export "one") (result i32) i32.const 1)
  (func $trap (export "trap") unreachable)
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "set") (param i32 externref) (table.set 1 (local.get 0) (local.get 1))))
"""


def _guest(api: Any) -> tuple[Any, Any]:
    store = api.Store()
    return store, api.Instance(store, api.Module(store.engine, GUEST), []).exports(store)


def globals_(api: Any) -> Any:
    store, exports = _guest(api)
    seen: list[Any] = []
    for name in ("i32", "i64", "f32", "f64", "funcref", "externref", "const"):
        item = exports[name]
        seen.append((name, attempt(lambda item=item: item.type(store)), attempt(lambda item=item: item.value(store))))
        for value in (3, -1, 2**40, 1.5, None, "text", exports["one"], api.Val.i32(9), api.Val.externref("e"), [1]):
            seen.append(attempt(lambda item=item, value=value: item.set_value(store, value)))
            seen.append(attempt(lambda item=item: item.value(store)))
    exports["funcref"].set_value(store, exports["trap"])
    seen.append(attempt(lambda: exports["funcref"].value(store)(store)))
    return seen


def globals_of_the_host(api: Any) -> Any:
    store, seen = api.Store(), []
    for name in ("i32", "i64", "f32", "f64", "externref", "funcref"):
        ty = api.GlobalType(getattr(api.ValType, name)(), True)
        for value in (1, 1.5, None, "x", api.Val.i64(4)):
            seen.append(attempt(lambda ty=ty, value=value: api.Global(store, ty, value).value(store)))
    fixed = api.Global(store, api.GlobalType(api.ValType.i32(), False), 1)
    return [*seen, attempt(lambda: fixed.set_value(store, 2)), fixed.value(store)]


def tables(api: Any) -> Any:
    store, exports = _guest(api)
    table, externs = exports["table"], exports["externs"]
    host = api.Func(store, api.FuncType([], [api.ValType.i32()]), lambda: 77)
    seen = [plainly(table.get(store, index)) for index in range(4)]
    seen += [
        table.size(store),
        attempt(lambda: table.get(store, 0)(store)),
        attempt(lambda: table.get(store, 1)(store)),
    ]
    seen += [attempt(lambda: table.get(store, "x"))[0], attempt(lambda: table.get(store, -1))]
    seen += [attempt(lambda value=value: table.set(store, 2, value)) for value in (host, None, 5, "x", exports["one"])]
    seen += [
        exports["call"](store, 2),
        attempt(lambda: table.set(store, 3, None)),
        attempt(lambda: table.set(store, 0, host)),
    ]
    seen += [
        exports["call"](store, 0),
        attempt(lambda: table.grow(store, 1, host)),
        attempt(lambda: exports["call"](store, 3)),
    ]
    seen += [attempt(lambda: table.grow(store, 5, None)), attempt(lambda: table.grow(store, 1, 1)), table.size(store)]
    seen += [attempt(lambda: table.grow(store, 0, exports["one"])), attempt(lambda: exports["call"](store, 1))]
    for value in (None, 0, "", "text", 5, False, [], host):
        exports["set"](store, 0, value)
        seen.append(plainly(externs.get(store, 0)))
        externs.set(store, 1, value)
        seen.append(plainly(externs.get(store, 1)))
    return seen


def tables_of_the_host(api: Any) -> Any:
    store, exports = _guest(api)
    funcref, externref = api.ValType.funcref(), api.ValType.externref()
    table = api.Table(store, api.TableType(funcref, api.Limits(2, None)), exports["one"])
    other = api.Table(store, api.TableType(externref, api.Limits(1, 1)), "first")
    seen = [table.get(store, 1)(store), plainly(table.type(store)), other.get(store, 0), table.grow(store, 3, None)]
    seen += [plainly(table.get(store, 4)), attempt(lambda: other.grow(store, 1, None))]
    seen.append(attempt(lambda: api.Table(store, api.TableType(funcref, api.Limits(1, 1)), 5)))
    seen.append(attempt(lambda: api.Table(store, api.TableType(funcref, api.Limits(3, 1)), None)))
    seen.append(attempt(lambda: api.Table(store, api.TableType(api.ValType.i32(), api.Limits(3, 1)), 1))[0])
    return seen


def memories(api: Any) -> Any:
    store, exports = _guest(api)
    memory = exports["memory"]
    seen = [memory.size(store), memory.data_len(store), memory.page_size(store), memory.page_size_log2(store)]
    seen += [
        memory.write(store, b"hello", 10),
        memory.read(store, 10, 15),
        memory.read(store, -3),
        memory.read(store, 9, 3),
    ]
    seen += [memory.data_ptr(store)[10], bytes(memory.get_buffer_ptr(store, 3, 11)), exports["load"](store, 14)]
    seen += [attempt(lambda: memory.write(store, b"xx", 65535)), attempt(lambda: memory.write(store, b"x", 65536))]
    seen += [memory.write(store, bytearray(b"yy"), -2), attempt(lambda: exports["load"](store, 65535))]
    seen += [
        attempt(lambda: exports["load"](store, 65536)),
        memory.grow(store, 1),
        attempt(lambda: exports["load"](store, 65536)),
    ]
    seen += [attempt(lambda: memory.grow(store, 2)), attempt(lambda: memory.grow(store, -1)), memory.grow(store, 0)]
    seen += [plainly(memory.type(store)), memory.size(store), len(memory.read(store))]
    for limits in ((1, None), (0, 0), (1, 2), (2, 1), (65537, None)):
        ty = attempt(lambda limits=limits: api.MemoryType(api.Limits(*limits)))
        seen.append(ty)
        if ty[0] == "MemoryType":
            made = api.MemoryType(api.Limits(*limits))
            seen.append(attempt(lambda made=made: api.Memory(store, made).size(store)))
    wide = api.Memory(store, api.MemoryType(api.Limits(1, 2), is_64=True))
    return [*seen, plainly(wide.type(store)), attempt(lambda: api.MemoryType(api.Limits(1, None), page_size_log2=3))]


def tags(api: Any) -> Any:
    store, exports = _guest(api)
    ty = api.TagType(api.FuncType([api.ValType.i64()], []))
    tag = api.Tag(store, ty)
    same = exports["tag"]
    return [
        tag.eq(store, tag), tag.eq(store, same), same.eq(store, exports["tag"]), plainly(same.type(store)),
        attempt(lambda: api.Tag(store, "type")), attempt(lambda: api.TagType("type")),
        attempt(lambda: api.Tag(store, api.TagType(api.FuncType([], [api.ValType.i32()])))),
    ]  # fmt: skip


def types(api: Any) -> Any:
    names = ("i32", "i64", "f32", "f64", "externref", "funcref")
    made = [getattr(api.ValType, name)() for name in names]
    seen: list[Any] = [[str(ty), repr(ty), [ty == other for other in made], ty != made[0], ty == 5] for ty in made]
    limits = api.Limits(1, None)
    seen += [limits == api.Limits(1, None), limits == api.Limits(1, 2), limits == 5, (limits.min, limits.max)]
    seen += [plainly(api.FuncType(made, made[:2])), plainly(api.TableType(made[5], api.Limits(1, 2)))]
    seen += [attempt(lambda ty=ty: hash(ty)) for ty in (made[0], limits)]
    return seen


def exports_of_an_instance(api: Any) -> Any:
    store = api.Store()
    module = api.Module(store.engine, GUEST)
    instance = api.Instance(store, module, [])
    exports = instance.exports(store)
    return [
        list(exports), len(exports), len(exports.by_index), "one" in exports, exports.get("two"),
        instance.exports(store) is exports, attempt(lambda: exports["two"]), attempt(lambda: exports[0]),
        attempt(lambda: exports.by_index[99]), plainly(list(exports.values())), plainly(exports.by_index),
        [(item.name, plainly(item.type)) for item in module.exports],
        [(item.module, item.name, plainly(item.type)) for item in module.imports],
    ]  # fmt: skip


def limits_of_a_store(api: Any) -> Any:
    seen: list[Any] = []
    for limit in (
        {"memory_size": 65536}, {"table_elements": 3}, {"table_elements": 4}, {"instances": 0}, {"instances": 1},
        {"tables": 1}, {"tables": 2}, {"memories": 0}, {"memories": 1}, {},
    ):  # fmt: skip
        store = api.Store()
        store.set_limits(**limit)
        module = api.Module(store.engine, GUEST)
        first = attempt(lambda store=store, module=module: api.Instance(store, module, []))
        seen.append((limit, first))
        if first == "Instance" and "memory_size" in limit:
            seen.append(attempt(lambda store=store: api.Memory(store, api.MemoryType(api.Limits(2, None)))))
        seen.append(attempt(lambda store=store, module=module: api.Instance(store, module, [])))
    return seen


def shared_memories(api: Any) -> Any:
    config = api.Config()
    config.wasm_threads = True
    config.shared_memory = True
    engine = api.Engine(config)
    shared = api.SharedMemory(engine, api.MemoryType(api.Limits(1, 4), shared=True))
    seen = [shared.data_len(), plainly(shared.type()), shared.grow(1), attempt(lambda: shared.grow(9))]
    seen += [attempt(lambda: shared.grow(-1)), shared.data_len()]
    seen.append(attempt(lambda: api.SharedMemory(engine, api.MemoryType(api.Limits(1, 4)))))
    text = """(module (memory (export "m") 1 4 shared)
      (func (export "add") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 0) (local.get 0)))
      (func (export "far") (result i32) (i32.atomic.load (i32.const 65536)))
      (func (export "odd") (result i32) (i32.atomic.load (i32.const 1))))"""
    store, module = api.Store(engine), api.Module(engine, text)
    exports = api.Instance(store, module, []).exports(store)
    seen += [exports["add"](store, 5), exports["add"](store, 6), exports["m"].data_ptr()[0]]
    return [*seen, attempt(lambda: exports["far"](store)), attempt(lambda: exports["odd"](store))]


CASES = (
    globals_, globals_of_the_host, tables, tables_of_the_host, memories, tags, types, exports_of_an_instance,
    limits_of_a_store, shared_memories,
)  # fmt: skip
