"""Ways for a guest to go on from where it stands other than by its next instruction.

They change the innermost frame of the innermost activation (Wasmtime `crates/debugger/wit/world.wit`,
`resumption-value`); a `DebugEvent` is being told of meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wasmscope.runtime.val import ExnRef


@dataclass(frozen=True, slots=True)
class EarlyReturn:
    """The function returns at once, with `values` as its results: `Val`s, or what a host function could return."""

    values: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class ThrowException:
    """`exn` is thrown where the frame stands: the handlers around that place may catch it."""

    exn: ExnRef


@dataclass(frozen=True, slots=True)
class JumpTo:
    """The frame goes on at the instruction at `pc`, an offset in the original binary, of the same function."""

    pc: int


Redirection: TypeAlias = EarlyReturn | ThrowException | JumpTo
