"""While somebody is told of a guest that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.runtime.walk import Activation
from wasmscope.runtime.watch.host_writes import HostCall, HostWrites

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


class Consultation:
    """A context manager: what whoever is told calls or writes in it is no part of what the guest does."""

    __slots__ = ("_activation", "_call", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._activation: Activation | None = None
        self._call: HostCall | None = None

    def __enter__(self) -> None:
        store = self._store
        if store.activations:
            self._activation = store.activations[-1]
            self._activation.consultations += 1
        host_writes = self._host_writes()
        if host_writes is not None:
            self._call = host_writes.host_told()

    def __exit__(self, *exc: object) -> None:
        if self._activation is not None:
            self._activation.consultations -= 1
        host_writes = self._host_writes()  # perhaps there was nobody yet who wanted to know of them
        if host_writes is not None:
            host_writes.host_knows(self._call)

    def _host_writes(self) -> HostWrites | None:
        stops = self._store.stops_made
        return None if stops is None else stops.watching.host_writes
