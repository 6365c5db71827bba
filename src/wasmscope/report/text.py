"""A report as lines for people: plain text with styles, which a file or a terminal without colours leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.text import Text

from wasmscope.report.model import (
    CaughtException,
    Fault,
    Frame,
    HostError,
    HostFrame,
    IndirectCall,
    Interruption,
    MemoryAccess,
    OmittedFrames,
    Operation,
    Reason,
    Report,
    Trap,
    UncaughtException,
    Value,
    Variable,
)

_HEADING = "bold red"
_NAME = "bold cyan"
_DIM = "dim"
_CURRENT = "bold yellow"

_SHORTEST_RUN = 3

_VERBS = {"load": "reads", "store": "writes", "atomic access": "accesses"}


def format_report(report: Report) -> Text:
    """The whole report, ending in a line feed."""
    lines = [*_reason(report), Text()]
    if not report.stack:
        lines.append(Text("No frames of the guest are known.", _DIM))
    else:
        lines.append(Text(f"{report.depth} frame{'s' * (report.depth != 1)}, innermost first:"))
    for entry in report.stack:
        match entry:
            case Frame():
                lines.extend(_frame(entry))
            case HostFrame():
                lines.append(Text("    -- host --", _DIM))
            case OmittedFrames(count, functions):
                whose = f", all of {' and '.join(functions)}" if functions else ""
                lines.append(Text(f"    ... {count} frames left out{whose} ...", _DIM))
    return Text("\n").join(lines).append("\n")


def _reason(report: Report) -> Iterator[Text]:
    whose = f"{report.guest}: " if report.guest is not None else ""
    yield Text.assemble(whose, (_headline(report.reason), _HEADING))
    match report.reason:
        case Trap(fault=fault) if fault is not None:
            yield from (Text(f"  {line}") for line in _fault_lines(fault))
        case Trap(code="STACK_OVERFLOW"):
            yield Text(f"  the guest's stack was used up at a depth of {report.depth} frames")
        case UncaughtException(payload=payload) | CaughtException(payload=payload) if payload:
            yield Text("  payload: " + ", ".join(_typed(value) for value in payload))
        case _:
            pass


def _headline(reason: Reason) -> str:
    match reason:
        case Trap(message=message):
            return f"trap: {message}"
        case UncaughtException(tag=tag, tag_name=name):
            return f"uncaught exception{_which(tag, name)}"
        case CaughtException(tag=tag, tag_name=name):
            return f"exception{_which(tag, name)}, which the guest catches"
        case HostError(error_type, message, function):
            who = f"host function {function}" if function is not None else "a host function"
            return f"{who} raised {error_type}: {message}"
        case Interruption(cause):
            return f"interrupted: {cause}"


def _which(tag: int | None, name: str | None) -> str:
    return f" {name}" if name is not None else f" with tag {tag}" if tag is not None else ""


def _fault_lines(fault: Fault) -> Iterator[str]:
    match fault:
        case MemoryAccess():
            yield (
                f"{fault.instruction} {_VERBS[fault.access]} {_count(fault.width, 'byte')}"
                f" at address {fault.address:#x} (operand {fault.operand:#x} + offset {fault.offset:#x})"
            )
            yield _memory_size(fault)
        case IndirectCall():
            yield f"{fault.instruction} calls element {fault.index} of table {fault.table} as {fault.expected}"
            if fault.found is not None:
                yield f"found there: {fault.found}"
            elif fault.size is not None:
                yield f"table {fault.table} has {_count(fault.size, 'element')}"
            else:
                yield f"the size of table {fault.table} is not known"
        case Operation():
            given = ", ".join(_typed(value) for value in fault.operands)
            yield f"{fault.instruction} was given {given}"
            yield from fault.notes


def _memory_size(access: MemoryAccess) -> str:
    if access.size is None:
        return f"the size of memory {access.memory} is not known"
    if access.address + access.width <= access.size:
        return f"that address is not a multiple of {access.width}"
    return f"memory {access.memory} ends at {access.size:#x} ({access.size} bytes)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _typed(value: Value) -> str:
    return f"{value.type} {value.text}"


def _frame(frame: Frame) -> Iterator[Text]:
    name = frame.name if frame.name is not None else f"function {frame.function}"
    index = f" (function {frame.function})" if frame.name is not None else ""
    module = f" in {frame.module}" if frame.module is not None else ""
    yield Text.assemble(f"#{frame.number:<3} ", (name, _NAME), f"{index} at {frame.pc:#x}{module}")
    yield from _instructions(frame)
    yield from _variables("locals", frame.locals, frame.more_locals, more_first=False)
    yield from _variables("operand stack, bottom first", frame.stack, frame.more_operands, more_first=True)


def _instructions(frame: Frame) -> Iterator[Text]:
    """The surroundings of the innermost frame's instruction; of a caller only the call it is in."""
    for line in frame.instructions:
        if line.current:
            yield Text(f"   => {line.pc:#08x}  {line.text}", _CURRENT)
        elif frame.number == 0:
            yield Text(f"      {line.pc:#08x}  {line.text}")


def _variables(what: str, variables: Sequence[Variable], more: int, *, more_first: bool) -> Iterator[Text]:
    if not variables:
        return
    yield Text(f"      {what}:", _DIM)
    rest = Text(f"        ... {more} more", _DIM)
    if more and more_first:
        yield rest
    runs = list(_runs(variables))
    indices = [f"{run[0].index}" if len(run) == 1 else f"{run[0].index}-{run[-1].index}" for run in runs]
    index_width = max(map(len, indices))
    name_width = max(len(variable.name or "") for variable in variables)
    type_width = max(len(variable.value.type) for variable in variables)
    for index, run in zip(indices, runs, strict=True):
        name = f"{run[0].name or '':<{name_width}}  " if name_width else ""
        yield Text.assemble(
            f"        {index:>{index_width}}  {name}",
            (f"{run[0].value.type:<{type_width}}", _DIM),
            "  ",
            _value(run[0].value),
        )
    if more and not more_first:
        yield rest


def _runs(variables: Sequence[Variable]) -> Iterator[Sequence[Variable]]:
    """Neighbours of one value, and of one name if any, share a line: compilers leave long rows of zeros."""
    for _, group in groupby(variables, key=lambda variable: (variable.name, variable.value)):
        run = list(group)
        yield from [run] if len(run) >= _SHORTEST_RUN else [[variable] for variable in run]


def _value(value: Value) -> Text:
    return Text(f"unavailable: {value.text}", "italic") if value.unavailable else Text(value.text)
