"""What the reference interpreter accesses of what is watched: its memories and globals write it down themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reference
from frames.on_reference import _Recorder
from reference.state import Global, Memory
from watch.watched import Accessed, Watched


class _Log:
    """Accesses in the order in which they were made; those that one instruction makes to one thing are one."""

    def __init__(self, store: reference.Store) -> None:
        self.store = store
        self.found: list[Accessed] = []
        self._step: Any = None

    def add(self, watched: Watched, access: str, old: bytes | int, new: bytes | int) -> None:
        activation = self.store.activations[-1]
        call = activation.calls[-1]  # not `frames()`: in the middle of an instruction a frame has not all its operands
        assert call.function_index is not None
        step = (id(activation), activation._steps_left, watched.name)
        made = Accessed(watched.name, call.function_index, call.instruction.pc, access, old, new)
        if step == self._step and self.found:
            last = self.found.pop()
            access = "rw" if last.access != made.access else access
            made = Accessed(watched.name, made.function, made.pc, access, last.old, made.new)
        self._step = step
        self.found.append(made)


class _Memory(Memory):
    log: _Log
    watched: Watched

    def read(self, address: int, size: int) -> bytes:
        found = super().read(address, size)
        if size and self.watched.overlaps(address, size):
            here = self._here()
            self.log.add(self.watched, "r", here, here)
        return found

    def write(self, address: int, data: bytes) -> None:
        old = self._here()
        super().write(address, data)
        if data and self.watched.overlaps(address, len(data)):
            self.log.add(self.watched, "w", old, self._here())

    def _here(self) -> bytes:
        return bytes(self.data[self.watched.start : self.watched.start + self.watched.length])


@dataclass(eq=False)
class _Global:
    type: Any
    content: Any
    log: _Log
    watched: Watched

    @property
    def value(self) -> Any:
        self.log.add(self.watched, "r", self.content, self.content)
        return self.content

    @value.setter
    def value(self, value: Any) -> None:
        self.log.add(self.watched, "w", self.content, value)
        self.content = value


class Recorder(_Recorder):
    """Runs an export as the comparison of frames does."""

    def __init__(self, module: reference.Module, watches: list[Watched]) -> None:
        self._instance: reference.Instance | None = None
        self._watches = watches
        super().__init__(module, ())
        self.log = _Log(self.store)

    @property  # type: ignore[override]
    def instance(self) -> reference.Instance | None:
        """Set when it is made: it is watched from then on."""
        return self._instance

    @instance.setter
    def instance(self, instance: reference.Instance | None) -> None:
        self._instance = instance
        if instance is None:
            return
        for watched in self._watches:
            if watched.kind == "memory":
                old = instance.memories[watched.index]
                memory = _Memory(old.type)
                memory.data, memory._most, memory.log, memory.watched = old.data, old._most, self.log, watched
                instance.memories[watched.index] = memory
            else:
                found: Global = instance.globals[watched.index]
                instance.globals[watched.index] = _Global(found.type, found.value, self.log, watched)  # type: ignore[call-overload]
