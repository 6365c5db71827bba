"""Works an expression out over the values of a guest that stands still.

What cannot be had is a value that is `Unavailable`, with the reason: memory that is not there, a division by zero, a
call that trapped. Nothing is changed but what the expression says.
"""

from __future__ import annotations

from typing import assert_never

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.expressions import calls
from wasmscope.source.expressions.arithmetic import (
    NoValue,
    Number,
    compare,
    operate,
    to_kind,
    to_type,
)
from wasmscope.source.expressions.builtin_types import array_of
from wasmscope.source.expressions.check_operators import is_address
from wasmscope.source.expressions.lookup import Kept
from wasmscope.source.expressions.nodes import (
    AddressOf,
    Assignment,
    CallNode,
    Choice,
    Comparison,
    Compound,
    Constant,
    Convert,
    Dereference,
    Element,
    FunctionNode,
    Hole,
    Keep,
    Logical,
    MemberNode,
    Node,
    Operation,
    PointerDistance,
    PointerStep,
    Register,
    Repeat,
    Sequence,
    SliceNode,
    Stored,
    TextConstant,
    VariableNode,
    is_place,
)
from wasmscope.source.locations import ImplicitPointer, InMemory, InWasm, Known, WasmNumber
from wasmscope.source.target import Machine
from wasmscope.source.types import ArrayType, PointerType, Type, size_of, stripped
from wasmscope.source.values.assignment import assign, assign_number
from wasmscope.source.values.children import active_variant, dereference, element, element_count
from wasmscope.source.values.scalars import Scalar, encode, scalar, value_size
from wasmscope.source.values.value import TypedValue, of_variable, unavailable

_ADDRESSES = 1 << 64
MAX_ELEMENTS = 1 << 32
"""Of a slice."""


class _Failed(Exception):
    """There is no value, for a reason."""

    def __init__(self, why: Unavailable | str) -> None:
        super().__init__(why)
        self.why = why if isinstance(why, Unavailable) else Unavailable(why)


def evaluate(node: Node, machine: Machine, kept: Kept) -> TypedValue:
    """The value of a checked expression."""
    return Evaluator(machine, kept).value(node)


def is_true(node: Node, machine: Machine, kept: Kept) -> bool | Unavailable:
    """Whether a checked expression is not zero."""
    try:
        return Evaluator(machine, kept).number(node) != 0
    except _Failed as failed:
        return failed.why


class Evaluator:
    """Works out one expression."""

    def __init__(self, machine: Machine, kept: Kept) -> None:
        self._machine = machine
        self._kept = kept
        self._holes: list[TypedValue] = []

    def value(self, node: Node) -> TypedValue:
        """The value of a node; `Unavailable` where there is none."""
        try:
            return self._value(node)
        except _Failed as failed:
            return unavailable(node.type, failed.why, self._machine)
        except NoValue as no_value:
            return unavailable(node.type, no_value.reason, self._machine)

    def number(self, node: Node) -> Number:
        """The number or address a node is. Raises `_Failed`."""
        value = self.value(node)
        number = scalar(value)
        if isinstance(number, Unavailable):
            raise _Failed(number)
        if isinstance(value.where, Unavailable):
            raise _Failed(value.where)
        if number is None or isinstance(number, complex):
            raise _Failed("it is no number")
        return number

    def _of(self, type_: Type | None, number: Scalar) -> TypedValue:
        bits = encode(type_, number)
        if isinstance(bits, Unavailable):
            raise _Failed(bits)
        return TypedValue(type_, Known(bits.to_bytes(value_size(type_) or 0, "little")), self._machine)

    def _value(self, node: Node) -> TypedValue:
        machine = self._machine
        match node:
            case Constant(type_, value):
                return self._of(type_, value)
            case TextConstant(type_, data):
                return TypedValue(type_, Known(data), machine)
            case VariableNode(variable=variable):
                return of_variable(variable, machine)
            case Register(type_, space, index):
                return TypedValue(type_, InWasm(space, index), machine)
            case Stored(value=stored):
                return stored
            case FunctionNode(function=function):
                return unavailable(node.type, f"{function.name} is a function: it can be called", machine)
            case MemberNode():
                return self._member(node)
            case Dereference(pointer=pointer):
                return dereference(self._value(pointer))
            case Element():
                return self._element(node)
            case AddressOf():
                return self._address_of(node)
            case Convert(type_, operand):
                return self._convert(type_, operand)
            case Operation():
                return self._operation(node)
            case Comparison(type_, operator, left, right, kind):
                mine, other = to_kind(self.number(left), kind), to_kind(self.number(right), kind)
                return self._of(type_, int(compare(operator, mine, other)))
            case PointerStep():
                return self._pointer_step(node)
            case PointerDistance(type_, left, right, stride):
                distance = self._integer(left) - self._integer(right)
                size = (size_of(type_) or 4) * 8
                signed = ((distance + (1 << (size - 1))) % (1 << size)) - (1 << (size - 1))
                return self._of(type_, abs(signed) // stride * (1 if signed >= 0 else -1))
            case Logical():
                return self._of(node.type, int(self._truth(node)))
            case Choice(_, condition, yes, no):
                return self._value(yes if self.number(condition) != 0 else no)
            case Assignment(_, target, value):
                place = self._value(target)
                self._check(assign(place, self._value(value)))
                return place
            case Compound():
                return self._compound(node)
            case Hole():
                return self._holes[-1]
            case Keep(_, name, value):
                kept = self._value(value).known()
                self._kept.set(name, kept)
                return kept
            case CallNode():
                return self._call(node)
            case SliceNode():
                return self._slice(node)
            case Repeat(type_, place, count):
                return self._repeat(node, self._value(place), self._integer(count))
            case Sequence(type_, left, right):
                self.value(left)
                return self._value(right) if type_ is not None else TypedValue(None, Known(b""), machine)
            case _:
                assert_never(node)

    def _check(self, failed: Unavailable | None) -> None:
        if failed is not None:
            raise _Failed(failed)

    def _integer(self, node: Node) -> int:
        number = self.number(node)
        assert isinstance(number, int), "the checker saw to that"
        return number

    # -- places ------------------------------------------------------------------------------------------------------

    def _member(self, node: MemberNode) -> TypedValue:
        structure = self._value(node.structure)
        for guard in node.guards:
            there = active_variant(structure.part(guard.structure, guard.bit_offset), guard.part)
            if isinstance(there, Unavailable):
                raise _Failed(there)
            if there is not guard.variant and there != guard.variant:
                names = ", ".join(member.name for member in there.members) or "another variant"
                raise _Failed(f"it is not there: the value is {names}")
        if node.type is None:
            raise _Failed("its type is not recorded")
        return structure.part(node.type, node.bit_offset, node.bit_size)

    def _element(self, node: Element) -> TypedValue:
        return element(self._value(node.array), self._integer(node.index))

    def _address_of(self, node: AddressOf) -> TypedValue:
        place = self._value(node.place)
        address = place.address
        if isinstance(address, Unavailable):
            raise _Failed(address)
        size = (size_of(node.type) or 4) * 8
        return self._of(node.type, address & ((1 << size) - 1))

    def _pointer_step(self, node: PointerStep) -> TypedValue:
        pointer = self._value(node.pointer)
        if isinstance(pointer.where, ImplicitPointer):
            if self._integer(node.index) == 0:
                return pointer
            raise _Failed("the pointer was optimised away, so it cannot be stepped")
        step = node.sign * self._integer(node.index) * node.stride
        size = (size_of(node.type) or 4) * 8
        address = scalar(pointer)
        if not isinstance(address, int):
            raise _Failed(address if isinstance(address, Unavailable) else "it is no address")
        return self._of(node.type, (address + step) & ((1 << size) - 1))

    def _slice(self, node: SliceNode) -> TypedValue:
        base = self._value(node.base)
        type_ = stripped(base.type)
        first = type_.lower_bounds[0] if isinstance(type_, ArrayType) and type_.lower_bounds else 0
        start = self._integer(node.start) if node.start is not None else first
        if node.end is not None:
            end = self._integer(node.end)
        else:
            total = element_count(base)
            if total is None:
                raise _Failed("how many elements it has is not known")
            end = first + total
        if not 0 <= end - start <= MAX_ELEMENTS:
            raise _Failed(f"there is no slice from {start} to {end}")
        array = array_of(node.element, end - start)
        if isinstance(type_, PointerType):
            address = scalar(base)
            if not isinstance(address, int):
                raise _Failed(address if isinstance(address, Unavailable) else "it is no address")
            place = address + start * (size_of(node.element) or 0)
            return TypedValue(array, InMemory(place % _ADDRESSES), self._machine)
        return element(base, start).as_type(array)

    def _repeat(self, node: Repeat, place: TypedValue, count: int) -> TypedValue:
        if not 0 < count <= MAX_ELEMENTS:
            raise _Failed(f"an array cannot have {count} elements")
        if isinstance(place.where, Unavailable):
            raise _Failed(place.where)
        assert node.place.type is not None
        return place.as_type(array_of(node.place.type, count))

    # -- operations --------------------------------------------------------------------------------------------------

    def _convert(self, type_: Type, operand: Node) -> TypedValue:
        if is_address(type_) and is_address(operand.type):
            value = self._value(operand)
            if isinstance(value.where, ImplicitPointer):
                return value.as_type(type_)
        return self._of(type_, to_type(self.number(operand), type_))

    def _operation(self, node: Operation) -> TypedValue:
        left = to_kind(self.number(node.left), node.kind)
        if node.right is None:
            if node.operator == "~":
                assert isinstance(left, int)
                return self._of(node.type, node.kind.integral.wrapped(~left))
            return self._of(node.type, -left if node.kind.is_float else node.kind.integral.wrapped(-int(left)))
        right = self.number(node.right)
        if node.operator not in ("<<", ">>"):
            right = to_kind(right, node.kind)
        return self._of(node.type, operate(node.operator, left, right, node.kind))

    def _truth(self, node: Logical) -> bool:
        left = self.number(node.left) != 0
        if node.right is None:
            return not left
        if left == (node.operator == "||"):
            return left
        return self.number(node.right) != 0

    def _compound(self, node: Compound) -> TypedValue:
        target = self._value(node.target)
        old = scalar(target)
        if old is None or isinstance(old, Unavailable):
            raise _Failed(old if old is not None else "it is no number")
        before = self._of(node.type, old)
        self._holes.append(before)
        try:
            new = self.number(node.value)
        finally:
            self._holes.pop()
        # As in C, the result is converted, which wraps it around.
        self._check(assign_number(target, to_type(new, target.type, target.bit_size)))
        return before if node.is_old else target

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: CallNode) -> TypedValue:
        index = self._callee(node)
        signature = self._machine.function_type(index)
        if signature is None:
            raise _Failed("there is no such function")
        types = calls.parameter_types(node.callee, signature)
        self._check(calls.mismatch(types, node.type, signature))
        if len(types) != len(node.arguments):
            raise _Failed(f"it takes {len(types)} arguments, not {len(node.arguments)}")
        arguments = [
            each
            for type_, argument in zip(types, node.arguments, strict=True)
            for each in self._passed(type_, argument)
        ]
        results = self._machine.call(index, arguments)
        if isinstance(results, Unavailable):
            raise _Failed(results)
        return calls.returned(node.type, results, self._machine)

    def _callee(self, node: CallNode) -> int:
        if node.function is not None:
            return node.function.index
        assert node.pointer is not None
        entry = self._integer(node.pointer)
        found = self._machine.table_function(entry)
        if isinstance(found, Unavailable):
            raise _Failed(found)
        return found

    def _passed(self, type_: Type | None, argument: Node) -> tuple[WasmNumber, ...]:
        if calls.is_reference(type_):
            if not is_place(argument):
                raise _Failed("a reference can only be to what is stored")
            address = self._value(argument).address
            if isinstance(address, Unavailable):
                raise _Failed(address)
            number: Number = address
        else:
            number = self.number(argument)
            if isinstance(number, int):
                number = to_type(number, type_)
        found = calls.passed(type_, number)
        if isinstance(found, Unavailable):
            raise _Failed(found)
        return found
