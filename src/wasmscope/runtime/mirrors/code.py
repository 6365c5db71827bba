"""The compiled code of mirrors, shared by all instances of a module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import wasmtime

from wasmscope.analysis.accesses import Access, Space, accesses_of
from wasmscope.analysis.typing import TypedFunction, types_of
from wasmscope.instrument.condition import CompiledCondition
from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.mirror.companion import CompanionModule
from wasmscope.instrument.mirror.condition_function import make_condition
from wasmscope.instrument.mirror.layout import MirrorLayout
from wasmscope.instrument.mirror.page import make_page
from wasmscope.instrument.mirror.reference_type import make_reference_type
from wasmscope.instrument.mirror.runner import make_runner
from wasmscope.instrument.mirror.stubs import make_stubs
from wasmscope.instrument.mirror.variant import make_variant
from wasmscope.instrument.mirror.watched import Watched
from wasmscope.instrument.points import Location, State, Uninitialised
from wasmscope.runtime.mirrors.compiled import Compiled, compile_companion
from wasmscope.runtime.mirrors.variant import VariantCode
from wasmscope.wasm.types import HeapType

_STATES_REMEMBERED = 1024
_WATCHED_REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class ConditionCode:
    """A breakpoint's condition, compiled, and what its outcomes mean."""

    compiled: Compiled
    condition: CompiledCondition


class MirrorCode:
    """The mirror of one function."""

    def __init__(self, engine: wasmtime.Engine, table: FrameTable, function: int) -> None:
        self._engine = engine
        self._table = table
        self.function = function
        """Its index among the defined functions."""
        self.typed: TypedFunction = table.typed(function)
        self.layout = MirrorLayout.of(self.typed)
        self.loop_headers = frozenset(
            number for number, each in enumerate(self.typed.instructions) if each.is_loop_header and each.is_reachable
        )
        """The numbers of the instructions that loops begin with."""
        self._pages: dict[int, Compiled] = {}
        self._variants: dict[tuple[int | None, Watched], VariantCode | None] = {}
        self._conditions: dict[tuple[int, str], ConditionCode] = {}
        self.state = lru_cache(_STATES_REMEMBERED)(self._state)
        self.concerned = lru_cache(_WATCHED_REMEMBERED)(self._concerned)

    @cached_property
    def runner(self) -> Compiled:
        """What makes frames and lets pages run."""
        index = self._table.module.num_imported_functions + self.function
        return compile_companion(self._engine, make_runner(self._table.plan, self.typed, index))

    @cached_property
    def accesses(self) -> dict[tuple[Space, int], list[tuple[int, Access]]]:
        """What it accesses of each memory, table, global and local: the numbers of the instructions, and how."""
        found: dict[tuple[Space, int], list[tuple[int, Access]]] = {}
        for number, typed in enumerate(self.typed.instructions):
            for access in accesses_of(typed, self._table.module):
                found.setdefault((access.space, access.index), []).append((number, access))
        return found

    @cached_property
    def import_calls(self) -> frozenset[int]:
        """The numbers of the calls of imported functions."""
        return frozenset(
            number
            for number, typed in enumerate(self.typed.instructions)
            if typed.instruction.opcode.name == "call"
            and typed.instruction.immediates[0] < self._table.module.num_imported_functions
        )

    def page(self, number: int) -> Compiled:
        """A page."""
        if number not in self._pages:
            self._pages[number] = compile_companion(self._engine, make_page(self._table.plan, self.typed, number))
        return self._pages[number]

    @property
    def pages_made(self) -> int:
        """How many pages were compiled."""
        return len(self._pages)

    def condition(self, index: int, text: str) -> ConditionCode:
        """A condition at instruction `index`. Raises `ConditionError` for what is none there."""
        key = index, text
        if key not in self._conditions:
            table = self._table
            function = table.module.num_imported_functions + self.function
            made = make_condition(table.plan, table.names, self.typed, function, index, text)
            self._conditions[key] = ConditionCode(compile_companion(self._engine, made.companion), made.condition)
        return self._conditions[key]

    def _concerned(self, watched: Watched) -> Watched:
        """What of that which is watched in an instance it accesses."""
        return watched.among(self.accesses, calls_import=bool(self.import_calls))

    def has_variant(self, header: int | None, watched: Watched) -> bool:
        """Whether the variant for a loop header, or the whole function, that tests what is watched was made."""
        return self._variants.get((header, watched)) is not None

    def variant(self, header: int | None, watched: Watched) -> VariantCode | None:
        """That variant; None where there cannot be one, or the engine does not take it."""
        key = (header, watched)
        if key not in self._variants:
            made = make_variant(self._table, self.function, header, watched)
            try:
                self._variants[key] = None if made is None else VariantCode(self._engine, made, header, watched)
            except wasmtime.WasmtimeError:
                self._variants[key] = None  # made debuggable it exceeds the engine's limits
        return self._variants[key]

    def _state(self, pc: int) -> State:
        """Where the values of a frame at `pc` are."""
        module, types = self._table.module, types_of(self.typed.at(pc).stack)
        return State(
            locals=tuple(self._local(index) for index in range(len(self.typed.local_types))),
            stack=tuple(self.layout.operand(depth, each, module) for depth, each in enumerate(types)),
            stack_types=types,
        )

    def _local(self, index: int) -> Location:
        value_type = self.typed.local_types[index]
        slot = self.layout.local(index, value_type, self._table.module)
        is_parameter = index < len(self.typed.type.params)
        return slot if is_parameter or not value_type.is_ref or value_type.nullable else Uninitialised(slot)


class ModuleCode:
    """The mirrors of a module's functions, and the stubs that stand for those which were not made yet."""

    def __init__(self, engine: wasmtime.Engine, table: FrameTable) -> None:
        self._engine = engine
        self._table = table
        self._mirrors: dict[int, MirrorCode] = {}
        self._stubs: dict[tuple[int, ...], Compiled] = {}
        self._reference_types: dict[HeapType, wasmtime.Module] = {}

    def mirror(self, function: int) -> MirrorCode:
        """The code for a defined function."""
        if function not in self._mirrors:
            self._mirrors[function] = MirrorCode(self._engine, self._table, function)
        return self._mirrors[function]

    def stubs(self, types: tuple[int, ...]) -> Compiled:
        """A function for each of these types, which has a mirror made and calls it."""
        if types not in self._stubs:
            self._stubs[types] = compile_companion(self._engine, make_stubs(self._table.plan, types))
        return self._stubs[types]

    def reference_type(self, heap: HeapType) -> wasmtime.Module:
        """A module with a global for references to `heap`. Raises `WasmscopeError` where the engine takes none."""
        if heap not in self._reference_types:
            code = CompanionModule(make_reference_type(self._table.module, heap), ())
            self._reference_types[heap] = compile_companion(self._engine, code).module
        return self._reference_types[heap]
