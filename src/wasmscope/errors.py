"""Every exception wasmscope raises of its own; wasmtime's errors pass through unchanged.

::

    WasmscopeError
    ├── DecodeError          the bytes are no module; `.offset`
    ├── UnsupportedFeature   a module of a proposal that is not supported; `.proposal`, `.offset`
    ├── StaleFrame           a frame handle used after the guest went on
    ├── NotPaused            a resumption where nothing is paused
    ├── ExpressionError      an expression that has no meaning here; `.column`
    └── BreakpointError      no such program point
        └── ConditionError   a condition that does not parse; `.column`
"""

from __future__ import annotations


class WasmscopeError(Exception):
    """The root of wasmscope's own errors."""


class DecodeError(WasmscopeError):
    """The bytes are no WebAssembly module (Wasm spec, section 5).

    `offset` counts bytes from the start of the module.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at offset {offset:#x})")
        self.message = message
        self.offset = offset

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.offset)


class UnsupportedFeature(WasmscopeError):
    """The module needs `proposal`, which wasmscope or its engine does not support."""

    def __init__(self, message: str, proposal: str, offset: int) -> None:
        super().__init__(f"{message} (at offset {offset:#x})")
        self.message = message
        self.proposal = proposal
        self.offset = offset

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.proposal, self.offset)


class StaleFrame(WasmscopeError):
    """A frame was used after the guest resumed: what it described is gone."""


class NotPaused(WasmscopeError):
    """The guest is not paused, so it cannot be resumed or looked into."""


class ExpressionError(WasmscopeError):
    """An expression over the guest's variables that does not parse, or has no meaning where it stands.

    `column` counts characters from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at column {column})")
        self.message = message
        self.column = column

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.column)


class BreakpointError(WasmscopeError):
    """A breakpoint cannot be set there."""


class ConditionError(BreakpointError):
    """A breakpoint's condition cannot be compiled; `column` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at column {column})")
        self.message = message
        self.column = column

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.column)
