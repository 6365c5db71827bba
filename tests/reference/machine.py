"""The abstract machine: calls, activations, the store (spec 4.2.12 and 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from reference.compile import Code, Instruction
from reference.errors import CallStackExhausted, GuestError, OutOfSteps, WasmException
from reference.state import FuncRef, Limits, WasmFunction
from reference.typer import TryRegion
from reference.types import type_name
from reference.values import ExnObject, Value

if TYPE_CHECKING:
    from reference.instance import Instance
    from reference.typer import Handler

TypedValue = tuple[str, Value]


@dataclass(frozen=True, slots=True)
class Frame:
    """A call as it was when asked for; it keeps no tie to the live call.

    `pc` is the offset in the module of the instruction that runs: the call for a call that waits for another. `stack`
    (bottom first) is as before that instruction, what it takes still there. `function_index` counts imports.
    A local of a type without default that was not set yet shows as None.
    """

    instance: Instance
    function_index: int
    pc: int
    locals: list[TypedValue]
    stack: list[TypedValue]
    activation: int


@dataclass(slots=True)
class Call:
    """A live call; `pending` counts the operands to take away when the function it called returns.

    A constant expression is a call without function index and shows up in no frame.
    """

    activation: Activation
    instance: Instance
    function_index: int | None
    code: Code
    locals: list[Value]
    ip: int = 0
    stack: list[Value] = field(default_factory=list)
    pending: int = 0

    @property
    def instruction(self) -> Instruction:
        """The instruction that runs."""
        return self.code.instructions[self.ip]


class Activation:
    """A run of guest calls from one entry by the host until the return to it."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store = store
        self.calls: list[Call] = []
        self.results: list[Value] = []
        self._below = sum(len(each.calls) for each in store.activations)
        self._limits = limits
        self._steps_left = -1 if limits.steps is None else limits.steps

    def enter(self, function: WasmFunction, arguments: list[Value]) -> None:
        """Begin a call of a guest function."""
        if self._below + len(self.calls) >= self._limits.call_depth:
            raise CallStackExhausted
        code = function.instance.module.code(function.index)
        locals = arguments + code.defaults[len(arguments) :]
        self.calls.append(Call(self, function.instance, function.index, code, locals))

    def deliver(self, results: Sequence[Value]) -> None:
        """Give the results of a function that returned to its caller, or to the host."""
        if not self.calls:
            self.results = list(results)
            return
        caller = self.calls[-1]
        caller.stack[len(caller.stack) - caller.pending :] = results
        caller.ip += 1

    def run(self) -> list[Value]:
        """Run until the outermost call has returned."""
        self.store.activations.append(self)
        try:
            while True:
                try:
                    return self._execute()
                except WasmException as error:
                    if self.store.on_throw is not None and not error.frames:
                        caught = any(_find_handler(call, error.exception) is not None for call in self.calls)
                        self.store.on_throw(error.exception, caught)
                    if not self._catch(error.exception):
                        self._keep_frames(error)
                        raise
                except GuestError as error:
                    self._keep_frames(error)
                    raise
        finally:
            self.store.activations.pop()

    def _keep_frames(self, error: GuestError) -> None:
        """The frames of where it began, not of the activations that it passes."""
        if not error.frames:
            error.frames = self.store.frames()

    def _execute(self) -> list[Value]:
        while self.calls:
            call = self.calls[-1]
            instructions, stack, ip = call.code.instructions, call.stack, call.ip
            while ip >= 0:
                call.ip = ip
                if self._steps_left == 0:
                    raise OutOfSteps
                self._steps_left -= 1
                if self.store.on_step is not None:
                    self._step(self.store.on_step, call)
                instruction = instructions[ip]
                target = instruction.handler(call, stack, instruction.immediate)
                ip = ip + 1 if target is None else target
        return self.results

    def _step(self, on_step: Callable[[Frame], None], call: Call) -> None:
        if call.function_index is not None:
            on_step(_snapshot(call, call.function_index, 0))

    def _catch(self, exception: ExnObject) -> bool:
        """Unwind to the innermost handler of the exception and go on there, if there is one (spec 4.6.10)."""
        for depth in range(len(self.calls) - 1, -1, -1):
            call = self.calls[depth]
            handler = _find_handler(call, exception)
            if handler is not None:
                del self.calls[depth + 1 :]
                self._handle(call, handler, exception)
                return True
        return False

    def _handle(self, call: Call, handler: Handler, exception: ExnObject) -> None:
        payload = list(exception.values) if handler.clause.tag is not None else []
        if handler.clause.with_reference:
            payload.append(exception)
        if handler.label.ip is None:
            self.calls.pop()
            self.deliver(payload)
            return
        call.stack[handler.label.height :] = payload
        call.ip = handler.label.ip


def _find_handler(call: Call, exception: ExnObject) -> Handler | None:
    regions: list[TryRegion] = call.code.regions
    for region in regions:
        if region.first <= call.ip <= region.last:
            for handler in region.handlers:
                tag = handler.clause.tag
                if tag is None or call.instance.tags[tag] is exception.tag:
                    return handler
    return None


def _snapshot(call: Call, function_index: int, activation: int) -> Frame:
    types = call.instance.module.types
    names: list[str] = []
    operands = call.instruction.operands
    while operands is not None:
        names.append(type_name(operands[0], types))
        operands = operands[1]
    locals = [(type_name(type, types), value) for type, value in zip(call.code.locals, call.locals, strict=True)]
    stack = list(zip(reversed(names), call.stack, strict=True))
    return Frame(call.instance, function_index, call.instruction.pc, locals, stack, activation)


@dataclass(eq=False, slots=True)
class Store:
    """Everything that instances share.

    `on_step` is called before each instruction with the frame it runs in, and may change the state of any live call;
    `on_throw` at each throw with the exception and whether a handler of the same activation catches it.
    """

    on_step: Callable[[Frame], None] | None = None
    on_throw: Callable[[ExnObject, bool], None] | None = None
    activations: list[Activation] = field(default_factory=list)

    def frames(self) -> list[Frame]:
        """The frames of all activations, innermost first; activation 0 is the innermost that has frames."""
        frames: list[Frame] = []
        number = 0
        for activation in reversed(self.activations):
            found = [
                _snapshot(call, call.function_index, number)
                for call in reversed(activation.calls)
                if call.function_index is not None
            ]
            frames += found
            number += bool(found)
        return frames

    def depth(self) -> int:
        """How many frames there are."""
        return sum(1 for _ in self._calls())

    def live(self, frame: int) -> Call:
        """The call behind a frame, 0 being the innermost; its locals and operands may be changed, not their types.

        What a call that waits gave to the function it called is among its operands, and is dropped when that returns.
        """
        return next(islice(self._calls(), frame, None))

    def _calls(self) -> Iterator[Call]:
        """The live calls that have frames, innermost first."""
        for activation in reversed(self.activations):
            yield from (call for call in reversed(activation.calls) if call.function_index is not None)

    def call(self, function: FuncRef, arguments: Sequence[Value], limits: Limits | None = None) -> list[Value]:
        """Call a function from the host."""
        if not isinstance(function, WasmFunction):
            return list(function.call(*arguments))
        activation = Activation(self, limits or function.instance.limits)
        activation.enter(function, list(arguments))
        return activation.run()

    def evaluate(self, instance: Instance, code: Code) -> Value:
        """The value of a constant expression (spec 4.6.12)."""
        activation = Activation(self, instance.limits)
        locals: list[Value] = []
        activation.calls.append(Call(activation, instance, None, code, locals))
        return activation.run()[0]
