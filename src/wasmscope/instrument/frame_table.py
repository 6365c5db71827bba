"""One frame table a module: what turns the bytes of a shadow frame into locals and operands.

What is kept for every function is small: where its code is, before and after, and how large its frame is. Where each
value is at each program point is worked out when somebody looks at a frame of the function, by rewriting that one
function once more: the rewrite is deterministic, so it comes out the same. The serialised form is therefore a few bytes
a function.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain, repeat

import msgspec

from wasmscope.analysis.handlers import TryRegion, try_regions
from wasmscope.analysis.tokenizer import tokens_of
from wasmscope.analysis.typing import TypedFunction, type_function
from wasmscope.errors import WasmscopeError
from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.mark import Mark
from wasmscope.instrument.operations import Operation, operations_of
from wasmscope.instrument.plan import APPENDED_FUNCTIONS, Appended, Plan, make_plan
from wasmscope.instrument.points import Point, Recorder, State
from wasmscope.instrument.visitors import visitor_of
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameSection, decode_names
from wasmscope.wasm.types import ValType

FORMAT = 7
"""Changes whenever the rewrite of a function does: an old table would describe other code."""

_FUNCTIONS_REMEMBERED = 256
_STATES_REMEMBERED = 64
_TYPED_REMEMBERED = 64
_REGIONS_REMEMBERED = 4096
"""Of more functions, because most have none, and all that are on the stack are asked for at every throw."""


class FunctionEntry(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of one rewritten function."""

    rewritten_start: int
    """Offset in the rewritten module of the body: its locals vector."""
    rewritten_end: int
    frame_size: int
    references: int
    pushes_frame: bool
    accessed: int
    """What it accesses (`analysis/accessed.py`)."""


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    format: int
    counts_fuel: bool
    functions: list[FunctionEntry]


@dataclass(frozen=True, slots=True)
class FunctionPoints:
    """The points of one function, by pc and by offset in the rewritten module."""

    by_pc: dict[int, Point]
    by_rewritten_offset: dict[int, Point]
    rewritten_offsets: list[int]
    """The keys of `by_rewritten_offset`, ascending."""
    states: dict[int, State]
    """By the chunk of the point; not of every point where there are very many values."""
    _stores: list[int]
    _offset_of_chunk: list[int]

    def preceding(self, rewritten_offset: int) -> Point | None:
        """The last point before an offset."""
        position = bisect_left(self.rewritten_offsets, rewritten_offset)
        return self.by_rewritten_offset[self.rewritten_offsets[position - 1]] if position else None

    def is_before_all(self, rewritten_offset: int) -> bool:
        """Whether an offset is in the function's prologue."""
        return not self.rewritten_offsets or rewritten_offset < self.rewritten_offsets[0]

    def offset_of(self, point: Point) -> int:
        """The offset in the rewritten module at which a point is observed."""
        return self._offset_of_chunk[point.chunk]

    def is_published_for(self, point: Point) -> bool:
        """Whether there is code right before the instruction that publishes for it: it cannot have been moved then."""
        return self._offset_of_chunk[point.first_chunk] != self._offset_of_chunk[point.chunk]

    def is_changed_between(self, earlier: Point, later: Point) -> bool:
        """Whether a slot may have been written between two points: the earlier one's state is gone then."""
        return bisect_left(self._stores, earlier.chunk) != bisect_left(self._stores, later.chunk)

    def following(self, rewritten_offset: int) -> Point | None:
        """The first point at or behind an offset: where publishing code leads to."""
        position = bisect_right(self.rewritten_offsets, rewritten_offset - 1)
        if position == len(self.rewritten_offsets):
            return None
        return self.by_rewritten_offset[self.rewritten_offsets[position]]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a module of our own making, which has one function, stands for."""

    table: FrameTable
    """Of the original module."""
    function: int
    """Index of the function there among the defined ones."""
    pcs: Mapping[int, int]
    """The pc there of each instruction that comes from there, and of the first one, by the pc here."""
    is_whole: bool
    """Whether it is all of the function: it is called in its place."""

    def pc(self, pc: int) -> int:
        """The pc there of the instruction at a pc here, or of the one before it that comes from there."""
        known = self.pcs.get(pc)
        return self.pcs[max(each for each in self.pcs if each <= pc)] if known is None else known


class FrameTable:
    """The frame table of one module; `functions` are its defined functions in order."""

    def __init__(
        self,
        bytecode: bytes,
        functions: list[FunctionEntry],
        plan: Plan | None = None,
        *,
        counts_fuel: bool = False,
        origin: Origin | None = None,
    ) -> None:
        self.bytecode = bytecode
        self.functions = functions
        self.origin = origin
        """What users are shown in place of this module; None: itself."""
        self._plan = plan
        self.counts_fuel = counts_fuel
        self.points = lru_cache(_FUNCTIONS_REMEMBERED)(self._points)
        self._searched_state = lru_cache(_STATES_REMEMBERED)(self._search_state)
        self.local_types = lru_cache(_FUNCTIONS_REMEMBERED)(self._local_types)
        self.offsets = lru_cache(_TYPED_REMEMBERED)(self._offsets)
        self.typed = lru_cache(_TYPED_REMEMBERED)(self._typed)
        self.try_regions = lru_cache(_REGIONS_REMEMBERED)(self._try_regions)

    @cached_property
    def plan(self) -> Plan:
        """The plan the module was rewritten by."""
        if self._plan is not None:
            return self._plan
        return make_plan(decode_module(self.bytecode), counts_fuel=self.counts_fuel, mark=self._mark)

    @property
    def module(self) -> Module:
        """The original module."""
        return self.plan.module

    @cached_property
    def _mark(self) -> Mark:
        return self._plan.mark if self._plan is not None else Mark.of(self.bytecode)

    @property
    def mark(self) -> str:
        """The module name that the rewritten module has: what the engine's backtraces tell modules apart by."""
        return self._mark.name

    @cached_property
    def names(self) -> NameSection:
        """The names in the original module."""
        return decode_names(self.module)

    @property
    def module_name(self) -> str | None:
        """The name of the original module, if it has one."""
        return self.names.module

    @cached_property
    def _operations(self) -> dict[bytes, Operation]:
        return operations_of(self.plan, visitor_of)

    @cached_property
    def _starts(self) -> list[int]:
        return [code.start for code in self.module.codes]

    @cached_property
    def _rewritten_starts(self) -> list[int]:
        return [function.rewritten_start for function in self.functions]

    def function_at(self, pc: int) -> int | None:
        """Index among the defined functions of the one whose code, in the original module, has `pc` in it."""
        index = bisect_right(self._starts, pc) - 1
        return index if index >= 0 and pc < self.module.codes[index].end else None

    def function_at_rewritten(self, offset: int) -> int | None:
        """The same for an offset in the rewritten module."""
        index = bisect_right(self._rewritten_starts, offset) - 1
        return index if index >= 0 and offset < self.functions[index].rewritten_end else None

    def defined_function(self, rewritten_index: int, entering: int = 0) -> int:
        """Index among the defined functions of what has this index in the rewritten module.

        Of a function that was appended to lead to others, which is only seen while it is called, it is the one that
        it leads to: `entering`. A function with an instruction of a mirror's belongs to none (`LookupError`).
        """
        appended = self.appended(rewritten_index)
        if appended is None:
            return rewritten_index - self.module.num_imported_functions - APPENDED_FUNCTIONS
        if appended is Appended.OWN_INSTRUCTION:
            raise LookupError("the instruction belongs to the mirror that has it run")
        return entering

    def appended(self, rewritten_index: int) -> Appended | None:
        """What a function of the rewritten module was appended for; None: it is one that the module defines."""
        behind = rewritten_index - self.module.num_imported_functions - APPENDED_FUNCTIONS - len(self.functions)
        return None if behind < 0 else self.plan.appended(rewritten_index)

    def original_offset(self, function: int, rewritten_offset: int) -> int:
        """The offset in the original module of an instruction of a defined function that the engine reports."""
        points = self.points(function)
        point = points.by_rewritten_offset.get(rewritten_offset) or points.following(rewritten_offset)
        return point.pc if point is not None else self.module.codes[function].code_start

    def _local_types(self, function: int) -> tuple[ValType, ...]:
        """The types of a defined function's locals, parameters first."""
        params = self.module.func_type(self.module.num_imported_functions + function).params
        declared = self.module.codes[function].locals
        return (*params, *chain.from_iterable(repeat(value_type, count) for count, value_type in declared))

    def _typed(self, function: int) -> TypedFunction:
        """A defined function's instructions with their types."""
        return type_function(self.module, function)

    def _offsets(self, function: int) -> list[int]:
        """Where the instructions of a defined function begin, in the original module."""
        code = self.module.codes[function]
        lengths = map(len, tokens_of(self.module, code)[:-1])
        return list(accumulate(lengths, initial=code.code_start))

    def _try_regions(self, function: int) -> tuple[TryRegion, ...]:
        """The `try_table` blocks of a defined function, inner ones before those around them."""
        return try_regions(self.module, self.module.codes[function])

    def _points(self, function: int) -> FunctionPoints:
        """The points of a defined function; remembered for the functions looked at last."""
        recorder = Recorder()
        chunks = self._rewrite_again(function, recorder)
        first = self.functions[function].rewritten_end - sum(map(len, chunks))
        offsets = list(accumulate(map(len, chunks), initial=first))
        by_offset = {offsets[point.chunk]: point for point in recorder.points if point.traps}
        by_pc: dict[int, Point] = {}
        for point in recorder.points:
            by_pc.setdefault(point.pc, point)  # of a loop header and the instruction behind it, the header
        return FunctionPoints(by_pc, by_offset, sorted(by_offset), recorder.states, recorder.stores, offsets)

    def state(self, function: int, point: Point) -> State:
        """Where the values of a defined function are at one of its points."""
        return self.points(function).states.get(point.chunk) or self._searched_state(function, point.chunk)

    def _search_state(self, function: int, chunk: int) -> State:
        recorder = Recorder(wanted=chunk)
        self._rewrite_again(function, recorder)
        return recorder.states[chunk]

    def _rewrite_again(self, function: int, recorder: Recorder) -> list[bytes]:
        """The chunks of the rewritten code behind the prologue."""
        code = self.module.codes[function]
        rewriter = FunctionRewriter(self.plan, self.module.num_imported_functions + function, code, recorder)
        body = rewriter.rewrite(tokens_of(self.module, code), self._operations)
        entry = self.functions[function]
        if len(body) != entry.rewritten_end - entry.rewritten_start:
            raise WasmscopeError("the frame table does not belong to this module or this version of wasmscope")
        return rewriter.out

    def serialize(self) -> bytes:
        """The compact form; the original module is needed to read it back."""
        return msgspec.msgpack.encode(_Stored(FORMAT, self.counts_fuel, self.functions))

    @classmethod
    def deserialize(cls, data: bytes, bytecode: bytes) -> FrameTable:
        """Read back what `serialize` gave for the module `bytecode`.

        Raises `WasmscopeError` where it is not that, or of another version.
        """
        try:
            stored = msgspec.msgpack.decode(data, type=_Stored)
        except msgspec.MsgspecError as error:
            raise WasmscopeError(f"not a frame table: {error}") from error
        if stored.format != FORMAT:
            raise WasmscopeError(f"the frame table has format {stored.format}, this version writes {FORMAT}")
        return cls(bytecode, stored.functions, counts_fuel=stored.counts_fuel)
