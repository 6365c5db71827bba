"""Goes on with an activation whose frames are not on the engine's stack any more: frame by frame, innermost first.

The shadow stack has all there is to know of them. Each frame is made a mirror frame when its turn comes, and run until
it returns: its results become operands of its caller's frame. An exception goes to the frame whose handler catches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, assert_never

import wasmtime

from wasmscope.analysis.signatures import effect_of
from wasmscope.analysis.typing import Handler, TypedFunction, TypedInstruction, types_of
from wasmscope.instrument.mirror.layout import RESUME_REFERENCES, SKIP_NOTHING, site_of
from wasmscope.instrument.shadow_frame import MemorySlot
from wasmscope.runtime import capi
from wasmscope.runtime.frame_values import KIND, SIZE
from wasmscope.runtime.mirrors.mirror import Mirror
from wasmscope.runtime.mirrors.takeover import Entry, Takeover, Value
from wasmscope.runtime.mirrors.unwinding import EarlyReturn, Jump, Rerun, Return, Throw
from wasmscope.runtime.val import ExnRef, Val
from wasmscope.runtime.walk import Activation, RawFrame, call_sites
from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store

_NOTHING = capi.Signature((), ())


@dataclass(frozen=True, slots=True)
class _Returned:
    """A call returned; its results are where they say."""

    values: Sequence[Value]
    types: Sequence[ValType]


@dataclass(frozen=True, slots=True)
class _Thrown:
    """An exception left a frame; `outcome` is how the engine says so, if it was the guest that threw it."""

    exception: ExnRef
    outcome: capi.Failure | None = None


_Next: TypeAlias = Rerun | Jump | EarlyReturn | _Returned | _Thrown


def continue_activation(store: Store, activation: Activation) -> capi.Outcome:
    """Run the activation, which was unwound, to its end; returns how it ended."""
    return _Continuation(store, activation).run()


class _Continuation:
    def __init__(self, store: Store, activation: Activation) -> None:
        self._store = store
        self._activation = activation
        self._suspended = activation.suspended
        """Oldest first."""
        self._trapped: RawFrame | None = None
        """Which of them has trapped: it may not have been pushed."""

    def run(self) -> capi.Outcome:
        following = self._unwound()
        while True:
            match following:
                case EarlyReturn(values):
                    frame = self._drop()
                    types = frame.table.module.func_type(frame.table.module.num_imported_functions + frame.function)
                    following = _Returned([_as_value(value) for value in values], types.results)
                    continue
                case _Returned(values, types) if not self._suspended:
                    return capi.Returned(tuple(self._as_val(*pair) for pair in zip(values, types, strict=True)))
                case _Returned(values, _):
                    mirror, index, skip = self._return_to(values)
                case _Thrown(exception, outcome):
                    handler = self._unwind_to_handler(exception)
                    if handler is None:
                        return self._uncaught(exception, outcome)
                    payload = _payload(handler, exception)
                    if handler.label.target == len(self._typed(self._suspended[-1]).instructions):
                        following = _Returned(payload, self._typed(self._drop()).type.results)
                        continue
                    height, target = handler.label.height, handler.label.target
                    mirror, index, skip = self._go_on_behind(self._suspended[-1], height, payload, target)
                case Rerun() | Jump():
                    mirror, index, skip = self._go_on(following)
                case _:
                    assert_never(following)
            following_or_end = self._resume(mirror, index, skip)
            if isinstance(following_or_end, capi.Trapped | capi.Failed | capi.Raised):
                return following_or_end
            following = following_or_end

    # -- frames --------------------------------------------------------------------------------------------------

    def _unwound(self) -> _Next:
        """The frames that were on the engine's stack are suspended now."""
        activation, store = self._activation, self._store
        unwinding, activation.unwinding = activation.unwinding, None
        running, activation.running = activation.running, None
        trapped, activation.trapped = activation.trapped, None
        self._trapped = trapped
        start = None if running is None else (running.base, running.reference_base, running.instance)
        end = store.shadow.stack_pointer if trapped is None else trapped.base
        sites = call_sites(store.shadow, store.instances, store.mirrors, activation, end, start)
        self._suspended += [site.frame() for site in sites]
        if trapped is not None:
            self._suspended.append(trapped)
        match unwinding:
            case Return(values):
                instruction = self._instruction(self._suspended[-1])
                types = effect_of(instruction.instruction, self._suspended[-1].table.module).pushes
                return _Returned([_as_value(value) for value in values], types)
            case Throw(exception):
                return _Thrown(exception)
            case None:
                raise AssertionError("the activation was unwound")
            case _:
                return unwinding

    def _drop(self) -> RawFrame:
        """The innermost frame does not go on."""
        frame = self._suspended.pop()
        self._activation.changes.pop(frame.base, None)
        return frame

    def _typed(self, frame: RawFrame) -> TypedFunction:
        return frame.table.typed(frame.function)

    def _mirror_of(self, frame: RawFrame) -> Mirror:
        assert frame.instance is not None, "it would not be known who its functions are"
        return frame.mirror or self._store.mirrors.of(frame.instance, frame.function)

    def _instruction(self, frame: RawFrame) -> TypedInstruction:
        return self._typed(frame).at(frame.pc)

    def _go_on(self, following: Rerun | Jump) -> tuple[Mirror, int, int]:
        """The mirror of the innermost frame, the number of the instruction to go on at, and what is skipped there."""
        frame = self._suspended.pop()
        mirror = self._mirror_of(frame)
        number = mirror.code.typed.numbers[frame.pc if isinstance(following, Rerun) else following.pc]
        if frame.mirror is None:
            takeover = self._take_over(frame)
            takeover.write(mirror, number, types_of(mirror.code.typed.instructions[number].stack))
        self._activation.running = replace(frame, mirror=mirror)
        return mirror, number, following.skip if isinstance(following, Rerun) else SKIP_NOTHING

    def _return_to(self, values: Sequence[Value]) -> tuple[Mirror, int, int]:
        """The innermost frame's call returned."""
        frame = self._suspended[-1]
        pops = effect_of(self._instruction(frame).instruction, frame.table.module).pops
        return self._go_on_behind(frame, len(types_of(self._instruction(frame).stack)) - pops, values)

    def _go_on_behind(
        self, frame: RawFrame, height: int, values: Sequence[Value], index: int | None = None
    ) -> tuple[Mirror, int, int]:
        """The innermost frame goes on at `index`, or behind its instruction, with `values` on its lowest operands."""
        mirror = self._mirror_of(frame)
        typed = mirror.code.typed
        index = typed.numbers[frame.pc] + 1 if index is None else index
        types = types_of(typed.instructions[index].stack)
        takeover = self._take_over(frame)
        takeover.operands[height:] = values
        takeover.write(mirror, index, types)
        self._suspended.pop()
        self._activation.running = replace(frame, mirror=mirror)
        return mirror, index, SKIP_NOTHING

    def _take_over(self, frame: RawFrame) -> Takeover:
        takeover = Takeover(self._store, frame, self._activation.take_reader(frame))
        self._activation.changes.pop(frame.base, None)
        return takeover

    # -- running -------------------------------------------------------------------------------------------------

    def _resume(self, mirror: Mirror, index: int, skip: int) -> _Next | capi.Failure:
        frame, store = self._activation.running, self._store
        assert frame is not None
        layout, control = mirror.code.layout, store.mirrors.control
        instructions = mirror.code.typed.instructions
        if index < len(instructions):
            store.shadow.set_header(frame.base, site_of(instructions[index].pc), mirror.number)
        store.shadow.pointers = frame.base + layout.size, frame.reference_base + layout.references
        control.set_word(RESUME_REFERENCES, frame.reference_base)
        mirror.resume_at(frame.base, index, skip)
        store.execution_version += 1
        outcome = capi.call_func(store, mirror.resume, _NOTHING, ())
        if self._activation.unwinding is not None:
            return self._unwound()
        match outcome:
            case capi.Returned():
                return self._results(mirror, frame)
            case capi.Trapped(thrown=True) if self._suspended:
                exception = capi.take_exception(store)
                assert exception is not None
                return _Thrown(exception, outcome)
            case _:
                return outcome

    def _results(self, mirror: Mirror, frame: RawFrame) -> _Returned:
        """Where a frame that returned has left its results."""
        layout, module, types = mirror.code.layout, frame.table.module, mirror.code.typed.type.results
        values: list[Value] = []
        for depth, value_type in enumerate(types):
            slot = layout.operand(depth, value_type, module)
            if isinstance(slot, MemorySlot):
                values.append(self._store.shadow.bits(frame.base + slot.offset, SIZE[value_type]))
            else:
                values.append(Entry(slot.kind, frame.reference_base + slot.index))
        return _Returned(values, types)

    def _as_val(self, value: Value, value_type: ValType) -> Val:
        match value:
            case int():
                return Val.from_bits(KIND[value_type], value)
            case Entry(kind, index):
                found = self._store.shadow.references.get(kind, index)
                assert found is not None
                return found
            case None:
                raise AssertionError("only a frame that is taken over knows a null reference")
            case _:
                return value

    # -- exceptions ----------------------------------------------------------------------------------------------

    def _unwind_to_handler(self, exception: ExnRef) -> Handler | None:
        """The handler that catches `exception`; its frame is the innermost then."""
        for position in reversed(range(len(self._suspended))):
            frame = self._suspended[position]
            for handler in self._instruction(frame).handlers:
                if self._catches(frame, handler, exception):
                    while len(self._suspended) > position + 1:
                        self._drop()
                    return handler
        return None

    def _catches(self, frame: RawFrame, handler: Handler, exception: ExnRef) -> bool:
        if handler.clause.tag is None:
            return True
        assert frame.instance is not None
        tag = frame.instance.debug_tag(self._store, handler.clause.tag)
        return tag is not None and tag.eq(self._store, exception.tag)

    def _uncaught(self, exception: ExnRef, outcome: capi.Failure | None) -> capi.Outcome:
        """How an activation ends that ends by an exception."""
        if outcome is None:
            self._activation.uncaught = True
            if self._suspended and self._suspended[-1] is self._trapped:
                self._activation.trapped = self._trapped
            return throw_into(self._store, exception)
        capi.set_exception(self._store, exception)
        return outcome


def _payload(handler: Handler, exception: ExnRef) -> list[Value]:
    """What a clause takes of an exception that it catches."""
    fields = list(exception.fields()) if handler.clause.tag is not None else []
    payload: list[Value] = [_as_value(value) for value in fields]
    if handler.clause.kind.endswith("_ref"):
        payload.append(Val.exnref(exception))
    return payload


def throw_into(store: Store, exception: ExnRef) -> capi.Outcome:
    """How a call ends that ends by this exception."""

    def throw() -> None:
        raise capi.EndHostCall(exception)

    thrower = wasmtime.Func._from_raw(capi.new_func(store, wasmtime.FuncType([], []), throw))
    return capi.call_func(store, thrower, _NOTHING, ())


def _as_value(value: Val) -> Value:
    return value if value.bits is None else value.bits
