"""Reference instructions and i31 (spec 4.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.handlers.protocol import Handler, replace, top
from reference.integers import signed
from reference.types import RefType, has_type
from reference.values import I31, Value

if TYPE_CHECKING:
    from reference.machine import Call


def non_null(reference: Value) -> Value:
    """The reference; a null one traps."""
    if reference is None:
        raise Trap("NULL_REFERENCE")
    return reference


def _ref_null(call: Call, stack: list[Value], _: object) -> None:
    stack.append(None)


def _ref_is_null(call: Call, stack: list[Value], _: object) -> None:
    stack[-1] = int(stack[-1] is None)


def _ref_func(call: Call, stack: list[Value], function: int) -> None:
    stack.append(call.instance.functions[function])


def _ref_as_non_null(call: Call, stack: list[Value], _: object) -> None:
    non_null(stack[-1])


def _ref_eq(call: Call, stack: list[Value], _: object) -> None:
    first, second = top(stack, 2)
    scalars = isinstance(first, I31) and isinstance(second, I31)
    replace(stack, 2, [int(first == second if scalars else first is second)])


def _ref_test(call: Call, stack: list[Value], type: RefType) -> None:
    stack[-1] = int(has_type(stack[-1], type))


def _ref_cast(call: Call, stack: list[Value], type: RefType) -> None:
    if not has_type(stack[-1], type):
        raise Trap("CAST_FAILURE")


def _convert(call: Call, stack: list[Value], _: object) -> None:
    """Between internal and external: the object stays the same."""


def _ref_i31(call: Call, stack: list[Value], _: object) -> None:
    stack[-1] = I31(stack[-1] & 0x7FFFFFFF)


def _i31_get_s(call: Call, stack: list[Value], _: object) -> None:
    stack[-1] = signed(non_null(stack[-1]).value, 31) & 0xFFFFFFFF


def _i31_get_u(call: Call, stack: list[Value], _: object) -> None:
    stack[-1] = non_null(stack[-1]).value


REFERENCES: dict[str, Handler] = {
    "ref.null": _ref_null,
    "ref.is_null": _ref_is_null,
    "ref.func": _ref_func,
    "ref.as_non_null": _ref_as_non_null,
    "ref.eq": _ref_eq,
    "ref.test": _ref_test,
    "ref.cast": _ref_cast,
    "any.convert_extern": _convert,
    "extern.convert_any": _convert,
    "ref.i31": _ref_i31,
    "i31.get_s": _i31_get_s,
    "i31.get_u": _i31_get_u,
}
