"""How long a handle to a frame is good, and how guests end while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from support.observing import Handler, all_frames, instantiate, locals_of, store_with
from wasmscope import DebugEvent, StaleFrame


def test_a_host_error_is_seen_with_the_frames_and_raised_again() -> None:
    store = store_with()
    error = ValueError("no")

    def fail(_: wasmscope.Caller) -> None:
        raise error

    instance = instantiate(
        '(module (import "" "fail" (func $fail)) (func (export "run") (param i32) (call $fail)))', store, {"fail": fail}
    )
    told = Handler(lambda store, event: (event, [locals_of(frame) for frame in store.frames()]))
    store.set_debug_handler(told)
    with pytest.raises(ValueError, match="no") as raised:
        instance.exports(store)["run"](store, 4)
    assert raised.value is error
    assert told.seen == [(DebugEvent.HostcallError(error), [[4]])]
    assert all_frames(store) == []


@pytest.mark.parametrize(
    ("result", "returned"),
    [
        ("(result i32)", "text"),
        ("(result i32)", None),
        ("(result i32 i32)", (1,)),
        ("(result i32 i32)", None),
        ("(result externref exnref)", (1, 2)),
        ("", 5),
    ],
)
def test_a_result_that_does_not_fit_is_a_host_error_told_with_the_frames(result: str, returned: Any) -> None:
    store = store_with(wasm_exceptions=True)
    drops = "drop " * len(result.split()[1:])
    instance = instantiate(
        f"""(module (import "" "give" (func $give {result}))
          (func $inner (param i32) call $give {drops})
          (func (export "run") (param i32) (call $inner (local.get 0))))""",
        store,
        {"give": lambda _: returned},
    )
    told = Handler(lambda store, event: (event, [locals_of(frame) for frame in store.frames()]))
    store.set_debug_handler(told)
    with pytest.raises(Exception) as raised:  # noqa: PT011  # whatever wasmtime raises for it
        instance.exports(store)["run"](store, 4)
    assert told.seen == [(DebugEvent.HostcallError(raised.value), [[4], [4]])]  # type: ignore[arg-type]
    assert all_frames(store) == []


def test_a_handler_that_raises_ends_the_call() -> None:
    store = store_with()

    class Stop(Exception):
        pass

    def stop(_: wasmscope.Store, __: DebugEvent) -> None:
        raise Stop

    wat = '(module (func (export "run") unreachable) (func (export "one") (result i32) i32.const 1))'
    instance = instantiate(wat, store)
    store.set_debug_handler(Handler(stop))
    with pytest.raises(Stop):
        instance.exports(store)["run"](store)
    assert all_frames(store) == []
    assert instance.exports(store)["one"](store) == 1


def test_a_handler_without_a_handle_method_is_refused_at_once() -> None:
    store = store_with()
    for handler in (lambda store, event: None, None):
        with pytest.raises(TypeError, match="handle"):
            store.set_debug_handler(handler)  # type: ignore[arg-type]
        assert store.debug_handler is None


def test_proc_exit_is_no_trap() -> None:
    store = store_with()
    store.set_wasi(wasmscope.WasiConfig())
    linker = wasmscope.Linker(store.engine)
    linker.define_wasi()
    module = wasmscope.Module(
        store.engine,
        """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))""",
    )
    told = Handler(lambda _, event: event)
    store.set_debug_handler(told)
    instance = linker.instantiate(store, module)
    with pytest.raises(wasmtime.ExitTrap) as raised:
        instance.exports(store)["_start"](store)
    assert raised.value.code == 3
    assert told.seen == []


class Holder:
    """A guest that stops twice, and calls a function of its own when asked."""

    def __init__(self) -> None:
        self.store = store_with()
        self.handles: list[wasmscope.FrameHandle] = []
        self.looks = 0
        self.instance = instantiate(
            """(module (import "" "look" (func $look))
              (func (export "run") (call $look) (call $look))
              (func (export "other") nop) (func (export "stops") (call $look)) (func (export "traps") unreachable))""",
            self.store,
            {"look": self._look},
        )

    def _look(self, caller: wasmscope.Caller) -> None:
        self.looks += 1
        self.look(caller)

    def look(self, caller: wasmscope.Caller) -> None:
        """Take a handle at the first stop."""
        if self.looks == 1:
            self.handles += all_frames(caller)
            assert self.handles[0].is_valid()

    def call(self, name: str) -> Any:
        return self.instance.exports(self.store)[name](self.store)


def assert_stale(frame: wasmscope.FrameHandle) -> None:
    assert not frame.is_valid()
    accessors: list[Callable[[], Any]] = [
        frame.parent,
        frame.activation,
        frame.instance,
        frame.module,
        frame.wasm_function_index_and_pc,
        lambda: frame.function_index,
        lambda: frame.code_offset,
        lambda: frame.return_pc,
        frame.num_locals,
        lambda: frame.local(0),
        frame.num_stacks,
        lambda: frame.stack(0),
        lambda: frame.local_type(0),
        lambda: frame.stack_type(0),
        frame.gc_refs,
        frame.writer,
    ]
    for accessor in accessors:
        with pytest.raises(StaleFrame):
            accessor()


def test_a_handle_is_stale_when_the_call_is_over() -> None:
    holder = Holder()
    holder.call("run")
    assert_stale(holder.handles[0])


def test_a_handle_is_stale_when_the_host_function_has_returned() -> None:
    holder = Holder()

    def look(caller: wasmscope.Caller) -> None:
        if holder.looks == 1:
            holder.handles += all_frames(caller)
        else:
            assert_stale(holder.handles[0])

    holder.look = look  # type: ignore[method-assign]
    holder.call("run")
    assert holder.looks == 2


def test_a_handle_is_stale_after_a_further_call() -> None:
    holder = Holder()
    holder.call("stops")
    holder.call("other")
    assert_stale(holder.handles[0])


def test_a_handle_is_stale_after_a_nested_call() -> None:
    holder = Holder()
    checked: list[bool] = []

    def look(caller: wasmscope.Caller) -> None:
        frame = all_frames(caller)[0]
        holder.call("other")
        assert_stale(frame)
        checked.append(all_frames(caller)[0].is_valid())

    holder.look = look  # type: ignore[method-assign]
    holder.call("stops")
    assert checked == [True]


def test_a_handle_is_stale_when_the_handler_has_returned() -> None:
    holder = Holder()
    holder.store.set_debug_handler(Handler(lambda store, _: holder.handles.extend(store.frames())))
    with pytest.raises(wasmtime.Trap):
        holder.call("traps")
    assert_stale(holder.handles[0])


def test_a_handle_is_stale_when_the_store_is_closed() -> None:
    holder = Holder()
    holder.call("stops")
    holder.store.close()
    assert_stale(holder.handles[0])


def test_a_frame_is_stale_when_an_interrupted_guest_has_gone_on() -> None:
    store = store_with()
    kept = []
    valid = []

    def look() -> None:
        valid.append(kept[0].is_valid())
        with pytest.raises(StaleFrame):
            kept[0].local(0)

    def keep(store: wasmscope.Store, _: DebugEvent) -> None:
        kept.extend(store.debug_exit_frames())
        valid.append(kept[0].is_valid())

    wat = """(module (import "" "look" (func $look)) (func (export "run") (param i32)
      (loop $again (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $again (local.get 0))) (call $look)))"""
    instance = instantiate(wat, store, {"look": lambda _: look()})
    store.set_debug_handler(Handler(keep))
    store.interrupt()
    instance.exports(store)["run"](store, 9)
    assert valid == [True, False]
