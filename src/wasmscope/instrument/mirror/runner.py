"""The runner of a mirrored function: makes its frame or takes one over, and lets pages run until it returns.

::

    (func $run (param $base i32) (param $refs i32) (param $index i32) (result t*)
      (loop $next
        (if (i32.ne (local.get $index) COUNT)
          (then
            ... the site is that of the instruction at $index ...
            (local.set $index (call_indirect $mirrors (type $page)
              (local.get $base) (local.get $refs) (local.get $index)
              (i32.add (i32.load offset=16 $control (global.get $block)) (i32.shr_u (local.get $index) PAGE_LOG2))))
            (br_if $next (i32.ge_s (local.get $index) 0))
            ... other code takes the frame over, or: the tail call number N ...)))
      pop, results)
    (func (export "enter") (type $f) ... a new frame with the arguments and all else at its default ... (call $run))
    (func (export "resume") ... the frame that the control memory says ... (call $run) ... the results into slots ...)

`enter` traps before it makes a frame for which there is no room: by a load from where the frame would end.
"""

from __future__ import annotations

from functools import cached_property

from wasmscope.analysis.signatures import effect_of, reference_kind
from wasmscope.analysis.typing import TypedFunction, height_of, types_of
from wasmscope.instrument.layout import (
    HEADER_SIZE,
    INSTANCE,
    REFERENCE_POINTER,
    SITE,
    STACK_POINTER,
)
from wasmscope.instrument.leb import unsigned
from wasmscope.instrument.mirror.calls import call_code
from wasmscope.instrument.mirror.companion import Companion, CompanionKind, CompanionModule, CompanionName, Source
from wasmscope.instrument.mirror.layout import (
    FIRST_PAGE,
    FIRST_TAIL_CALL,
    LEAVE,
    LEAVE_TO,
    NUMBER,
    PAGE_LOG2,
    RESUME_BASE,
    RESUME_INDEX,
    RESUME_REFERENCES,
    SITES,
    MirrorLayout,
    site_of,
)
from wasmscope.instrument.mirror.page import PAGE_TYPE, tail_calls
from wasmscope.instrument.mirror.slots import Slots, add_fuel, constant
from wasmscope.instrument.operations import encode_memarg
from wasmscope.instrument.plan import Plan
from wasmscope.instrument.reservation import NULL, reserve_entries
from wasmscope.wasm.types import I32, FuncType

ENTER, RESUME = "enter", "resume"

_INDEX = b"\x02"
_GET, _SET, _TEE = b"\x20", b"\x21", b"\x22"
_IF, _END = b"\x04\x40", b"\x0b"


def make_runner(plan: Plan, function: TypedFunction, index: int) -> CompanionModule:
    """The companion with the runner of the function with this index, which counts imports."""
    name = CompanionName(plan.mark.name, CompanionKind.RUNNER, index - plan.module.num_imported_functions)
    return _Runner(Companion(plan, str(name)), function, index).make()


class _Runner:
    def __init__(self, companion: Companion, function: TypedFunction, index: int) -> None:
        self._companion = companion
        self._function = function
        self._index = index
        self._layout = MirrorLayout.of(function)
        self._slots = Slots(companion, self._layout)
        self._tail_calls = tail_calls(function)

    def make(self) -> CompanionModule:
        companion, results = self._companion, self._function.type.results
        run_type = companion.type_index(FuncType(PAGE_TYPE.params, results))
        run = companion.add_function(run_type, [], self._run(), "run")
        # A tail call of the guest's leaves nothing behind, so nothing of ours may wait for its results.
        call = b"\x12" + unsigned(run)
        type_index = companion.original_type(companion.module.func_type_index(self._index))
        companion.add_function(type_index, [(2, I32)], self._enter() + call, ENTER)
        locals_ = [(2, I32), *((1, value_type) for value_type in results)]
        companion.add_function(companion.type_index(FuncType((), ())), locals_, self._resume(run), RESUME)
        return companion.finish()

    # -- run -----------------------------------------------------------------------------------------------------

    def _run(self) -> bytes:
        companion, slots = self._companion, self._slots
        block = b"\x23" + companion.number(Source.BLOCK)
        page = block + b"\x28" + encode_memarg(0, companion.control(), FIRST_PAGE)
        page += _GET + _INDEX + constant(PAGE_LOG2) + b"\x76\x6a"
        page_type = unsigned(companion.type_index(PAGE_TYPE))
        code = b"\x03\x40" + _GET + _INDEX + constant(len(self._function.instructions)) + b"\x47" + _IF
        code += self._site() + slots.base + slots.references + _GET + _INDEX + page
        code += b"\x11" + page_type + companion.mirrors() + _TEE + _INDEX
        code += constant(0) + b"\x4e\x0d\x01" + self._special() + _END + _END
        return code + slots.pop() + slots.load_operands(self._function.type.results, 0)

    def _site(self) -> bytes:
        """The stack may overflow on the way into the page: the frame is at the page's instruction then."""
        memory, block = self._companion.control(), b"\x23" + self._companion.number(Source.BLOCK)
        address = block + b"\x28" + encode_memarg(0, memory, SITES) + _GET + _INDEX + constant(2) + b"\x74\x6a"
        site = address + b"\x28" + encode_memarg(0, memory, 0)
        return self._slots.base + site + b"\x36" + self._slots.memarg(SITE)

    def _special(self) -> bytes:
        """What a page asks for besides going on elsewhere."""
        companion = self._companion
        taking_over = companion.type_index(FuncType((), self._function.type.results))
        code = _GET + _INDEX + constant(LEAVE) + b"\x46" + _IF
        code += constant(0) + b"\x28" + encode_memarg(0, companion.control(), LEAVE_TO)
        code += b"\x13" + unsigned(taking_over) + companion.mirrors() + _END
        for position, number in enumerate(self._tail_calls):
            code += _GET + _INDEX + constant(FIRST_TAIL_CALL - position) + b"\x46" + _IF
            code += self._tail_call(number) + _END
        return code + b"\x00"

    def _tail_call(self, number: int) -> bytes:
        """The frame is popped; its operands are still where they were."""
        typed = self._function.instructions[number]
        count = effect_of(typed.instruction, self._companion.module).pops
        first = height_of(typed.stack) - count
        operands = self._slots.load_operands(types_of(typed.stack)[first:], first)
        return self._slots.pop() + operands + call_code(self._companion, typed.instruction)

    # -- enter and resume ----------------------------------------------------------------------------------------

    def _resume(self, run: int) -> bytes:
        """Run with the frame that the host says; the results are then where the frame's lowest operands were."""
        memory, slots, results = self._companion.control(), self._slots, self._function.type.results
        base, references, index = (
            constant(0) + b"\x28" + encode_memarg(0, memory, cell)
            for cell in (RESUME_BASE, RESUME_REFERENCES, RESUME_INDEX)
        )
        code = base + _TEE + b"\x00" + references + _TEE + b"\x01" + index + b"\x10" + unsigned(run)
        scratch = [unsigned(2 + position) for position in range(len(results))]
        code += b"".join(_SET + local for local in reversed(scratch))
        for depth, (local, value_type) in enumerate(zip(scratch, results, strict=True)):
            slot = slots.operand(depth, value_type)
            code += slots.address(slot) + _GET + local + slots.store(slot, value_type)
        return code

    def _enter(self) -> bytes:
        """Make a frame and push what `run` takes."""
        params = self._function.type.params
        slots = Slots(self._companion, self._layout, len(params))
        code = self._make_frame(slots) + self._clear(slots)
        for index, value_type in enumerate(params):
            slot = slots.local(index, value_type)
            code += slots.address(slot) + _GET + unsigned(index) + slots.store(slot, value_type)
        if self._companion.plan.counts_fuel:
            code += add_fuel(slots, 1)  # even an empty function costs some
        return code + slots.base + slots.references + constant(0)

    def _make_frame(self, slots: Slots) -> bytes:
        companion, first = self._companion, len(self._function.type.params)
        code = constant(0) + b"\x28" + slots.memarg(STACK_POINTER) + _SET + unsigned(first)
        code += constant(0) + b"\x28" + slots.memarg(REFERENCE_POINTER) + _SET + unsigned(first + 1)
        code += self._make_room(slots) + slots.push()
        number = b"\x23" + companion.number(Source.BLOCK) + b"\x28" + encode_memarg(0, companion.control(), NUMBER)
        code += slots.base + number + b"\x36" + slots.memarg(INSTANCE)
        code += slots.base + constant(site_of(self._function.instructions[0].pc)) + b"\x36" + slots.memarg(SITE)
        return code

    @cached_property
    def _tables(self) -> dict[str, bytes]:
        """The tables in which the function has slots."""
        module = self._companion.module
        kinds = sorted({reference_kind(value_type, module) for value_type in self._function.reference_types})
        return {kind: self._companion.references(kind) for kind in kinds}

    def _make_room(self, slots: Slots) -> bytes:
        """Trap where the frame does not fit; make the tables as long as it needs them."""
        end = slots.base + b"\x2d" + slots.memarg(self._layout.size - 1) + b"\x1a"
        return end + reserve_entries(slots.references, self._layout.references, self._tables, slots.memarg)

    def _clear(self, slots: Slots) -> bytes:
        """Locals that are no parameters begin as zero or null."""
        params, locals_ = len(self._function.type.params), len(self._function.local_types)
        code = b""
        if locals_ > params:
            for kind, table in self._tables.items():
                start = slots.references + constant(params) + b"\x6a"
                code += start + NULL[kind] + constant(locals_ - params) + b"\xfc\x11" + table
            start = slots.base + constant(HEADER_SIZE + self._layout.slot_size * params) + b"\x6a"
            size = constant(self._layout.slot_size * (locals_ - params))
            code += start + constant(0) + size + b"\xfc\x0b" + unsigned(self._companion.shadow())
        return code
