"""Frames: what they show in a host call, after a trap or exception, and at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reference import (
    I31,
    CallStackExhausted,
    ExnObject,
    Frame,
    HostFunc,
    Instance,
    Limits,
    Module,
    OutOfSteps,
    Store,
    StructObject,
    Tag,
    Trap,
    WasmException,
)
from support.wasmtools import WASM_TOOLS_ABSENT, wat

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def _instance(text: str, store: Store, host: Callable[..., Sequence[Any]] | None = None, **limits: Any) -> Instance:
    """An instance whose only function import, if there is one, is `host`."""
    module = Module.decode(wat(text))
    imports = {(each.module, each.name): HostFunc(module.functions[0], host) for each in module.imports if host}
    return Instance(store, module, imports, Limits(**limits))


def _recorder(store: Store, seen: list[Frame]) -> Callable[[], Sequence[Any]]:
    """A host function that remembers the frames it is called from."""

    def record() -> Sequence[Any]:
        seen.extend(store.frames())
        return []

    return record


def _name(instance: Instance, frame: Frame) -> str:
    """The instruction at a frame's pc."""
    instructions = instance.module.code(frame.function_index).instructions
    return next(each.name for each in instructions if each.pc == frame.pc)


def test_pcs_are_offsets_in_the_module() -> None:
    store = Store()
    instance = _instance('(module (func (export "f") nop unreachable))', store)
    with pytest.raises(Trap) as caught:
        instance.invoke("f", [])
    (frame,) = caught.value.frames
    assert instance.module.binary[frame.pc - 1 : frame.pc + 2] == b"\x01\x00\x0b"


def test_frames_in_a_host_call() -> None:
    store = Store()
    seen: list[Frame] = []

    def host(*_: Any) -> Sequence[Any]:
        seen.extend(store.frames())
        return [9]

    text = """(module (import "" "" (func $host (param i64 f32) (result i32)))
      (func $inner (param i32) (result i32) (local v128 externref)
        i32.const 1
        i64.const -1 f32.const 1
        call $host
        i32.add)
      (func (export "f") (param f64) (result i32) (local i32)
        i32.const 5 local.set 1
        i32.const 77 i32.const 6
        call $inner
        i32.add))"""
    instance = _instance(text, store, host)
    assert instance.invoke("f", [3]) == [87]
    inner, outer = seen
    assert (inner.function_index, outer.function_index) == (1, 2)
    assert inner.locals == [("i32", 6), ("v128", bytes(16)), ("externref", None)]
    assert inner.stack == [("i32", 1), ("i64", 0xFFFFFFFFFFFFFFFF), ("f32", 0x3F800000)]
    assert outer.locals == [("f64", 3), ("i32", 5)]
    assert outer.stack == [("i32", 77), ("i32", 6)]
    assert [_name(instance, frame) for frame in seen] == ["call", "call"]
    assert [frame.activation for frame in seen] == [0, 0]
    assert store.frames() == []


def test_frames_are_snapshots() -> None:
    store = Store()
    seen: list[Frame] = []
    text = """(module (import "" "" (func $host))
      (func (export "f") (param i32) call $host i32.const 2 local.set 0 call $host))"""
    _instance(text, store, _recorder(store, seen)).invoke("f", [1])
    assert [frame.locals for frame in seen] == [[("i32", 1)], [("i32", 2)]]


def test_frames_over_activations() -> None:
    store = Store()
    seen: list[Frame] = []
    text = """(module (import "" "" (func $host (param i32)))
      (func (export "f") (param i32) local.get 0 call $host))"""

    def host(depth: int) -> Sequence[Any]:
        if depth:
            instance.invoke("f", [depth - 1])
        else:
            seen.extend(store.frames())
        return []

    instance = _instance(text, store, host)
    instance.invoke("f", [2])
    assert [(frame.activation, frame.locals) for frame in seen] == [(n, [("i32", n)]) for n in range(3)]


def test_a_trap_passes_activations_with_the_frames_of_where_it_began() -> None:
    store = Store()
    text = """(module (import "" "" (func $host (param i32)))
      (func (export "f") (param i32) local.get 0 call $host)
      (func (export "g") unreachable))"""
    instance = _instance(text, store, lambda _: instance.invoke("g", []))
    with pytest.raises(Trap) as caught:
        instance.invoke("f", [4])
    assert [(frame.function_index, frame.activation) for frame in caught.value.frames] == [(2, 0), (1, 1)]
    assert store.frames() == []


_TRAPS = [
    ("i32.const 7 i32.const 0 i32.div_s drop", "INTEGER_DIVISION_BY_ZERO", [7, 0]),
    ("i32.const 0x80000000 i32.const -1 i32.div_s drop", "INTEGER_OVERFLOW", [0x80000000, 0xFFFFFFFF]),
    ("f32.const nan i32.trunc_f32_s drop", "BAD_CONVERSION_TO_INTEGER", [0x7FC00000]),
    ("i32.const -1 i32.load drop", "MEMORY_OUT_OF_BOUNDS", [0xFFFFFFFF]),
    ("i32.const 65535 v128.const i64x2 0 0 v128.store16_lane 0", "MEMORY_OUT_OF_BOUNDS", [65535, bytes(16)]),
    ("i32.const 65530 i32.const 3 i32.const 7 memory.fill", "MEMORY_OUT_OF_BOUNDS", [65530, 3, 7]),
    ("i32.const 65530 i32.const 0 i32.const 7 memory.copy", "MEMORY_OUT_OF_BOUNDS", [65530, 0, 7]),
    ("i32.const 65533 i32.const 9 i32.store", "MEMORY_OUT_OF_BOUNDS", [65533, 9]),
    ("i32.const 0 i32.const 2 i32.const 3 memory.init $d", "MEMORY_OUT_OF_BOUNDS", [0, 2, 3]),
    ("i32.const 2 ref.null func table.set", "TABLE_OUT_OF_BOUNDS", [2, None]),
    ("i32.const 0 i32.const 1 i32.const 2 table.init $e", "TABLE_OUT_OF_BOUNDS", [0, 1, 2]),
    ("i32.const 1 i32.const 0 i32.const 2 table.copy", "TABLE_OUT_OF_BOUNDS", [1, 0, 2]),
    ("i32.const 1 ref.null func i32.const 2 table.fill", "TABLE_OUT_OF_BOUNDS", [1, None, 2]),
    ("ref.null $a i32.const 1 array.get_s $a drop", "NULL_REFERENCE", [None, 1]),
    ("ref.null $a i32.const 1 i32.const 2 array.set $a", "NULL_REFERENCE", [None, 1, 2]),
    (
        "ref.null $a i32.const 1 ref.null $a i32.const 2 i32.const 3 array.copy $a $a",
        "NULL_REFERENCE",
        [None, 1, None, 2, 3],
    ),
    ("ref.null $a i32.const 1 i32.const 2 i32.const 3 array.fill $a", "NULL_REFERENCE", [None, 1, 2, 3]),
    ("ref.null $a i32.const 1 i32.const 2 i32.const 3 array.init_data $a $d", "NULL_REFERENCE", [None, 1, 2, 3]),
    ("i32.const 2 i32.const 3 array.new_data $a $d drop", "MEMORY_OUT_OF_BOUNDS", [2, 3]),
    ("i32.const 1 i32.const -1 array.new $a drop", "ALLOCATION_TOO_LARGE", [1, 0xFFFFFFFF]),
    ("i32.const 5 ref.null $t call_ref $t", "NULL_REFERENCE", [5, None]),
    ("i32.const 5 ref.null $t return_call_ref $t", "NULL_REFERENCE", [5, None]),
    ("i32.const 2 table.get drop", "TABLE_OUT_OF_BOUNDS", [2]),
    ("i32.const 5 i32.const 1 call_indirect (param i32)", "INDIRECT_CALL_TO_NULL", [5, 1]),
    ("i32.const 5 i32.const 2 return_call_indirect (param i32)", "TABLE_OUT_OF_BOUNDS", [5, 2]),
    ("i32.const 5 i32.const 0 call_indirect (param i32)", "BAD_SIGNATURE", [5, 0]),
    ("ref.null func ref.as_non_null drop", "NULL_REFERENCE", [None]),
    ("ref.null $s i32.const 3 struct.set $s 0", "NULL_REFERENCE", [None, 3]),
    ("ref.null i31 i31.get_s drop", "NULL_REFERENCE", [None]),
    ("i32.const 3 ref.i31 ref.cast (ref struct) drop", "CAST_FAILURE", [I31(3)]),
    ("ref.null exn throw_ref", "NULL_REFERENCE", [None]),
]


@pytest.mark.parametrize(("body", "code", "operands"), _TRAPS)
def test_the_operands_of_what_traps_are_on_the_stack(body: str, code: str, operands: list[Any]) -> None:
    text = f"""(module (memory 1) (table 2 funcref) (elem (i32.const 0) $f) (data $d "abcd") (elem $e func $f)
      (type $s (struct (field (mut i32)))) (type $a (array (mut i8))) (type $t (func (param i32)))
      (func $f (export "f") (local i64) i64.const 11 {body} drop))"""
    with pytest.raises(Trap) as caught:
        _instance(text, Store()).invoke("f", [])
    assert caught.value.code == code
    (frame,) = caught.value.frames
    assert [value for _, value in frame.stack] == [11, *operands]
    assert frame.locals == [("i64", 0)]


def test_an_unaligned_atomic_traps() -> None:
    text = """(module (memory 1 1 shared)
      (func (export "f") i32.const 2 i32.const 1 i32.atomic.rmw.add drop))"""
    with pytest.raises(Trap) as caught:
        _instance(text, Store()).invoke("f", [])
    assert caught.value.code == "HEAP_MISALIGNED"
    assert caught.value.frames[0].stack == [("i32", 2), ("i32", 1)]


def test_a_tail_call_replaces_the_frame() -> None:
    store = Store()
    seen: list[Frame] = []
    text = """(module (import "" "" (func $host))
      (func $last (param i32) call $host)
      (func $middle i32.const 3 return_call $last)
      (func (export "f") call $middle)
      (func (export "g") return_call $host))"""
    instance = _instance(text, store, _recorder(store, seen))
    instance.invoke("f", [])
    assert [frame.function_index for frame in seen] == [1, 3]
    seen.clear()
    instance.invoke("g", [])
    assert seen == []


_EXCEPTIONS = """(module (tag $t (export "t") (param i32 i64))
  (func $thrower (param i32) f32.const 1 local.get 0 i64.const 8 throw $t)
  (func (export "uncaught") i32.const 1 i32.const 6 call $thrower drop)
  (func (export "caught") (result i32 i64 i32)
    (block $h (result i32 i64 exnref)
      (try_table (catch_ref $t $h) i32.const 99 i32.const 6 call $thrower drop)
      unreachable)
    drop i32.const 5 call $peek)
  (func $peek (param i32) (result i32) local.get 0)
  (func (export "rethrown")
    (block $h (result exnref) (try_table (catch_all_ref $h) i32.const 6 call $thrower) unreachable)
    throw_ref))"""


def test_frames_of_an_uncaught_exception() -> None:
    instance = _instance(_EXCEPTIONS, Store())
    with pytest.raises(WasmException) as caught:
        instance.invoke("uncaught", [])
    thrower, outer = caught.value.frames
    assert _name(instance, thrower) == "throw"
    assert thrower.stack == [("f32", 0x3F800000), ("i32", 6), ("i64", 8)]
    assert outer.stack == [("i32", 1), ("i32", 6)]
    exception = caught.value.exception
    assert (exception.tag, exception.values) == (instance.exports["t"], [6, 8])


def test_a_caught_exception_unwinds_the_operand_stack() -> None:
    store = Store()
    stacks: list[list[Any]] = []
    instance = _instance(_EXCEPTIONS, store)
    store.on_step = lambda frame: stacks.append([value for _, value in frame.stack])
    assert instance.invoke("caught", []) == [6, 8, 5]
    assert max(map(len, stacks)) == 3
    caught = next(stack for stack in stacks if stack and isinstance(stack[-1], ExnObject))
    assert caught[:2] == [6, 8]


def test_a_rethrown_exception_shows_where_it_was_rethrown() -> None:
    instance = _instance(_EXCEPTIONS, Store())
    with pytest.raises(WasmException) as caught:
        instance.invoke("rethrown", [])
    (frame,) = caught.value.frames
    assert _name(instance, frame) == "throw_ref"
    assert frame.stack == [("exnref", caught.value.exception)]


def test_a_host_function_may_throw_into_the_guest() -> None:
    text = """(module (import "" "" (func $host)) (tag (export "t") (param i32))
      (func (export "f") (result i32) (block $h (result i32) (try_table (catch 0 $h) call $host) unreachable)))"""

    def host() -> Sequence[Any]:
        tag = instance.exports["t"]
        assert isinstance(tag, Tag)
        raise WasmException(ExnObject(tag, [21]))

    instance = _instance(text, Store(), host)
    assert instance.invoke("f", []) == [21]


def test_type_names() -> None:
    text = """(module (type $s (struct (field i8 (mut f64)))) (type $same (struct (field i8 (mut f64))))
      (func (export "f") (param anyref eqref i31ref structref arrayref funcref externref exnref)
        (local (ref null $same) (ref $s) nullref (ref null nofunc) (ref null noextern) (ref null noexn))
        i32.const 300 f64.const 1 struct.new $same
        i32.const 4 ref.i31
        unreachable))"""
    with pytest.raises(Trap) as caught:
        _instance(text, Store()).invoke("f", [None] * 8)
    (frame,) = caught.value.frames
    names = ["anyref", "eqref", "i31ref", "structref", "arrayref", "funcref", "externref", "exnref"]
    unset = ["(ref null 0)", "(ref 0)", "nullref", "nullfuncref", "nullexternref", "nullexnref"]
    assert [name for name, _ in frame.locals] == names + unset
    (struct_name, struct_value), i31 = frame.stack
    assert (struct_name, i31) == ("(ref 0)", ("(ref i31)", I31(4)))
    assert isinstance(struct_value, StructObject)
    assert struct_value.fields == [44, 0x3FF0000000000000]


def test_steps_show_the_state_before_each_instruction() -> None:
    store = Store()
    instance = _instance(
        """(module (func (export "f") (param i32) (result i32)
             (loop $l (result i32)
               (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
               (local.get 0)
               (br_if $l (local.get 0)))))""",
        store,
    )
    steps: list[tuple[str, int, int]] = []
    store.on_step = lambda frame: steps.append((_name(instance, frame), frame.locals[0][1], len(frame.stack)))
    assert instance.invoke("f", [1]) == [0]
    assert steps == [
        ("loop", 1, 0),
        ("local.get", 1, 0),
        ("i32.const", 1, 1),
        ("i32.sub", 1, 2),
        ("local.set", 1, 1),
        ("local.get", 0, 0),
        ("local.get", 0, 1),
        ("br_if", 0, 2),
        ("end", 0, 1),
        ("end", 0, 1),
    ]


def test_the_operand_stack_has_the_types_of_every_step() -> None:
    """A stack and its static types have the same height at every instruction: a frame cannot be made otherwise."""
    store = Store()
    heights: list[int] = []
    store.on_step = lambda frame: heights.append(len(frame.stack))
    text = """(module (func (export "f") (param i32) (result i64)
      i64.const 1
      (block (param i64) (result i64)
        (block (param i64) (result i64 i64)
          i64.const 2
          (br_table 0 1 1 (local.get 0)))
        i64.add)))"""
    instance = _instance(text, store)
    assert [instance.invoke("f", [index]) for index in range(3)] == [[3], [2], [2]]
    assert max(heights) == 3


def test_calls_are_limited() -> None:
    text = '(module (func $f (export "f") (param i32) i32.const 4 call $f))'
    with pytest.raises(CallStackExhausted) as caught:
        _instance(text, Store(), call_depth=7).invoke("f", [0])
    assert caught.value.code == "STACK_OVERFLOW"
    assert len(caught.value.frames) == 7
    assert all(frame.stack == [("i32", 4)] for frame in caught.value.frames)


def test_steps_are_limited() -> None:
    text = '(module (func (export "f") (loop br 0)))'
    with pytest.raises(OutOfSteps) as caught:
        _instance(text, Store(), steps=100).invoke("f", [])
    assert len(caught.value.frames) == 1


def test_an_error_of_a_host_function_leaves_no_frames() -> None:
    store = Store()
    text = '(module (import "" "" (func $host)) (func (export "f") call $host))'

    def host() -> Sequence[Any]:
        raise ValueError("of the host")

    with pytest.raises(ValueError, match="of the host"):
        _instance(text, store, host).invoke("f", [])
    assert store.frames() == []
