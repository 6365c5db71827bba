"""Variants: optimised code to which a frame goes back from its mirror at a loop, or all of a function.

Their frames are shown as the original's: the instance, the function and the pc are those of the guest. Only where their
values are is told by the frame table of the variant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.analysis.typing import TypedFunction, types_of
from wasmscope.instrument.frame_table import Origin
from wasmscope.instrument.mirror.companion import Source
from wasmscope.instrument.mirror.entrance import make_entrance
from wasmscope.instrument.mirror.variant import VariantModule, is_set_late
from wasmscope.instrument.mirror.watched import Watched
from wasmscope.instrument.points import Location, Point, State, Uninitialised
from wasmscope.instrument.shadow_frame import TableSlot
from wasmscope.runtime.mirrors.compiled import Compiled, compile_companion
from wasmscope.wasm.module import ExternKind

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance


class VariantCode:
    """The compiled variant of a function for one loop, shared by all instances of the module."""

    def __init__(self, engine: wasmtime.Engine, made: VariantModule, header: int | None, watched: Watched) -> None:
        """Raises `WasmtimeError` where the engine does not take it."""
        assert made.table.origin is not None
        self.table = made.table
        """Of its own code, which is one function."""
        self.origin: Origin = made.table.origin
        self._typed: TypedFunction = self.origin.table.typed(self.origin.function)
        self._header = header
        self.watched = watched
        """What it tests."""
        self.compiled = Compiled(wasmtime.Module(engine, made.bytecode), made.needs)
        self.entrance: Compiled | None = None
        """What takes a mirror frame over; None: it is the whole function."""
        if header is not None:
            self.entrance = compile_companion(engine, make_entrance(self.origin.table.plan, self._typed, header))
        self.callees = made.callees
        """The defined functions that it calls through what the host says."""
        private = self.origin.table.plan.private
        names = {
            private.name(ExternKind.MEMORY, index): index
            for index in range(self.origin.table.module.count(ExternKind.MEMORY))
        }
        self.memories = tuple(names[need.name] if need.source is Source.EXPORT else None for need in made.memories)
        """The indices in the original of its memories; None: the shadow memory."""

    def state(self, point: Point) -> State:
        """Where the values of a frame are; its locals begin with the original's."""
        state = self.table.state(0, point)
        state = replace(state, locals=tuple(map(self._local, range(len(state.locals)), state.locals)))
        if self._header is None or point.pc != self.table.module.codes[0].code_start:
            return state
        # It was not entered yet: the operands at the header are still its parameters.
        types, first = types_of(self._typed.instructions[self._header].stack), len(self._typed.local_types)
        return replace(state, stack=state.locals[first : first + len(types)], stack_types=types)

    def _local(self, index: int, location: Location) -> Location:
        is_late = index < len(self._typed.local_types) and is_set_late(self._typed, index)
        return Uninitialised(location) if is_late and isinstance(location, TableSlot) else location


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a function of one instance."""

    number: int
    """In its store: with `VARIANT` it is what frames name in place of an instance."""
    instance: Instance
    """Whose function it is."""
    code: VariantCode
    entry: int
    """Index in the mirrors table of what takes a mirror frame over, or of the whole function."""
