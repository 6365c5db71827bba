"""A variant: a function once more, as code that begins at the header of one of its loops.

It is a guest module of our own making, of the original's instructions, which is rewritten like any other: so it
publishes its state, traps, attends and compiles as optimised code does. With it a frame goes back from its mirror to
such code. It is given every local, and the operands that are on the stack at the header::

    (func $f (param $p i32) (result i32)        (func $variant (param $p i32) (param $x i64) (result i32)
      (local $x i64)                              (local $entering i32)
      ...before...                                (local.set $entering (i32.const 1))
      (loop $outer                                (loop $outer
        ...between...                               (if (local.get $entering)
                                                      (then (local.set $entering (i32.const 0)))
                                           =>         (else (loop ...between...)))
        (loop $inner ...)                           (loop $inner ...)
        ...behind...))                              ...behind...))

Code that tests what is watched calls functions of its own module through the table of mirrors: so that of one variant
it comes to another directly, and not by way of the function and its flag, which is set.

Locals keep their numbers, and the operand stack is the original's at each of the original's instructions. What comes
before an outermost loop never runs again and is left out.

On the way in, control is nowhere in the original yet, so nobody may look: there the outer loops do not attend, but a
loop inside them that is only there to attend in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from wasmscope.analysis.accesses import Access, accesses_of
from wasmscope.analysis.signatures import block_signature
from wasmscope.analysis.typing import TypedFunction, TypedInstruction, height_of, types_of
from wasmscope.instrument.expressions import DEFAULTS
from wasmscope.instrument.frame_table import FrameTable, Origin
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.mirror.calls import call_function, call_target, own_instruction_code, select_entry
from wasmscope.instrument.mirror.companion import Companion, Need, Source
from wasmscope.instrument.mirror.slots import constant
from wasmscope.instrument.mirror.watched import Watched
from wasmscope.instrument.pipeline import Variation, instrument
from wasmscope.instrument.watch_tests import WatchTests
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.encode.types import encode_heap_type
from wasmscope.wasm.instructions import BlockType, Catch
from wasmscope.wasm.module import Module
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.types import I32, I64, FuncType, ValType, ref_type

VARIANT_EXPORT = "variant"

MOST_PARAMETERS = 1000
"""Of a function (wasmparser `limits.rs`, `MAX_WASM_FUNCTION_PARAMS`)."""

_NOP = b"\x01"
_GET, _SET, _DROP = b"\x20", b"\x21", b"\x1a"
_LOOP, _IF, _ELSE, _END = b"\x03", b"\x04", b"\x05", b"\x0b"
_AS_NON_NULL = b"\xd4"
_CALLS = {"call": b"\x10", "return_call": b"\x12"}
_OPENS = frozenset({"block", "loop", "if", "try_table"})
_STRUCTURE = _OPENS | {"else", "end", "call", "return_call"}
_LABELS = frozenset({Imm.LABEL, Imm.LABELS, Imm.CAST_FLAGS, Imm.CATCHES})


@dataclass(frozen=True, slots=True)
class VariantModule:
    """A variant, rewritten."""

    bytecode: bytes
    needs: tuple[Need, ...]
    """What to give it for its imports, before those that the rewrite appended."""
    table: FrameTable
    """Of its own code; its origin is the original."""
    callees: frozenset[int]
    """The defined functions that it calls through what the host says (`Source.TARGETS`)."""
    memories: tuple[Need, ...]
    """What its memories are, by their indices in it."""


def parameters(function: TypedFunction, header: int | None) -> tuple[ValType, ...]:
    """What the variant for a loop header takes: locals, then the operands there. Without a header: the arguments."""
    if header is None:
        return function.type.params
    return (*(_held(function, local) for local in range(len(function.local_types))), *_operands(function, header))


def _held(function: TypedFunction, local: int) -> ValType:
    """The type of a local in a variant: one that may not be set yet is null then."""
    value_type = function.local_types[local]
    return _nullable(value_type) if is_set_late(function, local) else value_type


def is_set_late(function: TypedFunction, local: int) -> bool:
    """Whether a local has no value before it is set."""
    value_type = function.local_types[local]
    return value_type.is_ref and not value_type.nullable and local >= len(function.type.params)


def _nullable(value_type: ValType) -> ValType:
    assert value_type.heap is not None
    return ref_type(value_type.heap, True)


def _operands(function: TypedFunction, header: int) -> tuple[ValType, ...]:
    return types_of(function.instructions[header].stack)


def make_variant(original: FrameTable, function: int, header: int | None, watched: Watched) -> VariantModule | None:
    """The variant of a defined function that begins at instruction `header`; None where there cannot be one.

    Without a header it is the whole function. It tests the accesses that are `watched`.
    That is so where values are too many for parameters, where fuel is counted, and where a block around the loop takes
    a reference that cannot be null.
    """
    plan, typed = original.plan, original.typed(function)
    types = parameters(typed, header)
    if plan.counts_fuel or len(types) > MOST_PARAMETERS:
        return None
    first = typed.instructions[header or 0].pc
    # The name has in it what tells apart variants that are the same code, of different modules.
    companion = Companion(plan, f"{plan.mark.name} {'' if header is None else first} {watched}")
    variant = _Variant(companion, typed, header, watched)
    try:
        chunks = variant.chunks()
    except _NoDefault:
        return None
    if variant.tests:
        host = companion.host_function(Source.ACCESSED, FuncType((I32, I32), ()))
        touched = companion.host_function(Source.TOUCHED, FuncType((I32, I64, I64, I32), (I32,)))
    if header is None:
        type_index = companion.original_type(plan.module.functions[function])
        locals_: Sequence[tuple[int, ValType]] = plan.module.codes[function].locals
    else:
        type_index, locals_ = companion.type_index(FuncType(types, typed.type.results)), [(1, I32)]
    code, memories = b"".join(chunk for _, chunk in chunks), companion.memories
    companion.add_function(type_index, locals_, code, VARIANT_EXPORT)
    finished = companion.finish()
    start = decode_module(finished.bytecode).codes[0].code_start
    offsets = list(accumulate((len(chunk) for _, chunk in chunks), initial=start))
    at = {offsets[number]: accesses for number, accesses in variant.tests.items()}
    tests = WatchTests(host, touched, at) if at else None
    quiet_loops = frozenset(offsets[number] for number in variant.quiet_loops)
    calls = {offsets[number]: code for number, code in variant.calls.items()}
    rewritten = instrument(finished.bytecode, variant=Variation(quiet_loops, tests, calls))
    table = rewritten.frame_table
    pcs = {offset: pc for offset, (pc, _) in zip(offsets, [*chunks, (typed.instructions[-1].pc, b"")], strict=True)}
    # Before its first instruction, which only opens a block if it is the original's, a frame is shown at the header.
    origin = Origin(original, function, {**_known(pcs), start: first}, is_whole=header is None)
    table = FrameTable(table.bytecode, table.functions, table.plan, origin=origin)
    return VariantModule(rewritten.bytecode, finished.needs, table, frozenset(variant.callees), memories)


def _known(pcs: dict[int, int | None]) -> dict[int, int]:
    return {offset: pc for offset, pc in pcs.items() if pc is not None}


class _NoDefault(Exception):
    """There is no value of a type to put in place of one that is not used."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A block around the loop, or the loop itself: where it is opened, and where its body begins."""

    opener: int
    body: int
    """Behind the `else` where the loop is there."""


@dataclass(frozen=True, slots=True)
class _Move:
    """Instructions that are `depth` blocks inside code around which there are `added` blocks more than there were."""

    depth: int
    added: int

    def label(self, label: int) -> int:
        """What a label is there."""
        return label + self.added if label >= self.depth else label


class _Variant:
    def __init__(self, companion: Companion, function: TypedFunction, header: int | None, watched: Watched) -> None:
        self._companion = companion
        self._module: Module = companion.module
        self._function = function
        self._header = header
        self._watched = watched
        self._operands = len(function.local_types)
        """The parameter that is the lowest operand; the one behind the operands is whether control is on its way in."""
        operands = 0 if header is None else len(_operands(function, header))
        self._entering = unsigned(self._operands + operands)
        self._chunks: list[tuple[int | None, bytes]] = []
        """With the pc of the original's instruction that a chunk begins with, if it does."""
        self.quiet_loops: list[int] = []
        """The numbers of the chunks that are loops which control comes through on its way in."""
        self.tests: dict[int, tuple[Access, ...]] = {}
        """By the numbers of the chunks that stand for tests: what is tested (`WatchTests.at`)."""
        self.calls: dict[int, bytes] = {}
        """By the numbers of the chunks that are calls: what they become."""
        self.callees: set[int] = set()
        self._simple: dict[bytes, bytes] = {}
        """What instructions become that become the same wherever they are, by their tokens."""

    def chunks(self) -> list[tuple[int | None, bytes]]:
        """The code without the last `end`."""
        if self._header is None:
            self._copy(range(len(self._function.instructions) - 1))
            return self._chunks
        levels = self._levels(self._header)
        name = self._name
        outermost = next(n for n, level in enumerate(levels) if name(level.opener) == "loop")
        if outermost < len(levels) - 1:
            self._add(constant(1) + _SET + self._entering)
        start = 0
        for number, level in enumerate(levels):
            self._enter_level(levels, number, start, repeats=number > outermost)
            if name(level.opener) == "loop" and number < len(levels) - 1:
                self.quiet_loops.append(len(self._chunks))
            self._copy(range(level.opener, level.body))
            start = level.body
        self._copy(range(start, len(self._function.instructions) - 1))
        return self._chunks

    def _name(self, number: int) -> str:
        return self._function.instructions[number].instruction.opcode.name

    def _levels(self, header: int) -> list[_Level]:
        """Those around a loop header, from the outside in."""
        levels: list[_Level] = []
        for number in range(header):
            name = self._name(number)
            if name in _OPENS:
                levels.append(_Level(number, number + 1))
            elif name == "else":
                levels[-1] = replace(levels[-1], body=number + 1)
            elif name == "end":
                levels.pop()
        return levels

    def _add(self, code: bytes, pc: int | None = None) -> None:
        self._chunks.append((pc, code))

    # -- the way in ----------------------------------------------------------------------------------------------

    def _enter_level(self, levels: Sequence[_Level], number: int, start: int, *, repeats: bool) -> None:
        """What leads from the beginning of a body to the opening of the next block in it.

        `repeats`: it runs ordinarily too, because there is a loop around it.
        """
        level = levels[number]
        outside = block_signature(self._block_type(levels[number - 1].opener), self._module).params if number else ()
        typed = self._function.instructions[level.opener]
        assert typed.is_reachable
        params = block_signature(self._block_type(level.opener), self._module).params
        is_if = self._name(level.opener) == "if"
        height = height_of(typed.stack) - len(params) - is_if
        bottom = self._bottom(levels, number)
        kept = types_of(typed.stack)[bottom:height]
        way_in = _DROP * len(outside)
        way_in += b"".join(_GET + unsigned(self._operands + depth) for depth in range(bottom, height))
        if number == len(levels) - 1:
            way_in += b"".join(_GET + unsigned(self._operands + height + depth) for depth in range(len(params)))
        else:
            way_in += b"".join(map(_default, params))
        if is_if:
            way_in += constant(int(level.body == level.opener + 1))
        if number == len(levels) - 1 and repeats:
            way_in += constant(0) + _SET + self._entering
        if not repeats:
            self._add(way_in)
            return
        results = (*kept, *params, *((I32,) if is_if else ()))
        block_type = self._companion.block_type(results, outside)
        self._add(_GET + self._entering + _IF + block_type + way_in + _ELSE)
        if self._name(levels[number - 1].opener) == "loop":
            self._add(_LOOP + block_type)
            self._copy(range(start, level.opener), inside=2)
            self._add(_END, typed.pc)
        else:
            self._copy(range(start, level.opener), inside=1)
        self._add(_END)

    def _block_type(self, opener: int) -> BlockType:
        block_type: BlockType = self._function.instructions[opener].instruction.immediates[0]
        return block_type

    def _bottom(self, levels: Sequence[_Level], number: int) -> int:
        """How many operands are below the body that the opener of a level is in."""
        if number == 0:
            return 0
        opener = levels[number - 1].opener
        params = block_signature(self._block_type(opener), self._module).params
        return height_of(self._function.instructions[opener].stack) - len(params) - (self._name(opener) == "if")

    # -- instructions --------------------------------------------------------------------------------------------

    def _copy(self, numbers: range, inside: int = 0) -> None:
        """Instructions of the original, which are inside so many more blocks than there."""
        depth, chunks, bytecode = 0, self._chunks, self._module.bytecode
        for number in numbers:
            typed = self._function.instructions[number]
            token = bytecode[typed.pc : typed.pc + typed.length]
            code = self._simple.get(token)
            if code is not None:
                chunks.append((typed.pc, code))
                continue
            instruction = typed.instruction
            name = instruction.opcode.name
            accesses = self._watched.of(accesses_of(typed, self._module))
            if accesses:
                self._test(typed, accesses)
            if name in _CALLS:
                self._add(select_entry(self._companion, instruction.immediates[0]), typed.pc)
            if name == "call" and self._watched and not self._is_imported(instruction.immediates[0]):
                self.calls[len(self._chunks)] = call_target(self._companion, instruction.immediates[0])
                self.callees.add(instruction.immediates[0] - self._module.num_imported_functions)
            self._add(self._instruction(typed, _Move(depth, inside)), typed.pc)
            if name in ("local.get", "local.tee") and self._is_nullable(instruction.immediates[0]):
                self._add(_AS_NON_NULL)
            if name == "call" and self._watched.behind_imports and self._is_imported(instruction.immediates[0]):
                self._test(self._function.instructions[number + 1], ())
            depth += (name in _OPENS) - (name == "end")
            if not accesses and self._is_simple(typed):
                self._simple[token] = self._chunks[-1][1]

    def _is_simple(self, typed: TypedInstruction) -> bool:
        """Whether an instruction that is not tested becomes the same wherever it is."""
        opcode = typed.instruction.opcode
        if opcode.name in _STRUCTURE or not typed.is_reachable or _LABELS.intersection(opcode.immediates):
            return False
        return opcode.immediates[:1] != (Imm.LOCAL,) or not self._is_nullable(typed.instruction.immediates[0])

    def _test(self, typed: TypedInstruction, accesses: tuple[Access, ...]) -> None:
        """A test before an instruction, at a pc that nothing else has, the header of a loop before it neither."""
        self._add(_NOP, typed.pc)
        self.tests[len(self._chunks)] = accesses
        self._add(_NOP, typed.pc)

    def _is_nullable(self, local: int) -> bool:
        return self._header is not None and is_set_late(self._function, local)

    def _is_imported(self, function: int) -> bool:
        return function < self._module.num_imported_functions

    def _instruction(self, typed: TypedInstruction, move: _Move) -> bytes:
        companion, instruction = self._companion, typed.instruction
        name = instruction.opcode.name
        if name in _CALLS:
            function = instruction.immediates[0]
            return call_function(companion, function, _CALLS[name])[len(select_entry(companion, function)) :]
        own = own_instruction_code(companion, self._module.bytecode[typed.pc : typed.pc + typed.length])
        if own is not None:
            return own
        immediates = tuple(
            self._relabelled(kind, value, move)
            for kind, value in zip(instruction.opcode.immediates, instruction.immediates, strict=True)
        )
        return companion.instruction(replace(instruction, immediates=immediates))

    def _relabelled(self, kind: Imm, value: Any, move: _Move) -> Any:
        match kind:
            case Imm.LABEL:
                return move.label(value)
            case Imm.LABELS:
                labels, default = value
                return tuple(map(move.label, labels)), move.label(default)
            case Imm.CAST_FLAGS:
                return replace(value, label=move.label(value.label))
            case Imm.CATCHES:
                clauses: tuple[Catch, ...] = value
                return tuple(self._companion.clause(clause, move.label(clause.label)) for clause in clauses)
            case _:
                return value


def _default(value_type: ValType) -> bytes:
    if not value_type.is_ref:
        return DEFAULTS[value_type]
    if not value_type.nullable:
        raise _NoDefault
    assert value_type.heap is not None
    return b"\xd0" + encode_heap_type(value_type.heap)
