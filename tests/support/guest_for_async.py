"""One guest that does what tests of asynchronous calls need, and two ways to look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wasmscope
from wasmscope import DebugEvent, Func, FuncType, Instance, Module, Store, ValType

WAT = """(module
  (import "" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32) (result i32) (i32.add (i32.const 1) (call $host (local.get 0))))
  (func (export "spin") (loop $again (br $again)))
  (func (export "spin_calling") (loop $again (drop (call $host (i32.const 0))) (br $again)))
  (func (export "count") (param i32) (result i32) (local $i i32)
    (loop $again (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    local.get $i)
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 12) (local.get 0)))
  (func $deep (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "deep") (param i32) (result i32) (call $deep (local.get 0))))"""

ENGINE = wasmscope.Engine()
MODULE = Module(ENGINE, WAT)
I32 = ValType.i32()


class Guest:
    """An instance of the guest, in a store of its own unless one is given; `host` is the function that `add` calls."""

    def __init__(
        self, host: Callable[..., Any] = lambda value: value, access_caller: bool = False, store: Store | None = None
    ) -> None:
        self.store = Store(ENGINE) if store is None else store
        function = Func(self.store, FuncType([I32], [I32]), host, access_caller=access_caller)
        self.exports = Instance(self.store, MODULE, [function]).exports(self.store)

    def __getitem__(self, name: str) -> Func:
        return self.exports[name]

    async def call(self, name: str, *args: Any) -> Any:
        return await self[name].call_async(self.store, *args)

    def listen(self, handle: Callable[..., Any]) -> None:
        self.store.set_debug_handler(Listener(handle))

    def works(self) -> bool:
        """Whether the store can be used as ever, with nothing left of what ran before."""
        self.store.clear_debug_handler()
        return self["count"](self.store, 1000) == 1000 and self.store.debug_exit_frames() == []


class Listener:
    """A handler made of a function."""

    def __init__(self, handle: Callable[..., Any]) -> None:
        self.handle = handle


class Recorder:
    """A handler that keeps the names of the events; asynchronous where it has something to await."""

    def __init__(self, pause: Callable[[], Any] | None = None) -> None:
        self.events: list[DebugEvent] = []
        self._pause = pause

    def handle(self, store: Store, event: DebugEvent) -> Any:
        self.events.append(event)
        return self._pause() if self._pause is not None else None

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]
