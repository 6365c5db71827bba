"""Values in both directions between Python and `wasmtime_val_t`, and the references behind them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref
from typing import Any, TypeAlias

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import _value
from wasmtime._ffi import wasmtime_val_t
from wasmtime._store import Storelike

from wasmscope.runtime.val import AnyRef, ArrayRef, ExnRef, HostRef, I31Ref, Kind, StructRef, Val, adopt

#: a `wasmtime_val_t`, whose integer fields the bindings annotate as ctypes objects
RawVal: TypeAlias = Any


#: Plain integers: members of an enumeration take longer to look up and to compare.
_I32, _I64, _EXTERNREF = int(Kind.I32), int(Kind.I64), int(Kind.EXTERNREF)


def func_class() -> type[wasmtime.Func]:
    """The class of functions that come out of a guest: calling one has to be noticed."""
    from wasmscope.runtime.func import Func  # it is made of this package

    return Func


def value_from_raw(store: Storelike, raw: RawVal, *, owned: bool) -> Val:
    """Read a value; an `owned` one is used up, whatever it rooted is either kept by the result or let go."""
    kind = Kind(raw.kind)
    if kind <= Kind.V128:
        return _number_from_raw(kind, raw)
    try:
        if kind is Kind.FUNCREF:
            # copied, because a field read is a view of `raw`, which may be used again
            func = ffi.wasmtime_func_t.from_buffer_copy(raw.of.funcref)
            return Val(kind, func_class()._from_raw(func) if func.store_id else None)
        if kind is Kind.EXTERNREF:
            return Val(kind, _extern_value(store, raw.of.externref))
        if kind is Kind.ANYREF:
            return Val(kind, _any_value(store, raw))
        return Val(kind, ExnRef.of(Root(store, raw)) if raw.of.exnref.store_id else None)
    finally:
        if owned:
            ffi.wasmtime_val_unroot(byref(raw))


def plain_from_raw(store: Storelike, raw: RawVal) -> Any:
    """The bare value of a `wasmtime_val_t` that stays the caller's: what host functions are called with."""
    kind = raw.kind
    if kind == _I32:
        return raw.of.i32
    if kind == _I64:
        return raw.of.i64
    if kind == _EXTERNREF:
        return _extern_value(store, raw.of.externref)
    return value_from_raw(store, raw, owned=False).value


def as_val(store: Storelike, kind: Kind, value: Any) -> Val:
    """What a host function returned for a result of this kind, as the guest gets it. TypeError where it is no such."""
    return value_from_raw(store, value_to_raw(store, kind, value), owned=True)


def _number_from_raw(kind: Kind, raw: RawVal) -> Val:
    of = raw.of
    if kind is Kind.I32:
        return Val(kind, of.i32)
    if kind is Kind.I64:
        return Val(kind, of.i64)
    if kind is Kind.V128:
        return Val(kind, bytes(of.v128))
    # Read as integers: ctypes would turn an f32 into a double, which makes a signalling NaN quiet.
    return Val.from_bits(kind, of.i32 & 0xFFFF_FFFF if kind is Kind.F32 else of.i64 & 0xFFFF_FFFF_FFFF_FFFF)


def _extern_value(store: Storelike, externref: Any) -> Any:
    if not externref.store_id:
        return None
    data = ffi.wasmtime_externref_data(store._context(), byref(externref))
    if data:
        return _value._unintern(data)  # type: ignore[arg-type]  # a void pointer, which ctypes gives as an int
    # No object of the host's but a reference of the `any` hierarchy, which `extern.convert_any` brought here.
    return value_from_raw(store, _internalize(store, externref), owned=True).value


def _any_value(store: Storelike, raw: RawVal) -> AnyRef | None:
    context, anyref = store._context(), byref(raw.of.anyref)
    if not raw.of.anyref.store_id:
        return None
    integer = ctypes.c_int32()
    if ffi.wasmtime_anyref_i31_get_s(context, anyref, byref(integer)):
        return I31Ref(integer.value)
    root = Root(store, raw)
    if ffi.wasmtime_anyref_is_struct(context, anyref):
        return StructRef(root)
    if ffi.wasmtime_anyref_is_array(context, anyref):
        return ArrayRef(root)
    externref = root.to_externref()
    try:
        return HostRef(root, _extern_value(store, externref))
    finally:
        ffi.wasmtime_externref_unroot(byref(externref))


def value_to_raw(store: Storelike, kind: Kind, value: Any) -> RawVal:
    """Make the engine's form of `value`, a `Val` or what wasmtime takes for one; the caller unroots it (`unroot`)."""
    bits = None
    if isinstance(value, wasmtime.Val):
        value = adopt(value)
        if value.kind is not kind:
            raise TypeError("wrong type of `Val` provided")
        bits, value = value.bits, value.value
    if kind <= Kind.V128 and isinstance(value, wasmtime.Func):
        kind = Kind.FUNCREF  # what does not fit then is for the engine to say, as with wasmtime-py
    raw: RawVal = wasmtime_val_t(kind=kind)
    if kind <= Kind.V128:
        _number_to_raw(raw, kind, value, bits)
    else:
        _reference_to_raw(store, raw, kind, value)
    return raw


def _number_to_raw(raw: RawVal, kind: Kind, value: Any, bits: int | None) -> None:
    match kind, value:
        case Kind.F32 | Kind.F64, float() if bits is not None:
            raw.of.i64 = bits
        case Kind.I32, int():
            raw.of.i32 = value
        case Kind.I64, int():
            raw.of.i64 = value
        case Kind.F32, float():
            raw.of.f32 = value
        case Kind.F64, float():
            raw.of.f64 = value
        case Kind.V128, bytes() if len(value) == 16:
            raw.of.v128[:] = value
        case _:
            raise TypeError(f"don't know how to convert {value!r} to {kind}")


def _reference_to_raw(store: Storelike, raw: RawVal, kind: Kind, value: Any) -> None:
    match kind, value:
        case _, None:
            pass  # all zero is the null reference of every kind
        case Kind.FUNCREF, wasmtime.Func():
            if value._func.store_id != store_id(store):
                raise ValueError("the function belongs to another store")  # the engine would abort the process
            raw.of.funcref = value._func
        case Kind.ANYREF | Kind.EXTERNREF, I31Ref():
            _i31_root(store, value.unsigned).copy_to(store, raw)
        case (Kind.ANYREF | Kind.EXTERNREF, AnyRef()) | (Kind.EXNREF, ExnRef()):
            value._root.copy_to(store, raw)
        case Kind.EXTERNREF, _:
            raw.of.externref = _new_externref(store, value)
        case _:
            raise TypeError(f"don't know how to convert {value!r} to {kind}")


def _new_externref(store: Storelike, value: Any) -> ffi.wasmtime_externref_t:
    externref, handle = ffi.wasmtime_externref_t(), _value._intern(value)
    if not ffi.wasmtime_externref_new(store._context(), handle, _value._externref_finalizer, byref(externref)):
        raise wasmtime.WasmtimeError("failed to create an externref value")
    return externref


def new_host_ref(store: Storelike, value: object) -> HostRef:
    """Bring a Python object into the `any` hierarchy, as `any.convert_extern` does."""
    raw = value_to_raw(store, Kind.EXTERNREF, value)
    any_raw = _internalize(store, raw.of.externref)
    unroot(raw)
    ref: HostRef = value_from_raw(store, any_raw, owned=True).value
    return ref


def _internalize(store: Storelike, externref: Any) -> RawVal:
    # Only the type changes, so the raw reference is the same.
    raw: RawVal = wasmtime_val_t(kind=Kind.ANYREF)
    bits = ffi.wasmtime_externref_to_raw(store._context(), byref(externref))
    ffi.wasmtime_anyref_from_raw(store._context(), bits, byref(raw.of.anyref))
    return raw


def _i31_root(store: Storelike, value: int) -> Root:
    raw = wasmtime_val_t(kind=Kind.ANYREF)
    ffi.wasmtime_anyref_from_i31(store._context(), value, byref(raw.of.anyref))
    root = Root(store, raw)
    unroot(raw)
    return root


def store_id(store: Storelike) -> int:
    """The engine's number of a store, which its entities carry: it aborts the process for one of another store."""
    return _i31_root(store, 0).store_id


def unroot(raw: RawVal) -> None:
    """Let go of what `raw` refers to; it is not to be used again."""
    ffi.wasmtime_val_unroot(byref(raw))


class Root:
    """Keeps one object of the guest's heap alive, and reads it."""

    __slots__ = ("_raw", "_store")

    def __init__(self, store: Storelike, raw: RawVal) -> None:
        """Root what `raw` refers to once more; `raw` stays the caller's."""
        self._store = store
        self._raw: RawVal = wasmtime_val_t()
        ffi.wasmtime_val_clone(byref(raw), byref(self._raw))

    def __del__(self, unroot: Callable[[Any], None] = ffi.wasmtime_val_unroot) -> None:
        # Needs no store and may run on any thread: a root counts its owners by itself (Rust `OwnedRooted`).
        unroot(byref(self._raw))

    @property
    def store_id(self) -> int:
        """Return the engine's number of the store."""
        return int(self._raw.of.anyref.store_id)

    def is_in(self, store: Storelike) -> bool:
        """Tell whether the object belongs to this store."""
        return _address(store) == _address(self._store)

    def copy_to(self, store: Storelike, raw: RawVal) -> None:
        """Root the object once more in `raw`, an anyref, an exnref or, converted, an externref."""
        if not self.is_in(store):
            raise ValueError("the reference belongs to another store")
        if raw.kind == Kind.EXTERNREF and self._raw.kind == Kind.ANYREF:
            raw.of.externref = self.to_externref()
        else:
            ffi.wasmtime_val_clone(byref(self._raw), byref(raw))

    def to_externref(self) -> ffi.wasmtime_externref_t:
        """Convert as `extern.convert_any` does; the caller unroots the result."""
        context, externref = self._store._context(), ffi.wasmtime_externref_t()
        bits = ffi.wasmtime_anyref_to_raw(context, byref(self._raw.of.anyref))
        ffi.wasmtime_externref_from_raw(context, bits, byref(externref))
        return externref

    def is_same(self, other: Root) -> bool:
        """Tell whether both refer to one object."""
        return _address(self._store) == _address(other._store) and self._bits() == other._bits()

    def _bits(self) -> int:
        context = self._store._context()
        if self._raw.kind == Kind.EXNREF:
            return ffi.wasmtime_exnref_to_raw(context, byref(self._raw.of.exnref))
        return ffi.wasmtime_anyref_to_raw(context, byref(self._raw.of.anyref))

    def struct_len(self) -> int:
        """Return how many fields a struct has."""
        context = self._store._context()
        struct = ffi.wasmtime_structref_t()
        ffi.wasmtime_anyref_as_struct(context, byref(self._raw.of.anyref), byref(struct))
        struct_type = ffi.wasmtime_structref_type(context, byref(struct))
        length = ffi.wasmtime_struct_type_num_fields(struct_type)
        ffi.wasmtime_struct_type_delete(struct_type)
        ffi.wasmtime_structref_unroot(byref(struct))
        return length

    def struct_field(self, index: int) -> Val:
        """Return a field of a struct."""
        context, out = self._store._context(), wasmtime_val_t()
        struct = ffi.wasmtime_structref_t()
        ffi.wasmtime_anyref_as_struct(context, byref(self._raw.of.anyref), byref(struct))
        error = ffi.wasmtime_structref_field(context, byref(struct), index, byref(out))
        ffi.wasmtime_structref_unroot(byref(struct))
        return self._read(error, out)

    def array_len(self) -> int:
        """Return how many elements an array has."""
        context, length = self._store._context(), ctypes.c_uint32()
        array = ffi.wasmtime_arrayref_t()
        ffi.wasmtime_anyref_as_array(context, byref(self._raw.of.anyref), byref(array))
        error = ffi.wasmtime_arrayref_len(context, byref(array), byref(length))
        ffi.wasmtime_arrayref_unroot(byref(array))
        check(error)
        return length.value

    def array_element(self, index: int) -> Val:
        """Return an element of an array."""
        context, out = self._store._context(), wasmtime_val_t()
        array = ffi.wasmtime_arrayref_t()
        ffi.wasmtime_anyref_as_array(context, byref(self._raw.of.anyref), byref(array))
        error = ffi.wasmtime_arrayref_get(context, byref(array), index, byref(out))
        ffi.wasmtime_arrayref_unroot(byref(array))
        return self._read(error, out)

    def exn_tag(self) -> wasmtime.Tag:
        """Return the tag of an exception."""
        tag = ffi.wasmtime_tag_t()
        check(ffi.wasmtime_exnref_tag(self._store._context(), byref(self._raw.of.exnref), byref(tag)))
        return wasmtime.Tag._from_raw(tag)

    def exn_len(self) -> int:
        """Return how many values an exception carries."""
        return ffi.wasmtime_exnref_field_count(self._store._context(), byref(self._raw.of.exnref))

    def exn_field(self, index: int) -> Val:
        """Return one of the values an exception carries."""
        out = wasmtime_val_t()
        error = ffi.wasmtime_exnref_field(self._store._context(), byref(self._raw.of.exnref), index, byref(out))
        return self._read(error, out)

    def _read(self, error: Any, out: RawVal) -> Val:
        check(error)
        return value_from_raw(self._store, out, owned=True)


def _address(store: Storelike) -> int:
    """Return what tells open stores apart, whether seen through a `Store` or a `Caller`."""
    return ctypes.addressof(store._context().contents)


def check(error: Any) -> None:
    """Raise what a `wasmtime_error_t *` says, if it is one."""
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
