"""The types that an expression names, looked up."""

from __future__ import annotations

from typing import assert_never

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.builtin_types import array_of, builtin_type, pointer_to, ref_to
from wasmscope.source.expressions.syntax import ArrayOf, FunctionOf, NamedType, PointerTo, TypeSyntax
from wasmscope.source.target import Names
from wasmscope.source.types import FunctionType, PointerKind, PointerType, Type


def resolve(syntax: TypeSyntax, names: Names) -> Type | None:
    """The type; None is `void`. Raises `ExpressionError` if there is none of that name."""
    match syntax:
        case NamedType(name, column):
            if name == "void":
                return None
            found = next(iter(names.types_named(name)), None) or builtin_type(name, names.pointer_size)
            if found is None:
                raise ExpressionError(f"no type has the name {name}", column)
            return found
        case PointerTo(target, is_reference, _):
            inner = resolve(target, names)
            if is_reference and inner is not None:
                return PointerType("", names.pointer_size, ref_to(inner), PointerKind.REFERENCE)
            return pointer_to(inner, names.pointer_size)
        case ArrayOf(element, count, column):
            inner = resolve(element, names)
            if inner is None:
                raise ExpressionError("an array of void", column)
            return array_of(inner, count)
        case FunctionOf(result, parameters, _):
            given = resolve(result, names)
            types = [resolve(each, names) for each in parameters]
            references = tuple(ref_to(each) if each is not None else None for each in types)
            return FunctionType(ref_to(given) if given is not None else None, references)
        case _:
            assert_never(syntax)


def is_type(name: str, names: Names) -> bool:
    """Whether a type has that name."""
    return builtin_type(name, names.pointer_size) is not None or bool(names.types_named(name))
