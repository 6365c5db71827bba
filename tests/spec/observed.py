"""wasmscope while somebody looks: at every event every value of every frame is read.

Every call is interrupted at its first points of attention, so that frames are read in the midst of what is tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import wasmscope
from spec.backend import Wasmscope
from wasmscope import DebugEvent, FrameHandle, Store, Unavailable, Val
from wasmscope.analysis.signatures import reference_kind
from wasmscope.runtime.capi import Failure, Outcome
from wasmscope.wasm.types import ValType

INTERRUPTIONS = 8
"""How often a call is interrupted: some loop a million times."""

DEEPEST = 40
"""How many frames are read where the guest recurses without end."""


class Observer:
    """A debug handler that reads everything, and fails where something is not as its type says."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.frames = 0
        self.values = 0
        self.unavailable: Counter[str] = Counter()
        self.left = 0
        self.failure: BaseException | None = None

    def handle(self, store: Store, event: DebugEvent) -> None:
        """Read all of it; what goes wrong is kept, because the guest may swallow it."""
        self.events[type(event).__name__] += 1
        try:
            frames = store.frames()
            for frame in frames if len(frames) <= DEEPEST else [*frames[: DEEPEST // 2], *frames[-DEEPEST // 2 :]]:
                self._read(frame)
        except BaseException as failure:
            self.failure = self.failure or failure
            raise
        if isinstance(event, DebugEvent.Interrupted) and self.left > 0:
            self.left -= 1
            store.interrupt()

    def _read(self, frame: FrameHandle) -> None:
        self.frames += 1
        located = frame.wasm_function_index_and_pc()
        assert located is not None
        code = frame.raw.table.module.codes[located[0]]
        assert code.code_start <= located[1] < code.end or frame.raw.entering, "the pc is not in the function"
        for index in range(frame.num_locals()):
            self._check(frame, frame.local(index), frame.local_type(index))
        for index in range(frame.num_stacks()):
            self._check(frame, frame.stack(index), frame.stack_type(index))

    def _check(self, frame: FrameHandle, value: Val | Unavailable, value_type: ValType) -> None:
        self.values += 1
        if isinstance(value, Unavailable):
            self.unavailable[value.reason] += 1
        elif value_type.is_ref:
            kind = reference_kind(value_type, frame.raw.table.module)
            assert str(value.kind) == f"{kind}ref", f"{value!r} is not of type {value_type}"
            assert value_type.nullable or value.value is not None, f"a null reference of type {value_type}"
        else:
            assert str(value.kind) == value_type.name, f"{value!r} is not of type {value_type}"


def observed_backend() -> Observed:
    """Make the backend."""
    return Observed(wasmscope)


class Observed(Wasmscope):
    """wasmscope with an observer in every store."""

    name = "observed"

    def __init__(self, api: ModuleType) -> None:
        super().__init__(api)
        self.observer = Observer()

    def instantiate(self, store: Any, module: Any, imports: Sequence[Any]) -> Any | Failure:
        return self._observing(store, lambda: super(Observed, self).instantiate(store, module, imports))

    def invoke(self, store: Any, func: Any, args: Sequence[Val]) -> Outcome:
        outcome: Outcome = self._observing(store, lambda: super(Observed, self).invoke(store, func, args))
        return outcome

    def _observing(self, store: Store, run: Any) -> Any:
        self.observer.left = INTERRUPTIONS
        store.set_debug_handler(self.observer)
        store.interrupt()
        outcome = run()
        if self.observer.failure is not None:
            failure, self.observer.failure = self.observer.failure, None
            raise AssertionError("a frame could not be read as it is") from failure
        assert not store.frames()
        return outcome
