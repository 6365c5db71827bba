"""The typing rules of conditions, and the code that follows from them: one rule for each kind of node.

The table of the rules is in the package's docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from wasmscope.errors import ConditionError
from wasmscope.instrument.condition import syntax
from wasmscope.instrument.condition.emit import (
    ARITHMETIC,
    COMPARISONS,
    DIVISIONS,
    Body,
    conditional,
    constant,
    convert,
    instruction,
    operate,
    truth,
)
from wasmscope.instrument.condition.names import Names
from wasmscope.instrument.condition.scope import Scope
from wasmscope.instrument.condition.types import CASTS, LANES, READS, Type, common, integer_type, promoted, type_of

_LOGICAL = ("&&", "||")
_INTEGERS_ONLY = ("%", "&", "|", "^", "<<", ">>")
_NO_NUMBER = {
    Type.REFERENCE: "a reference can only be compared with null",
    Type.NULL: "null can only be compared with a reference",
    Type.V128: "of a vector one lane is taken at a time, as in i32x4(local[0])[2]",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression with its type, and code that pushes its value. A float literal may be an f32 as well."""

    type: Type
    code: bytes
    column: int
    as_f32: bytes | None = None


class Checker:
    """Types the nodes of one condition from the leaves up."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._names = Names(scope)
        self.body = Body(scope.first_temporary)
        self.globals: set[int] = set()
        self.memories: set[int] = set()

    def condition(self, root: syntax.Expression) -> bytes:
        """Code that pushes whether the expression is true; raises `ConditionError` if it is ill-typed."""
        values: list[Typed] = []
        for node in syntax.postorder(root):
            values.append(self._node(node, values))
        (value,) = values
        return truth(_number(value).code, value.type)

    def _node(self, node: syntax.Expression, values: list[Typed]) -> Typed:
        match node:
            case syntax.Integer(value, decimal, column):
                type = integer_type(value, decimal=decimal)
                return Typed(type, constant(value, type), column)
            case syntax.Float(f64, f32, column):
                return Typed(Type.F64, constant(f64, Type.F64), column, constant(f32, Type.F32))
            case syntax.Bool(value, column):
                return Typed(Type.BOOL, constant(value, Type.BOOL), column)
            case syntax.Null(column):
                return Typed(Type.NULL, b"", column)
            case syntax.Place():
                return self._place(node)
            case syntax.Lane():
                return self._lane(node)
            case syntax.Read():
                return self._read(node, values.pop())
            case syntax.Cast(to, _, column):
                return _cast(to, values.pop(), column)
            case syntax.Unary(operator, _, column):
                return _unary(operator, values.pop(), column)
            case syntax.Binary(operator, _, _, column):
                right, left = values.pop(), values.pop()
                return self._binary(operator, left, right, column)
            case syntax.Conditional():
                no, yes, condition = values.pop(), values.pop(), values.pop()
                return _conditional(condition, yes, no)
            case _:
                assert_never(node)

    def _place(self, node: syntax.Place) -> Typed:
        scope = self._scope
        space, index = self._names.place(node)
        if space == "local":
            return Typed(type_of(scope.locals[index]), scope.push_local(index), node.column)
        if space == "stack":
            return Typed(type_of(scope.operands[index]), scope.push_operand(index), node.column)
        self.globals.add(index)
        code = instruction("global.get", scope.global_index(index))
        return Typed(type_of(scope.globals[index]), code, node.column)

    def _lane(self, node: syntax.Lane) -> Typed:
        vector, access = self._place(node.place), LANES[node.shape]
        if vector.type is not Type.V128:
            raise ConditionError(f"{node.shape} needs a v128, this is {_described(vector.type)}", vector.column)
        return Typed(access.type, vector.code + instruction(access.name, node.lane), node.column)

    def _read(self, node: syntax.Read, address: Typed) -> Typed:
        index, access = self._names.memory(node.memory, node.column), READS[node.access]
        if not _number(address).type.is_integer:
            raise ConditionError(f"an address is an integer, this is {_described(address.type)}", address.column)
        limits = self._scope.memories[index].limits
        # Addresses of 32 bits are unsigned; where they have 64, an integer of 32 is converted by its value.
        source = Type.U32 if address.type is Type.I32 and not limits.is64 else address.type
        code = convert(address.code, source, Type.U64)
        self.memories.add(index)
        reason = f"{node.access} out of bounds of memory {index}"
        code += self.body.read(access, limits, self._scope.memory_index(index), node.column, reason)
        return Typed(access.type, code, node.column)

    def _binary(self, operator: str, left: Typed, right: Typed, column: int) -> Typed:
        if operator in ("==", "!=") and Type.NULL in (left.type, right.type):
            return _null_test(operator, left, right, column)
        _number(left), _number(right)
        if operator in _LOGICAL:
            return _logical(operator, left, right, column)
        if operator in _INTEGERS_ONLY and not (left.type.is_integer and right.type.is_integer):
            culprit = right if left.type.is_integer else left
            raise ConditionError(f"{operator} needs integers, this is {_described(culprit.type)}", culprit.column)
        # A shift is of the type of what is shifted; only the lowest bits of the count matter.
        type = promoted(left.type) if operator in ("<<", ">>") else _common(left, right)
        code = _converted(left, type) + _converted(right, type)
        if operator in COMPARISONS:
            return Typed(Type.BOOL, code + operate(COMPARISONS[operator], type), column)
        if operator in DIVISIONS and type.is_integer:
            return Typed(type, code + self.body.divide(operator, type, column), column)
        return Typed(type, code + operate((ARITHMETIC | DIVISIONS)[operator], type), column)


def _null_test(operator: str, left: Typed, right: Typed, column: int) -> Typed:
    reference = right if left.type is Type.NULL else left
    if reference.type is not Type.REFERENCE:
        raise ConditionError(f"null is compared with a reference, not with {_described(reference.type)}", column)
    negation = instruction("i32.eqz") if operator == "!=" else b""
    return Typed(Type.BOOL, reference.code + instruction("ref.is_null") + negation, column)


def _logical(operator: str, left: Typed, right: Typed, column: int) -> Typed:
    test, rest = truth(left.code, left.type), truth(right.code, right.type)
    decided = constant(operator == "||", Type.BOOL)
    yes, no = (rest, decided) if operator == "&&" else (decided, rest)
    return Typed(Type.BOOL, conditional(test, yes, no, Type.BOOL.carrier), column)


def _conditional(condition: Typed, yes: Typed, no: Typed) -> Typed:
    _number(condition), _number(yes), _number(no)
    type = Type.BOOL if yes.type is no.type is Type.BOOL else _common(yes, no)
    test = truth(condition.code, condition.type)
    return Typed(type, conditional(test, _converted(yes, type), _converted(no, type), type.carrier), condition.column)


def _unary(operator: str, operand: Typed, column: int) -> Typed:
    type = promoted(_number(operand).type)
    if operator == "!":
        return Typed(Type.BOOL, truth(operand.code, operand.type) + instruction("i32.eqz"), column)
    if operator == "+":
        return Typed(type, operand.code, column, operand.as_f32)
    if operator == "~":
        if not type.is_integer:
            raise ConditionError(f"~ needs an integer, this is {_described(type)}", operand.column)
        return Typed(type, operand.code + constant(-1, type) + operate("xor", type), column)
    if type.is_integer:
        return Typed(type, constant(0, type) + operand.code + operate("sub", type), column)
    as_f32 = operand.as_f32 and operand.as_f32 + instruction("f32.neg")
    return Typed(type, operand.code + operate("neg", type), column, as_f32)


def _cast(to: str, operand: Typed, column: int) -> Typed:
    type = _number(operand).type
    if to != "bits":
        return Typed(CASTS[to], _converted(operand, CASTS[to]), column)
    unsigned = Type.U32 if type.carrier in (Type.I32.carrier, Type.F32.carrier) else Type.U64
    code = instruction(f"{unsigned.carrier}.reinterpret_{type.carrier}") if type.is_float else b""
    return Typed(unsigned, operand.code + code, column)


def _common(left: Typed, right: Typed) -> Type:
    """The type both are converted to: a float literal beside an f32 is one itself."""
    for literal, other in ((left, right), (right, left)):
        if literal.as_f32 is not None and other.type is Type.F32:
            return Type.F32
    return common(left.type, right.type)


def _converted(value: Typed, type: Type) -> bytes:
    if type is Type.F32 and value.as_f32 is not None:
        return value.as_f32
    return convert(value.code, value.type, type)


def _number(value: Typed) -> Typed:
    if not value.type.is_number:
        raise ConditionError(_NO_NUMBER[value.type], value.column)
    return value


def _described(type: Type) -> str:
    words = {Type.BOOL: "a truth value", Type.REFERENCE: "a reference", Type.NULL: "null"}
    return words.get(type, f"{'an' if type[0] in 'if' else 'a'} {type}")
