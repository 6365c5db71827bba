"""The types of an expression, from the leaves up: which operations there are for which, and what they convert.

Raises `ExpressionError` for what has no meaning. Nothing of the guest is read here, so that nothing is needed to check.
"""

from __future__ import annotations

from typing import assert_never

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions import check_literals, syntax
from wasmscope.source.expressions.arithmetic import Kind, kind_of
from wasmscope.source.expressions.builtin_types import array_of, builtin_type, pointer_to
from wasmscope.source.expressions.check_calls import CallChecker
from wasmscope.source.expressions.check_operators import Operators
from wasmscope.source.expressions.lookup import Kept, Lookup, enumerator
from wasmscope.source.expressions.members import find_member
from wasmscope.source.expressions.nodes import (
    AddressOf,
    Assignment,
    Choice,
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
    PointerStep,
    Repeat,
    Sequence,
    SliceNode,
    Stored,
    TextConstant,
    is_place,
)
from wasmscope.source.expressions.parser import parse
from wasmscope.source.expressions.resolve import is_type, resolve
from wasmscope.source.formatting.type_names import type_name
from wasmscope.source.target import Names
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    EnumType,
    FunctionType,
    PointerKind,
    PointerType,
    StructType,
    Type,
    size_of,
    stripped,
)
from wasmscope.source.values.children import element_type
from wasmscope.source.values.identity import same_type
from wasmscope.source.values.scalars import integral, is_scalar
from wasmscope.source.values.value import loaded


def check(text: str, names: Names, kept: Kept) -> Node:
    """The expression `text` with its types. Raises `ExpressionError`."""
    lookup = Lookup(names, kept)
    return Checker(names, lookup).node(parse(text, lambda name: is_type(name, names), lookup.is_variable))


class Checker:
    """Checks one expression."""

    def __init__(self, names: Names, lookup: Lookup) -> None:
        self._names = names
        self._lookup = lookup
        self._operators = Operators(names)
        self._calls = CallChecker(names)

    def node(self, expression: syntax.Expression) -> Node:
        """The node of an expression; one that is a reference is what it refers to."""
        found = self._node(expression)
        type_ = stripped(found.type)
        if isinstance(type_, PointerType) and type_.kind is not PointerKind.POINTER and not isinstance(found, Keep):
            return Dereference(loaded(type_.target), found, found.column)
        return found

    def _node(self, expression: syntax.Expression) -> Node:
        match expression:
            case syntax.Integer():
                return check_literals.integer(expression, self._names)
            case syntax.Real():
                return check_literals.real(expression, self._names)
            case syntax.Character(code, size, column):
                return check_literals.character(code, size, column)
            case syntax.Text(data, column):
                return TextConstant(array_of(self._builtin("char"), len(data) + 1), data + b"\0", column)
            case syntax.Name(text, column):
                return self._lookup.name(text, column)
            case syntax.Dollar(name, column):
                return self._lookup.dollar(name, column)
            case syntax.Unary(operator, operand, column):
                return self._unary(operator, operand, column)
            case syntax.Binary(operator, left, right, column):
                return self._binary(operator, left, right, column)
            case syntax.Assign():
                return self._assign(expression)
            case syntax.Conditional():
                return self._choice(expression)
            case syntax.Member(operand, name, column):
                return self._member(self.node(operand), name, column)
            case syntax.Index(operand, index, column):
                return self._index(self.node(operand), self.node(index), column)
            case syntax.Slice():
                return self._slice(expression)
            case syntax.Call():
                return self._call(expression)
            case syntax.Cast(type_syntax, operand, column):
                return self._cast(resolve(type_syntax, self._names), self.node(operand), column)
            case syntax.At(type_syntax, address, column):
                type_ = resolve(type_syntax, self._names)
                pointer = self._cast(pointer_to(type_, self._names.pointer_size), self.node(address), column)
                return self._dereference(pointer, column)
            case syntax.SizeOf():
                return self._sizeof(expression)
            case _:
                assert_never(expression)

    def _builtin(self, name: str) -> BaseType:
        type_ = builtin_type(name, self._names.pointer_size)
        assert type_ is not None
        return type_

    # -- operators ---------------------------------------------------------------------------------------------------

    def _unary(self, operator: str, operand: syntax.Expression, column: int) -> Node:
        if operator in ("++", "--", "x++", "x--"):
            target = self._target(operand)
            one = Constant(self._builtin("int"), 1, column)
            value = self._operators.binary(operator[-1], Hole(target.type, column), one, column)
            return Compound(target.type, target, value, operator.startswith("x"), column)
        inner = self.node(operand)
        match operator:
            case "*":
                return self._dereference(inner, column)
            case "&":
                return self._address_of(inner, column)
            case "!":
                return Logical(self._operators.truth, "!", self._operators.condition(inner), None, column)
            case _:
                return self._operators.unary(operator, inner, column)

    def _binary(self, operator: str, left: syntax.Expression, right: syntax.Expression, column: int) -> Node:
        if operator == ",":
            first, second = self.node(left), self.node(right)
            return Sequence(second.type, first, second, column)
        if operator in ("==", "!="):
            mine, other = self._beside(left, right)
        else:
            mine, other = self.node(left), self.node(right)
        if operator == "@":
            if not is_place(mine) or mine.type is None:
                raise ExpressionError("what is left of @ has to be in memory", column)
            count = self._operators.integer(other)
            return Repeat(
                array_of(
                    mine.type, count.value if isinstance(count, Constant) and isinstance(count.value, int) else None
                ),
                mine,
                count,
                column,
            )
        return self._operators.binary(operator, mine, other, column)

    def _beside(self, left: syntax.Expression, right: syntax.Expression) -> tuple[Node, Node]:
        """Both sides of a comparison; a name that is none otherwise may be an enumerator of the other's type."""
        is_known = not isinstance(left, syntax.Name) or self._lookup.find(left.text, left.column) is not None
        if isinstance(right, syntax.Name) and is_known:
            mine = self.node(left)
            return mine, self._expected(right, mine.type)
        if isinstance(left, syntax.Name):
            other = self.node(right)
            return self._expected(left, other.type), other
        return self.node(left), self.node(right)

    def _expected(self, expression: syntax.Expression, type_: Type | None) -> Node:
        """An expression where a value of that type is expected."""
        if isinstance(expression, syntax.Name) and isinstance(stripped(type_), EnumType):
            found = self._lookup.find(expression.text, expression.column)
            if found is None and (constant := enumerator(type_, expression.text, expression.column)) is not None:
                return constant
        return self.node(expression)

    def _dereference(self, pointer: Node, column: int) -> Node:
        pointer = self._operators.decayed(pointer)
        type_ = stripped(pointer.type)
        if not isinstance(type_, PointerType):
            if integral(type_) is not None and not isinstance(type_, EnumType):
                raise ExpressionError("an integer is no pointer: cast it, as in *(int *) x", column)
            raise ExpressionError(f"{self._described(pointer.type)} cannot be dereferenced", column)
        target = loaded(type_.target)
        if target is None:
            raise ExpressionError("a void pointer cannot be dereferenced: cast it, as in *(int *) p", column)
        return Dereference(target, pointer, column)

    def _address_of(self, place: Node, column: int) -> Node:
        if isinstance(place, FunctionNode):
            raise ExpressionError("the address of a function is an entry of a table, which is not searched", column)
        if isinstance(place, MemberNode) and place.bit_size is not None:
            raise ExpressionError("a bit-field has no address", column)
        if not is_place(place):
            raise ExpressionError("only what is stored has an address", column)
        return AddressOf(pointer_to(place.type, self._names.pointer_size), place, column)

    def _choice(self, expression: syntax.Conditional) -> Node:
        condition = self._operators.condition(self.node(expression.condition))
        yes, no = self.node(expression.yes), self.node(expression.no)
        type_, yes, no = self._operators.alike(yes, no, expression.column)
        return Choice(type_, condition, yes, no, expression.column)

    # -- assignment --------------------------------------------------------------------------------------------------

    def _target(self, expression: syntax.Expression) -> Node:
        target = self.node(expression)
        if isinstance(target, Stored):
            raise ExpressionError("a convenience variable is set with = only", target.column)
        if not is_place(target) or isinstance(target, SliceNode | Repeat):
            raise ExpressionError("what is assigned has to be stored somewhere", target.column)
        return target

    def _assign(self, expression: syntax.Assign) -> Node:
        column = expression.column
        if isinstance(expression.target, syntax.Dollar) and (name := self._convenience(expression.target)) is not None:
            value = self.node(expression.value)
            if expression.operator:
                before = self._lookup.dollar(name, column)
                value = self._operators.binary(expression.operator, before, value, column)
            return Keep(value.type, name, value, column)
        target = self._target(expression.target)
        if expression.operator:
            hole = Hole(target.type, column)
            value = self._operators.binary(expression.operator, hole, self.node(expression.value), column)
            return Compound(target.type, target, value, False, column)
        value = self._expected(expression.value, target.type)
        self.assignable(target.type, value, column)
        return Assignment(target.type, target, value, column)

    def _convenience(self, dollar: syntax.Dollar) -> str | None:
        """The name of a convenience variable, that there may be none of yet; None: it is a register or a Wasm name."""
        if not dollar.name or dollar.name.isdigit():
            raise ExpressionError("the history of values does not change", dollar.column)
        try:
            found = self._lookup.dollar(dollar.name, dollar.column)
        except ExpressionError:
            return dollar.name if not dollar.name.startswith(("local", "stack", "global")) else None
        return dollar.name if isinstance(found, Stored) else None

    def assignable(self, type_: Type | None, value: Node, column: int) -> None:
        """Raise `ExpressionError` unless a value could be converted to that type without a cast."""
        value = self._operators.decayed(value)
        if is_scalar(type_) and is_scalar(value.type):
            return
        if isinstance(stripped(type_), StructType | ArrayType) and same_type(type_, value.type):
            return
        given, wanted = self._described(value.type), self._described(type_)
        raise ExpressionError(f"{given} cannot be assigned to {wanted}", column)

    # -- parts -------------------------------------------------------------------------------------------------------

    def _member(self, structure: Node, name: str, column: int) -> Node:
        """Members of what a pointer points to as well, however it is written."""
        for _ in range(3):
            type_ = stripped(structure.type)
            if not isinstance(type_, PointerType):
                break
            structure = self._dereference(structure, column)
        type_ = stripped(structure.type)
        if not isinstance(type_, StructType):
            raise ExpressionError(f"{self._described(structure.type)} has no members", column)
        spellings = ("payload", "data") if name == "?" else (name,)  # Zig's optionals
        found = next((each for each in (find_member(type_, spelling) for spelling in spellings) if each), None)
        if found is None:
            if type_.is_declaration:
                raise ExpressionError(f"of {self._described(structure.type)} only the declaration is known", column)
            raise ExpressionError(f"{self._described(structure.type)} has no member {name}", column)
        return MemberNode(found.type, structure, found.bit_offset, found.bit_size, found.guards, column)

    def _index(self, array: Node, index: Node, column: int) -> Node:
        array = self._slice_pointer(array)
        type_ = stripped(array.type)
        index = self._operators.integer(index)
        if isinstance(type_, ArrayType):
            element = element_type(type_)
            stride = self._stride(element, column)
            first = type_.lower_bounds[0] if type_.lower_bounds else 0
            return Element(element, array, index, stride, first, column)
        if isinstance(type_, PointerType):
            target = loaded(type_.target)
            stride = self._stride(target, column)
            assert array.type is not None
            return Dereference(target, PointerStep(array.type, array, index, 1, stride, column), column)
        raise ExpressionError(f"{self._described(array.type)} has no elements", column)

    def _slice_pointer(self, node: Node) -> Node:
        """Of Rust's and Zig's slices, the pointer."""
        type_ = stripped(node.type)
        if isinstance(type_, StructType) and len(type_.members) == 2:
            for pointer, length in (("data_ptr", "length"), ("ptr", "len")):
                if {each.name for each in type_.members} == {pointer, length}:
                    return self._member(node, pointer, node.column)
        return node

    def _stride(self, type_: Type | None, column: int) -> int:
        stride = size_of(type_)
        if stride is None:
            raise ExpressionError(f"the size of {self._described(type_)} is not known", column)
        return stride

    def _slice(self, expression: syntax.Slice) -> Node:
        base = self._slice_pointer(self.node(expression.operand))
        type_, column = stripped(base.type), expression.column
        start = self._operators.integer(self.node(expression.start)) if expression.start is not None else None
        end = self._operators.integer(self.node(expression.end)) if expression.end is not None else None
        match type_:
            case ArrayType():
                element: Type | None = element_type(type_)
            case PointerType():
                element = loaded(type_.target)
                if end is None:
                    raise ExpressionError(
                        "how many elements a pointer points to is not known: say where to end", column
                    )
            case _:
                raise ExpressionError(f"{self._described(base.type)} has no elements", column)
        self._stride(element, column)
        assert element is not None
        return SliceNode(array_of(element, None), base, element, start, end, column)

    # -- casts, calls, sizes -----------------------------------------------------------------------------------------

    def _cast(self, type_: Type | None, operand: Node, column: int) -> Node:
        if type_ is None:
            return Sequence(None, operand, Constant(self._builtin("int"), 0, column), column)
        inner = stripped(type_)
        if isinstance(inner, PointerType) and inner.kind is not PointerKind.POINTER:
            address = self._address_of(operand, column)
            return Dereference(loaded(inner.target), Convert(type_, address, column), column)
        operand = self._operators.decayed(operand)
        if is_scalar(type_) and is_scalar(operand.type):
            from_float = kind_of(operand.type) in (Kind.F32, Kind.F64, Kind.F128)
            if isinstance(inner, PointerType) and from_float:
                raise ExpressionError("a float cannot become a pointer", column)
            return Convert(type_, operand, column)
        if isinstance(inner, StructType | ArrayType) and is_place(operand) and same_type(type_, operand.type):
            return operand
        given, wanted = self._described(operand.type), self._described(type_)
        raise ExpressionError(f"{given} cannot be cast to {wanted}", column)

    def _call(self, expression: syntax.Call) -> Node:
        function, column = expression.function, expression.column
        if isinstance(function, syntax.Name) and self._lookup.find(function.text, function.column) is None:
            type_ = builtin_type(function.text, self._names.pointer_size)
            if type_ is not None and len(expression.arguments) == 1:
                return self._cast(type_, self.node(expression.arguments[0]), column)
        if isinstance(function, syntax.Member):
            object_ = self.node(function.operand)
            method = self._calls.method(object_, function.name, len(expression.arguments), column)
            if method is not None:
                return self._calls.finish(method, self._arguments(expression, method.callee, 1), self.assignable)
        return self._calls.call(
            self.node(function), lambda callee: self._arguments(expression, callee, 0), self.assignable, column
        )

    def _arguments(self, expression: syntax.Call, callee: FunctionType | None, skipped: int) -> tuple[Node, ...]:
        parameters = callee.parameters[skipped:] if callee is not None else ()
        types = [*map(loaded, parameters), *[None] * len(expression.arguments)]
        return tuple(
            self._operators.decayed(self._expected(argument, type_))
            for argument, type_ in zip(expression.arguments, types, strict=False)
        )

    def _sizeof(self, expression: syntax.SizeOf) -> Node:
        operand = expression.operand
        if isinstance(operand, syntax.NamedType | syntax.PointerTo | syntax.ArrayOf | syntax.FunctionOf):
            type_ = resolve(operand, self._names)
        else:
            type_ = self.node(operand).type
        return Constant(self._builtin("size_t"), self._stride(type_, expression.column), expression.column)

    def _described(self, type_: Type | None) -> str:
        return f"a value of type {type_name(type_, self._names.language)}"
