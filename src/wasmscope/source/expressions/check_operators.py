"""The typing rules of operators: numbers become of one kind, pointers step by what they point to."""

from __future__ import annotations

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.arithmetic import (
    COMPARISONS,
    INTEGERS_ONLY,
    Kind,
    common,
    kind_of,
    truth_type,
    type_of,
)
from wasmscope.source.expressions.builtin_types import pointer_to
from wasmscope.source.expressions.nodes import (
    AddressOf,
    Comparison,
    Constant,
    Convert,
    Element,
    FunctionNode,
    Logical,
    MemberNode,
    Node,
    Operation,
    PointerDistance,
    PointerStep,
)
from wasmscope.source.formatting.type_names import type_name
from wasmscope.source.model import Language
from wasmscope.source.target import Names
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    Encoding,
    MemberPointerType,
    PointerType,
    StructType,
    Type,
    UnspecifiedType,
    size_of,
    stripped,
)
from wasmscope.source.values.children import element_type
from wasmscope.source.values.identity import same_type
from wasmscope.source.values.scalars import is_scalar
from wasmscope.source.values.value import loaded

_PLAIN = (Encoding.SIGNED, Encoding.UNSIGNED, Encoding.FLOAT)
_LITERALS_ADAPT = (Language.RUST, Language.ZIG)


class Operators:
    """Checks operators at one place of the code."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.truth = truth_type(names.language)
        """The type of comparisons."""

    def decayed(self, node: Node) -> Node:
        """An array as a pointer to its first element (C17 6.3.2.1)."""
        type_ = stripped(node.type)
        if not isinstance(type_, ArrayType) or type_.is_vector:
            return node
        element = element_type(type_)
        first = type_.lower_bounds[0] if type_.lower_bounds else 0
        zero = Constant(type_of(Kind.I32, Language.C), first, node.column)
        place = Element(element, node, zero, size_of(element) or 0, first, node.column)
        return AddressOf(pointer_to(element, self._names.pointer_size), place, node.column)

    def condition(self, node: Node) -> Node:
        """A number or pointer, to be asked whether it is not zero."""
        node = self.decayed(node)
        if isinstance(node, FunctionNode) or (self._kind(node) is None and not is_address(node.type)):
            raise ExpressionError(f"{self._described(node)} is neither true nor false", node.column)
        return node

    def integer(self, node: Node) -> Node:
        """An integer, as an index or a count."""
        kind = self._kind(node)
        if kind is None or kind.is_float or is_address(node.type):
            raise ExpressionError(f"an integer is needed, this is {self._described(node)}", node.column)
        return node

    def unary(self, operator: str, operand: Node, column: int) -> Node:
        """`- + ~`."""
        kind = self._number(operand, operator)
        if operator == "~" and kind.is_float:
            raise ExpressionError(f"~ needs an integer, this is {self._described(operand)}", operand.column)
        type_ = type_of(kind, self._names.language)
        if operator == "+":
            return Convert(type_, operand, column)
        if isinstance(operand, Constant) and operand.is_literal and operator == "-" and not kind.is_float:
            negated = -int(operand.value)
            if negated >= kind.integral.lowest:
                return Constant(type_, negated, column, is_literal=True)
        return Operation(type_, operator, operand, None, kind, column)

    def binary(self, operator: str, left: Node, right: Node, column: int) -> Node:
        """Every infix operator of numbers and pointers."""
        left, right = self.decayed(left), self.decayed(right)
        if operator in ("&&", "||"):
            return Logical(self.truth, operator, self.condition(left), self.condition(right), column)
        if is_address(left.type) or is_address(right.type):
            return self._pointers(operator, left, right, column)
        left, right = self._adapted(left, right)
        mine, other = self._number(left, operator), self._number(right, operator)
        if operator in INTEGERS_ONLY and (mine.is_float or other.is_float):
            culprit = left if mine.is_float else right
            raise ExpressionError(f"{operator} needs integers, this is {self._described(culprit)}", culprit.column)
        kind = mine if operator in ("<<", ">>") else common(mine, other)
        if operator in COMPARISONS:
            return Comparison(self.truth, operator, left, right, kind, column)
        type_ = self._result(left, right, kind) if operator not in ("<<", ">>") else self._result(left, left, kind)
        return Operation(type_, operator, left, right, kind, column)

    def _adapted(self, left: Node, right: Node) -> tuple[Node, Node]:
        """Literals without a suffix take the other's type, in languages where they do."""
        if self._names.language in _LITERALS_ADAPT:
            return self._as_beside(left, right), self._as_beside(right, left)
        return left, right

    def _as_beside(self, node: Node, other: Node) -> Node:
        kind, wanted = self._kind(node), self._kind(other)
        if not isinstance(node, Constant) or not node.is_literal or kind is None or wanted is None:
            return node
        is_other_literal = isinstance(other, Constant) and other.is_literal
        if is_other_literal or (kind.is_float and not wanted.is_float):
            return node
        if not wanted.is_float and not wanted.integral.lowest <= node.value <= wanted.integral.highest:
            return node
        return Convert(type_of(wanted, self._names.language), node, node.column)

    def _result(self, left: Node, right: Node, kind: Kind) -> Type:
        """Types that are the same and not promoted keep their name, such as `size_t`."""
        type_ = left.type
        inner = stripped(type_)
        is_plain = isinstance(inner, BaseType) and inner.encoding in _PLAIN and inner.size == kind.bits // 8
        if is_plain and same_type(type_, right.type) and not _is_bit_field(left) and not _is_bit_field(right):
            assert type_ is not None
            return type_
        return type_of(kind, self._names.language)

    def _pointers(self, operator: str, left: Node, right: Node, column: int) -> Node:
        mine, other = is_address(left.type), is_address(right.type)
        address = Kind.U64 if self._names.pointer_size == 8 else Kind.U32
        if operator in COMPARISONS and (mine or self._kind(left)) and (other or self._kind(right)):
            for node, is_pointer in ((left, mine), (right, other)):
                if not is_pointer and self._number(node, operator).is_float:
                    raise ExpressionError("a pointer is not compared with a float", column)
            # An integer that an address has no room for is equal to none.
            widths = [each for each in (self._kind(left), self._kind(right)) if each is not None]
            kind = max([address, *widths], key=lambda each: each.bits)
            kind = Kind.U64 if kind.bits == 64 else kind
            return Comparison(self.truth, operator, left, right, kind, column)
        if operator in ("+", "-") and mine and not other:
            sign = 1 if operator == "+" else -1
            assert left.type is not None
            return PointerStep(left.type, left, self.integer(right), sign, self._stride(left, column), column)
        if operator == "+" and other and not mine:
            assert right.type is not None
            return PointerStep(right.type, right, self.integer(left), 1, self._stride(right, column), column)
        if operator == "-" and mine and other:
            stride = self._stride(left, column)
            if stride != self._stride(right, column):
                raise ExpressionError("the pointers point to types of different sizes", column)
            size = self._names.pointer_size
            return PointerDistance(BaseType("ptrdiff_t", size, Encoding.SIGNED), left, right, stride, column)
        raise ExpressionError(f"{operator} is not for {self._described(left)} and {self._described(right)}", column)

    def _stride(self, pointer: Node, column: int) -> int:
        type_ = stripped(pointer.type)
        target = loaded(type_.target) if isinstance(type_, PointerType) else None
        # As gdb and GNU C have it, a void pointer steps by bytes.
        stride = 1 if target is None else size_of(target)
        if not stride:
            raise ExpressionError(f"the size of what {self._described(pointer)} points to is not known", column)
        return stride

    def alike(self, yes: Node, no: Node, column: int) -> tuple[Type | None, Node, Node]:
        """Both branches of `?:`, converted to one type."""
        yes, no = self.decayed(yes), self.decayed(no)
        mine, other = self._kind(yes), self._kind(no)
        if is_address(yes.type) or is_address(no.type):
            pointer = yes if is_address(yes.type) else no
            type_ = pointer.type
            assert type_ is not None
            if is_scalar(yes.type) and is_scalar(no.type):
                return type_, Convert(type_, yes, column), Convert(type_, no, column)
        elif mine is not None and other is not None:
            if same_type(yes.type, no.type):
                return yes.type, yes, no
            type_ = type_of(common(mine, other), self._names.language)
            return type_, Convert(type_, yes, column), Convert(type_, no, column)
        if not same_type(yes.type, no.type):
            raise ExpressionError(f"{self._described(yes)} and {self._described(no)} have no common type", column)
        return yes.type, yes, no

    def _kind(self, node: Node) -> Kind | None:
        if isinstance(stripped(node.type), StructType | MemberPointerType):
            return None
        return kind_of(node.type, node.bit_size if isinstance(node, MemberNode) else None)

    def _number(self, node: Node, operator: str) -> Kind:
        kind = self._kind(node)
        if kind is None or is_address(node.type):
            raise ExpressionError(f"{operator} is not for {self._described(node)}", node.column)
        return kind

    def _described(self, node: Node) -> str:
        return f"a value of type {type_name(node.type, self._names.language)}"


def is_address(type_: Type | None) -> bool:
    """Whether it is a pointer."""
    type_ = stripped(type_)
    return isinstance(type_, PointerType) or (isinstance(type_, UnspecifiedType) and "nullptr" in type_.name)


def _is_bit_field(node: Node) -> bool:
    return isinstance(node, MemberNode) and node.bit_size is not None
