"""What is watched, read by the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import wasmtime

from wasmscope.analysis.accesses import Space
from wasmscope.runtime import capi
from wasmscope.runtime.val import Val
from wasmscope.runtime.watch.watchpoint import Watchpoint

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

Content: TypeAlias = bytes | Val
"""Bytes of a memory, or the value of anything else."""


def memory_content(store: Store, watch: Watchpoint, start: int, end: int) -> bytes:
    """The bytes of a watched memory from `start` to before `end`, as far as there are any."""
    assert isinstance(watch.target, wasmtime.Memory | wasmtime.SharedMemory)
    return bytes(capi.memory_bytes(store, watch.target)[start:end])


def entity_value(store: Store, watch: Watchpoint) -> Val:
    """The value of a watched global, or of a table's watched entry."""
    if watch.space is Space.TABLE:
        assert isinstance(watch.target, wasmtime.Table)
        found = capi.table_get(store, watch.target, watch.address)
        assert found is not None, "tables do not shrink"
        return found
    assert isinstance(watch.target, wasmtime.Global)
    return capi.global_get(store, watch.target)


def is_same(first: Content, second: Content) -> bool:
    """Whether nothing changed; references are the same if what they refer to is."""
    if isinstance(first, bytes) or isinstance(second, bytes):
        return first == second
    if isinstance(first.value, wasmtime.Func) and isinstance(second.value, wasmtime.Func):
        return capi.is_same_function(first.value, second.value)
    return first.value is second.value or first == second
