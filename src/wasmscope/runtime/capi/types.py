"""Types as the C API has them: `wasm_valtype_t` and the function types made of it."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import POINTER, byref
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from wasmscope.runtime.val import Kind
from wasmscope.wasm import types

#: kinds of `wasmtime_valtype_t` up to v128 are the kinds of values; then come references
_VALTYPE_REF = 5

#: `wasmtime_heaptype_kind_t`, in the order of `wasmtime/types/val.h`
_HEAP_KINDS = (
    *(Kind.EXTERNREF,) * 2,  # extern noextern
    *(Kind.FUNCREF,) * 3,  # func (concrete func) nofunc
    *(Kind.ANYREF,) * 8,  # any none eq i31 array (concrete array) struct (concrete struct)
    *(Kind.EXNREF,) * 3,  # exn (concrete exn) noexn
)


def kind_of(valtype: Any) -> Kind:
    """Return the kind of a `wasm_valtype_t *`.

    `wasm_valtype_kind`, which `wasmtime.ValType` relies on, aborts the process for any type but wasmtime-py's six.
    """
    decoded: Any = ffi.wasmtime_valtype_t()  # the bindings annotate integer fields as ctypes objects
    ffi.wasmtime_valtype_new(valtype, byref(decoded))
    kind = decoded.kind
    if kind == _VALTYPE_REF:
        result = _HEAP_KINDS[decoded.reftype.heaptype.kind]
    else:
        result = Kind(kind)
    ffi.wasmtime_valtype_delete(byref(decoded))
    return result


@dataclass(frozen=True, slots=True)
class Signature:
    """The kinds of a function's parameters and results."""

    params: tuple[Kind, ...]
    results: tuple[Kind, ...]


def signature(ty: wasmtime.FuncType) -> Signature:
    """Return the kinds of a function type."""
    return Signature(_kinds(ffi.wasm_functype_params(ty.ptr())), _kinds(ffi.wasm_functype_results(ty.ptr())))


def _kinds(vector: Any) -> tuple[Kind, ...]:
    return tuple(kind_of(vector.contents.data[i]) for i in range(vector.contents.size))


def func_type(params: Sequence[types.ValType], results: Sequence[types.ValType]) -> wasmtime.FuncType:
    """Make a function type of any value types but references to a module's own types (those need that module)."""
    vectors = [ffi.wasm_valtype_vec_t(), ffi.wasm_valtype_vec_t()]
    for vector, valtypes in zip(vectors, (params, results), strict=True):
        pointers = [_new_valtype(valtype) for valtype in valtypes]
        ffi.wasm_valtype_vec_new(byref(vector), len(pointers), (POINTER(ffi.wasm_valtype_t) * len(pointers))(*pointers))
    return wasmtime.FuncType._from_ptr(ffi.wasm_functype_new(byref(vectors[0]), byref(vectors[1])), None)


#: heap type -> `wasmtime_heaptype_kind_t`
_HEAP_TYPES = {
    "extern": 0, "noextern": 1, "func": 2, "nofunc": 4, "any": 5, "none": 6, "eq": 7, "i31": 8, "array": 9,
    "struct": 11, "exn": 13, "noexn": 15,
}  # fmt: skip


def _new_valtype(valtype: types.ValType) -> Any:
    raw: Any = ffi.wasmtime_valtype_t()
    if valtype.is_ref:
        if valtype.heap not in _HEAP_TYPES:
            raise TypeError(f"a host function cannot be declared with {valtype.name}")
        raw.kind = _VALTYPE_REF
        raw.reftype.nullable = valtype.nullable
        raw.reftype.heaptype.kind = _HEAP_TYPES[str(valtype.heap)]
    else:
        raw.kind = Kind[valtype.name.upper()]
    return ffi.wasmtime_valtype_to_wasm(None, byref(raw))
