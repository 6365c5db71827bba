"""The rewritten instances of a store, by the ids that their frames carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from wasmscope.instrument.frame_table import FrameTable

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance


class InstanceRegistry(Sequence["Instance"]):
    """Instances in the order in which they were made; they live as long as their store, as they do in the engine."""

    def __init__(self) -> None:
        self._instances: list[Instance] = []
        self._tables: dict[str, FrameTable] = {}

    def add(self, instance: Instance) -> int:
        """Enter an instance; returns its id."""
        self._instances.append(instance)
        table = instance.module.frame_table
        self._tables[table.mark] = table
        return len(self._instances) - 1

    def add_table(self, table: FrameTable) -> None:
        """Enter the frame table of code that is run in place of an instance's."""
        self._tables[table.mark] = table

    def drop(self, instance: Instance) -> None:
        """Forget the instance that was added last, of which the engine made nothing: its id is free again."""
        assert self._instances[-1] is instance
        self._instances.pop()

    @property
    def tables(self) -> dict[str, FrameTable]:
        """The frame tables of the instances' modules, by the marks that the engine's backtraces show."""
        return self._tables

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> list[Instance]: ...
    def __getitem__(self, index: int | slice) -> Instance | list[Instance]:
        return self._instances[index]

    def __len__(self) -> int:
        return len(self._instances)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._instances)
