"""Breakpoints as they are set, changed and removed: where they end up, and that an edit is all or nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import wasmscope
from wasmscope import BreakpointError, ConditionError, DebugEvent

ADD = """(module
  (memory 1)
  (global $g (export "g") (mut i64) (i64.const 10))
  (func $f (export "f") (param $x i32) (result i32) (local $y i64)
    (i32.add (local.get $x) (i32.const 1)))
  (func $empty (export "empty"))
  (func $branches (export "branches") (param $x i32) (result i32)
    (if (result i32) (local.get $x)
      (then (loop $l (nop)) (i32.const 1))
      (else (i32.const 2))))
  (func $dead (export "dead") (result i32) (return (i32.const 3)) (i32.const 4)))"""


class Seen:
    """Keeps where the guest stopped; does what the test wants then."""

    def __init__(self, then: Any = None) -> None:
        self.events: list[Any] = []
        self.pcs: list[int] = []
        self.then = then

    def handle(self, store: wasmscope.Store, event: Any) -> None:
        frames = store.debug_frames()
        assert frames is not None
        found = frames.wasm_function_index_and_pc()
        assert found is not None
        self.events.append(event)
        self.pcs.append(found[1])
        if self.then is not None:
            self.then(event)


class Setting:
    def __init__(self, text: str = ADD, instances: int = 1) -> None:
        self.store = wasmscope.Store(wasmscope.Engine())
        self.module = wasmscope.Module(self.store.engine, text)
        self.instances = [wasmscope.Instance(self.store, self.module, []) for _ in range(instances)]
        self.seen = Seen()
        self.store.set_debug_handler(self.seen)

    def call(self, name: str, *arguments: Any, instance: int = 0) -> Any:
        return self.instances[instance].exports(self.store)[name](self.store, *arguments)

    def edit(self) -> wasmscope.BreakpointEdit:
        edit = self.store.edit_breakpoints()
        assert edit is not None
        return edit

    def add(self, pc: int, **how: Any) -> wasmscope.Breakpoint:
        with self.edit() as edit:
            return edit.add_breakpoint(self.module, pc, **how)

    def code(self, function: int) -> list[tuple[int, str]]:
        typed = self.module.frame_table.typed(function)
        return [(each.pc, each.instruction.opcode.name) for each in typed.instructions]

    def pc(self, function: int, name: str) -> int:
        return next(pc for pc, opcode in self.code(function) if opcode == name)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_pc_between_instructions_slips_forward(setting: Setting) -> None:
    (first, _), (second, _), *_ = setting.code(0)
    assert second - first > 1
    breakpoint_ = setting.add(first + 1)
    assert (breakpoint_.requested_pc, breakpoint_.pc) == (first + 1, second)
    assert setting.call("f", 1) == 2
    assert setting.seen.pcs == [second]
    with setting.edit() as edit:
        edit.remove_breakpoint(setting.module, first + 1)
    assert setting.store.breakpoints() == []


def test_a_pc_in_the_header_of_a_function_is_its_first_instruction(setting: Setting) -> None:
    code = setting.module.original.codes[0]
    assert code.start < code.code_start
    assert [setting.add(pc).pc for pc in range(code.start, code.code_start + 1)] == [code.code_start] * (
        code.code_start - code.start + 1
    )
    assert setting.call("f", 1) == 2
    (event,) = setting.seen.events
    assert len(event.breakpoints) == code.code_start - code.start + 1


def test_behind_the_last_instruction_of_a_function_is_the_next_one(setting: Setting) -> None:
    codes = setting.module.original.codes
    assert setting.add(codes[0].end).pc == codes[1].code_start


@pytest.mark.parametrize("pc", [-1, 0, 1 << 40, "end"])
def test_a_pc_outside_the_code_is_refused(setting: Setting, pc: Any) -> None:
    if pc == "end":
        pc = setting.module.original.codes[-1].end
    with pytest.raises(BreakpointError, match="there is no instruction at offset"):
        setting.add(pc)
    assert setting.store.breakpoints() == []


def test_a_module_without_code_has_no_place_for_breakpoints() -> None:
    setting = Setting("(module (memory 1))")
    with pytest.raises(BreakpointError, match="the module has no code"):
        setting.add(0)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"pc": 1.0}, TypeError),
        ({"pc": "1"}, TypeError),
        ({"pc": None}, TypeError),
        ({"ignore_count": -1}, ValueError),
        ({"ignore_count": 1.5}, TypeError),
        ({"condition": 1}, TypeError),
        ({"condition": asyncio.sleep}, TypeError),
        ({"condition": ""}, ConditionError),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(setting: Setting, how: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        setting.add(**{"pc": setting.pc(0, "i32.add")} | how)
    assert setting.store.breakpoints() == []


@pytest.mark.parametrize(
    ("condition", "column"),
    [
        ("local[0] == ", 13),
        ("1 + local[9]", 5),
        ("stack[0] == 1 && stack[2] == 2", 18),
        ("$z", 1),
        ("local[0] = 1", 10),
    ],
)
def test_a_condition_is_checked_when_it_is_set(setting: Setting, condition: str, column: int) -> None:
    with pytest.raises(ConditionError) as raised:
        setting.add(setting.pc(0, "i32.add"), condition=condition)
    assert raised.value.column == column
    assert setting.call("f", 1) == 2
    assert setting.seen.events == []


def test_a_module_of_another_engine_is_refused(setting: Setting) -> None:
    other = wasmscope.Module(wasmscope.Engine(), ADD)
    with pytest.raises(BreakpointError, match="another engine"), setting.edit() as edit:
        edit.add_breakpoint(other, setting.pc(0, "i32.add"))


def test_a_module_without_debugging_is_refused(setting: Setting) -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    other = wasmscope.Module(wasmscope.Engine(config), ADD)
    with pytest.raises(BreakpointError, match="guest_debug off"), setting.edit() as edit:
        edit.add_breakpoint(other, setting.pc(0, "i32.add"))


def test_an_instance_of_another_module_or_store_is_refused(setting: Setting) -> None:
    other = wasmscope.Module(setting.store.engine, "(module (func))")
    instance = wasmscope.Instance(setting.store, other, [])
    with pytest.raises(BreakpointError, match="another module"):
        setting.add(setting.pc(0, "i32.add"), instance=instance)
    foreign = wasmscope.Instance(wasmscope.Store(setting.store.engine), setting.module, [])
    with pytest.raises(BreakpointError, match="another store"):
        setting.add(setting.pc(0, "i32.add"), instance=foreign)


@pytest.mark.parametrize(
    ("function", "name", "argument", "hits"),
    [
        (1, "end", None, 1),
        (2, "if", 1, 1),
        (2, "else", 1, 1),
        (2, "else", 0, 0),
        (2, "loop", 1, 1),
        (2, "nop", 1, 1),
        (3, "return", None, 1),
        (3, "end", None, 0),
    ],
)
def test_every_instruction_is_a_place(setting: Setting, function: int, name: str, argument: Any, hits: int) -> None:
    breakpoint_ = setting.add(setting.pc(function, name))
    export = ["f", "empty", "branches", "dead"][function]
    expected = [None, None, 1 if argument else 2, 3][function]
    assert setting.call(export, *([] if argument is None else [argument])) == expected
    assert setting.seen.pcs == [breakpoint_.pc] * hits
    assert breakpoint_.hits == hits


def test_several_at_one_place_are_told_together(setting: Setting) -> None:
    pc = setting.pc(0, "i32.add")
    with setting.edit() as edit:
        plain = edit.add_breakpoint(setting.module, pc)
        false = edit.add_breakpoint(setting.module, pc, "local[0] == 2")
        true = edit.add_breakpoint(setting.module, pc, "local[0] == 1", temporary=True)
        python = edit.add_breakpoint(setting.module, pc, lambda frame: frame.local(0).value == 1)
        ignored = edit.add_breakpoint(setting.module, pc, "global[0] == 10", ignore_count=1)
    assert setting.store.breakpoints() == [plain, false, true, python, ignored]
    assert [setting.call("f", n) for n in (1, 2)] == [2, 3]
    assert setting.seen.events == [
        DebugEvent.Breakpoint((plain, true, python)),
        DebugEvent.Breakpoint((plain, false, ignored)),
    ]
    assert [each.hits for each in (plain, false, true, python, ignored)] == [2, 1, 1, 1, 2]
    assert setting.store.breakpoints() == [plain, false, python, ignored]
    with setting.edit() as edit:
        edit.remove(plain)
        edit.remove(python)
    assert setting.call("f", 3) == 4
    assert setting.seen.events[2:] == [DebugEvent.Breakpoint((ignored,))]
    with setting.edit() as edit:
        edit.remove(ignored)
    assert setting.call("f", 3) == 4
    assert len(setting.seen.events) == 3


def test_hundreds_of_conditions_at_one_place(setting: Setting) -> None:
    pc = setting.pc(0, "i32.add")
    with setting.edit() as edit:
        found = [edit.add_breakpoint(setting.module, pc, f"local[0] == {n}") for n in range(300)]
    assert [setting.call("f", n) for n in (299, 5, 300)] == [300, 6, 301]
    assert setting.seen.events == [DebugEvent.Breakpoint((found[299],)), DebugEvent.Breakpoint((found[5],))]


def test_conditions_see_globals_memory_and_names(setting: Setting) -> None:
    setting.add(setting.pc(0, "i32.add"), condition="$x == 1 && $g == 10 && u8[0] == 0 && $y == 0 && stack[-1] == 1")
    assert setting.call("f", 1) == 2
    assert len(setting.seen.events) == 1
    setting.instances[0].exports(setting.store)["g"].set_value(setting.store, 11)
    assert setting.call("f", 1) == 2
    assert len(setting.seen.events) == 1


def test_instances_stop_by_their_own_state() -> None:
    setting = Setting(instances=2)
    setting.instances[1].exports(setting.store)["g"].set_value(setting.store, 5)
    breakpoint_ = setting.add(setting.pc(0, "i32.add"), condition="$g == 5")
    assert setting.call("f", 1, instance=0) == 2
    assert breakpoint_.hits == 0
    assert setting.call("f", 1, instance=1) == 2
    assert breakpoint_.hits == 1


def test_a_breakpoint_of_one_instance_leaves_the_others_alone() -> None:
    setting = Setting(instances=2)
    breakpoint_ = setting.add(setting.pc(0, "i32.add"), instance=setting.instances[1])
    everywhere = setting.add(setting.pc(0, "i32.const"))
    setting.instances.append(wasmscope.Instance(setting.store, setting.module, []))
    for instance in range(3):
        assert setting.call("f", 1, instance=instance) == 2
    assert (breakpoint_.hits, everywhere.hits) == (1, 3)
    with setting.edit() as edit:
        edit.remove(everywhere)
    for instance in range(3):
        assert setting.call("f", 1, instance=instance) == 2
    assert (breakpoint_.hits, everywhere.hits) == (2, 3)


def test_a_condition_in_python_ends_the_call_as_a_handler_does(setting: Setting) -> None:
    pc = setting.pc(0, "i32.add")

    def fail(frame: wasmscope.FrameHandle) -> bool:
        raise KeyError("why")

    with setting.edit() as edit:
        before = edit.add_breakpoint(setting.module, pc, temporary=True)
        failing = edit.add_breakpoint(setting.module, pc, fail)
        behind = edit.add_breakpoint(setting.module, pc, "local[0] == 1", ignore_count=1)
    with pytest.raises(KeyError, match="why"):
        setting.call("f", 1)
    assert [each.hits for each in (before, failing, behind)] == [0, 0, 0]
    assert behind.ignore_count == 1
    assert setting.seen.events == []
    assert setting.store.breakpoints() == [before, failing, behind]
    with setting.edit() as edit:
        edit.remove(failing)
    assert setting.call("f", 1) == 2
    assert setting.seen.events == [DebugEvent.Breakpoint((before,))]


def test_a_condition_in_python_may_call_the_guest_and_edit(setting: Setting) -> None:
    pc = setting.pc(0, "i32.add")
    made = []

    def condition(frame: wasmscope.FrameHandle) -> bool:
        assert frame.local(0).value == 1
        assert setting.call("branches", 0) == 2
        assert not frame.is_valid()
        with setting.edit() as edit:
            edit.remove(first)
            made.append(edit.add_breakpoint(setting.module, setting.pc(0, "end")))
        return True

    first = setting.add(pc, condition=condition)
    other = setting.add(pc)
    assert setting.call("f", 1) == 2
    assert setting.seen.events == [DebugEvent.Breakpoint((other,)), DebugEvent.Breakpoint((made[0],))]


def test_an_edit_is_all_or_nothing(setting: Setting) -> None:
    pc = setting.pc(0, "i32.add")
    kept = setting.add(pc)
    other = setting.add(setting.pc(0, "end"))

    def change() -> None:
        with setting.edit() as edit:
            edit.add_breakpoint(setting.module, setting.pc(0, "i32.const"), "local[0] == 1")
            edit.remove_breakpoint(setting.module, pc)
            edit.single_step(True)
            edit.remove_breakpoint(setting.module, setting.pc(2, "if"))

    with pytest.raises(BreakpointError, match="there is no breakpoint at"):
        change()
    assert setting.store.breakpoints() == [kept, other]
    assert not setting.store.is_single_step()
    assert setting.call("f", 1) == 2
    assert setting.seen.events == [DebugEvent.Breakpoint((kept,)), DebugEvent.Breakpoint((other,))]


def test_an_edit_that_is_left_by_an_exception_does_nothing(setting: Setting) -> None:
    edit = setting.edit()

    def change() -> None:
        with edit:
            edit.add_breakpoint(setting.module, setting.pc(0, "i32.add"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert setting.store.breakpoints() == []
    with edit:
        pass
    assert setting.store.breakpoints() == []


def test_a_breakpoint_is_not_set_twice(setting: Setting) -> None:
    breakpoint_ = setting.add(setting.pc(0, "i32.add"))
    with pytest.raises(BreakpointError, match="set already"):
        setting.store.stops.add(breakpoint_)
    assert setting.call("f", 1) == 2
    assert breakpoint_.hits == 1


def test_thousands_are_set_and_removed_in_time_that_grows_with_their_number() -> None:
    functions = "".join(f'(func (export "f{n}") (result i32) (i32.const {n}))' for n in range(2500))
    setting = Setting(f"(module {functions})")
    places = [pc for n in range(2500) for pc, _ in setting.code(n)]

    def time_of(count: int) -> float:
        start = time.process_time()
        with setting.edit() as edit:
            found = [edit.add_breakpoint(setting.module, pc) for pc in places[:count] * 2]
        assert len(setting.store.breakpoints()) == 2 * count
        assert setting.call("f7") == 7
        for each in found[:count]:
            with setting.edit() as edit:
                edit.remove(each)
        with setting.edit() as edit:
            for pc in places[:count]:
                edit.remove_breakpoint(setting.module, pc)
        assert setting.store.breakpoints() == []
        return time.process_time() - start

    time_of(100)
    few, many = (min(time_of(count) for _ in range(3)) for count in (500, 5000))
    assert many < 30 * few


def test_what_a_handler_edits_is_in_effect_at_once() -> None:
    setting = Setting(
        """(module (func $f (export "f") (param i32) (result i32)
          (loop $l (drop (call $g (local.get 0)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0))
          (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"""
    )
    inner = setting.pc(1, "i32.add")

    def then(event: Any) -> None:
        if len(setting.seen.events) == 1:
            setting.add(setting.pc(0, "drop"))  # in the caller, which runs
        elif len(setting.seen.events) == 4:
            with setting.edit() as edit:
                edit.remove_breakpoint(setting.module, inner)

    setting.seen.then = then
    setting.add(inner)
    assert setting.call("f", 3) == 0
    outer = setting.pc(0, "drop")
    assert setting.seen.pcs == [inner, outer, inner, outer, outer]


def test_another_thread_sets_and_clears_them_while_the_guest_loops() -> None:
    setting = Setting(
        """(module (global $on (export "on") (mut i32) (i32.const 1))
          (func (export "f") (result i32) (local i32)
            (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if $l (global.get $on)))
            (local.get 0)))"""
    )
    stopped = threading.Event()

    def then(event: Any) -> None:
        if isinstance(event, DebugEvent.Breakpoint):
            stopped.set()
        else:
            setting.instances[0].exports(setting.store)["on"].set_value(setting.store, 0)

    setting.seen.then = then
    edits = []

    def drive() -> None:
        time.sleep(0.05)
        for _ in range(5):
            stopped.clear()
            with setting.edit() as edit:
                edit.add_breakpoint(setting.module, setting.pc(0, "i32.add"))
            assert stopped.wait(20)
            with setting.edit() as edit:
                edit.remove_breakpoint(setting.module, setting.pc(0, "i32.add"))
            edits.append(edit)
        with setting.edit() as edit:
            edit.remove_breakpoint(setting.module, setting.pc(0, "i32.add"))
        edits.append(edit)
        time.sleep(0.05)
        setting.store.interrupt()

    driver = threading.Thread(target=drive)
    driver.start()
    assert setting.call("f") > 0
    driver.join()
    assert [edit.is_done for edit in edits] == [True] * 6
    assert [str(edit.error) for edit in edits[:5]] == ["None"] * 5
    assert "there is no breakpoint" in str(edits[5].error)
    assert setting.store.breakpoints() == []
    assert isinstance(setting.seen.events[-1], DebugEvent.Interrupted)


def test_an_asynchronous_handler_edits_at_once() -> None:
    setting = Setting()

    class Handler:
        told: list[Any] = []  # noqa: RUF012  # of this test alone

        async def handle(self, store: wasmscope.Store, event: Any) -> None:
            await asyncio.sleep(0)
            self.told.append(event)
            if len(self.told) == 1:
                setting.add(setting.pc(0, "end"))
                assert len(store.breakpoints()) == 2
                with pytest.raises(BreakpointError), setting.edit() as edit:
                    edit.remove_breakpoint(setting.module, setting.pc(2, "if"))

    setting.store.set_debug_handler(Handler())
    setting.add(setting.pc(0, "i32.add"))
    function: Any = setting.instances[0].exports(setting.store)["f"]
    assert asyncio.run(function.call_async(setting.store, 1)) == 2
    assert [event.breakpoints[0].pc for event in Handler.told] == [setting.pc(0, "i32.add"), setting.pc(0, "end")]


def test_an_edit_of_a_store_without_debugging_is_none() -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    assert wasmscope.Store(wasmscope.Engine(config)).edit_breakpoints() is None


def test_a_guest_stops_in_a_store_with_as_many_instances_as_there_may_be() -> None:
    store = wasmscope.Store()
    empty = wasmscope.Module(store.engine, "(module)")
    module = wasmscope.Module(store.engine, '(module (func (export "f") (nop)))')
    f = wasmscope.Instance(store, module, []).exports(store)["f"]

    def fill() -> None:
        for _ in range(10_001):
            wasmscope.Instance(store, empty, [])

    with pytest.raises(wasmscope.WasmtimeError, match="instance count too high"):
        fill()
    edit = store.edit_breakpoints()
    assert edit is not None
    with edit:
        breakpoint_ = edit.add_breakpoint(module, module.frame_table.offsets(0)[0])
    f(store)
    assert breakpoint_.hits == 1
    with pytest.raises(wasmscope.WasmtimeError, match="instance count too high"):
        fill()
