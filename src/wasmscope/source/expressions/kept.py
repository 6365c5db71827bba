"""Convenience variables and the history of values: `$name`, `$1`, `$`."""

from __future__ import annotations

from wasmscope.source.values.value import TypedValue

MAX_KEPT = 10_000
"""Values of the history, and variables, each; the oldest are forgotten."""


class KeptValues:
    """The convenience variables of a session: a copy of each value, which what the guest does later does not change."""

    def __init__(self) -> None:
        self._variables: dict[str, TypedValue] = {}
        self._history: dict[int, TypedValue] = {}
        self._next = 1

    def get(self, name: str) -> TypedValue | None:
        """`$name`; an empty name is the last value of the history, a number that of this number."""
        if not name:
            return self._history.get(self._next - 1)
        if name.isdecimal():
            return self._history.get(int(name)) if len(name) < 10 else None
        return self._variables.get(name)

    def set(self, name: str, value: TypedValue) -> None:
        """Set `$name`."""
        self._variables.pop(name, None)
        self._variables[name] = value.known()
        _forget(self._variables)

    def keep(self, value: TypedValue) -> int:
        """Add a value to the history; the answer is its number."""
        number = self._next
        self._history[number] = value.known()
        self._next += 1
        _forget(self._history)
        return number

    def names(self) -> tuple[str, ...]:
        """The convenience variables there are."""
        return tuple(self._variables)


def _forget(kept: dict[str, TypedValue] | dict[int, TypedValue]) -> None:
    if len(kept) > MAX_KEPT:
        del kept[next(iter(kept))]  # type: ignore[arg-type]
