"""What the guests of a store may allocate at most: the engine counts the shadow state too, the user does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from wasmscope.runtime.shadow import Shadow

_DEFAULT = 10_000
"""What the engine keeps to where no limit of that kind was set (wasmtime `runtime/limits.rs`)."""
_PLENTY = 2**31 - 1


class Amounts(NamedTuple):
    """As `Store.set_limits` has them; -1: the engine's own limit."""

    memory_size: int = -1
    table_elements: int = -1
    instances: int = -1
    tables: int = -1
    memories: int = -1


class Limits:
    """Those of one store; `tell` has the engine keep to amounts."""

    def __init__(self, shadow: Shadow, tell: Callable[[Amounts], None]) -> None:
        self._shadow = shadow
        self._tell = tell
        self._amounts = Amounts()

    def set(self, amounts: Amounts) -> None:
        """Have the guests keep to these. The shadow tables are made as long as recursion needs them where they would
        count.
        """
        self._tell(Amounts())
        self._shadow.references.make_all()
        if amounts.table_elements >= 0:
            self._shadow.references.reserve()
        self._amounts = amounts
        self._apply()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """While what the shadow state takes grows (`Shadow.own`): the guest's limits are not for it."""
        self._tell(Amounts(instances=_PLENTY, tables=_PLENTY, memories=_PLENTY))
        try:
            yield
        finally:
            self._apply()

    def _apply(self) -> None:
        wanted, own = self._amounts, self._shadow.own

        def with_own(amount: int, kind: str) -> int:
            return (_DEFAULT if amount < 0 else amount) + own[kind]

        self._tell(
            wanted._replace(
                instances=with_own(wanted.instances, "instance"),
                tables=with_own(wanted.tables, "table"),
                memories=with_own(wanted.memories, "memory"),
            )
        )
