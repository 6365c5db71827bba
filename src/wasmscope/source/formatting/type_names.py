"""Types as their language writes them: C's declarators from the inside out, Rust's and Zig's from left to right."""

from __future__ import annotations

from typing import assert_never

from wasmscope.source.formatting.text import printable
from wasmscope.source.model import Language
from wasmscope.source.types import (
    ArrayType,
    BaseType,
    BrokenType,
    EnumType,
    FunctionType,
    MemberPointerType,
    PointerKind,
    PointerType,
    QualifiedType,
    Qualifier,
    StructType,
    Type,
    TypedefType,
    TypeRef,
    UnspecifiedType,
    WasmType,
)

MAX_NAME = 400
"""Characters of a name: templates of templates have very long ones."""
_DEEPEST = 20
_MOST_PARAMETERS = 20
_C_LIKE = (Language.C, Language.OBJECTIVE_C)


def type_name(type_: Type | None, language: Language = Language.C) -> str:
    """The name of a type; None is `void`. Never fails: what refers to itself is cut with `...`."""
    if language in (Language.RUST, Language.ZIG):
        return printable(_left_to_right(type_, language, 0), MAX_NAME)
    return printable(_declared(type_, "", language, 0), MAX_NAME)


def _target(ref: TypeRef | None) -> Type | None:
    return None if ref is None else ref.get()


def _declared(type_: Type | None, declarator: str, language: Language, depth: int) -> str:
    """`declarator` declared as that type (C17 6.7.7)."""
    if depth > _DEEPEST:
        return f"... {declarator}".strip()
    depth += 1
    match type_:
        case PointerType(name=name) if name:
            return _spaced(name, declarator)
        case PointerType(target=target, kind=kind):
            sign = {PointerKind.POINTER: "*", PointerKind.REFERENCE: "&", PointerKind.RVALUE_REFERENCE: "&&"}[kind]
            return _declared(_target(target), f"{sign}{declarator}", language, depth)
        case MemberPointerType(target=target, container=container):
            owner = _named(_target(container), language)
            return _declared(_target(target), f"{owner}::*{declarator}", language, depth)
        case ArrayType(element=element, counts=counts, is_vector=is_vector):
            bounds = "".join(f"[{'' if count is None else count}]" for count in counts)
            if is_vector:
                return _declared(
                    element.get(), f"__vector({', '.join(map(str, counts))}) {declarator}", language, depth
                )
            return _declared(element.get(), f"{_bracketed(declarator)}{bounds}", language, depth)
        case FunctionType(result=result, parameters=parameters, has_more=has_more):
            names = [_declared(_target(each), "", language, depth) for each in parameters[:_MOST_PARAMETERS]]
            names += ["..."] if has_more or len(parameters) > _MOST_PARAMETERS else []
            nothing = "void" if language in _C_LIKE else ""
            inside = f"{_bracketed(declarator)}({', '.join(names) or nothing})"
            return _declared(_target(result), inside, language, depth)
        case QualifiedType(qualifier=qualifier, target=target):
            inner = _target(target)
            if isinstance(inner, PointerType) and not inner.name:
                return _declared(inner, _spaced(qualifier, declarator), language, depth)
            if qualifier in (Qualifier.CONST, Qualifier.VOLATILE, Qualifier.ATOMIC):
                return f"{qualifier} {_declared(inner, declarator, language, depth)}"
            return _declared(inner, declarator, language, depth)
        case _:
            return _spaced(_named(type_, language), declarator)


def _bracketed(declarator: str) -> str:
    return f"({declarator})" if declarator.startswith(("*", "&")) or "::*" in declarator else declarator


def _spaced(name: str, declarator: str) -> str:
    return f"{name} {declarator}" if declarator else name


def _named(type_: Type | None, language: Language) -> str:
    match type_:
        case None:
            return "void"
        case StructType():
            if language in _C_LIKE:
                return f"{type_.kind} {type_.name}" if type_.name else f"{type_.kind} {{...}}"
            return type_.qualified_name or type_.name or f"{type_.kind} {{...}}"
        case EnumType():
            if language in _C_LIKE:
                return f"enum {type_.name}" if type_.name else "enum {...}"
            return type_.qualified_name or type_.name or "enum {...}"
        case TypedefType():
            return type_.name if language in _C_LIKE else type_.qualified_name or type_.name
        case BaseType() | UnspecifiedType():
            return type_.name
        case WasmType():
            return str(type_.value_type)
        case BrokenType():
            return f"<{type_.reason}>"
        case PointerType() | MemberPointerType() | ArrayType() | FunctionType() | QualifiedType():
            return _declared(type_, "", language, 1)
        case _:
            assert_never(type_)


def _left_to_right(type_: Type | None, language: Language, depth: int) -> str:
    if depth > _DEEPEST:
        return "..."
    depth += 1
    is_rust = language is Language.RUST
    match type_:
        case None:
            return "()" if is_rust else "void"
        case PointerType(name=name) if name:
            return name
        case PointerType(target=target, kind=kind):
            sign = "&" if kind is not PointerKind.POINTER else "*mut " if is_rust else "*"
            return f"{sign}{_left_to_right(_target(target), language, depth)}"
        case ArrayType(name=name) if name:
            return name
        case ArrayType(element=element, counts=counts):
            text = _left_to_right(element.get(), language, depth)
            for count in reversed(counts):
                shown = "_" if count is None else str(count)
                text = f"[{text}; {shown}]" if is_rust else f"[{shown}]{text}"
            return text
        case FunctionType(result=result, parameters=parameters):
            names = [_left_to_right(_target(each), language, depth) for each in parameters[:_MOST_PARAMETERS]]
            given = _left_to_right(_target(result), language, depth)
            inside = ", ".join(names)
            if is_rust:
                return f"fn({inside})" if result is None else f"fn({inside}) -> {given}"
            return f"fn ({inside}) {given}"
        case QualifiedType(target=target):
            return _left_to_right(_target(target), language, depth)
        case StructType() | EnumType():
            return type_.qualified_name or type_.name or "{...}"
        case _:
            return _named(type_, language)
