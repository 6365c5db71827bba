"""Tables and globals as they are handed out: what they hold of functions is ours, so that calling one is noticed.

For users they are wasmtime's `Table` and `Global`; one that they make themselves is just that.
"""

from __future__ import annotations

from typing import Any

import wasmtime

from wasmscope.runtime import capi


class Table(wasmtime.Table):
    """wasmtime's `Table`, for references of every type."""

    def get(self, store: Any, idx: int) -> Any:
        """As wasmtime's: None out of bounds, the `Val` itself for a null reference (and whatever else is false)."""
        val = capi.table_get(store, self, idx)
        return val.value if val is not None and val.value else val

    def set(self, store: Any, idx: int, val: Any) -> None:
        """As wasmtime's."""
        capi.table_set(store, self, idx, val)

    def grow(self, store: Any, amt: int, init: Any) -> int:
        """As wasmtime's."""
        return capi.table_grow(store, self, amt, init)


class Global(wasmtime.Global):
    """wasmtime's `Global`, for values of every type."""

    def value(self, store: Any) -> Any:
        """As wasmtime's: the `Val` itself for a null reference."""
        val = capi.global_get(store, self)
        return val if val.value is None else val.value

    def set_value(self, store: Any, val: Any) -> None:
        """As wasmtime's."""
        capi.global_set(store, self, val)


def handed_out(item: Any) -> Any:
    """A table or global as one of ours; anything else as it is."""
    if type(item) is wasmtime.Table:
        return Table._from_raw(item._table)
    if type(item) is wasmtime.Global:
        return Global._from_raw(item._global)
    return item
