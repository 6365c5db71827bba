"""How a paused guest goes on (Wasmtime `crates/debugger/wit/world.wit`, `resumption-value`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wasmscope.runtime.resumption import Redirection


@dataclass(frozen=True, slots=True)
class Continue:
    """As the guest would without a debugger."""


@dataclass(frozen=True, slots=True)
class InjectCall:
    """`func(store, *args)` is called first, on the guest's thread, and can be debugged like any call.

    When it has ended, the event is `DebugEvent.InjectedCallReturn`, and the guest is paused where it was.
    """

    func: Callable[..., Any]
    args: Sequence[Any] = ()


Resumption: TypeAlias = Continue | InjectCall | Redirection
