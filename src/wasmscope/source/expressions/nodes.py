"""An expression with its types: what `check.py` makes of the syntax, and `evaluate.py` and `conditions.py` go through.

`type` None is `void`. A node that `is_place` is somewhere, so that it may be assigned and have an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wasmscope.source.expressions.arithmetic import Kind, Number
from wasmscope.source.locations import WasmSpace
from wasmscope.source.model import Variable
from wasmscope.source.target import GuestFunction
from wasmscope.source.types import FunctionType, Type, Variant, VariantPart
from wasmscope.source.values.value import TypedValue


@dataclass(frozen=True, slots=True)
class Constant:
    """A number. One that `is_literal` takes the type beside it in languages whose literals do."""

    type: Type
    value: Number
    column: int
    is_literal: bool = False


@dataclass(frozen=True, slots=True)
class TextConstant:
    """A string literal, with the 0 behind it."""

    type: Type
    data: bytes
    column: int


@dataclass(frozen=True, slots=True)
class VariableNode:
    """A variable of the source."""

    type: Type
    variable: Variable
    column: int


@dataclass(frozen=True, slots=True)
class Register:
    """A local, global or operand of WebAssembly."""

    type: Type
    space: WasmSpace
    index: int
    column: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A convenience variable, or a value of the history."""

    type: Type | None
    name: str
    value: TypedValue
    column: int


@dataclass(frozen=True, slots=True)
class FunctionNode:
    """A function by its name."""

    type: FunctionType
    function: GuestFunction
    column: int


@dataclass(frozen=True, slots=True)
class Guard:
    """A member is there only if the structure at `bit_offset` has `variant` in that part."""

    part: VariantPart
    variant: Variant
    bit_offset: int
    structure: Type
    name: str


@dataclass(frozen=True, slots=True)
class MemberNode:
    """What lies `bit_offset` bits into a structure."""

    type: Type | None
    structure: Node
    bit_offset: int
    bit_size: int | None
    guards: tuple[Guard, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Dereference:
    """What a pointer points to."""

    type: Type | None
    pointer: Node
    column: int


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array; `stride` is its size, `first` the index of the first one."""

    type: Type
    array: Node
    index: Node
    stride: int
    first: int
    column: int


@dataclass(frozen=True, slots=True)
class AddressOf:
    """The address of a place."""

    type: Type
    place: Node
    column: int


@dataclass(frozen=True, slots=True)
class Convert:
    """A number, pointer or enumerator converted as by a cast."""

    type: Type
    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Operation:
    """`- ~` with `right` None, or an arithmetic operation of numbers that become of `kind` first."""

    type: Type
    operator: str
    left: Node
    right: Node | None
    kind: Kind
    column: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Numbers that become of `kind` first, or addresses, compared."""

    type: Type
    operator: str
    left: Node
    right: Node
    kind: Kind
    column: int


@dataclass(frozen=True, slots=True)
class PointerStep:
    """A pointer plus, or minus (`sign` -1), `index` times `stride` bytes."""

    type: Type
    pointer: Node
    index: Node
    sign: int
    stride: int
    column: int


@dataclass(frozen=True, slots=True)
class PointerDistance:
    """How many times `stride` bytes are between two pointers."""

    type: Type
    left: Node
    right: Node
    stride: int
    column: int


@dataclass(frozen=True, slots=True)
class Logical:
    """`&&` or `||`, or `!` with `right` None."""

    type: Type
    operator: str
    left: Node
    right: Node | None
    column: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    type: Type | None
    condition: Node
    yes: Node
    no: Node
    column: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """A place is given a value."""

    type: Type | None
    target: Node
    value: Node
    column: int


@dataclass(frozen=True, slots=True)
class Hole:
    """In the value of a `Compound`: what its target was."""

    type: Type | None
    column: int


@dataclass(frozen=True, slots=True)
class Compound:
    """A place is given a value that is worked out from what it was; the result `is_old` for `x++`."""

    type: Type | None
    target: Node
    value: Node
    is_old: bool
    column: int


@dataclass(frozen=True, slots=True)
class Keep:
    """A convenience variable is set."""

    type: Type | None
    name: str
    value: Node
    column: int


@dataclass(frozen=True, slots=True)
class CallNode:
    """A function is called: `function`, or the one that `pointer` points to. `callee` is its type if known."""

    type: Type | None
    function: GuestFunction | None
    pointer: Node | None
    callee: FunctionType | None
    arguments: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class SliceNode:
    """Elements of an array or behind a pointer, as an array."""

    type: Type
    base: Node
    element: Type
    start: Node | None
    end: Node | None
    column: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """gdb's `x @ n`: an array of which `x` is the first element."""

    type: Type
    place: Node
    count: Node
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """`left, right`."""

    type: Type | None
    left: Node
    right: Node
    column: int


Node: TypeAlias = (
    Constant
    | TextConstant
    | VariableNode
    | Register
    | Stored
    | FunctionNode
    | MemberNode
    | Dereference
    | Element
    | AddressOf
    | Convert
    | Operation
    | Comparison
    | PointerStep
    | PointerDistance
    | Logical
    | Choice
    | Assignment
    | Hole
    | Compound
    | Keep
    | CallNode
    | SliceNode
    | Repeat
    | Sequence
)


def is_place(node: Node) -> bool:
    """Whether it is somewhere: it may be assigned, and have an address."""
    match node:
        case VariableNode() | Register() | Dereference() | Stored():
            return True
        case MemberNode(structure=structure):
            return is_place(structure)
        case Element(array=array):
            return is_place(array)
        case SliceNode() | Repeat():
            return True
        case _:
            return False


def operands(node: Node) -> tuple[Node, ...]:
    """The nodes that a node is made of."""
    match node:
        case MemberNode(structure=inner) | Dereference(pointer=inner) | AddressOf(place=inner):
            return (inner,)
        case Convert(operand=inner) | Keep(value=inner):
            return (inner,)
        case Element(array=left, index=right) | PointerStep(pointer=left, index=right):
            return left, right
        case Operation(left=left, right=maybe) | Logical(left=left, right=maybe):
            return (left,) if maybe is None else (left, maybe)
        case Comparison(left=left, right=right) | PointerDistance(left=left, right=right):
            return left, right
        case Sequence(left=left, right=right) | Repeat(place=left, count=right):
            return left, right
        case Assignment(target=left, value=right) | Compound(target=left, value=right):
            return left, right
        case Choice(condition=condition, yes=yes, no=no):
            return condition, yes, no
        case CallNode(pointer=pointer, arguments=arguments):
            return arguments if pointer is None else (pointer, *arguments)
        case SliceNode(base=base, start=start, end=end):
            return (base, *(each for each in (start, end) if each is not None))
        case _:
            return ()


def has_effects(node: Node) -> bool:
    """Whether working it out changes something: an assignment, or a call of the guest."""
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, Assignment | Compound | Keep | CallNode):
            return True
        pending += operands(each)
    return False
