"""What is to be awaited, and what comes of it, on the way from one thread to another."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any


class Pending:
    """Something to be awaited, of which there is one reference: whoever awaits it takes it."""

    __slots__ = ("_awaitable",)

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable: Awaitable[Any] | None = awaitable

    @property
    def is_awaitable(self) -> bool:
        """Whether it can be awaited, and was not yet."""
        return inspect.isawaitable(self._awaitable)

    def take(self) -> Awaitable[Any]:
        """Hand it over, once."""
        awaitable, self._awaitable = self._awaitable, None
        assert awaitable is not None
        return awaitable

    async def result(self) -> Any:
        """Await it."""
        return await self.take()

    def discard(self) -> None:
        """Nobody is going to await it."""
        awaitable, self._awaitable = self._awaitable, None
        if inspect.iscoroutine(awaitable):
            awaitable.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How something came out: with `value`, or by raising `error`."""

    value: Any = None
    error: BaseException | None = None

    def unwrap(self) -> Any:
        """Return or raise it."""
        if self.error is not None:
            raise self.error
        return self.value
