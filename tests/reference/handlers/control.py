"""Control, calls and exceptions (spec 4.6.8 to 4.6.11), and the parametric and variable instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.errors import Trap, WasmException
from reference.handlers.protocol import SWITCH, Handler, replace, top
from reference.state import FuncRef, WasmFunction
from reference.types import DefinedType, RefType, has_type, is_heap_subtype
from reference.values import ExnObject, Value

if TYPE_CHECKING:
    from reference.machine import Call
    from reference.typer import Label


def branch(call: Call, stack: list[Value], label: Label) -> int:
    """Keep the operands of the label, drop those of the blocks left, go on there."""
    if label.ip is None:
        return return_(call, stack, None)
    if len(stack) > label.height + label.arity:
        stack[label.height :] = top(stack, label.arity)
    return label.ip


def return_(call: Call, stack: list[Value], _: object) -> int:
    """End the call, give its results to the caller."""
    call.activation.calls.pop()
    call.activation.deliver(top(stack, call.code.arity))
    return SWITCH


def _nop(call: Call, stack: list[Value], _: object) -> None:
    pass


def _unreachable(call: Call, stack: list[Value], _: object) -> None:
    raise Trap("UNREACHABLE")


def _if(call: Call, stack: list[Value], otherwise: Label) -> int | None:
    return None if stack.pop() else otherwise.ip


def _else(call: Call, stack: list[Value], end: Label) -> int | None:
    return end.ip


def _end(call: Call, stack: list[Value], is_function: bool) -> int | None:
    return return_(call, stack, None) if is_function else None


def _br_if(call: Call, stack: list[Value], label: Label) -> int | None:
    return branch(call, stack, label) if stack.pop() else None


def _br_table(call: Call, stack: list[Value], labels: list[Label]) -> int:
    return branch(call, stack, labels[min(stack.pop(), len(labels) - 1)])


def _br_on_null(call: Call, stack: list[Value], label: Label) -> int | None:
    if stack[-1] is not None:
        return None
    stack.pop()
    return branch(call, stack, label)


def _br_on_non_null(call: Call, stack: list[Value], label: Label) -> int | None:
    if stack[-1] is not None:
        return branch(call, stack, label)
    stack.pop()
    return None


def _br_on_cast(call: Call, stack: list[Value], immediate: tuple[Label, RefType]) -> int | None:
    label, type = immediate
    return branch(call, stack, label) if has_type(stack[-1], type) else None


def _br_on_cast_fail(call: Call, stack: list[Value], immediate: tuple[Label, RefType]) -> int | None:
    label, type = immediate
    return None if has_type(stack[-1], type) else branch(call, stack, label)


def _enter(call: Call, stack: list[Value], function: FuncRef, count: int, extra: int) -> int | None:
    """Call with `count` arguments, on the stack below `extra` operands that are no arguments."""
    first = len(stack) - count - extra
    arguments = stack[first : first + count]
    call.pending = count + extra
    if isinstance(function, WasmFunction):
        call.activation.enter(function, arguments)
        return SWITCH
    replace(stack, count + extra, function.call(*arguments))
    return None


def _tail_enter(call: Call, stack: list[Value], function: FuncRef, count: int, extra: int) -> int:
    """Call in the place of the current call, which is gone before the function runs."""
    first = len(stack) - count - extra
    arguments = stack[first : first + count]
    call.activation.calls.pop()
    if isinstance(function, WasmFunction):
        call.activation.enter(function, arguments)
    else:
        call.activation.deliver(function.call(*arguments))
    return SWITCH


def _indirect_callee(call: Call, stack: list[Value], type: DefinedType, table: int) -> FuncRef:
    function: FuncRef | None = call.instance.tables[table].get(stack[-1])
    if function is None:
        raise Trap("INDIRECT_CALL_TO_NULL")
    if not is_heap_subtype(function.type, type):
        raise Trap("BAD_SIGNATURE")
    return function


def _callee(stack: list[Value]) -> FuncRef:
    function: FuncRef | None = stack[-1]
    if function is None:
        raise Trap("NULL_REFERENCE")
    return function


def _call(call: Call, stack: list[Value], immediate: tuple[int, int]) -> int | None:
    function, count = immediate
    return _enter(call, stack, call.instance.functions[function], count, 0)


def _call_indirect(call: Call, stack: list[Value], immediate: tuple[DefinedType, int, int]) -> int | None:
    type, table, count = immediate
    return _enter(call, stack, _indirect_callee(call, stack, type, table), count, 1)


def _call_ref(call: Call, stack: list[Value], count: int) -> int | None:
    return _enter(call, stack, _callee(stack), count, 1)


def _return_call(call: Call, stack: list[Value], immediate: tuple[int, int]) -> int:
    function, count = immediate
    return _tail_enter(call, stack, call.instance.functions[function], count, 0)


def _return_call_indirect(call: Call, stack: list[Value], immediate: tuple[DefinedType, int, int]) -> int:
    type, table, count = immediate
    return _tail_enter(call, stack, _indirect_callee(call, stack, type, table), count, 1)


def _return_call_ref(call: Call, stack: list[Value], count: int) -> int:
    return _tail_enter(call, stack, _callee(stack), count, 1)


def _throw(call: Call, stack: list[Value], immediate: tuple[int, int]) -> None:
    tag, count = immediate
    raise WasmException(ExnObject(call.instance.tags[tag], top(stack, count)))


def _throw_ref(call: Call, stack: list[Value], _: object) -> None:
    if stack[-1] is None:
        raise Trap("NULL_REFERENCE")
    raise WasmException(stack[-1])


def _drop(call: Call, stack: list[Value], _: object) -> None:
    stack.pop()


def _select(call: Call, stack: list[Value], _: object) -> None:
    first, second, condition = top(stack, 3)
    replace(stack, 3, [first if condition else second])


def _local_get(call: Call, stack: list[Value], index: int) -> None:
    stack.append(call.locals[index])


def _local_set(call: Call, stack: list[Value], index: int) -> None:
    call.locals[index] = stack.pop()


def _local_tee(call: Call, stack: list[Value], index: int) -> None:
    call.locals[index] = stack[-1]


def _global_get(call: Call, stack: list[Value], index: int) -> None:
    stack.append(call.instance.globals[index].value)


def _global_set(call: Call, stack: list[Value], index: int) -> None:
    call.instance.globals[index].value = stack.pop()


CONTROL: dict[str, Handler] = {
    "unreachable": _unreachable,
    "nop": _nop,
    "block": _nop,
    "loop": _nop,
    "try_table": _nop,
    "if": _if,
    "else": _else,
    "end": _end,
    "br": branch,
    "br_if": _br_if,
    "br_table": _br_table,
    "br_on_null": _br_on_null,
    "br_on_non_null": _br_on_non_null,
    "br_on_cast": _br_on_cast,
    "br_on_cast_fail": _br_on_cast_fail,
    "return": return_,
    "call": _call,
    "call_indirect": _call_indirect,
    "call_ref": _call_ref,
    "return_call": _return_call,
    "return_call_indirect": _return_call_indirect,
    "return_call_ref": _return_call_ref,
    "throw": _throw,
    "throw_ref": _throw_ref,
    "drop": _drop,
    "select": _select,
    "select_t": _select,
    "local.get": _local_get,
    "local.set": _local_set,
    "local.tee": _local_tee,
    "global.get": _global_get,
    "global.set": _global_set,
}
