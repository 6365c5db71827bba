"""Arguments and results of guest functions as WebAssembly passes them (tool-conventions, `BasicCABI.md`).

Integers, pointers and enumerations of up to 32 bits are an i32, extended by their sign; of 64 bits an i64; of 128 bits
two i64, the low one first. Structures are passed by hidden pointers, for which there is no memory to be had: refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.locations import Known, WasmNumber
from wasmscope.source.target import Machine
from wasmscope.source.types import FunctionType, PointerKind, PointerType, StructType, Type, WasmType, size_of, stripped
from wasmscope.source.values.scalars import Scalar, decode, encode, floating, integral
from wasmscope.source.values.value import TypedValue, loaded, unavailable
from wasmscope.wasm.types import F32, F64, I32, I64, FuncType, ValType

_SIZES = {I32: 4, I64: 8, F32: 4, F64: 8}
_DEEPEST = 8


def lowered(type_: Type | None) -> tuple[ValType, ...] | Unavailable:
    """The types of WebAssembly that a value of a type is passed as."""
    if isinstance(inner := stripped(type_), WasmType):
        return (inner.value_type,) if inner.value_type in _SIZES else Unavailable(f"a {inner.value_type} is not passed")
    if as_integer := integral(type_):
        if as_integer.bits <= 64:
            return (I32,) if as_integer.bits <= 32 else (I64,)
        if as_integer.bits <= 128:
            return I64, I64
    if (as_float := floating(type_)) is not None and as_float.size in (4, 8):
        return (F32,) if as_float.size == 4 else (F64,)
    if isinstance(inner, StructType):
        return Unavailable("structures are passed by a hidden pointer, which needs memory of the guest's")
    return Unavailable("values of this type cannot be passed")


def passed(type_: Type | None, number: Scalar) -> tuple[WasmNumber, ...] | Unavailable:
    """A number as arguments."""
    types = lowered(type_)
    if isinstance(types, Unavailable):
        return types
    bits = encode(type_, number)
    if isinstance(bits, Unavailable):
        return bits
    if as_integer := integral(type_):
        bits = as_integer.wrapped(bits) & ((1 << sum(_SIZES[each] for each in types) * 8) - 1)
    found, shift = [], 0
    for each in types:
        size = _SIZES[each]
        found.append(WasmNumber(bits >> shift & ((1 << size * 8) - 1), size, each in (F32, F64)))
        shift += size * 8
    return tuple(found)


def is_reference(type_: Type | None) -> bool:
    """Whether the address is passed of what is given for it."""
    type_ = stripped(type_)
    return isinstance(type_, PointerType) and type_.kind is not PointerKind.POINTER


def mismatch(parameters: Sequence[Type | None], result: Type | None, signature: FuncType) -> Unavailable | None:
    """Why a function of these types cannot be one of that signature."""
    params: list[ValType] = []
    for each in parameters:
        types = lowered(each)
        if isinstance(types, Unavailable):
            return types
        params += types
    results: tuple[ValType, ...] = ()
    if result is not None:
        given = lowered(result)
        if isinstance(given, Unavailable):
            return given
        if len(given) != 1:
            return Unavailable("what it gives is returned by a hidden pointer, which needs memory of the guest's")
        results = given
    if (tuple(params), results) != (signature.params, signature.results):
        shown = f"({', '.join(map(str, signature.params))}) -> ({', '.join(map(str, signature.results))})"
        return Unavailable(f"its WebAssembly type {shown} is not what its types make of it")
    return None


def returned(type_: Type | None, results: tuple[WasmNumber, ...], machine: Machine) -> TypedValue:
    """What a function gave, as its type has it."""
    if type_ is None:
        return TypedValue(None, Known(b""), machine)
    if len(results) != 1:
        return unavailable(type_, f"the function gave {len(results)} values", machine)
    bits = results[0].bits
    if integral(type_) is not None or floating(type_) is not None:
        size = size_of(type_) or results[0].size
        encoded = encode(type_, decode(type_, bits))
        if isinstance(encoded, int):
            return TypedValue(type_, Known(encoded.to_bytes(size, "little")), machine)
    return unavailable(type_, "what it gave is not of its type", machine)


def parameter_types(callee: FunctionType | None, signature: FuncType) -> tuple[Type | None, ...]:
    """The types of a function's parameters, by its signature where nothing else is known."""
    if callee is not None:
        return tuple(map(loaded, callee.parameters))
    return tuple(map(WasmType, signature.params))
