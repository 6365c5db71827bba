"""The types of a function's locals, also of modules that are not valid."""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.wasm.module import Module
from wasmscope.wasm.types import ValType


def params_of(module: Module, function: int) -> tuple[ValType, ...]:
    """The parameters of a function, which counts imports too; none where its type is not that of a function."""
    try:
        return module.func_type(function).params
    except LookupError:
        return ()


def num_locals(module: Module, function: int) -> int:
    """How many parameters and locals a function has."""
    return len(params_of(module, function)) + sum(count for count, _ in _groups(module, function))


def local_types(module: Module, function: int) -> Iterator[ValType]:
    """The types of the parameters and locals of a function, in the order of their indices."""
    yield from params_of(module, function)
    for count, value_type in _groups(module, function):
        for _ in range(count):
            yield value_type


def _groups(module: Module, function: int) -> tuple[tuple[int, ValType], ...]:
    defined = function - module.num_imported_functions
    return module.codes[defined].locals if 0 <= defined < len(module.codes) else ()
