"""What a name in an expression means: inner scopes hide outer ones, variables hide functions and types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Protocol

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.arithmetic import truth_type
from wasmscope.source.expressions.builtin_types import builtin_type, pointer_to
from wasmscope.source.expressions.members import find_member
from wasmscope.source.expressions.nodes import (
    Constant,
    Dereference,
    FunctionNode,
    MemberNode,
    Node,
    Register,
    Stored,
    VariableNode,
)
from wasmscope.source.locations import WasmSpace
from wasmscope.source.model import Variable
from wasmscope.source.target import Names
from wasmscope.source.types import BrokenType, EnumType, FunctionType, PointerType, StructType, Type, WasmType, stripped
from wasmscope.source.values.value import TypedValue, loaded
from wasmscope.wasm.types import V128

_MOST_COMPARED = 2_000
_REGISTER = re.compile(r"(local|stack|global)([0-9]{1,9})")
_SPACES = {"local": WasmSpace.LOCAL, "stack": WasmSpace.OPERAND, "global": WasmSpace.GLOBAL}
_STACK_POINTER = "__stack_pointer"
_NULLS = ("nullptr", "NULL", "null")


class Kept(Protocol):
    """The convenience variables and the history of values."""

    def get(self, name: str) -> TypedValue | None:
        """`$name`; an empty name is the last value of the history, a number that of this number."""
        ...

    def set(self, name: str, value: TypedValue) -> None:
        """Set `$name`."""
        ...


class Lookup:
    """Looks names up at one place of the code."""

    def __init__(self, names: Names, kept: Kept) -> None:
        self._names = names
        self._kept = kept
        self._variables = {each.name: each for each in reversed(names.variables())}

    def is_variable(self, name: str) -> bool:
        """Whether a variable in scope has that name."""
        return name in self._variables

    def name(self, name: str, column: int) -> Node:
        """What a name stands for. Raises `ExpressionError` if that is nothing."""
        found = self.find(name, column)
        if found is None:
            raise ExpressionError(f"no variable or function has the name {name}{self._hint(name)}", column)
        return found

    def find(self, name: str, column: int) -> Node | None:
        """The same; None if it stands for nothing."""
        names = self._names
        bare = name.removeprefix("::")
        if bare == name:
            if name in self._variables:
                return self._variable(self._variables[name], column)
            if (constant := self._word(name, column)) is not None:
                return constant
            if (member := self._of_this(name, column)) is not None:
                return member
        for variable in names.statics_named(bare):
            return self._variable(variable, column)
        functions = names.functions_named(bare)
        if functions:
            function = functions[0]
            return FunctionNode(function.type or FunctionType(None, ()), function, column)
        return self._enumerator(bare, column)

    def _variable(self, variable: Variable, column: int) -> Node:
        type_: Type = BrokenType("it is not recorded") if variable.type is None else variable.type.get()
        return VariableNode(type_, variable, column)

    def _word(self, name: str, column: int) -> Node | None:
        if name in ("true", "false"):
            return Constant(truth_type(self._names.language), int(name == "true"), column)
        if name in _NULLS:
            return Constant(pointer_to(None, self._names.pointer_size), 0, column)
        return None

    def _of_this(self, name: str, column: int) -> Node | None:
        this = self._variables.get("this")
        if this is None or this.type is None:
            return None
        pointer = stripped(this.type.get())
        target = loaded(pointer.target) if isinstance(pointer, PointerType) else None
        structure = stripped(target)
        found = find_member(structure, name) if isinstance(structure, StructType) else None
        if found is None:
            return None
        object_ = Dereference(target, self._variable(this, column), column)
        return MemberNode(found.type, object_, found.bit_offset, found.bit_size, found.guards, column)

    def _enumerator(self, name: str, column: int) -> Node | None:
        scope, _, last = name.rpartition("::")
        for type_ in self._names.types_named(scope) if scope else ():
            if (constant := enumerator(type_, last, column)) is not None:
                return constant
        return None

    def dollar(self, name: str, column: int) -> Node:
        """What `$name` stands for. Raises `ExpressionError` if that is nothing."""
        names = self._names
        if match := _REGISTER.fullmatch(name):
            return self._register(_SPACES[match[1]], int(match[2]), column)
        if name == "pc":
            type_ = builtin_type("size_t", 4)
            assert type_ is not None
            return Constant(type_, names.pc, column)
        kept = self._kept.get(name)
        if kept is not None:
            return Stored(kept.type, name, kept, column)
        by_name = names.wasm_names()
        known = by_name.get(name) or (by_name.get(_STACK_POINTER) if name == "sp" else None)
        if known is not None:
            return self._register(*known, column)
        what = "no value has that number" if not name or name.isdigit() else f"${name} has no value"
        raise ExpressionError(what, column)

    def _register(self, space: WasmSpace, index: int, column: int) -> Node:
        value_type = self._names.wasm_type(space, index)
        if value_type is None:
            raise ExpressionError(f"there is no {space} {index} here", column)
        if value_type is V128 or value_type.is_ref:
            return Register(WasmType(value_type), space, index, column)
        type_ = builtin_type(str(value_type), 4)
        assert type_ is not None
        return Register(type_, space, index, column)

    def _hint(self, name: str) -> str:
        known: Iterable[str] = islice(self._variables, _MOST_COMPARED)
        close = get_close_matches(name[:100], list(known), n=1)
        return f"; did you mean {close[0]}?" if close else ""


def enumerator(type_: Type | None, name: str, column: int) -> Constant | None:
    """The enumerator of that name, if the type has it."""
    inner = stripped(type_)
    if not isinstance(inner, EnumType) or type_ is None:
        return None
    value = next((each.value for each in inner.enumerators if each.name == name), None)
    return None if value is None else Constant(type_, value, column)
