"""Which types' values may stand where another type is expected (Wasm spec 3.3, "Matching").

Two defined types of a module are taken to be the same only if they have the same index: of types that are equal but
written twice, this says that they do not match.
"""

from __future__ import annotations

from wasmscope.wasm.module import Module
from wasmscope.wasm.types import ArrayType, FuncType, HeapType, StructType, ValType

_ABOVE = {
    "nofunc": ("func",),
    "noextern": ("extern",),
    "noexn": ("exn",),
    "eq": ("any",),
    "i31": ("eq", "any"),
    "struct": ("eq", "any"),
    "array": ("eq", "any"),
    "none": ("i31", "struct", "array", "eq", "any"),
}
_ABOVE_DEFINED = {FuncType: ("func",), StructType: ("struct", "eq", "any"), ArrayType: ("array", "eq", "any")}


def is_subtype(found: ValType, expected: ValType, module: Module) -> bool:
    """Whether a value of type `found` may stand where `expected` is (Wasm spec 3.3.3, 3.3.4)."""
    if found is expected:
        return True
    if found.heap is None or expected.heap is None or (found.nullable and not expected.nullable):
        return False
    return _matches(found.heap, expected.heap, module)


def _matches(found: HeapType, expected: HeapType, module: Module) -> bool:
    if found == expected:
        return True
    if isinstance(found, str):
        if isinstance(expected, str):
            return expected in _ABOVE.get(found, ())
        is_function = isinstance(module.types[expected].composite, FuncType)
        return found == ("nofunc" if is_function else "none")
    defined = module.types[found]
    if isinstance(expected, str):
        return expected in _ABOVE_DEFINED[type(defined.composite)]
    # A type's supertypes come before it, so this ends.
    return any(_matches(above, expected, module) for above in defined.supertypes)
