"""What a debug handler is told (Wasmtime `crates/wasmtime/src/runtime/debug.rs`, `DebugEvent`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from wasmscope.runtime import trap
    from wasmscope.runtime.store import Store
    from wasmscope.runtime.val import ExnRef


class DebugEvent:
    """The root of the events, and the place of their names: `case DebugEvent.Trap(trap):`.

    Every event is delivered while the guest's frames are readable through the store; `Completed` says that there are
    none any more.
    """

    HostcallError: ClassVar[type[HostcallError]]
    CaughtExceptionThrown: ClassVar[type[CaughtExceptionThrown]]
    UncaughtExceptionThrown: ClassVar[type[UncaughtExceptionThrown]]
    Trap: ClassVar[type[Trap]]
    Interrupted: ClassVar[type[Interrupted]]
    Breakpoint: ClassVar[type[Breakpoint]]
    Step: ClassVar[type[Step]]
    Watchpoint: ClassVar[type[Watchpoint]]
    InjectedCallReturn: ClassVar[type[InjectedCallReturn]]
    Completed: ClassVar[type[Completed]]


@dataclass(frozen=True, slots=True)
class HostcallError(DebugEvent):
    """A host function raised `error`, or what it returned does not fit its type; the guest call ends with it."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class CaughtExceptionThrown(DebugEvent):
    """`exception` is about to be thrown, and guest code in the same activation will catch it.

    The innermost frame is at the `throw`, the `throw_ref`, or the call of the host function that throws. Every throw is
    told, also of what was caught before. `Store.throw_instead` puts another exception in its place.
    """

    exception: ExnRef


@dataclass(frozen=True, slots=True)
class UncaughtExceptionThrown(DebugEvent):
    """The same, and no guest code between the throw and the host catches it: the guest call ends with it.

    An exception that comes from code which is not wasmscope's (a module or a host function made by `wasmtime` itself)
    is told when the guest call has ended by it, its frames still readable; so is every one if the handler was set
    without `caught_exceptions`.
    """

    exception: ExnRef


@dataclass(frozen=True, slots=True)
class Trap(DebugEvent):
    """The guest trapped."""

    trap: trap.Trap


@dataclass(frozen=True, slots=True)
class Interrupted(DebugEvent):
    """The guest stopped because `Store.interrupt` was called; it goes on when the handler returns."""


@dataclass(frozen=True, slots=True)
class Breakpoint(DebugEvent):
    """The innermost frame is about to run an instruction at which `breakpoints` (at least one) are set."""

    breakpoints: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step(DebugEvent):
    """The step that was asked for is done: the innermost frame is about to run its next instruction."""


@dataclass(frozen=True, slots=True)
class Watchpoint(DebugEvent):
    """What `watch` watches is about to be accessed: the innermost frame is before the instruction that does it.

    `old` is the value that it has, `new` the one that it will have, the same after a read. Of a memory that is `bytes`,
    those from `address` on: of the whole range that is watched, or, where that has more than 4096 bytes, of what is
    accessed; of all else a `Val`. `Unavailable` in place of either says why it cannot be had.

    Where `by_host`, a host function has written already, and the frame is in its call: see `docs/watchpoints.md`.
    """

    watch: Any
    old: Any
    new: Any
    access: str = "w"
    """What is done to what is watched: "r" it is read, "w" written, "rw" both."""
    address: int = 0
    """Where `old` and `new` begin in a memory; the index of a table's entry, or of a local; 0 for a global."""
    by_host: bool = False


@dataclass(frozen=True, slots=True)
class InjectedCallReturn(DebugEvent):
    """A call that a debugger injected has ended: with `results`, or, where there is one, by `error`.

    Only a `Debuggee` says so. It is paused where it was before the call.
    """

    results: Any
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Completed(DebugEvent):
    """The call that a `Debuggee` launched has ended: with `results`, or, where there is one, by `error`.

    `results` are what the call would have returned: None, a value, or a list; `error` is what it would have raised.
    """

    results: Any
    error: BaseException | None = None


DebugEvent.HostcallError = HostcallError
DebugEvent.CaughtExceptionThrown = CaughtExceptionThrown
DebugEvent.UncaughtExceptionThrown = UncaughtExceptionThrown
DebugEvent.Trap = Trap
DebugEvent.Interrupted = Interrupted
DebugEvent.Breakpoint = Breakpoint
DebugEvent.Step = Step
DebugEvent.Watchpoint = Watchpoint
DebugEvent.InjectedCallReturn = InjectedCallReturn
DebugEvent.Completed = Completed


class Handler(Protocol):
    """Something that wants to be told; one a store (`Store.set_debug_handler`)."""

    def handle(self, store: Store, event: DebugEvent) -> Any:
        """Look at `event`; what this raises ends the guest call. What it returns is awaited if it can be."""


class Listener(Handler, Protocol):
    """A handler of a debugger, told in place of the store's (`Store.told_to`)."""

    caught_exceptions: bool
    """Whether it is told of those, too."""
