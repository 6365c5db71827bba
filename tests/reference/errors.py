"""What a guest can end with, and what a host can do wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference.machine import Frame
    from reference.values import ExnObject


class DecodeError(Exception):
    """The bytes are no module this decoder knows; `offset` counts from the start of the module."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at offset {offset:#x})")
        self.offset = offset


class LinkError(Exception):
    """An import is missing or of another type (spec 4.7.3, external typing)."""


class GuestError(Exception):
    """Execution ended; `frames` is the state at that point, innermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.frames: list[Frame] = []


class Trap(GuestError):
    """A trap; `code` is the name wasmtime gives it in `wasmtime.TrapCode`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CallStackExhausted(Trap):
    """More calls at a time than `Limits.call_depth`."""

    def __init__(self) -> None:
        super().__init__("STACK_OVERFLOW")


class OutOfSteps(GuestError):
    """More instructions than `Limits.steps`."""

    def __init__(self) -> None:
        super().__init__("the step budget is used up")


class WasmException(GuestError):
    """A guest exception on its way; uncaught, it leaves `invoke`. A host function may raise it as well."""

    def __init__(self, exception: ExnObject) -> None:
        super().__init__("uncaught exception")
        self.exception = exception
