"""Calls of guest functions in expressions: which function, with which arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.builtin_types import builtin_type, pointer_to
from wasmscope.source.expressions.members import find_member, find_method
from wasmscope.source.expressions.nodes import AddressOf, CallNode, Convert, Dereference, FunctionNode, MemberNode, Node
from wasmscope.source.target import GuestFunction, Names
from wasmscope.source.types import FunctionType, PointerType, StructType, Type, WasmType, stripped
from wasmscope.source.values.value import loaded

Assignable = Callable[[Type | None, Node, int], None]


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A member function of an object, whose address is `this`; None: it is static."""

    function: GuestFunction
    callee: FunctionType
    this: Node | None
    column: int


class CallChecker:
    """Checks calls at one place of the code."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def method(self, object_: Node, name: str, count: int, column: int) -> MethodCall | None:
        """The member function of that name; None: there is none, so that it is a member that is called."""
        if isinstance(pointer := stripped(object_.type), PointerType):
            object_ = Dereference(loaded(pointer.target), object_, column)
        type_ = stripped(object_.type)
        if not isinstance(type_, StructType) or find_member(type_, name) is not None:
            return None
        found = find_method(type_, name, count)
        if found is None:
            return None
        method, bit_offset = found
        callee = stripped(method.type.get())
        if not isinstance(callee, FunctionType):
            raise ExpressionError(f"the type of {name} is not known", column)
        if method.is_virtual:
            raise ExpressionError(
                f"{name} is virtual: which function that is, is not looked up; call it by name", column
            )
        function = self._names.method(method.key, method.linkage_name)
        if function is None:
            raise ExpressionError(f"{name} has no code of its own: it was inlined everywhere, or not used", column)
        if method.is_static:
            return MethodCall(function, callee, None, column)
        base = MemberNode(type_, object_, bit_offset, None, (), column)
        this_type = loaded(callee.parameters[0]) if callee.parameters else None
        this: Node = AddressOf(pointer_to(type_, self._names.pointer_size), base, column)
        return MethodCall(function, callee, Convert(this_type, this, column) if this_type is not None else this, column)

    def finish(self, method: MethodCall, arguments: tuple[Node, ...], assignable: Assignable) -> Node:
        """The call of a member function."""
        given = arguments if method.this is None else (method.this, *arguments)
        checked = self._checked(method.callee, given, assignable, method.column)
        return CallNode(loaded(method.callee.result), method.function, None, method.callee, checked, method.column)

    def call(
        self,
        function: Node,
        arguments_for: Callable[[FunctionType | None], tuple[Node, ...]],
        assignable: Assignable,
        column: int,
    ) -> Node:
        """The call of a function by its name or through a pointer."""
        if isinstance(function, FunctionNode):
            known = function.function.type
            arguments = self._checked(known, arguments_for(known), assignable, column)
            result = loaded(known.result) if known is not None else self._unknown_result(function.function, column)
            return CallNode(result, function.function, None, known, arguments, column)
        type_ = stripped(function.type)
        callee = stripped(loaded(type_.target)) if isinstance(type_, PointerType) else type_
        if isinstance(function, Dereference) and isinstance(callee, FunctionType):
            function = function.pointer
        if not isinstance(callee, FunctionType) or not isinstance(stripped(function.type), PointerType):
            raise ExpressionError("only functions and pointers to functions can be called", column)
        arguments = self._checked(callee, arguments_for(callee), assignable, column)
        return CallNode(loaded(callee.result), None, function, callee, arguments, column)

    def _unknown_result(self, function: GuestFunction, column: int) -> Type | None:
        """By the function's signature: only what it is in WebAssembly is known."""
        if function.signature is None or len(function.signature.results) > 1:
            raise ExpressionError(f"what {function.name} gives is not known", column)
        results = function.signature.results
        return builtin_type(str(results[0]), self._names.pointer_size) or WasmType(results[0]) if results else None

    def _checked(
        self, callee: FunctionType | None, arguments: tuple[Node, ...], assignable: Assignable, column: int
    ) -> tuple[Node, ...]:
        if callee is None:
            return arguments
        wanted = len(callee.parameters)
        if callee.has_more:
            raise ExpressionError("functions with a variable number of arguments cannot be called", column)
        if len(arguments) != wanted:
            raise ExpressionError(f"it takes {wanted} argument{'s' * (wanted != 1)}, not {len(arguments)}", column)
        for parameter, argument in zip(callee.parameters, arguments, strict=True):
            if isinstance(stripped(loaded(parameter)), PointerType) and isinstance(stripped(argument.type), StructType):
                continue  # a reference takes the address
            assignable(loaded(parameter), argument, argument.column)
        return arguments
