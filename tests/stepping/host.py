"""What the host's functions do, the same on every machine.

As in `frames.interface`: they give what follows from their name and the number of the call; `nest` calls the guest's
export "nested" first, the first few times; `fail` raises when its argument is 0. Here nobody looks at frames in them,
and `tick` interrupts nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from frames.interface import NESTED, HostFailure
from reference.floats import F32, F64
from reference.smith import IMPORTED_GLOBALS, host_result

__all__ = ["IMPORTED_GLOBALS", "Host", "HostFailure", "without_payload"]


def without_payload(value: Any, kind: str) -> Any:
    """The value as a host in Python gets it: which NaN it is, is lost; of a reference, what is a host object's."""
    if kind in ("f32", "f64"):
        format = F32 if kind == "f32" else F64
        return format.nan if format.is_nan(value) else value
    return value if isinstance(value, int | str) else None


class Host:
    """The host of one run: `calls` is what it was asked, in order, values in the reference interpreter's form."""

    def __init__(self, nested: Callable[[Any], str]) -> None:
        """`nested` calls the guest's export of that name and says how that ended."""
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._counts: Counter[str] = Counter()
        self._nested = nested

    def call(self, name: str, params: Sequence[str], results: Sequence[str], given: Sequence[Any]) -> list[Any]:
        """The results of a call; raises `HostFailure` where the function does."""
        self.calls.append((name, tuple(map(without_payload, given, params))))
        self._counts[name] += 1
        if name == "fail" and given[0] == 0:
            raise HostFailure
        if name == "nest" and self._counts[name] <= NESTED:
            self.calls.append(("nested", (self._nested(given[0]),)))
        return [host_result(name, self._counts[name], result) for result in results]
