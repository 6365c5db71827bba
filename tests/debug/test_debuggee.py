"""A guest is driven from event to event, and nothing that it ends with is lost."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

import pytest

import wasmscope
from support.guest_for_async import Guest, Recorder
from wasmscope import Continue, DebugEvent, Debuggee, ExitTrap, NotPaused, Trap, TrapCode, WasmscopeError

THROWS = """(module
  (import "" "host" (func $host (param i32) (result i32)))
  (tag $tag (export "tag") (param i32))
  (func (export "caught") (result i32)
    (block $catch (result i32) (try_table (catch $tag $catch) (throw $tag (i32.const 7))) (i32.const 0)))
  (func (export "uncaught") (throw $tag (i32.const 8))))"""


def thrower() -> tuple[wasmscope.Store, Any]:
    config = wasmscope.Config()
    config.wasm_exceptions = True
    engine = wasmscope.Engine(config)
    store = wasmscope.Store(engine)
    i32 = wasmscope.ValType.i32()
    host = wasmscope.Func(store, wasmscope.FuncType([i32], [i32]), lambda value: value)
    return store, wasmscope.Instance(store, wasmscope.Module(engine, THROWS), [host]).exports(store)


def test_a_launched_call_has_run_nothing() -> None:
    called: list[int] = []
    guest = Guest(lambda value: called.append(value) or value)
    debuggee = Debuggee(guest.store)
    assert debuggee.state == "idle"
    debuggee.launch(guest["add"], 5)
    assert (debuggee.state, debuggee.event, debuggee.frames(), called) == ("paused", None, [], [])
    assert debuggee.resume() == DebugEvent.Completed(6)
    assert (debuggee.state, debuggee.error, called) == ("exited", None, [5])
    assert guest.works()


def test_a_call_that_is_over_can_be_followed_by_another() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    for number in range(50):
        debuggee.launch(guest["add"], number)
        assert debuggee.resume(Continue()) == DebugEvent.Completed(number + 1)


def test_a_trap_is_looked_at_before_it_ends_the_call() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["divide"], 0)
    event = debuggee.resume()
    assert isinstance(event, DebugEvent.Trap)
    assert event.trap.trap_code is TrapCode.INTEGER_DIVISION_BY_ZERO
    assert (debuggee.state, debuggee.error, debuggee.event) == ("paused", None, event)
    frame = debuggee.frames()[0]
    assert [frame.stack(index).value for index in range(frame.num_stacks())] == [12, 0]  # type: ignore[union-attr]
    assert debuggee.resume() == DebugEvent.Completed(None, event.trap)
    assert (debuggee.state, debuggee.error) == ("exited", event.trap)
    assert debuggee.frames() == []
    assert not frame.is_valid()
    assert guest.works()


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_what_a_host_function_raises_is_told_and_kept(error: BaseException) -> None:
    def host(value: int) -> int:
        raise error

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 9)
    assert debuggee.resume() == DebugEvent.HostcallError(error)
    assert debuggee.frames()[0].local(0).value == 9  # type: ignore[union-attr]
    assert debuggee.resume() == DebugEvent.Completed(None, error)
    assert debuggee.error is error
    assert guest.works()


def test_exceptions_are_told_at_the_throw() -> None:
    store, exports = thrower()
    debuggee = Debuggee(store)
    debuggee.launch(exports["caught"])
    event = debuggee.resume()
    assert isinstance(event, DebugEvent.CaughtExceptionThrown)
    assert event.exception.field(0).value == 7
    assert debuggee.resume() == DebugEvent.Completed(7)
    debuggee.launch(exports["uncaught"])
    assert isinstance(debuggee.resume(), DebugEvent.UncaughtExceptionThrown)
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert isinstance(debuggee.error, Trap)


def test_caught_exceptions_need_not_be_told() -> None:
    store, exports = thrower()
    debuggee = Debuggee(store, caught_exceptions=False)
    debuggee.launch(exports["caught"])
    assert debuggee.resume() == DebugEvent.Completed(7)


def test_a_wasi_guest_exits() -> None:
    engine = wasmscope.Engine()
    store = wasmscope.Store(engine)
    store.set_wasi(wasmscope.WasiConfig())
    linker = wasmscope.Linker(engine)
    linker.define_wasi()
    module = wasmscope.Module(
        engine,
        """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
             (func (export "_start") (call $exit (i32.const 3))))""",
    )
    debuggee = Debuggee(store)
    debuggee.launch(linker.instantiate(store, module).exports(store)["_start"])
    assert isinstance(debuggee.resume(), DebugEvent.Completed)
    assert isinstance(debuggee.error, ExitTrap)
    assert debuggee.error.code == 3


def test_a_start_function_is_debugged_by_launching_its_instantiation() -> None:
    engine = wasmscope.Engine()
    store = wasmscope.Store(engine)
    module = wasmscope.Module(engine, '(module (func $start unreachable) (start $start) (func (export "f")))')
    debuggee = Debuggee(store)
    debuggee.launch(wasmscope.Linker(engine).instantiate, module)
    assert isinstance(debuggee.resume(), DebugEvent.Trap)
    assert debuggee.frames()[0].function_index == 0
    assert len(debuggee.instances()) == 1
    assert debuggee.modules() == [module]
    debuggee.resume()
    assert isinstance(debuggee.error, Trap)


def test_arguments_that_do_not_fit_end_the_call() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], "text")
    event = debuggee.resume()
    assert isinstance(event, DebugEvent.Completed)
    assert isinstance(debuggee.error, TypeError)


def test_what_is_done_in_the_wrong_state_is_refused_and_says_so() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    steps = [debuggee.resume, debuggee.step, debuggee.step_over, debuggee.step_out]
    for step in [*steps, lambda: debuggee.run_to(debuggee.modules()[0], 0)]:
        with pytest.raises(NotPaused, match="the debuggee is idle; launch a call first"):
            step()
    debuggee.launch(guest["add"], 1)
    with pytest.raises(NotPaused, match="the debuggee is paused; resume it until it has ended, or close it"):
        debuggee.launch(guest["add"], 1)
    debuggee.resume()
    with pytest.raises(NotPaused, match="the debuggee is exited; launch a call first"):
        debuggee.resume()


def test_while_the_guest_runs_it_can_only_be_interrupted() -> None:
    states: list[str] = []

    def host(value: int) -> int:
        attempts = [debuggee.frames, debuggee.modules, debuggee.instances, debuggee.resume, debuggee.step]
        for attempt in [*attempts, lambda: debuggee.launch(guest["add"], 2)]:
            with pytest.raises(NotPaused, match="the debuggee is running"):
                attempt()
        states.append(debuggee.state)
        debuggee.interrupt()
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["spin_calling"])
    assert debuggee.resume() == DebugEvent.Interrupted()
    assert states == ["running"]
    debuggee.close()


def test_only_one_thread_waits_for_the_next_event() -> None:
    in_host, go_on = threading.Event(), threading.Event()

    def host(value: int) -> int:
        in_host.set()
        assert go_on.wait(20)
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 1)
    events: list[DebugEvent] = []
    waiting = threading.Thread(target=lambda: events.append(debuggee.resume()))
    waiting.start()
    assert in_host.wait(20)
    with pytest.raises(NotPaused, match="somebody else waits"):
        debuggee.resume()
    go_on.set()
    waiting.join()
    assert events == [DebugEvent.Completed(2)]


def test_host_functions_see_a_copy_of_the_context_in_which_the_call_was_launched() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []

    def host(value: int) -> int:
        seen.append(variable.get())
        variable.set("by the host")
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    variable.set("launched")
    debuggee.launch(guest["add"], 1)
    variable.set("later")
    debuggee.resume()
    assert (seen, variable.get()) == (["launched"], "later")


def test_coroutine_functions_run_on_a_loop_of_the_guest() -> None:
    import asyncio

    async def host(value: int) -> int:
        await asyncio.sleep(0)
        assert threading.current_thread().name == "wasmscope-guest"
        return await guest["count"].call_async(guest.store, value)  # type: ignore[no-any-return]

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 4)
    assert debuggee.resume() == DebugEvent.Completed(5)
    assert guest.works()


def test_a_guest_of_another_store_tells_its_own_handler() -> None:
    other = Guest()
    recorder = Recorder()
    other.store.set_debug_handler(recorder)

    def host(value: int) -> int:
        with pytest.raises(Trap):
            other["divide"](other.store, 0)
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 4)
    assert debuggee.resume() == DebugEvent.Completed(5)
    assert recorder.names == ["Trap"]


def test_calls_nested_in_host_functions_are_debugged_too() -> None:
    def host(value: int) -> int:
        with pytest.raises(Trap):
            guest["divide"](guest.store, 0)
        return value

    guest = Guest(host)
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["add"], 4)
    assert isinstance(debuggee.resume(), DebugEvent.Trap)
    assert [frame.activation() for frame in debuggee.frames()] == [0, 1]
    assert debuggee.resume() == DebugEvent.Completed(5)


def test_a_guest_that_cannot_be_looked_into_is_refused() -> None:
    config = wasmscope.Config()
    config.guest_debug = False
    with pytest.raises(WasmscopeError, match="guest_debug"):
        Debuggee(wasmscope.Store(wasmscope.Engine(config)))


def test_two_debuggees_of_one_store_take_turns() -> None:
    guest = Guest()
    one, two = Debuggee(guest.store), Debuggee(guest.store)
    one.launch(guest["divide"], 0)
    with pytest.raises(WasmscopeError, match="in use"):
        two.launch(guest["add"], 1)
    assert two.state == "idle"
    one.resume()
    one.resume()
    two.launch(guest["add"], 1)
    assert two.resume() == DebugEvent.Completed(2)


def test_deep_recursion_has_the_stack_of_a_plain_call() -> None:
    guest = Guest()
    debuggee = Debuggee(guest.store)
    debuggee.launch(guest["deep"], 1_000_000)
    event = debuggee.resume()
    assert isinstance(event, DebugEvent.Trap)
    assert event.trap.trap_code is TrapCode.STACK_OVERFLOW
    assert len(debuggee.frames()) > 5000
    debuggee.resume()
    assert guest.works()
