"""Frames as a host walks them: which there are, where they are, and how long a handle to one is good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import all_frames, host, instantiate, locals_of, shape_of, stack_of, store_with
from wasmscope.wasm.decode.module import decode_module


def look_once(wat: str, look: Callable[[list[wasmscope.FrameHandle]], Any], *arguments: Any) -> Any:
    """What `look` makes of the frames when the guest's `run` calls the host for the first time."""
    store = store_with()
    seen: list[Any] = []
    instance = instantiate(wat, store, {"look": lambda caller: seen.append(look(all_frames(caller)))})
    instance.exports(store)["run"](store, *arguments)
    return seen[0]


def functions(frames: list[wasmscope.FrameHandle]) -> list[int]:
    return [frame.function_index for frame in frames]


# -- values where they are ---------------------------------------------------------------------------------------


def test_arguments_are_on_the_operand_stack_of_the_caller() -> None:
    wat = """(module (import "" "look" (func $look))
      (func $callee (param i32 i64) call $look)
      (func (export "run") (param f32)
        (i32.const 1) (f64.const 2.5) (i32.const 3) (i64.const 4) (call $callee) drop drop))"""
    assert look_once(wat, lambda frames: [(locals_of(frame), stack_of(frame)) for frame in frames], 0.5) == [
        ([3, 4], []),
        ([0.5], [1, 2.5, 3, 4]),
    ]


def test_an_i64_behind_an_i32_is_whole() -> None:
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param i32 i64 i32 i64)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3)
        (local.set 0 (i32.const 0)) (local.set 1 (i64.const 0)) (call $look) drop drop drop drop))"""
    values = [-1, 0x0123_4567_89AB_CDEF, 1, -0x7FFF_FFFF_FFFF_FFFE]
    seen = look_once(wat, lambda frames: (stack_of(frames[0]), locals_of(frames[0])), *values)
    assert seen == (values, [0, 0, values[2], values[3]])


def test_indices_out_of_range_are_index_errors() -> None:
    wat = """(module (import "" "look" (func $look))
      (func (export "run") (param i32) (i32.const 1) (call $look) drop))"""

    def look(frames: list[wasmscope.FrameHandle]) -> None:
        for index in (-1, 1):
            with pytest.raises(IndexError):
                frames[0].local(index)
            with pytest.raises(IndexError):
                frames[0].stack(index)
            with pytest.raises(IndexError):
                frames[0].local_type(index)
            with pytest.raises(IndexError):
                frames[0].stack_type(index)

    look_once(wat, look, 0)


def test_a_cursor_past_its_end_says_what_to_look_at() -> None:
    cursor = store_with().debug_frames()
    assert cursor is not None
    assert cursor.done()
    with pytest.raises(IndexError, match=r"done\(\)"):
        cursor.instance()


# -- where a frame is --------------------------------------------------------------------------------------------

TWO_CALLS = """(module (import "" "unused" (func)) (import "" "look" (func $look))
  (func $inner (param i32) (local.get 0) (call $look) drop)
  (func (export "run") (i32.const 7) (call $inner) nop))"""


def test_a_frame_says_where_it_is() -> None:
    binary = bytes(wasmtime.wat2wasm(TWO_CALLS))
    module = decode_module(binary)
    code = next(section for section in module.sections if section.id == 10)
    store = store_with()
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        for frame in all_frames(caller):
            position = frame.wasm_function_index_and_pc()
            assert position is not None
            seen.append((position, frame.function_index, frame.code_offset, frame.return_pc, frame.module()))

    instance = instantiate(TWO_CALLS, store, {"look": look, "unused": lambda _: None})
    instance.exports(store)["run"](store)
    calls = [binary.index(b"\x10\x01\x1a"), binary.index(b"\x10\x02\x01")]
    assert seen == [
        ((0, calls[0]), 2, calls[0] - code.payload_start, calls[0] + 2, instance.module),
        ((1, calls[1]), 3, calls[1] - code.payload_start, calls[1] + 2, instance.module),
    ]


def test_a_cursor_and_its_handles_agree() -> None:
    store = store_with()

    def look(caller: wasmscope.Caller) -> None:
        cursor = caller.debug_frames()
        assert cursor is not None
        while not cursor.done():
            handle = cursor.handle()
            assert cursor.activation() == handle.activation() == 0
            assert cursor.instance() is handle.instance()
            assert cursor.module() is handle.module()
            assert cursor.wasm_function_index_and_pc() == handle.wasm_function_index_and_pc()
            assert cursor.num_locals() == handle.num_locals()
            assert cursor.num_stacks() == handle.num_stacks()
            assert [cursor.local(i) for i in range(cursor.num_locals())] == [
                handle.local(i) for i in range(handle.num_locals())
            ]
            assert [cursor.stack(i) for i in range(cursor.num_stacks())] == [
                handle.stack(i) for i in range(handle.num_stacks())
            ]
            assert cursor.gc_refs() == handle.gc_refs() == []
            cursor.move_to_parent()

    instance = instantiate(TWO_CALLS, store, {"look": look, "unused": lambda _: None})
    instance.exports(store)["run"](store)


# -- activations -------------------------------------------------------------------------------------------------

OUTER = """(module (import "" "call" (func $call (param i32)))
  (func $middle (param i32) (call $call (local.get 0)))
  (func (export "run") (param i32) (call $middle (i32.add (local.get 0) (i32.const 100)))))"""
INNER = """(module (import "" "look" (func $look)) (func (export "run") (param i32 i32) (call $look)))"""


class TwoModules:
    """An instance that calls the host, which calls an instance of another module, which calls the host."""

    def __init__(self, look: Callable[[wasmscope.Caller], Any]) -> None:
        self.store = store_with()
        self.inner = instantiate(INNER, self.store, {"look": look})
        self.outer = instantiate(OUTER, self.store, {"call": self._call})
        self.instances = [self.outer, self.inner]

    def _call(self, caller: wasmscope.Caller, value: int) -> None:
        self.inner.exports(self.store)["run"](caller, value, value + 1)

    def run(self) -> None:
        self.outer.exports(self.store)["run"](self.store, 5)


def test_two_activations_of_two_modules() -> None:
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        frames = all_frames(caller)
        seen.append((shape_of(frames, world.instances), [locals_of(frame) for frame in frames]))

    world = TwoModules(look)
    world.run()
    assert seen == [([(0, 1, 1), (1, 0, 1), (1, 0, 2)], [[105, 106], [105], [5]])]


def test_a_parent_is_of_the_same_activation() -> None:
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        inner, middle, outer = all_frames(caller)
        parent = middle.parent()
        assert parent is not None
        seen.append((inner.parent(), locals_of(parent) == locals_of(outer), parent.activation(), parent.parent()))

    TwoModules(look).run()
    assert seen == [(None, True, 1, None)]


def test_exit_frames_are_one_an_activation() -> None:
    seen: list[Any] = []

    def look(caller: wasmscope.Caller) -> None:
        of_caller, of_store = caller.debug_exit_frames(), world.store.debug_exit_frames()
        seen.extend(shape_of(frames, world.instances) for frames in (of_caller, of_store))

    world = TwoModules(look)
    world.run()
    assert seen == [[(0, 1, 1), (1, 0, 1)]] * 2


def test_there_are_no_frames_where_nothing_runs() -> None:
    store = store_with()
    assert all_frames(store) == []
    assert store.debug_exit_frames() == []
    cursor = store.debug_frames()
    assert cursor is not None
    assert cursor.done()
    with pytest.raises(IndexError):
        cursor.handle()


def test_a_host_function_called_by_the_host_sees_no_frames() -> None:
    store = store_with()
    seen: list[Any] = []
    function = host(store, wasmscope.FuncType([], []), lambda caller: seen.append(all_frames(caller)))
    function(store)
    assert seen == [[]]


def test_the_frames_of_another_store_do_not_show() -> None:
    seen: list[Any] = []
    other, store = store_with(), store_with()

    def look(caller: wasmscope.Caller) -> None:
        seen.append([functions(all_frames(storelike)) for storelike in (caller, store)])

    inner = instantiate(INNER, other, {"look": look})
    outer = instantiate(OUTER, store, {"call": lambda _, value: inner.exports(other)["run"](other, value, 0)})
    outer.exports(store)["run"](store, 5)
    assert seen == [[[1], [1, 2]]]


# -- how functions are reached -----------------------------------------------------------------------------------


def test_direct_indirect_and_reference_calls() -> None:
    wat = """(module (import "" "look" (func $look)) (type $t (func (param i32)))
      (table 1 funcref) (elem (i32.const 0) func $second)
      (elem declare func $third)
      (func $first (param i32) (call $second (local.get 0)))
      (func $second (param i32) (call_ref $t (local.get 0) (ref.func $third)))
      (func $third (param i32) call $look)
      (func $direct (param i32) (call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func (export "run") (param i32) (call $direct (local.get 0))))"""
    assert look_once(wat, lambda frames: [(frame.function_index, locals_of(frame)) for frame in frames], 9) == [
        (3, [9]),
        (2, [9]),
        (4, [9]),
        (5, [9]),
    ]


def test_a_tail_call_takes_the_place_of_its_caller() -> None:
    wat = """(module (import "" "look" (func $look)) (type $t (func (param i32)))
      (table 1 funcref) (elem (i32.const 0) func $c) (elem declare func $d)
      (func $a (param i32) (return_call $b (i32.add (local.get 0) (i32.const 1))))
      (func $b (param i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func $c (param i32) (return_call_ref $t (local.get 0) (ref.func $d)))
      (func $d (param i32) call $look)
      (func (export "run") (param i32) (call $a (local.get 0)) nop))"""
    seen = look_once(wat, lambda frames: [(frame.function_index, locals_of(frame)) for frame in frames], 1)
    assert seen == [(4, [2]), (5, [1])]


def test_a_start_function_and_what_it_calls() -> None:
    store = store_with()
    seen: list[Any] = []
    instantiate(
        """(module (import "" "look" (func $look)) (func $f (param i32) call $look)
          (func $start (call $f (i32.const 3))) (start $start))""",
        store,
        {"look": lambda caller: seen.append([(f.function_index, locals_of(f)) for f in all_frames(caller)])},
    )
    assert seen == [[(1, [3]), (2, [])]]


def test_callbacks_from_the_host() -> None:
    store = store_with()
    seen: list[Any] = []

    def apply(caller: wasmscope.Caller, function: wasmscope.Func, value: int) -> int:
        result: int = function(caller, value)
        return result

    instance = instantiate(
        """(module (import "" "apply" (func $apply (param funcref i32) (result i32))) (import "" "look" (func $look))
          (elem declare func $double)
          (func $double (param i32) (result i32) call $look (i32.mul (local.get 0) (i32.const 2)))
          (func (export "run") (param i32) (result i32) (call $apply (ref.func $double) (local.get 0))))""",
        store,
        {
            "apply": apply,
            "look": lambda caller: seen.append([(f.activation(), f.function_index) for f in all_frames(caller)]),
        },
    )
    assert instance.exports(store)["run"](store, 21) == 42
    assert seen == [[(0, 2), (1, 3)]]


def test_small_functions_that_a_compiler_would_inline_have_frames() -> None:
    wat = """(module (import "" "look" (func $look))
      (func $a call $look) (func $b call $a) (func $c call $b) (func (export "run") call $c))"""
    assert look_once(wat, functions) == [1, 2, 3, 4]


def test_instances_of_one_module_are_told_apart() -> None:
    store = store_with()
    module = wasmscope.Module(
        store.engine,
        """(module (import "" "next" (func $next)) (func $inner (call $next)) (func (export "run") (call $inner)))""",
    )
    shapes: list[Any] = []
    instances: list[wasmscope.Instance] = []
    last = wasmscope.Func(store, wasmscope.FuncType([], []), lambda: shapes.append(shape_of(store.frames(), instances)))
    following: Any = last
    for _ in range(3):
        instances.append(wasmscope.Instance(store, module, [following]))
        following = instances[-1].exports(store)["run"]
    following(store)
    assert shapes == [[(0, 0, 1), (0, 0, 2), (0, 1, 1), (0, 1, 2), (0, 2, 1), (0, 2, 2)]]


def test_a_recursion_ten_thousand_deep_is_read_through() -> None:
    wat = """(module (import "" "look" (func $look))
      (func $down (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (local.get 0) (call $down (i32.sub (local.get 0) (i32.const 1)))))
          (else (call $look) (i32.const 0))))
      (func (export "run") (param i32) (drop (call $down (local.get 0)))))"""

    def look(frames: list[wasmscope.FrameHandle]) -> Any:
        return [locals_of(frame)[0] for frame in frames], [stack_of(frame) for frame in frames[1:-1]]

    values, operands = look_once(wat, look, 10_000)
    assert values == [*range(10_001), 10_000]
    assert operands == [[n, n - 1] for n in range(1, 10_001)]
