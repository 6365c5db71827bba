"""Typing rules of the instructions whose signature depends on immediates or operands (spec 3.4).

A rule changes the typer's stack and gives what the instruction's handler gets as its immediate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reference.immediates import Catch
from reference.typer import Handler, Label, Typer
from reference.types import DefinedType, FuncType, RefType, ValueType

Rule = Callable[..., Any]


def _unreachable(typer: Typer) -> None:
    typer.unreachable()


def _block(typer: Typer, type: FuncType) -> None:
    typer.enter("block", type)


def _loop(typer: Typer, type: FuncType) -> None:
    typer.enter("loop", type)


def _if(typer: Typer, type: FuncType) -> Label:
    typer.pop()
    control = typer.enter("if", type)
    control.otherwise = Label((), control.outer_height)
    return control.otherwise


def _else(typer: Typer) -> Label:
    control = typer.controls[-1]
    assert control.otherwise is not None
    control.otherwise.ip = typer.ip + 1
    typer.restart(control, control.type.params)
    return control.label


def _try_table(typer: Typer, type: FuncType, catches: list[Catch]) -> None:
    # The labels of the clauses are counted outside the try_table.
    typer.enter("try_table", type, tuple(Handler(each, typer.label(each.label)) for each in catches))


def _end(typer: Typer) -> bool:
    """Whether it is the end of the function."""
    return typer.leave().opcode == "function"


def _throw(typer: Typer, tag: int) -> tuple[int, int]:
    count = len(typer.module.tags[tag].function.params)
    typer.unreachable()
    return tag, count


def _br(typer: Typer, depth: int) -> Label:
    typer.unreachable()
    return typer.label(depth)


def _br_if(typer: Typer, depth: int) -> Label:
    typer.pop()
    return _retype(typer, typer.label(depth))


def _retype(typer: Typer, label: Label, without: int = 0) -> Label:
    """The operands of a branch not taken get the types of its label."""
    types = label.types[: label.arity - without]
    typer.pop_all(types)
    typer.push_all(types)
    return label


def _br_table(typer: Typer, depths: list[int]) -> list[Label]:
    typer.unreachable()
    return [typer.label(depth) for depth in depths]


def _call(typer: Typer, function: int) -> tuple[int, int]:
    return function, _apply(typer, typer.module.functions[function].function)


def _apply(typer: Typer, type: FuncType) -> int:
    typer.pop_all(type.params)
    typer.push_all(type.results)
    return len(type.params)


def _call_indirect(typer: Typer, type: int, table: int) -> tuple[DefinedType, int, int]:
    defined = typer.module.types[type]
    typer.pop()
    return defined, table, _apply(typer, defined.function)


def _call_ref(typer: Typer, type: int) -> int:
    typer.pop()
    return _apply(typer, typer.module.types[type].function)


def _tail(rule: Rule) -> Rule:
    def tail(typer: Typer, *immediates: Any) -> Any:
        result = rule(typer, *immediates)
        typer.unreachable()
        return result

    return tail


def _drop(typer: Typer) -> None:
    typer.pop()


def _select(typer: Typer, types: list[ValueType] | None = None) -> None:
    typer.pop()
    second, first = typer.pop(), typer.pop()
    typer.push(types[0] if types else second if first == "bottom" else first)


def _local_get(typer: Typer, index: int) -> int:
    typer.push(typer.locals[index])
    return index


def _local_set(typer: Typer, index: int) -> int:
    typer.pop()
    return index


def _local_tee(typer: Typer, index: int) -> int:
    return _local_get(typer, _local_set(typer, index))


def _global_get(typer: Typer, index: int) -> int:
    typer.push(typer.module.globals[index].value)
    return index


def _table_get(typer: Typer, table: int) -> int:
    typer.pop()
    typer.push(typer.module.tables[table].element)
    return table


def _popping(count: int) -> Rule:
    """Only takes operands."""

    def rule(typer: Typer, *immediates: Any) -> Any:
        for _ in range(count):
            typer.pop()
        return immediates if len(immediates) > 1 else immediates[0]

    return rule


def _table_grow(typer: Typer, table: int) -> int:
    typer.pop()
    typer.pop()
    typer.push(typer.module.tables[table].address)
    return table


def _ref_null(typer: Typer, type: RefType) -> None:
    typer.push(type)


def _ref_is_null(typer: Typer) -> None:
    typer.pop()
    typer.push("i32")


def _ref_func(typer: Typer, function: int) -> int:
    typer.push(RefType(False, typer.module.functions[function]))
    return function


def _ref_as_non_null(typer: Typer) -> None:
    typer.push(RefType(False, typer.pop_ref().heap))


def _br_on_null(typer: Typer, depth: int) -> Label:
    type = typer.pop_ref()
    label = _retype(typer, typer.label(depth))
    typer.push(RefType(False, type.heap))
    return label


def _br_on_non_null(typer: Typer, depth: int) -> Label:
    typer.pop()
    return _retype(typer, typer.label(depth), without=1)


def _br_on_cast(typer: Typer, cast: tuple[int, RefType, RefType]) -> tuple[Label, RefType]:
    depth, source, target = cast
    typer.pop()
    label = _retype(typer, typer.label(depth), without=1)
    # What fails the cast is no null if the target takes nulls (the difference of reference types, spec 3.1).
    typer.push(RefType(source.nullable and not target.nullable, source.heap))
    return label, target


def _br_on_cast_fail(typer: Typer, cast: tuple[int, RefType, RefType]) -> tuple[Label, RefType]:
    depth, _, target = cast
    typer.pop()
    label = _retype(typer, typer.label(depth), without=1)
    typer.push(target)
    return label, target


def _ref_test(typer: Typer, type: RefType) -> RefType:
    typer.pop()
    typer.push("i32")
    return type


def _ref_cast(typer: Typer, type: RefType) -> RefType:
    typer.pop()
    typer.push(type)
    return type


def _converting(heap: str) -> Rule:
    def rule(typer: Typer) -> None:
        typer.push(RefType(typer.pop_ref().nullable, heap))

    return rule


def _struct_new(typer: Typer, type: int) -> DefinedType:
    defined = typer.module.types[type]
    typer.pop_all(defined.fields)
    typer.push(RefType(False, defined))
    return defined


def _struct_get(typer: Typer, type: int, field: int) -> tuple[int, ValueType]:
    taken = typer.module.types[type].fields[field]
    typer.pop()
    typer.push(taken.unpacked)
    return field, taken.storage


def _struct_set(typer: Typer, type: int, field: int) -> tuple[int, ValueType]:
    typer.pop()
    typer.pop()
    return field, typer.module.types[type].fields[field].storage


def _allocating(operands: int) -> Rule:
    """Takes so many operands, gives a new object; the type is replaced by the defined type."""

    def rule(typer: Typer, type: int, *immediates: int) -> Any:
        defined = typer.module.types[type]
        for _ in range(operands):
            typer.pop()
        typer.push(RefType(False, defined))
        return (defined, *immediates) if immediates else defined

    return rule


def _array_new_fixed(typer: Typer, type: int, count: int) -> tuple[DefinedType, int]:
    defined = typer.module.types[type]
    for _ in range(count):
        typer.pop()
    typer.push(RefType(False, defined))
    return defined, count


def _array_get(typer: Typer, type: int) -> ValueType:
    element = typer.module.types[type].element
    typer.pop()
    typer.pop()
    typer.push(element.unpacked)
    return element.storage


def _array_change(operands: int) -> Rule:
    """Takes so many operands; the type is replaced by the element's storage type."""

    def rule(typer: Typer, type: int, *immediates: int) -> Any:
        for _ in range(operands):
            typer.pop()
        storage = typer.module.types[type].element.storage
        return (storage, *immediates) if immediates else storage

    return rule


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "unreachable": _unreachable,
        "block": _block,
        "loop": _loop,
        "if": _if,
        "else": _else,
        "try_table": _try_table,
        "end": _end,
        "throw": _throw,
        "throw_ref": _unreachable,
        "br": _br,
        "br_if": _br_if,
        "br_table": _br_table,
        "return": _unreachable,
        "call": _call,
        "call_indirect": _call_indirect,
        "call_ref": _call_ref,
        "return_call": _tail(_call),
        "return_call_indirect": _tail(_call_indirect),
        "return_call_ref": _tail(_call_ref),
        "drop": _drop,
        "select": _select,
        "select_t": _select,
        "local.get": _local_get,
        "local.set": _local_set,
        "local.tee": _local_tee,
        "global.get": _global_get,
        "global.set": _popping(1),
        "table.get": _table_get,
        "table.set": _popping(2),
        "table.grow": _table_grow,
        "table.fill": _popping(3),
        "table.copy": _popping(3),
        "memory.copy": _popping(3),
        "ref.null": _ref_null,
        "ref.is_null": _ref_is_null,
        "ref.func": _ref_func,
        "ref.as_non_null": _ref_as_non_null,
        "br_on_null": _br_on_null,
        "br_on_non_null": _br_on_non_null,
        "br_on_cast": _br_on_cast,
        "br_on_cast_fail": _br_on_cast_fail,
        "ref.test": _ref_test,
        "ref.cast": _ref_cast,
        "any.convert_extern": _converting("any"),
        "extern.convert_any": _converting("extern"),
        "struct.new": _struct_new,
        "struct.new_default": _allocating(0),
        "struct.get": _struct_get,
        "struct.get_s": _struct_get,
        "struct.get_u": _struct_get,
        "struct.set": _struct_set,
        "array.new": _allocating(2),
        "array.new_default": _allocating(1),
        "array.new_fixed": _array_new_fixed,
        "array.new_data": _allocating(2),
        "array.new_elem": _allocating(2),
        "array.get": _array_get,
        "array.get_s": _array_get,
        "array.get_u": _array_get,
        "array.set": _array_change(3),
        "array.fill": _array_change(4),
        "array.copy": _popping(5),
        "array.init_data": _array_change(4),
        "array.init_elem": _array_change(4),
    }
)
