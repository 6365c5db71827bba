"""The operand stack before every instruction of a function, and where each branch leads (Wasm spec appendix A.3).

This is what the validator works out, kept: for code that starts, stops or continues at any instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from wasmscope.analysis.signatures import block_signature, catch_payload, effect_of
from wasmscope.analysis.tokenizer import tokens_of
from wasmscope.wasm.instructions import CastBranch, Catch, Instruction, decode_instruction
from wasmscope.wasm.module import Module
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import V128, FuncType, ValType, ref_type


@dataclass(frozen=True, slots=True)
class OperandStack:
    """The types on the operand stack: the topmost, and the stack below it. Stacks share what is below."""

    top: ValType
    below: OperandStack | None
    height: int

    def __iter__(self) -> Iterator[ValType]:
        """The types, topmost first."""
        stack: OperandStack | None = self
        while stack is not None:
            yield stack.top
            stack = stack.below


def height_of(stack: OperandStack | None) -> int:
    """How many operands there are."""
    return 0 if stack is None else stack.height


def types_of(stack: OperandStack | None) -> tuple[ValType, ...]:
    """The types of the operands, bottom first."""
    return () if stack is None else tuple(stack)[::-1]


@dataclass(frozen=True, slots=True)
class Label:
    """Where a branch leads: to instruction `target`, with the topmost operands put on those below `height`."""

    target: int
    """Its number; as many as there are instructions stands for the end of the function."""
    height: int
    types: tuple[ValType, ...]


@dataclass(frozen=True, slots=True)
class Handler:
    """A clause of a `try_table` around an instruction; the exception's payload is what the label takes along."""

    clause: Catch
    label: Label


@dataclass(frozen=True, slots=True)
class TypedInstruction:
    """An instruction of a function, with its surroundings."""

    pc: int
    length: int
    instruction: Instruction
    is_reachable: bool
    stack: OperandStack | None
    """The operands before it (None: there are none), where it can be reached."""
    labels: tuple[Label, ...] = ()
    """Of a branch: its targets as written, the default last. Of `if`: where it leads when the condition is false. Of
    `else`: the end of the `if`."""
    handlers: tuple[Handler, ...] = ()
    """The clauses around it, in the order in which they are tried."""
    is_loop_header: bool = False
    """Whether branches to a `loop` lead here."""


@dataclass(frozen=True, slots=True)
class TypedFunction:
    """A function's instructions; those that cannot be reached are among them."""

    type: FuncType
    local_types: tuple[ValType, ...]
    instructions: tuple[TypedInstruction, ...]
    numbers: dict[int, int]
    """The number of the instruction at a pc."""
    max_height: int
    uses_v128: bool
    reference_types: frozenset[ValType]
    """The types of references that are ever in a local or on the operand stack."""

    def at(self, pc: int) -> TypedInstruction:
        """The instruction at a pc. Raises `KeyError` between instructions."""
        return self.instructions[self.numbers[pc]]


class _Control:
    """A control entry: `label` is where branches to it lead."""

    __slots__ = ("end_reached", "handlers_outside", "height", "label", "opens", "results", "start")

    def __init__(
        self, opens: str, start: FuncType, height: int, label: Label, handlers_outside: tuple[Handler, ...]
    ) -> None:
        self.opens = opens
        self.start = start.params
        self.results = start.results
        self.height = height
        self.label = label
        self.end_reached = False
        """Whether something branches to its end."""
        self.handlers_outside = handlers_outside


_OPENS = frozenset({"block", "loop", "if", "try_table"})


def type_function(module: Module, function: int) -> TypedFunction:
    """The typed instructions of a defined function of a module that is known to be valid."""
    return _Typing(module, function).run()


class _Typing:
    def __init__(self, module: Module, function: int) -> None:
        self._module = module
        code = module.codes[function]
        self._type = module.func_type(module.num_imported_functions + function)
        declared = chain.from_iterable(repeat(value_type, count) for count, value_type in code.locals)
        self._local_types = (*self._type.params, *declared)
        self._pc = code.code_start
        decoded: dict[bytes, Instruction] = {}
        tokens = tokens_of(module, code)
        for token in tokens:
            if token not in decoded:
                decoded[token] = decode_instruction(Reader(token))
        self._tokens = [(len(token), decoded[token]) for token in tokens]
        self._ends, self._elses = self._match()
        self._stack: OperandStack | None = None
        self._handlers: tuple[Handler, ...] = ()
        self._max_height = 0
        self._reference_types = {value_type for value_type in self._local_types if value_type.is_ref}
        self._v128 = V128 in self._local_types
        label = Label(len(self._tokens), 0, self._type.results)
        self._controls = [_Control("function", FuncType((), self._type.results), 0, label, ())]
        self._headers: set[int] = set()
        self._dead = 0
        """How many blocks of unreachable code are open; the one in which it begins counts."""

    def run(self) -> TypedFunction:
        instructions = []
        numbers = {}
        pc = self._pc
        for number, (length, instruction) in enumerate(self._tokens):
            numbers[pc] = number
            instructions.append(self._step(number, pc, length, instruction))
            pc += length
        return TypedFunction(
            self._type,
            self._local_types,
            tuple(instructions),
            numbers,
            self._max_height,
            self._v128,
            frozenset(self._reference_types),
        )

    def _match(self) -> tuple[dict[int, int], dict[int, int]]:
        """For each instruction that opens a block the number of its `end`, and of its `else` where it has one."""
        ends, elses, opened = {}, {}, []
        for number, (_, instruction) in enumerate(self._tokens):
            name = instruction.opcode.name
            if name in _OPENS:
                opened.append(number)
            elif name == "else":
                elses[opened[-1]] = number
            elif name == "end" and opened:
                ends[opened.pop()] = number
        return ends, elses

    # -- the operand stack ---------------------------------------------------------------------------------------

    def _push(self, types: tuple[ValType, ...]) -> None:
        stack = self._stack
        for value_type in types:
            stack = OperandStack(value_type, stack, height_of(stack) + 1)
            if value_type.is_ref:
                self._reference_types.add(value_type)
            self._v128 = self._v128 or value_type is V128
        self._stack = stack
        self._max_height = max(self._max_height, height_of(stack))

    def _pop(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._stack is not None
            self._stack = self._stack.below

    def _unwind_to(self, height: int) -> None:
        self._pop(height_of(self._stack) - height)

    def _top(self, count: int) -> tuple[ValType, ...]:
        types: list[ValType] = []
        stack = self._stack
        while stack is not None and len(types) < count:
            types.append(stack.top)
            stack = stack.below
        return tuple(reversed(types))

    # -- one instruction -----------------------------------------------------------------------------------------

    def _step(self, number: int, pc: int, length: int, instruction: Instruction) -> TypedInstruction:
        name = instruction.opcode.name
        if self._dead:
            typed = self._step_dead(number, pc, length, instruction)
            if typed is not None:
                return typed
        stack, handlers = self._stack, self._handlers
        labels: tuple[Label, ...] = ()
        is_reachable = not self._dead
        if name in _OPENS:
            labels = self._open(number, instruction)
        elif name == "else":
            labels = self._else()
        elif name == "end":
            self._end()
        else:
            labels = self._branch_or_plain(instruction)
        return TypedInstruction(pc, length, instruction, is_reachable, stack, labels, handlers, number in self._headers)

    def _step_dead(self, number: int, pc: int, length: int, instruction: Instruction) -> TypedInstruction | None:
        """An instruction that cannot be reached; None: an `else` or `end` behind which code may be reached again."""
        name = instruction.opcode.name
        if name in _OPENS:
            self._dead += 1
        elif self._dead == 1 and name in ("else", "end"):
            return None
        elif name == "end":
            self._dead -= 1
        return TypedInstruction(pc, length, instruction, False, None)

    def _open(self, number: int, instruction: Instruction) -> tuple[Label, ...]:
        name = instruction.opcode.name
        signature = block_signature(instruction.immediates[0], self._module)
        if name == "if":
            self._pop()
        end = self._ends[number]
        height = height_of(self._stack) - len(signature.params)
        if name == "loop":
            label = Label(number + 1, height, signature.params)
            self._headers.add(number + 1)
        else:
            label = Label(end + 1, height, signature.results)
        outside = self._handlers
        if name == "try_table":
            clauses: tuple[Catch, ...] = instruction.immediates[1]
            self._handlers = (*(Handler(clause, self._reach(clause.label)) for clause in clauses), *outside)
        self._controls.append(_Control(name, signature, height, label, outside))
        self._pop(len(signature.params))  # they take the types that the block declares
        self._push(signature.params)
        if name != "if":
            return ()
        return (Label(self._elses.get(number, end) + 1, height, signature.params),)

    def _else(self) -> tuple[Label, ...]:
        control = self._controls[-1]
        if not self._dead:
            control.end_reached = True
        self._dead = 0
        self._unwind_to(control.height)
        self._push(control.start)
        control.opens = "else"
        return (control.label,)

    def _end(self) -> None:
        control = self._controls.pop()
        reachable = not self._dead or control.end_reached or control.opens == "if"
        self._handlers = control.handlers_outside
        if not self._controls:
            return
        self._dead = 0 if reachable else 1
        self._unwind_to(control.height)
        if reachable:
            self._push(control.results)

    def _reach(self, label: int) -> Label:
        """The label, to which something branches."""
        control = self._controls[-1 - label]
        if control.opens != "loop":
            control.end_reached = True
        return control.label

    def _retype(self, types: tuple[ValType, ...]) -> None:
        """The topmost operands take these types, supertypes of theirs (Wasm spec 3.4.10, `br_if`)."""
        self._pop(len(types))
        self._push(types)

    def _branch_or_plain(self, instruction: Instruction) -> tuple[Label, ...]:
        name, immediates = instruction.opcode.name, instruction.immediates
        visit = _BRANCHES.get(name)
        if visit is not None:
            return visit(self, instruction)
        if name in _LEAVES:
            self._dead = 1
            return ()
        if name == "local.get":
            self._push((self._local_types[immediates[0]],))
        elif name == "local.tee":
            self._pop()
            self._push((self._local_types[immediates[0]],))
        else:
            effect = effect_of(instruction, self._module, self._top(2))
            self._pop(effect.pops)
            self._push(effect.pushes)
        return ()

    def _br(self, instruction: Instruction) -> tuple[Label, ...]:
        label = self._reach(instruction.immediates[0])
        self._dead = 1
        return (label,)

    def _br_table(self, instruction: Instruction) -> tuple[Label, ...]:
        targets, default = instruction.immediates[0]
        labels = tuple(map(self._reach, (*targets, default)))
        self._dead = 1
        return labels

    def _br_if(self, instruction: Instruction) -> tuple[Label, ...]:
        self._pop()
        label = self._reach(instruction.immediates[0])
        self._retype(label.types)
        return (label,)

    def _br_on_null(self, instruction: Instruction) -> tuple[Label, ...]:
        assert self._stack is not None
        heap = self._stack.top.heap
        assert heap is not None
        self._pop()
        label = self._reach(instruction.immediates[0])
        self._retype(label.types)
        self._push((ref_type(heap, False),))
        return (label,)

    def _br_on_non_null(self, instruction: Instruction) -> tuple[Label, ...]:
        label = self._reach(instruction.immediates[0])
        self._pop()
        self._retype(label.types[:-1])
        return (label,)

    def _br_on_cast(self, instruction: Instruction) -> tuple[Label, ...]:
        cast: CastBranch = instruction.immediates[0]
        label = self._reach(cast.label)
        self._pop()
        self._retype(label.types[:-1])
        if instruction.opcode.name == "br_on_cast":  # Wasm spec 3.1.3, "type difference"
            assert cast.source.heap is not None
            self._push((ref_type(cast.source.heap, cast.source.nullable and not cast.target.nullable),))
        else:
            self._push((cast.target,))
        return (label,)

    def _return(self, instruction: Instruction) -> tuple[Label, ...]:
        self._dead = 1
        return (self._controls[0].label,)


_BRANCHES: dict[str, Callable[[_Typing, Instruction], tuple[Label, ...]]] = {
    "br": _Typing._br,
    "br_table": _Typing._br_table,
    "br_if": _Typing._br_if,
    "br_on_null": _Typing._br_on_null,
    "br_on_non_null": _Typing._br_on_non_null,
    "br_on_cast": _Typing._br_on_cast,
    "br_on_cast_fail": _Typing._br_on_cast,
    "return": _Typing._return,
}

_LEAVES = frozenset({"unreachable", "throw", "throw_ref", "return_call", "return_call_indirect", "return_call_ref"})
"""Instructions behind which nothing is reached, and that branch nowhere."""


def payload_of(handler: Handler, module: Module) -> tuple[ValType, ...]:
    """What the handler's clause puts on the operand stack."""
    return catch_payload(handler.clause.kind, handler.clause.tag, module)
