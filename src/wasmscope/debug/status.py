"""The states of a debuggee, and what is known in each. One is replaced by the next in a single assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from wasmscope.debug.channel import Injected, Message
from wasmscope.debug.execution import Execution
from wasmscope.debug.resumption import Resumption
from wasmscope.errors import NotPaused
from wasmscope.runtime.event import Completed, DebugEvent, InjectedCallReturn
from wasmscope.runtime.pending import Ended
from wasmscope.runtime.waiting import Call, Pause

State: TypeAlias = Literal["idle", "running", "paused", "exited"]


@dataclass(frozen=True, slots=True, eq=False)
class Idle:
    """Nothing was launched."""


@dataclass(frozen=True, slots=True, eq=False)
class Paused:
    """The guest stands still."""

    execution: Execution
    pause: Pause
    event: DebugEvent | None
    """What was told last; None: nothing has run yet."""
    seen: Message
    """What the guest's thread said of it."""
    refusal: Exception | None = None
    """Why it did not go on as it was told to."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """The guest goes on from where it was `paused`."""

    paused: Paused
    resumption: Resumption
    injected: Call | None
    """The call to be run first."""

    def after(self, message: Message) -> Paused | Exited:
        """The state that follows, when the guest's thread has said `message`."""
        execution = self.paused.execution
        match message:
            case Pause(event=event, refusal=refusal):
                return Paused(execution, message, self.paused.event if refusal else event, message, refusal)
            case Injected(pause, ended):
                return Paused(execution, pause, InjectedCallReturn(ended.value, ended.error), message)
            case Ended(value, error):
                return Exited(Completed(value, error))
            case _:
                assert_never(message)


@dataclass(frozen=True, slots=True, eq=False)
class Exited:
    """The call has ended."""

    event: Completed


Status: TypeAlias = Idle | Paused | Running | Exited


def name_of(status: Status) -> State:
    """What a state is called."""
    match status:
        case Idle():
            return "idle"
        case Paused():
            return "paused"
        case Running():
            return "running"
        case Exited():
            return "exited"
        case _:
            assert_never(status)


def execution_of(status: Status) -> Execution | None:
    """What is running or paused, if anything is."""
    match status:
        case Paused(execution) | Running(Paused(execution)):
            return execution
        case Idle() | Exited():
            return None
        case _:
            assert_never(status)


def wrong(status: Status, wanted: str, *, by_another: bool = False) -> NotPaused:
    """The error for something `wanted` in the wrong state; `by_another`: somebody else waits for the next event."""
    match status:
        case Idle() | Exited():
            advice = "launch a call first"
        case Paused():
            advice = "resume it until it has ended, or close it"
        case Running() if by_another:
            advice = "somebody else waits for its next event; interrupt() makes it pause"
        case Running():
            advice = "its next event has to come first, for which resume() waits; interrupt() makes it pause"
        case _:
            assert_never(status)
    return NotPaused(f"cannot {wanted}: the debuggee is {name_of(status)}; {advice}")
