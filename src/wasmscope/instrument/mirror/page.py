"""A page: some hundred instructions of a function as code that can begin, stop and go on at each of them.

Nothing is kept in locals of the engine's between two instructions::

    (func (param $base i32) (param $refs i32) (param $index i32) (result i32)   ;; the number of the next instruction
      (block $leave
        (loop $again
          (block $stop
            (block $2 (block $1 (block $0
              (br_table $0 $1 $2 $leave (i32.sub (local.get $index) (i32.const FIRST))))
              ;; local.get 0, which is instruction 0
              (if (i32.load8_u $control offset=0 (local.get $stops))
                (then
                  (if (i32.ne (local.get $passed) (i32.const 1))
                    (then (local.set $index (i32.const 0)) (br $stop)))
                  (local.set $passed (i32.const 0))))
              (i32.store $shadow offset=8+8*2 (local.get $base) (i32.load $shadow offset=8 (local.get $base))))
              ;; i32.const 1 ...
            )
            ...)
          ;; the stop of instruction $index is not 0
          ... call $stop, and leave if it says so ...
          (local.set $passed (i32.add (local.get $index) (i32.const 1)))
          (br $again)))
      (local.get $index))

There is one place where a page stops, so that the code of an instruction is short. A branch within the page goes
forward directly and back through `$again`; any other sets `$index` and leaves. Around what can throw inside a
`try_table` is one of its own, with the clauses of all that are around it, in order; its handlers put the payload into
slots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from wasmscope.analysis.signatures import CONTROL, composite_func, effect_of
from wasmscope.analysis.typing import Handler, Label, TypedFunction, TypedInstruction, height_of
from wasmscope.instrument.layout import ATTENTION, FUEL, SITE, THROWS
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.mirror.calls import call_code, own_instruction_code, try_table_code
from wasmscope.instrument.mirror.companion import Companion, CompanionKind, CompanionModule, CompanionName, Source
from wasmscope.instrument.mirror.layout import (
    FIRST_TAIL_CALL,
    GO_ON,
    ONES,
    PAGE_LOG2,
    STEPPING,
    STOPS,
    MirrorLayout,
    site_of,
)
from wasmscope.instrument.mirror.slots import Slots, add_fuel, constant
from wasmscope.instrument.operations import FREE, encode_memarg
from wasmscope.instrument.plan import Plan
from wasmscope.wasm.encode.types import encode_heap_type, encode_val_types
from wasmscope.wasm.instructions import CastBranch
from wasmscope.wasm.types import I32, FuncType, ValType

PAGE_TYPE = FuncType((I32, I32, I32), (I32,))
PAGE_EXPORT = "page"

_INDEX, _STOPS, _NEXT, _PASSED = b"\x02", b"\x03", b"\x04", b"\x05"
_FIRST_SCRATCH = 6
_GET, _SET, _TEE = b"\x20", b"\x21", b"\x22"
_IF, _END, _BLOCK, _BR, _BR_IF = b"\x04\x40", b"\x0b", b"\x02", b"\x0c", b"\x0d"
_NOTHING = frozenset({"block", "loop", "try_table", "nop", "drop"})


def make_page(plan: Plan, function: TypedFunction, number: int) -> CompanionModule:
    """The companion with page `number` of a function."""
    companion = Companion(plan, str(CompanionName(plan.mark.name, CompanionKind.PAGE)))
    page = _Page(companion, function, number)
    code = page.code()
    companion.add_function(companion.type_index(PAGE_TYPE), page.locals(), code, PAGE_EXPORT)
    return companion.finish()


class _Page:
    def __init__(self, companion: Companion, function: TypedFunction, number: int) -> None:
        self._companion = companion
        self._module = companion.module
        self._function = function
        self._slots = Slots(companion, MirrorLayout.of(function))
        self._first = number << PAGE_LOG2
        self._last = min(self._first + (1 << PAGE_LOG2), len(function.instructions))
        """Behind the last instruction."""
        self._control = companion.control()
        self._scratch: dict[tuple[ValType, int], int] = {}
        self._number = 0
        """The instruction whose code is being made,"""
        self._open = 0
        """and how many blocks of its own that code is in."""

    def locals(self) -> list[tuple[int, ValType]]:
        """The added locals: stops, next, passed, and scratch ones in the order of their indices."""
        return [(3, I32), *((1, value_type) for value_type, _ in self._scratch)]

    def code(self) -> bytes:
        """The body, without its final `end`."""
        count = self._last - self._first
        table = b"\x0e" + unsigned(count) + b"".join(map(unsigned, range(count))) + unsigned(count + 2)
        head = _BLOCK + b"\x40" + self._load_stops() + b"\x03\x40" + (_BLOCK + b"\x40") * (count + 1)
        dispatch = _GET + _INDEX + constant(self._first) + b"\x6b" + table
        instructions = [_END + self._instruction(number) for number in range(self._first, self._last)]
        behind = constant(self._last) + _SET + _INDEX + b"\x0c\x02" + _END
        return head + dispatch + b"".join(instructions) + behind + self._call_stop() + _END + _END + _GET + _INDEX

    def _call_stop(self) -> bytes:
        """The place where the page stops; it goes on with the instruction at which it did."""
        companion = self._companion
        stop = companion.host_function(Source.STOP, FuncType((I32, I32, I32, I32), (I32,)))
        block = b"\x23" + companion.number(Source.BLOCK)
        code = block + self._slots.base + self._slots.references + _GET + _INDEX + b"\x10" + stop + _TEE + _NEXT
        code += constant(GO_ON) + b"\x47" + _IF + _GET + _NEXT + _SET + _INDEX + b"\x0c\x02" + _END
        return code + self._load_stops() + _GET + _INDEX + constant(1) + b"\x6a" + _SET + _PASSED + b"\x0c\x00"

    # -- going elsewhere -----------------------------------------------------------------------------------------

    def _depth_of_stop(self) -> int:
        return self._last - 1 - self._number + self._open

    def _depth_of_again(self) -> int:
        return self._depth_of_stop() + 1

    def _leave(self) -> bytes:
        return _BR + unsigned(self._depth_of_again() + 1)

    def _go_to(self, target: int) -> bytes:
        """Code that goes on at instruction `target`."""
        if self._number < target < self._last:
            return _BR + unsigned(target - self._number - 1 + self._open)
        index = constant(target) + _SET + _INDEX
        if self._first <= target < self._last:
            return index + _BR + unsigned(self._depth_of_again())
        return index + self._leave()

    def _take(self, label: Label, height: int) -> bytes:
        """Code that branches to a label with the operands below `height`."""
        first = height - len(label.types)
        code = b""
        if first != label.height:
            for position, value_type in enumerate(label.types):
                source = self._slots.operand(first + position, value_type)
                code += self._slots.copy(source, self._slots.operand(label.height + position, value_type), value_type)
        return code + self._go_to(label.target)

    def _take_if(self, condition: bytes, label: Label, height: int) -> bytes:
        self._open += 1
        taken = self._take(label, height)
        self._open -= 1
        return condition + _IF + taken + _END

    # -- what comes before an instruction ------------------------------------------------------------------------

    def _instruction(self, number: int) -> bytes:
        self._number = number
        typed = self._function.instructions[number]
        if not typed.is_reachable:
            return b"\x00"
        code = self._stop()
        if typed.is_loop_header or number == 0:
            # The host may have taken the stop away that was passed: then nothing else forgets that it was.
            code = self._attend(typed) + code + constant(0) + _SET + _PASSED
        if self._companion.plan.counts_fuel and typed.instruction.opcode.name not in FREE:
            code += add_fuel(self._slots, 1)
        return code + self._execute(typed)

    def _load_stops(self) -> bytes:
        """The stops of this function, or those that stop everywhere while the host steps: they may have changed."""
        return self._loading_stops

    @cached_property
    def _loading_stops(self) -> bytes:
        control = self._companion.control()
        block = b"\x23" + self._companion.number(Source.BLOCK)
        own = block + b"\x28" + encode_memarg(0, control, STOPS)
        stepping = constant(0) + b"\x2d" + encode_memarg(0, control, STEPPING)
        return constant(ONES) + own + stepping + b"\x1b" + _SET + _STOPS + constant(0) + _SET + _PASSED

    def _stop(self) -> bytes:
        test = _GET + _STOPS + b"\x2d" + encode_memarg(0, self._control, self._number)
        passed = _GET + _PASSED + constant(self._number + 1) + b"\x47"
        self._open += 2
        stop = constant(self._number) + _SET + _INDEX + _BR + unsigned(self._depth_of_stop())
        self._open -= 2
        site = self._site(self._function.instructions[self._number])
        return test + _IF + passed + _IF + site + stop + _END + constant(0) + _SET + _PASSED + _END

    def _attend(self, typed: TypedInstruction) -> bytes:
        """The attention test of a loop's header, and of the function's entry; not once more behind a stop there."""
        companion = self._companion
        test = constant(0) + b"\x2d" + self._slots.memarg(ATTENTION)
        if companion.plan.counts_fuel:
            test += constant(0) + b"\x29" + self._slots.memarg(FUEL) + b"\x42\x00\x59\x72"
        call = b"\x10" + companion.host_function(Source.ATTENTION, FuncType((), ()))
        passed = _GET + _PASSED + constant(self._number + 1) + b"\x47"
        return test + _IF + passed + _IF + self._site(typed) + call + self._load_stops() + _END + _END

    def _site(self, typed: TypedInstruction) -> bytes:
        store = b"\x36" + self._slots.memarg(SITE)
        return self._slots.base + constant(site_of(typed.pc)) + store

    # -- instructions --------------------------------------------------------------------------------------------

    def _execute(self, typed: TypedInstruction) -> bytes:
        name = typed.instruction.opcode.name
        if name in _NOTHING:
            return b""
        visit = _VISITS.get(name)
        if visit is not None:
            return visit(self, typed)
        assert name not in CONTROL, name
        return self._plain(typed)

    def _operands(self, typed: TypedInstruction, count: int) -> tuple[tuple[ValType, ...], int]:
        """The types of the topmost operands, and the depth of the first of them."""
        types: list[ValType] = []
        stack = typed.stack
        while stack is not None and len(types) < count:
            types.append(stack.top)
            stack = stack.below
        return tuple(reversed(types)), height_of(typed.stack) - count

    def _plain(self, typed: TypedInstruction) -> bytes:
        """An instruction that takes operands, leaves results, and goes on behind itself."""
        instruction = typed.instruction
        effect = effect_of(instruction, self._module, self._operands(typed, min(2, height_of(typed.stack)))[0])
        types, first = self._operands(typed, effect.pops)
        own = own_instruction_code(self._companion, self._token(typed))
        code = self._companion.instruction(instruction) if own is None else own
        site = (
            self._site(typed)
            if own is not None or _may_fail(instruction.opcode.name, instruction.opcode.traps)
            else b""
        )
        return site + self._applied(self._slots.load_operands(types, first), code, effect.pushes, first)

    def _applied(self, operands: bytes, code: bytes, results: Sequence[ValType], first: int) -> bytes:
        """`code` run on operands, its results put into the slots from depth `first` on."""
        slots = self._slots
        if len(results) == 1:
            slot = slots.operand(first, results[0])
            return slots.address(slot) + operands + code + slots.store(slot, results[0])
        return operands + code + self._store_results(results, first)

    def _store_results(self, results: Sequence[ValType], first: int) -> bytes:
        """Take results off the engine's stack, the topmost first, and put them into slots."""
        scratch = [self._scratch_local(value_type, n) for n, value_type in enumerate(results)]
        code = b"".join(_SET + local for local in reversed(scratch))
        for position, (local, value_type) in enumerate(zip(scratch, results, strict=True)):
            slot = self._slots.operand(first + position, value_type)
            code += self._slots.address(slot) + _GET + local + self._slots.store(slot, value_type)
        return code

    def _scratch_local(self, value_type: ValType, position: int) -> bytes:
        key = (value_type, position)
        if key not in self._scratch:
            self._scratch[key] = _FIRST_SCRATCH + len(self._scratch)
        return unsigned(self._scratch[key])

    def _token(self, typed: TypedInstruction) -> bytes:
        return self._module.bytecode[typed.pc : typed.pc + typed.length]

    def _local_get(self, typed: TypedInstruction) -> bytes:
        index: int = typed.instruction.immediates[0]
        value_type = self._function.local_types[index]
        target = self._slots.operand(height_of(typed.stack), value_type)
        source = self._slots.local(index, value_type)
        return self._slots.copy(source, target, value_type)

    def _local_set(self, typed: TypedInstruction) -> bytes:
        index: int = typed.instruction.immediates[0]
        value_type = self._function.local_types[index]
        source = self._slots.operand(height_of(typed.stack) - 1, value_type)
        return self._slots.copy(source, self._slots.local(index, value_type), value_type)

    def _select(self, typed: TypedInstruction) -> bytes:
        types, first = self._operands(typed, 3)
        kind = types[0]
        code = b"\x1c" + encode_val_types([kind]) if kind.is_ref else b"\x1b"
        if typed.instruction.opcode.name == "select t":
            kind = typed.instruction.immediates[0][0]
            code = b"\x1c" + encode_val_types([kind])
        return self._applied(self._slots.load_operands(types, first), code, [kind], first)

    def _else(self, typed: TypedInstruction) -> bytes:
        return self._take(typed.labels[0], height_of(typed.stack))

    def _if(self, typed: TypedInstruction) -> bytes:
        height = height_of(typed.stack) - 1
        condition = self._slots.load_operands((I32,), height) + b"\x45"
        return self._take_if(condition, typed.labels[0], height)

    def _end(self, typed: TypedInstruction) -> bytes:
        if self._number < len(self._function.instructions) - 1:
            return b""
        return self._go_to(len(self._function.instructions))

    def _br(self, typed: TypedInstruction) -> bytes:
        return self._take(typed.labels[0], height_of(typed.stack))

    def _br_if(self, typed: TypedInstruction) -> bytes:
        height = height_of(typed.stack) - 1
        return self._take_if(self._slots.load_operands((I32,), height), typed.labels[0], height)

    def _br_table(self, typed: TypedInstruction) -> bytes:
        """A block for each distinct target, in which the operands are moved."""
        height = height_of(typed.stack) - 1
        distinct = list(dict.fromkeys(typed.labels))
        positions = {label: position for position, label in enumerate(distinct)}
        *targets, default = [positions[label] for label in typed.labels]
        table = b"\x0e" + unsigned(len(targets)) + b"".join(map(unsigned, targets)) + unsigned(default)
        code = (_BLOCK + b"\x40") * len(distinct) + self._slots.load_operands((I32,), height) + table
        self._open += len(distinct)
        for label in distinct:
            self._open -= 1
            code += _END + self._take(label, height)
        return code

    def _br_on_null(self, typed: TypedInstruction) -> bytes:
        types, height = self._operands(typed, 1)
        return self._take_if(self._slots.load_operands(types, height) + b"\xd1", typed.labels[0], height)

    def _br_on_non_null(self, typed: TypedInstruction) -> bytes:
        types, height = self._operands(typed, 1)
        condition = self._slots.load_operands(types, height) + b"\xd1\x45"
        return self._take_if(condition, typed.labels[0], height + 1)

    def _br_on_cast(self, typed: TypedInstruction) -> bytes:
        cast: CastBranch = typed.instruction.immediates[0]
        assert cast.target.heap is not None
        types, height = self._operands(typed, 1)
        test = (b"\xfb\x15" if cast.target.nullable else b"\xfb\x14") + encode_heap_type(cast.target.heap)
        negated = b"\x45" if typed.instruction.opcode.name == "br_on_cast_fail" else b""
        condition = self._slots.load_operands(types, height) + test + negated
        return self._take_if(condition, typed.labels[0], height + 1)

    def _unreachable(self, typed: TypedInstruction) -> bytes:
        return self._site(typed) + b"\x00"

    # -- calls, throws -------------------------------------------------------------------------------------------

    def _call(self, typed: TypedInstruction) -> bytes:
        effect = effect_of(typed.instruction, self._module)
        types, first = self._operands(typed, effect.pops)
        call = call_code(self._companion, typed.instruction)
        site = self._site(typed)
        return (
            site
            + self._caught(
                typed.handlers,
                lambda: self._applied(self._slots.load_operands(types, first), call, effect.pushes, first),
            )
            + self._load_stops()
        )

    def _tail_call(self, typed: TypedInstruction) -> bytes:
        """Done by the runner, whose results are the callee's."""
        number = tail_calls(self._function).index(self._number)
        return self._site(typed) + constant(FIRST_TAIL_CALL - number) + _SET + _INDEX + self._leave()

    def _throw(self, typed: TypedInstruction) -> bytes:
        companion = self._companion
        instruction = typed.instruction
        if instruction.opcode.name == "throw":
            type_index = self._module.all_tags[instruction.immediates[0]]
            count = len(composite_func(self._module, type_index).params)
        else:
            count = 1
        types, first = self._operands(typed, count)
        host = companion.host_function(Source.THROW, FuncType((), ()))
        tell = constant(0) + b"\x2d" + self._slots.memarg(THROWS) + _IF + b"\x10" + host + _END
        throw = self._slots.load_operands(types, first) + companion.instruction(instruction)
        return self._site(typed) + self._caught(typed.handlers, lambda: tell + throw)

    def _caught(self, handlers: Sequence[Handler], run: Callable[[], bytes]) -> bytes:
        """What `run` emits, with handlers around it::

        (block $done
          (block $h1 (result t*) (block $h0 (result t*)
            (try_table (catch $tag $h0) (catch_all_ref $h1) ...)
            (br $done))
            ;; the payload into slots, on at the label of the first clause
          )
          ;; the same for the second
        )
        """
        if not handlers:
            return run()
        companion, count = self._companion, len(handlers)
        self._open += count + 2
        body = run()
        self._open -= count + 2
        clauses = tuple(companion.clause(handler.clause, n) for n, handler in enumerate(handlers))
        code = _BLOCK + b"\x40"
        for handler in reversed(handlers):
            code += _BLOCK + companion.block_type(handler.label.types)
        code += try_table_code(clauses) + body + _END + _BR + unsigned(count)
        for position, handler in enumerate(handlers):
            self._open += count - position
            label = handler.label
            code += _END + self._store_results(label.types, label.height)
            code += self._slots.push() + self._load_stops() + self._go_to(label.target)
            self._open -= count - position
        return code + _END


def _may_fail(name: str, traps: bool) -> bool:
    """Whether an instruction may trap, or collect garbage and find no room."""
    return traps or name.startswith(("struct.new", "array.new"))


def tail_calls(function: TypedFunction) -> list[int]:
    """The numbers of the tail calls of a function."""
    return [
        number
        for number, typed in enumerate(function.instructions)
        if typed.is_reachable and typed.instruction.opcode.name.startswith("return_call")
    ]


_VISITS: dict[str, Callable[[_Page, TypedInstruction], bytes]] = {
    "local.get": _Page._local_get,
    "local.set": _Page._local_set,
    "local.tee": _Page._local_set,
    "select": _Page._select,
    "select t": _Page._select,
    "if": _Page._if,
    "else": _Page._else,
    "end": _Page._end,
    "br": _Page._br,
    "return": _Page._br,
    "br_if": _Page._br_if,
    "br_table": _Page._br_table,
    "br_on_null": _Page._br_on_null,
    "br_on_non_null": _Page._br_on_non_null,
    "br_on_cast": _Page._br_on_cast,
    "br_on_cast_fail": _Page._br_on_cast,
    "unreachable": _Page._unreachable,
    "call": _Page._call,
    "call_indirect": _Page._call,
    "call_ref": _Page._call,
    "return_call": _Page._tail_call,
    "return_call_indirect": _Page._tail_call,
    "return_call_ref": _Page._tail_call,
    "throw": _Page._throw,
    "throw_ref": _Page._throw,
}
