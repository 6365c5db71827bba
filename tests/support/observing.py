"""Guests made of text, and what is seen of their frames while they stand still."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import wasmtime

import wasmscope
from wasmscope import DebugEvent


def host(store: wasmscope.Store, ty: wasmtime.FuncType, look: Callable[..., Any]) -> wasmscope.Func:
    """A host function that is given its `Caller`."""
    return wasmscope.Func(store, ty, look, access_caller=True)


def store_with(**settings: Any) -> wasmscope.Store:
    """A store of an engine with these settings."""
    config = wasmscope.Config()
    for name, value in settings.items():
        setattr(config, name, value)
    return wasmscope.Store(wasmscope.Engine(config))


def instantiate(
    wat: str | wasmscope.Module, store: wasmscope.Store, imports: Mapping[str, Any] | None = None
) -> wasmscope.Instance:
    """An instance of `wat`; `imports` by name: Python functions, given their `Caller`, or what wasmtime has."""
    module = wat if isinstance(wat, wasmscope.Module) else wasmscope.Module(store.engine, wat)
    given = []
    for item in module.imports:
        value = (imports or {})[item.name or ""]
        given.append(
            host(store, item.type, value) if callable(value) and not isinstance(value, wasmtime.Func) else value
        )
    return wasmscope.Instance(store, module, given)


def all_frames(store: Any) -> list[wasmscope.FrameHandle]:
    """Every frame the cursor passes, innermost first."""
    cursor, frames = store.debug_frames(), []
    while not cursor.done():
        frames.append(cursor.handle())
        cursor.move_to_parent()
    return frames


def plain(value: Any) -> Any:
    """The bare value of a `Val`; `Unavailable` as it is."""
    return value.value if isinstance(value, wasmscope.Val) else value


def locals_of(frame: wasmscope.FrameHandle) -> list[Any]:
    """The values of all locals."""
    return [plain(frame.local(index)) for index in range(frame.num_locals())]


def stack_of(frame: wasmscope.FrameHandle) -> list[Any]:
    """The values of all operands, the bottom first."""
    return [plain(frame.stack(index)) for index in range(frame.num_stacks())]


def shape_of(frames: Sequence[wasmscope.FrameHandle], instances: Sequence[Any]) -> list[tuple[int, int, int]]:
    """Activation, number of the instance and function index of each frame."""
    return [(frame.activation(), instances.index(frame.instance()), frame.function_index) for frame in frames]


@dataclass
class Handler:
    """Looks at every event while it is told, and keeps what it saw."""

    look: Callable[[wasmscope.Store, DebugEvent], Any]
    seen: list[Any] = field(default_factory=list)

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        """Look."""
        self.seen.append(self.look(store, event))
