"""What an instance keeps to itself can be reached by index, and shows the truth when it is used from outside."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, all_frames, instantiate, locals_of, shape_of, store_with
from wasmscope import DebugEvent, WasmscopeError
from wasmscope.runtime import capi

KEPT = """(module
  (import "" "look" (func $look))
  (import "" "memory" (memory 1))
  (import "" "global" (global i32))
  (memory $private 2) (memory $shared 1 1 shared)
  (global $number (mut i64) (i64.const 7))
  (global $vector v128 (v128.const i64x2 1 2))
  (table $table 4 funcref)
  (tag $tag (param i32))
  (elem (table $table) (i32.const 0) func $add)
  (func $add (param i32 i32) (result i32) call $look (i32.add (local.get 0) (local.get 1)))
  (func $swap (param i32 v128 externref) (result externref v128 i32) local.get 2 local.get 1 local.get 0)
  (func (export "number") (result i64) global.get $number)
  (func (export "run") (param i32) (result i32)
    (call_indirect $table (param i32 i32) (result i32) (i32.const 5) (i32.const 3) (local.get 0))))"""

ADD, SWAP, NUMBER, RUN = 1, 2, 3, 4


class World:
    """A store with three instances of one module, which a host function looks at when a function of theirs calls."""

    def __init__(self, wat: str = KEPT) -> None:
        self.store = store_with(shared_memory=True)
        module = wasmscope.Module(self.store.engine, wat)
        self.seen: list[Any] = []
        ty = wasmscope.MemoryType(wasmscope.Limits(1, None))
        self.imports = {
            "look": self._look,
            "memory": wasmscope.Memory(self.store, ty),
            "global": wasmscope.Global(
                self.store, wasmscope.GlobalType(wasmscope.ValType.i32(), False), wasmscope.Val.i32(9)
            ),
        }
        self.instances = [instantiate(module, self.store, self.imports) for _ in range(3)]

    def _look(self, caller: wasmscope.Caller) -> None:
        frames = all_frames(caller)
        self.seen.append((shape_of(frames, self.instances), [locals_of(frame) for frame in frames]))


@pytest.fixture
def world() -> World:
    return World()


def test_a_private_global_is_read_and_written(world: World) -> None:
    store, instance = world.store, world.instances[1]
    number = instance.debug_global(store, 1)
    assert number is not None
    assert number.value(store) == 7
    number.set_value(store, 8)
    assert instance.exports(store)["number"](store) == 8
    assert world.instances[0].exports(store)["number"](store) == 7


def test_globals_are_counted_with_the_imported_ones(world: World) -> None:
    store, instance = world.store, world.instances[0]
    imported, vector = instance.debug_global(store, 0), instance.debug_global(store, 2)
    assert imported is not None
    assert vector is not None
    assert imported.value(store) == 9
    assert capi.global_get(store, vector).value == (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert instance.debug_global(store, 3) is None
    assert instance.debug_global(store, -1) is None


def test_memories_are_shared_or_not(world: World) -> None:
    store, instance = world.store, world.instances[0]
    private, shared = instance.debug_memory(store, 1), instance.debug_shared_memory(store, 2)
    assert private is not None
    assert shared is not None
    assert private.size(store) == 2
    assert shared.data_len() == 65536
    assert instance.debug_memory(store, 2) is None
    assert instance.debug_shared_memory(store, 1) is None
    assert instance.debug_memory(store, 3) is None
    assert instance.debug_shared_memory(store, 3) is None


def test_an_imported_memory_is_the_one_that_was_given(world: World) -> None:
    store, given = world.store, world.imports["memory"]
    memory = world.instances[0].debug_memory(store, 0)
    assert memory is not None
    memory.write(store, b"hello", 3)
    assert bytes(given.read(store, 3, 8)) == b"hello"  # type: ignore[union-attr]


def test_a_private_tag_is_the_one_that_exceptions_have() -> None:
    store = store_with()
    instance = instantiate(
        """(module (tag (param i32)) (tag $second (param i64))
          (func (export "run") (throw $second (i64.const 5))))""",
        store,
    )
    first, second = instance.debug_tag(store, 0), instance.debug_tag(store, 1)
    assert first is not None
    assert second is not None
    assert instance.debug_tag(store, 2) is None
    thrown = Handler(lambda _, event: event.exception.tag)  # type: ignore[attr-defined]
    store.set_debug_handler(thrown)
    with pytest.raises(wasmtime.Trap):
        instance.exports(store)["run"](store)
    capi.take_exception(store)
    assert [(tag.eq(store, first), tag.eq(store, second)) for tag in thrown.seen] == [(False, True)]


def test_a_private_function_names_its_instance(world: World) -> None:
    for number, instance in enumerate(world.instances):
        function = instance.debug_function(world.store, ADD)
        assert function is not None
        assert function(world.store, 3, 4) == 7
        assert world.seen == [([(0, number, ADD)], [[3, 4]])]
        world.seen.clear()


def test_a_private_function_takes_and_gives_values_of_every_kind(world: World) -> None:
    function = world.instances[2].debug_function(world.store, SWAP)
    assert function is not None
    assert function(world.store, 5, bytes(range(16)), "x") == ["x", bytes(range(16)), 5]


def test_a_function_by_index_is_the_same_each_time(world: World) -> None:
    instance = world.instances[0]
    assert instance.debug_function(world.store, ADD) is instance.debug_function(world.store, ADD)
    assert instance.debug_function(world.store, RUN + 1) is None
    assert instance.debug_function(world.store, -1) is None


def test_imported_and_exported_functions_are_reached_by_index_too(world: World) -> None:
    store, instance = world.store, world.instances[1]
    look, number = instance.debug_function(store, 0), instance.debug_function(store, NUMBER)
    assert look is not None
    assert number is not None
    look(store)
    assert world.seen == [([], [])]
    assert number(store) == 7


def test_every_function_of_a_type_is_reached() -> None:
    store = store_with()
    functions = "".join(f"(func (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))" for i in range(100))
    instance = instantiate(f"(module {functions})", store)
    assert [instance.debug_function(store, i)(store, 1000) for i in range(100)] == [*range(1000, 1100)]  # type: ignore[misc]


def test_a_private_function_given_to_another_instance_keeps_its_own(world: World) -> None:
    table = world.instances[0].debug_table(world.store, 0)
    assert table is not None
    table.set(world.store, 2, world.instances[2].debug_function(world.store, ADD))
    assert world.instances[0].exports(world.store)["run"](world.store, 2) == 8
    assert world.seen == [([(0, 2, ADD), (1, 0, RUN)], [[5, 3], [2]])]


def test_a_function_taken_from_a_private_table_knows_its_instance(world: World) -> None:
    store = world.store
    table = world.instances[1].debug_table(store, 0)
    assert table is not None
    function = table.get(store, 0)
    assert function(store, 20, 30) == 50
    assert world.seen == [([(0, 1, ADD)], [[20, 30]])]
    assert table.get(store, 1).value is None
    assert table.get(store, 4) is None


def test_a_function_put_back_into_its_table_is_called_as_before(world: World) -> None:
    store = world.store
    table = world.instances[1].debug_table(store, 0)
    assert table is not None
    table.set(store, 3, table.get(store, 0))
    world.instances[1].exports(store)["run"](store, 3)
    assert world.seen == [([(0, 1, ADD), (0, 1, RUN)], [[5, 3], [3]])]


def test_a_private_table_is_not_given_to_another_instance(world: World) -> None:
    table = world.instances[0].debug_table(world.store, 0)
    assert table is not None
    importing = wasmscope.Module(world.store.engine, '(module (import "" "t" (table 1 funcref)))')
    with pytest.raises(WasmscopeError, match="private to its instance"):
        wasmscope.Instance(world.store, importing, [table])


def test_a_shared_table_is_given_to_another_instance() -> None:
    store = store_with()
    shape: list[Any] = []
    instances: list[wasmscope.Instance] = []
    owner = instantiate(
        """(module (import "" "look" (func $look)) (table (export "t") 1 funcref) (elem (i32.const 0) func $f)
          (func $f call $look))""",
        store,
        {"look": lambda caller: shape.append(shape_of(all_frames(caller), instances))},
    )
    table = owner.debug_table(store, 0)
    user = instantiate(
        '(module (import "" "t" (table 1 funcref)) (func (export "run") (call_indirect (i32.const 0))))',
        store,
        {"t": table},
    )
    instances += [owner, user]
    user.exports(store)["run"](store)
    assert shape == [[(0, 0, 1), (0, 1, 0)]]


TYPED = """(module
  (rec (type $pair (struct (field i32) (field (ref null $pair))))
       (type $make (sub (func (param i32) (result (ref $pair))))))
  (import "" "look" (func $look))
  (func $private (type $make) call $look (struct.new $pair (local.get 0) (ref.null $pair)))
  (global $slot (export "slot") (mut (ref null $make)) (ref.null $make))
  (func (export "run") (param i32) (result i32)
    (struct.get $pair 0 (call_ref $make (local.get 0) (global.get $slot)))))"""


def test_what_stands_for_a_function_has_its_very_type() -> None:
    store = store_with()
    shapes: list[Any] = []
    instances: list[wasmscope.Instance] = []
    module = wasmscope.Module(store.engine, TYPED)
    look = {"look": lambda caller: shapes.append(shape_of(all_frames(caller), instances))}
    instances += [instantiate(module, store, look) for _ in range(2)]
    slot = instances[0].debug_global(store, 0)
    assert slot is not None
    capi.global_set(store, slot, instances[1].debug_function(store, 1))
    assert instances[0].exports(store)["run"](store, 41) == 41
    assert shapes == [[(0, 1, 1), (1, 0, 2)]]


def test_an_exception_passes_through_what_stands_for_a_function() -> None:
    store = store_with()
    thrower = instantiate('(module (tag (export "t") (param i64)) (func $private (throw 0 (i64.const 77))))', store)
    catcher = instantiate(
        """(module (import "" "t" (tag $t (param i64))) (import "" "f" (func $f))
          (func (export "run") (result i64)
            (block $b (result i64) (try_table (catch $t $b) (call $f)) (i64.const 0))))""",
        store,
        {"t": thrower.exports(store)["t"], "f": thrower.debug_function(store, 0)},
    )
    assert catcher.exports(store)["run"](store) == 77
    assert not capi.has_exception(store)


@pytest.mark.parametrize("observed", [False, True])
def test_what_a_host_function_raises_passes_as_that_whatever_was_thrown_before(observed: bool) -> None:
    store = store_with()
    thrower = instantiate('(module (tag (export "t") (param i32)) (func (export "f") (throw 0 (i32.const 5))))', store)
    error = wasmscope.Trap("msg")

    def fail(_: wasmscope.Caller) -> None:
        with pytest.raises(wasmtime.Trap):
            thrower.exports(store)["f"](store)
        assert capi.has_exception(store)  # the engine keeps it for whoever wants it
        raise error

    between = instantiate('(module (import "" "fail" (func $fail)) (func (call $fail)))', store, {"fail": fail})
    catcher = instantiate(
        """(module (import "" "t" (tag $t (param i32))) (import "" "f" (func $f))
          (func (export "run") (result i32)
            (block $b (result i32) (try_table (catch $t $b) (call $f)) (i32.const 0))))""",
        store,
        {"t": thrower.exports(store)["t"], "f": between.debug_function(store, 1)},
    )
    told = Handler(lambda _, event: type(event))
    if observed:
        store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap, match="msg") as raised:
        catcher.exports(store)["run"](store)
    assert raised.value is error
    assert told.seen == ([DebugEvent.UncaughtExceptionThrown, DebugEvent.HostcallError] if observed else [])


def test_a_trap_passes_through_what_stands_for_a_function() -> None:
    store = store_with()
    instances = [instantiate("(module (func (param i32) (drop (i32.div_u (i32.const 1) (local.get 0)))))", store)]
    function = instances[0].debug_function(store, 0)
    instances.append(
        instantiate(
            '(module (import "" "f" (func $f (param i32))) (func (export "run") (call $f (i32.const 0))))',
            store,
            {"f": function},
        )
    )
    told = Handler(lambda store, event: (type(event), shape_of(store.frames(), instances)))
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instances[1].exports(store)["run"](store)
    assert raised.value.trap_code is wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO
    assert isinstance(raised.value, wasmscope.Trap)
    assert [frame.func_index for frame in raised.value.frames] == [0, 1]
    assert told.seen == [(DebugEvent.Trap, [(0, 0, 0), (1, 1, 1)])]


def test_a_trap_in_a_private_function_is_told_with_its_instance(world: World) -> None:
    store = store_with()
    module = wasmscope.Module(
        store.engine, "(module (func $f (param i32) (drop (i32.load (i32.const -1)))) (memory 1))"
    )
    instances = [instantiate(module, store) for _ in range(2)]
    told = Handler(lambda store, event: (shape_of(store.frames(), instances), locals_of(store.frames()[0])))
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instances[1].debug_function(store, 0)(store, 6)  # type: ignore[misc]
    assert raised.value.trap_code is wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS
    assert [(frame.func_index, frame.func_name) for frame in raised.value.frames] == [(0, "f")]
    assert told.seen == [([(0, 1, 0)], [6])]


def test_the_stack_may_overflow_on_the_way_into_a_private_function() -> None:
    """The function that leads to it needs more of the stack than the one that calls the host."""
    store = store_with()
    functions: list[Any] = []

    def look(caller: wasmscope.Caller, depth: int) -> None:
        functions[0](caller, depth)

    instance = instantiate(
        """(module (import "" "look" (func $look (param i32)))
          (func $private (param i32))
          (func $down (export "run") (param i32)
            (call $look (local.get 0))
            (call $down (i32.add (local.get 0) (i32.const 1)))))""",
        store,
        {"look": look},
    )
    functions.append(instance.debug_function(store, 1))

    def top(store: wasmscope.Store, _: DebugEvent) -> Any:
        frame, below = store.frames()[:2]
        return frame.function_index, locals_of(frame), below.activation(), below.function_index

    told = Handler(top)
    store.set_debug_handler(told)
    with pytest.raises(wasmtime.Trap) as raised:
        instance.exports(store)["run"](store, 0)
    assert raised.value.trap_code is wasmtime.TrapCode.STACK_OVERFLOW
    first, second = raised.value.frames[:2]
    assert (first.func_index, first.func_name) == (1, "private")
    assert (second.func_index, second.func_name) == (2, "down")
    assert "!private\n" in str(raised.value)
    assert "entry" not in str(raised.value)
    unavailable = wasmscope.Unavailable("the stack overflowed on entry from the host")
    assert told.seen[0] == (1, [unavailable], 1, 2)


def test_a_private_function_calls_back_into_the_host(world: World) -> None:
    store = world.store
    add = world.instances[0].debug_function(store, ADD)
    other = world.instances[1].debug_function(store, ADD)
    assert add is not None
    assert other is not None
    look, inner = world._look, []

    def nested(caller: wasmscope.Caller) -> None:
        if not inner:
            inner.append(other(caller, 1, 2))
        look(caller)

    instance = instantiate(
        '(module (import "" "look" (func $look)) (func $private (param i32) (result i32) call $look (local.get 0)))',
        store,
        {"look": nested},
    )
    world.instances.append(instance)
    assert instance.debug_function(store, 1)(store, 4) == 4  # type: ignore[misc]
    assert inner == [3]
    assert world.seen == [([(0, 1, ADD), (1, 3, 1)], [[1, 2], [4]]), ([(0, 3, 1)], [[4]])]


def test_functions_that_escape_by_reference_show_their_instance() -> None:
    """`ref.func`, a table of references that guests read, a global: such functions name their instance themselves."""
    store = store_with()
    shapes: list[Any] = []
    instances: list[wasmscope.Instance] = []
    module = wasmscope.Module(
        store.engine,
        """(module (import "" "look" (func $look))
          (table $t 1 funcref) (elem (table $t) (i32.const 0) func $b) (elem declare func $a)
          (global (export "g") funcref (ref.func $c))
          (func $a call $look) (func $b call $look) (func $c call $look)
          (func (export "a") (result funcref) ref.func $a)
          (func (export "b") (result funcref) (table.get $t (i32.const 0)))
          (func (export "stop") (local funcref) (local.set 0 (ref.func $a)) call $look))""",
    )
    held: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        frames = all_frames(caller)
        shapes.append(shape_of(frames, instances))
        if frames[0].num_locals():
            held.append(frames[0].local(0).value)  # type: ignore[union-attr]

    instances += [instantiate(module, store, {"look": look}) for _ in range(2)]
    exports = instances[1].exports(store)
    exports["a"](store)(store)
    exports["b"](store)(store)
    exports["stop"](store)
    held[0](store)
    assert shapes == [[(0, 1, 1)], [(0, 1, 2)], [(0, 1, 6)], [(0, 1, 1)]]


def test_instances_and_modules_are_listed_in_order() -> None:
    store = store_with()
    first, second = (wasmscope.Module(store.engine, f'(module (func (export "f{i}")))') for i in range(2))
    assert store.debug_all_instances() == []
    instances = [wasmscope.Instance(store, module, []) for module in (second, first, second)]
    assert store.debug_all_instances() == instances
    assert store.debug_all_modules() == [second, first]


def test_an_instance_that_could_not_be_made_is_not_listed() -> None:
    store = store_with()
    with pytest.raises(wasmtime.Trap):
        instantiate('(module (memory 1) (data (i32.const 65536) "x"))', store)
    assert store.debug_all_instances() == []


def test_an_instance_is_whole_while_its_start_function_runs() -> None:
    store = store_with()
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        frame = all_frames(caller)[0]
        instance = frame.instance()
        assert instance is not None
        memory, table = instance.debug_memory(store, 0), instance.debug_table(store, 0)
        assert memory is not None
        seen.append((frame.function_index, bytes(memory.read(store, 0, 2)), table is not None, locals_of(frame)))

    instance = instantiate(
        """(module (import "" "look" (func $look)) (memory 1) (data (i32.const 0) "hi") (table 1 funcref)
          (func $start (local i32) (local.set 0 (i32.load8_u (i32.const 1))) call $look) (start $start))""",
        store,
        {"look": look},
    )
    assert seen == [(1, b"hi", True, [ord("i")])]
    assert store.debug_all_instances() == [instance]


def test_nothing_is_reached_with_debugging_off() -> None:
    store = store_with(guest_debug=False)
    instance = instantiate(
        '(module (memory (export "m") 1) (table 1 funcref) (global i32 (i32.const 0)) (func))', store
    )
    assert instance.debug_memory(store, 0) is None
    assert instance.debug_shared_memory(store, 0) is None
    assert instance.debug_table(store, 0) is None
    assert instance.debug_global(store, 0) is None
    assert instance.debug_function(store, 0) is None
    assert instance.debug_tag(store, 0) is None
    assert store.debug_all_instances() == []
    assert store.debug_all_modules() == []
    assert store.debug_frames() is None
    assert store.debug_exit_frames() == []


def test_what_is_added_does_not_show(world: World) -> None:
    module = world.instances[0].module
    assert [item.name for item in module.exports] == ["number", "run"]
    assert list(world.instances[0].exports(world.store)) == ["number", "run"]
    assert len(world.instances[0].exports(world.store).by_index) == 2
    assert [item.name for item in module.imports] == ["look", "memory", "global"]


def test_private_functions_do_not_keep_their_store() -> None:
    store = store_with()
    instance = instantiate("(module (table 1 funcref) (elem (i32.const 0) func $f) (func $f))", store)
    functions = [instance.debug_function(store, 0), instance.debug_table(store, 0).get(store, 0)]  # type: ignore[union-attr]
    assert all(isinstance(function, wasmscope.Func) for function in functions)
    gone = weakref.ref(store)
    del store
    gc.collect()
    assert gone() is None


def test_functions_in_private_globals_and_tables_are_noticed_when_they_are_called() -> None:
    store = store_with()
    instance = instantiate(
        """(module (table 1 funcref) (elem (i32.const 0) func $f) (global (mut funcref) (ref.func $f))
          (func $f unreachable) (func (export "read") (result funcref) (table.get (i32.const 0))))""",
        store,
    )
    told = Handler(lambda store, _: shape_of(store.frames(), [instance]))
    store.set_debug_handler(told)
    table, held = instance.debug_table(store, 0), instance.debug_global(store, 0)
    assert table is not None
    assert held is not None
    for function in (table.get(store, 0), held.value(store)):
        with pytest.raises(wasmscope.Trap):
            function(store)
    assert told.seen == [[(0, 0, 0)]] * 2


def test_private_entities_survive_serialisation() -> None:
    store = store_with()
    wat = """(module (global i32 (i32.const 5))
      (func $private (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))"""
    stored = wasmscope.Module(store.engine, wat).serialize()
    instance = instantiate(wasmscope.Module.deserialize(store.engine, stored), store)
    assert instance.debug_function(store, 0)(store, 7) == 21  # type: ignore[misc]
    assert instance.debug_global(store, 0).value(store) == 5  # type: ignore[union-attr]
