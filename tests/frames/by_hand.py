"""Runs a guest written by hand and gives the frames it shows in a form that is easily written down.

A value is a Python number (integers signed), a host object, `None` for a null reference; a float is the `float`, or
its bits where that is a NaN. What cannot be had is the `Unavailable`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import wasmtime

import wasmscope
from frames.observe import handles_of
from wasmscope import FrameHandle, Unavailable
from wasmscope.runtime.val import Val
from wasmscope.wasm.instructions import decode_instructions


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame: the function's index, the name of the instruction that it is at, locals and operands."""

    function: int
    at: str
    locals: tuple[Any, ...]
    stack: tuple[Any, ...] = ()


def shown(handle: FrameHandle) -> Shown:
    """A frame in that form."""
    module, place = handle.module(), handle.wasm_function_index_and_pc()
    assert module is not None
    assert place is not None
    end = module.original.codes[place[0]].end
    instruction = next(iter(decode_instructions(module.bytecode, place[1], end)))
    return Shown(
        handle.function_index,
        instruction.opcode.name,
        tuple(_plain(handle.local(i)) for i in range(handle.num_locals())),
        tuple(_plain(handle.stack(i)) for i in range(handle.num_stacks())),
    )


def _plain(value: Val | Unavailable) -> Any:
    if isinstance(value, Unavailable):
        return value
    return value.bits if value.value != value.value else value.value


@dataclass(slots=True)
class Guest:
    """An instance of a module in the text format, in a store with a handler that looks at every event.

    Imported functions of "host" note all frames and return 0 (or nothing); `host` names those that do more.
    """

    text: str
    host: dict[str, Callable[..., Any]] = field(default_factory=dict)
    config: wasmscope.Config = field(default_factory=lambda: everything())
    fuel: int | None = None
    engine: wasmscope.Engine = field(init=False)
    store: wasmscope.Store = field(init=False)
    module: wasmscope.Module = field(init=False)
    instance: wasmscope.Instance = field(init=False)
    calls: list[list[Shown]] = field(default_factory=list)
    """The frames at each host call."""
    events: list[tuple[wasmscope.DebugEvent, list[Shown]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        engine = self.engine = wasmscope.Engine(self.config)
        self.store = wasmscope.Store(engine)
        self.store.set_debug_handler(self)
        if self.fuel is not None:
            self.store.set_fuel(self.fuel)
        self.module = wasmscope.Module(engine, self.text)
        self.instance = wasmscope.Instance(
            self.store, self.module, [self._import(each) for each in self.module.imports]
        )

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        self.events.append((event, self.frames()))

    def frames(self) -> list[Shown]:
        """All frames now, innermost first."""
        return [shown(handle) for handle in handles_of(self.store)]

    def call(self, name: str, *args: Any) -> Any:
        """Call an export."""
        return exported(self.store, self.instance, name)(self.store, *args)

    def trapped(self, name: str, *args: Any) -> list[Shown]:
        """The frames at the trap, or uncaught exception, that the call of an export ends with."""
        with pytest.raises(wasmtime.Trap):
            self.call(name, *args)
        event, frames = self.events[-1]
        assert isinstance(event, wasmscope.DebugEvent.Trap | wasmscope.DebugEvent.UncaughtExceptionThrown)
        return frames

    def _import(self, item: wasmtime.ImportType) -> wasmscope.Func:
        assert isinstance(item.type, wasmtime.FuncType)
        results = len(item.type.results)

        def call(*args: Any) -> Any:
            self.calls.append(self.frames())
            if item.name in self.host:
                return self.host[item.name](*args)
            return None if results == 0 else 0 if results == 1 else [0] * results

        return wasmscope.Func(self.store, item.type, call)


def exported(store: wasmscope.Store, instance: wasmscope.Instance, name: str) -> wasmscope.Func:
    """An exported function."""
    function = instance.exports(store)[name]
    assert isinstance(function, wasmscope.Func)
    return function


def everything() -> wasmscope.Config:
    """All proposals that the engine has."""
    config = wasmscope.Config()
    for name in ("tail_call", "multi_memory", "memory64", "exceptions", "function_references", "gc"):
        setattr(config, f"wasm_{name}", True)
    return config


def at_calls(text: str, *args: Any) -> list[list[Shown]]:
    """Run the export "main" of a guest; the frames at each host call."""
    guest = Guest(text)
    guest.call("main", *args)
    return guest.calls
