"""From an event to a report, while the guest stands still."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import wasmtime

from wasmscope.report.fault import fault_of
from wasmscope.report.host_call import imported_callee
from wasmscope.report.model import (
    FORMAT,
    CaughtException,
    Fault,
    HostError,
    Interruption,
    Reason,
    Report,
    Trap,
    UncaughtException,
    Value,
)
from wasmscope.report.stack import Limits, StackReader
from wasmscope.report.tags import find_tag
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame import FrameHandle
from wasmscope.wasm.escape import escaped, escaped_lines

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store
    from wasmscope.runtime.trap import Trap as GuestTrap
    from wasmscope.runtime.val import ExnRef

_ENGINE_WORDS = "wasm trap: "
"""What stands before the reason in the engine's text for a trap."""

_CAUSED_BY = "Caused by:\n"
"""What stands between the engine's backtrace and the reason in its text for an error."""

_DEFAULTS = Limits()


def capture(
    store: Store, event: DebugEvent, *, guest: str | None = None, cause: str = "", limits: Limits = _DEFAULTS
) -> Report:
    """Everything about `event`; to be called by the handler that is told it.

    `guest` is what the guest is called in the report, `cause` why it was interrupted if it was.
    """
    frames = store.frames() if store.guest_debug else []
    reader = StackReader(store, limits)
    return Report(
        format=FORMAT,
        guest=escaped(guest) if guest is not None else None,
        reason=_reason(store, event, frames, reader, cause),
        depth=len(frames),
        stack=reader.entries(frames),
    )


def _reason(store: Store, event: DebugEvent, frames: list[FrameHandle], reader: StackReader, cause: str) -> Reason:
    match event:
        case DebugEvent.Trap(trap):
            return _trap(store, trap, frames, reader)
        case DebugEvent.UncaughtExceptionThrown(exception):
            return UncaughtException(*_exception(store, exception, frames, reader))
        case DebugEvent.CaughtExceptionThrown(exception):
            return CaughtException(*_exception(store, exception, frames, reader))
        case DebugEvent.HostcallError(error):
            callee = imported_callee(frames[0]) if frames else None
            return HostError(escaped(_qualified_name(type(error))), _host_error_message(error), callee)
        case _:
            return Interruption(escaped(cause or "the host asked for it"))


def _trap(store: Store, trap: GuestTrap, frames: list[FrameHandle], reader: StackReader) -> Trap:
    code = trap.trap_code
    message = str(trap.message)
    if _ENGINE_WORDS in message:
        message = message.rpartition(_ENGINE_WORDS)[2].partition("\n")[0]
    fault = _fault(store, code, frames[0], reader) if frames and code is not None else None
    return Trap(code.name if code is not None else None, escaped_lines(message.strip()), fault)


def _fault(store: Store, code: wasmtime.TrapCode, frame: FrameHandle, reader: StackReader) -> Fault | None:
    module, position = frame.module(), frame.wasm_function_index_and_pc()
    names = reader.names(module)
    if module is None or names is None or position is None:
        return None
    instruction, text = reader.instruction(module, position[1], frame.function_index)
    values = [reader.operand(frame, names, i) for i in range(frame.num_stacks())]
    return fault_of(store, code, frame, instruction, escaped(text), names, values)


def _exception(
    store: Store, exception: ExnRef, frames: list[FrameHandle], reader: StackReader
) -> tuple[int | None, str | None, tuple[Value, ...]]:
    """Index and name of its tag, as far as they are known, and its payload."""
    payload = tuple(reader.values.value(value, str(value.kind)) for value in exception.fields())
    module, position = (frames[0].module(), frames[0].wasm_function_index_and_pc()) if frames else (None, None)
    names = reader.names(module)
    if module is not None and names is not None and position is not None:
        instruction, _ = reader.instruction(module, position[1], frames[0].function_index)
        if instruction.opcode.name == "throw":
            tag = instruction.immediates[0]
            return tag, names.tag(tag), payload
    instance = frames[0].instance() if frames else None
    return *find_tag(store, exception.tag, instance, reader.names), payload


def _host_error_message(error: BaseException) -> str:
    """What went wrong; before it the engine's own errors repeat the backtrace."""
    _, caused, cause = str(error).rpartition(_CAUSED_BY)
    if not caused or not isinstance(error, wasmtime.WasmtimeError):
        return escaped_lines(str(error))
    return escaped_lines(dedent(cause).strip())


def _qualified_name(error: type[Any]) -> str:
    """As it is written where it is imported: modules with an underscore are private to their package."""
    public = error.__module__.partition("._")[0]
    return error.__qualname__ if public == "builtins" else f"{public}.{error.__qualname__}"
