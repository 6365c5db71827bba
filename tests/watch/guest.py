"""A guest with a handler that notes what is told of watchpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import wasmscope
from wasmscope import DebugEvent

Action = Callable[[DebugEvent], None]


class Guest:
    """An instance of a module in a store of its own."""

    def __init__(self, text: str, imports: Callable[[Guest], Sequence[Any]] = lambda _: ()) -> None:
        self.engine = wasmscope.Engine()
        self.store = wasmscope.Store(self.engine)
        self.told: list[DebugEvent] = []
        self.actions: list[Action] = []
        """What the handler does at the next events, one after the other."""
        self.store.set_debug_handler(self)
        self.module = wasmscope.Module(self.engine, text)
        self.instance = wasmscope.Instance(self.store, self.module, list(imports(self)))
        self.exports: Any = self.instance.exports(self.store)

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        self.told.append(event)
        if self.actions:
            self.actions.pop(0)(event)

    def call(self, name: str, *arguments: Any) -> Any:
        return self.exports[name](self.store, *arguments)

    def edit(self) -> wasmscope.runtime.stops.edit.BreakpointEdit:
        edit = self.store.edit_breakpoints()
        assert edit is not None
        return edit

    def watch(self, target: Any, *arguments: Any, **keywords: Any) -> wasmscope.Watchpoint:
        with self.edit() as edit:
            return edit.add_watchpoint(target, *arguments, **keywords)

    def watch_local(self, frame: wasmscope.FrameHandle, index: int, access: str = "w") -> wasmscope.Watchpoint:
        with self.edit() as edit:
            return edit.add_local_watchpoint(frame, index, access)

    def remove(self, watch: wasmscope.Watchpoint) -> None:
        with self.edit() as edit:
            edit.remove_watchpoint(watch)

    @property
    def frame(self) -> wasmscope.FrameHandle:
        """The innermost frame."""
        cursor = self.store.debug_frames()
        assert cursor is not None
        return cursor.handle()

    @property
    def changes(self) -> list[tuple[Any, Any]]:
        """What was there and what came, of all that was told."""
        found: list[tuple[Any, Any]] = []
        for event in self.told:
            assert isinstance(event, DebugEvent.Watchpoint)
            found.append(tuple(getattr(each, "value", each) for each in (event.old, event.new)))  # type: ignore[arg-type]
        return found
