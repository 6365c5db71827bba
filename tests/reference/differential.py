"""One export of a random module, run by the interpreter: all that can be seen from outside.

`stock` gives the same view of the stock engine.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reference.errors import Trap, WasmException
from reference.floats import F32, F64
from reference.instance import Instance
from reference.machine import Frame, Store
from reference.module import Import, Module
from reference.smith import EXPORTS, IMPORTED_GLOBALS, host_result
from reference.state import Extern, Global, GlobalType, HostFunc, Limits, Memory, Table
from reference.types import DefinedType, type_name
from reference.values import Value

GLOBALS = ("g0", "g1", "g2", "g3")
# The interpreter and the engine need not run out of these at the same point.
RESOURCES = ("ALLOCATION_TOO_LARGE", "STACK_OVERFLOW")
# The engine's backtraces end here (its default).
BACKTRACE = 20
HostCall = tuple[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: "returned", a trap code, "UNCAUGHT_EXCEPTION", or "RESOURCES".

    `backtrace` is function index and pc of the innermost frames of a trap or exception.
    """

    how: str
    results: tuple[Value, ...] = ()
    backtrace: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What an instance exports, at the end: of the memory its size and a digest, of the table what is null."""

    memory: str
    globals: tuple[Value, ...]
    table: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is compared; there is no state where instantiation failed. Floats are bit patterns."""

    ending: Ending
    host_calls: tuple[HostCall, ...]
    state: State | None


def show(value: Value) -> Value:
    """Numbers and host objects as they are; other references cannot be told from null.

    The engine's Python package gives None for an externref that was a guest object.
    """
    return value if isinstance(value, int | str) else None


def digest(data: bytes | bytearray) -> str:
    """Content that is compared, in a form that fits into a message."""
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:16]}"


def run_reference(module: Module, export: str, on_step: Callable[[Frame], None] | None = None) -> Outcome:
    """Run an export in a new instance, with the arguments of `EXPORTS`."""
    calls: list[HostCall] = []
    instance: Instance | None = None
    try:
        instance = Instance(Store(on_step), module, _imports(module.imports, calls), Limits(call_depth=1000))
        ending = Ending("returned", tuple(map(show, instance.invoke(export, EXPORTS[export]))))
    except Trap as trap:
        ending = Ending("RESOURCES" if trap.code in RESOURCES else trap.code, (), _places(trap.frames))
    except WasmException as exception:
        ending = Ending("UNCAUGHT_EXCEPTION", (), _places(exception.frames))
    return Outcome(ending, tuple(calls), _state(instance) if instance is not None else None)


def _places(frames: list[Frame]) -> tuple[tuple[int, int], ...]:
    return tuple((frame.function_index, _engine_pc(frame)) for frame in frames[:BACKTRACE])


def _engine_pc(frame: Frame) -> int:
    """The engine makes one conditional trap of an arm that begins with `unreachable`, and blames it on the `if`."""
    instructions = frame.instance.module.code(frame.function_index).instructions
    arm = next(index for index, each in enumerate(instructions) if each.pc == frame.pc)
    if instructions[arm].name == "unreachable":
        for index, each in enumerate(instructions[:arm]):
            if each.name == "if" and arm in (index + 1, each.immediate.ip):
                return each.pc
    return frame.pc


def with_exact_pc(engine: Outcome, reference: Outcome) -> Outcome:
    """The engine's outcome with the reference's pc of an access out of bounds in the same function.

    Compiled code does not keep that pc: a load merged into the instruction that uses its value is blamed on that
    instruction, and an access that always traps on the branch that leads to it.
    """
    found, expected = engine.ending, reference.ending
    if found.how != "MEMORY_OUT_OF_BOUNDS" or found.how != expected.how or not expected.backtrace:
        return engine
    (function, _), *outer = found.backtrace
    if function != expected.backtrace[0][0]:
        return engine
    return replace(engine, ending=replace(found, backtrace=(expected.backtrace[0], *outer)))


def _state(instance: Instance) -> State:
    memory, table = instance.exports["memory"], instance.exports.get("table")
    assert isinstance(memory, Memory)
    values = []
    for name in GLOBALS:
        variable = instance.exports[name]
        assert isinstance(variable, Global)
        values.append(variable.value)
    elements = table.elements if isinstance(table, Table) else []
    return State(digest(memory.data), tuple(values), tuple(each is None for each in elements))


def _imports(wanted: Sequence[Import], calls: list[HostCall]) -> dict[tuple[str, str], Extern]:
    counts: Counter[str] = Counter()

    def host(name: str, type: DefinedType) -> HostFunc:
        params = [type_name(each, ()) for each in type.function.params]
        results = [type_name(each, ()) for each in type.function.results]

        def call(*arguments: Value) -> list[Value]:
            calls.append((name, tuple(map(_as_host_sees, arguments, params))))
            counts[name] += 1
            return [host_result(name, counts[name], result) for result in results]

        return HostFunc(type, call)

    imports: dict[tuple[str, str], Extern] = {}
    for each in wanted:
        if isinstance(each.type, DefinedType):
            imports[each.module, each.name] = host(each.name, each.type)
        else:
            imports[each.module, each.name] = Global(GlobalType("i32", False), IMPORTED_GLOBALS[each.name])
    return imports


def _as_host_sees(value: Value, kind: str) -> Value:
    """A NaN shows as the canonical one: a host function in Python gets no payload."""
    if kind in ("f32", "f64"):
        format = F32 if kind == "f32" else F64
        return format.nan if format.is_nan(value) else value
    return show(value)
