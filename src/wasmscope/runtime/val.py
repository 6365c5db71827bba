"""WebAssembly values as Python sees them (Wasm 3.0 spec, section 4.2.1).

wasmtime's own `Val` knows six types; this one knows all that the engine has, and keeps the exact bits of floats: a
NaN's payload does not survive a conversion to a Python float.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import wasmtime

from wasmscope.wasm import types

if TYPE_CHECKING:
    from wasmscope.runtime.capi import Root


class Kind(IntEnum):
    """What a value is made of, numbered as in `wasmtime/val.h`; of a reference, the top of its hierarchy."""

    I32 = 0
    I64 = 1
    F32 = 2
    F64 = 3
    V128 = 4
    FUNCREF = 5
    EXTERNREF = 6
    ANYREF = 7
    EXNREF = 8

    @classmethod
    def of(cls, valtype: types.ValType) -> Kind:
        """Return the kind of a type that does not refer to a module's own types."""
        if not valtype.is_ref:
            return cls[valtype.name.upper()]
        if isinstance(valtype.heap, int):
            raise TypeError(f"the kind of {valtype} is known to its module only")
        return _HEAP_TOPS.get(str(valtype.heap), cls.ANYREF)

    def __str__(self) -> str:
        return self.name.lower()


#: the abstract heap types that are not of the `any` hierarchy (spec, section 3.3.3)
_HEAP_TOPS = {
    "func": Kind.FUNCREF,
    "nofunc": Kind.FUNCREF,
    "extern": Kind.EXTERNREF,
    "noextern": Kind.EXTERNREF,
    "exn": Kind.EXNREF,
    "noexn": Kind.EXNREF,
}

_T = TypeVar("_T")

ValType: TypeAlias = wasmtime.ValType | types.ValType

#: looking up a member of an enumeration takes longer than all that is done with it
_I32, _I64 = Kind.I32, Kind.I64

_FLOATS = {Kind.F32: ("<I", "<f"), Kind.F64: ("<Q", "<d")}
_INTEGER_BITS = {Kind.I32: 32, Kind.I64: 64}


class Val(wasmtime.Val):
    """One WebAssembly value with its type.

    Two values are equal when their kinds and their bits are (so a NaN equals itself and 0.0 is not -0.0); compared
    with anything that is no `Val`, it is `value` that counts.
    """

    _kind: Kind  # type: ignore[assignment]  # wasmtime keeps a ctypes integer, which never compares equal
    __hash__ = None  # type: ignore[assignment]  # as wasmtime's: references have no stable hash

    def __init__(self, kind: Kind, val: Any, bits: int | None = None) -> None:
        self._kind = kind
        self._val = val
        self._float_bits = bits

    @classmethod
    def i32(cls, val: int) -> Val:
        """Make an i32, wrapping `val` to 32 bits."""
        return cls(Kind.I32, ctypes.c_int32(_require(val, int, "an integer")).value)

    @classmethod
    def i64(cls, val: int) -> Val:
        """Make an i64, wrapping `val` to 64 bits."""
        return cls(Kind.I64, ctypes.c_int64(_require(val, int, "an integer")).value)

    @classmethod
    def f32(cls, val: float) -> Val:
        """Make an f32 of the nearest value; see `from_bits` for an exact NaN."""
        rounded = ctypes.c_float(_require(val, float, "a float"))
        return cls.from_bits(Kind.F32, int.from_bytes(bytes(rounded), "little"))

    @classmethod
    def f64(cls, val: float) -> Val:
        """Make an f64."""
        return cls.from_bits(Kind.F64, int.from_bytes(struct.pack("<d", _require(val, float, "a float")), "little"))

    @classmethod
    def v128(cls, val: bytes) -> Val:
        """Make a v128 of its 16 bytes, the least significant first."""
        if len(_require(val, bytes, "bytes")) != 16:
            raise ValueError(f"a v128 has 16 bytes, not {len(val)}")
        return cls(Kind.V128, val)

    @classmethod
    def externref(cls, extern: Any) -> Val:
        """Make a reference to any Python object; None is the null reference."""
        return cls(Kind.EXTERNREF, extern)

    @classmethod
    def funcref(cls, f: wasmtime.Func | None) -> Val:
        """Make a reference to a function; None is the null reference."""
        return cls(Kind.FUNCREF, f)

    @classmethod
    def anyref(cls, ref: AnyRef | None) -> Val:
        """Make a reference of the `any` hierarchy; None is the null reference."""
        return cls(Kind.ANYREF, ref)

    @classmethod
    def exnref(cls, exn: ExnRef | None) -> Val:
        """Make a reference to an exception; None is the null reference."""
        return cls(Kind.EXNREF, exn)

    @classmethod
    def ref_null(cls, ty: ValType) -> Val:
        """Make the null reference of a type."""
        return cls(Kind.of(ty), None) if isinstance(ty, types.ValType) else adopt(super().ref_null(ty))

    @classmethod
    def from_bits(cls, kind: Kind, bits: int) -> Val:
        """Make a number or a v128 of exactly these bits."""
        if kind is _I32:
            return cls(kind, ((bits & 0xFFFF_FFFF) ^ 0x8000_0000) - 0x8000_0000)
        if kind is _I64:
            return cls(kind, ((bits & 0xFFFF_FFFF_FFFF_FFFF) ^ (1 << 63)) - (1 << 63))
        if kind is Kind.V128:
            return cls(kind, bits.to_bytes(16, "little"))
        if kind not in _FLOATS:
            raise TypeError(f"a reference has no bits: {kind}")
        as_integer, as_float = _FLOATS[kind]
        return cls(kind, struct.unpack(as_float, struct.pack(as_integer, bits))[0], bits)

    @property
    def kind(self) -> Kind:
        """What the value is made of."""
        return self._kind

    @property
    def type(self) -> ValType:  # type: ignore[override]  # wasmtime's class has no word for the later types
        """The value's type: wasmtime's `ValType` for the six types it knows, else our own decoder's."""
        match self._kind:
            case Kind.V128:
                return types.V128
            case Kind.ANYREF:
                return types.ANYREF
            case Kind.EXNREF:
                return types.EXNREF
            case kind:
                known: wasmtime.ValType = getattr(wasmtime.ValType, str(kind))()
                return known

    @property
    def bits(self) -> int | None:
        """The value as an unsigned integer, exactly; None for a reference."""
        if self._float_bits is not None:
            return self._float_bits
        if self._kind in _INTEGER_BITS:
            return int(self._val) & ((1 << _INTEGER_BITS[self._kind]) - 1)
        return int.from_bytes(self._val, "little") if self._kind is Kind.V128 else None

    def as_i32(self) -> int | None:
        """Return the value of an i32, None of anything else."""
        return _value_of(self, Kind.I32, int)

    def as_i64(self) -> int | None:
        """Return the value of an i64, None of anything else."""
        return _value_of(self, Kind.I64, int)

    def as_f32(self) -> float | None:
        """Return the value of an f32, None of anything else."""
        return _value_of(self, Kind.F32, float)

    def as_f64(self) -> float | None:
        """Return the value of an f64, None of anything else."""
        return _value_of(self, Kind.F64, float)

    def as_v128(self) -> bytes | None:
        """Return the 16 bytes of a v128, None of anything else."""
        return _value_of(self, Kind.V128, bytes)

    def as_externref(self) -> Any:
        """Return the Python object of an externref, None of anything else."""
        return _value_of(self, Kind.EXTERNREF, object)

    def as_funcref(self) -> wasmtime.Func | None:
        """Return the function of a funcref, None of anything else."""
        return _value_of(self, Kind.FUNCREF, wasmtime.Func)

    def as_anyref(self) -> AnyRef | None:
        """Return the reference of an anyref, None of anything else."""
        return _value_of(self, Kind.ANYREF, AnyRef)

    def as_exnref(self) -> ExnRef | None:
        """Return the exception of an exnref, None of anything else."""
        return _value_of(self, Kind.EXNREF, ExnRef)

    def __eq__(self, rhs: object) -> bool:
        if not isinstance(rhs, wasmtime.Val):
            return bool(self._val == rhs)
        other = adopt(rhs)
        if self._kind is not other._kind:
            return False
        if self._kind is Kind.FUNCREF and None not in (self._val, other._val):
            return bytes(self._val._func) == bytes(other._val._func)
        return self.bits == other.bits if self._kind <= Kind.V128 else bool(self._val == other._val)

    def __repr__(self) -> str:
        if self._float_bits is not None and self._val != self._val:
            return f"Val.from_bits({self._kind}, {self.bits:#x})"
        return f"Val.{self._kind}({self._val!r})"


def _value_of(val: Val, kind: Kind, _: type[_T]) -> _T | None:
    value: _T | None = val.value if val.kind is kind else None
    return value


def adopt(val: wasmtime.Val) -> Val:
    """Return `val` as one of ours, whichever `Val` it is."""
    if isinstance(val, Val):
        return val
    # wasmtime keeps the kind as a ctypes integer in a value it was asked to make, as an int in one it read.
    kind: Any = val._kind
    kind = Kind(getattr(kind, "value", kind))
    make = {Kind.F32: Val.f32, Kind.F64: Val.f64}.get(kind)
    return make(val._val) if make else Val(kind, val._val)


def _require(value: Any, wanted: type, words: str) -> Any:
    if not isinstance(value, wanted):
        raise TypeError(f"expected {words}")
    return value


class AnyRef:
    """A reference of the `any` hierarchy (spec, section 2.3.4), alive for as long as this object is.

    Equality is identity in the guest, as `ref.eq` has it. Reading one after its store was closed is a ValueError.
    """

    __slots__ = ("_root",)
    __hash__ = None  # type: ignore[assignment]  # the collector may move what it refers to

    def __init__(self, root: Root) -> None:
        self._root = root

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyRef) and not isinstance(other, I31Ref) and self._root.is_same(other._root)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class I31Ref(AnyRef):
    """An unboxed integer of 31 bits; may be made, `I31Ref(5)`, and passed to a guest."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        #: as `i31.get_s` reads it
        self.value = ((value & 0x7FFF_FFFF) ^ 0x4000_0000) - 0x4000_0000

    @property
    def unsigned(self) -> int:
        """The value as `i31.get_u` reads it."""
        return self.value & 0x7FFF_FFFF

    def __eq__(self, other: object) -> bool:
        return isinstance(other, I31Ref) and self.value == other.value

    def __hash__(self) -> int:  # type: ignore[override]  # a plain number, unlike its relatives
        return hash(self.value)

    def __repr__(self) -> str:
        return f"I31Ref({self.value})"


class StructRef(AnyRef):
    """A reference to a struct."""

    __slots__ = ()

    def __len__(self) -> int:
        return self._root.struct_len()

    def field(self, index: int) -> Val:
        """Return a field; a packed one as an i32, zero-extended."""
        return self._root.struct_field(_checked(index, len(self), "field"))

    def fields(self) -> list[Val]:
        """Return all fields in order."""
        return [self._root.struct_field(i) for i in range(len(self))]


class ArrayRef(AnyRef):
    """A reference to an array."""

    __slots__ = ()

    def __len__(self) -> int:
        return self._root.array_len()

    def __getitem__(self, index: int) -> Val:
        """Return an element; a packed one as an i32, zero-extended."""
        return self._root.array_element(_checked(index, len(self), "element"))

    def __iter__(self) -> Iterator[Val]:
        return (self._root.array_element(i) for i in range(len(self)))


class HostRef(AnyRef):
    """A Python object that the guest brought into the `any` hierarchy (`any.convert_extern`)."""

    __slots__ = ("value",)

    def __init__(self, root: Root, value: Any) -> None:
        super().__init__(root)
        self.value = value

    def __repr__(self) -> str:
        return f"<HostRef {self.value!r}>"


class ExnRef:
    """A reference to an exception (spec, section 4.2.10), alive for as long as this object is."""

    __slots__ = ("_root",)
    _root: Root
    __hash__ = None  # type: ignore[assignment]  # the collector may move what it refers to

    def __init__(self, store: Any, tag: wasmtime.Tag, fields: Sequence[Any] = ()) -> None:
        """Make an exception with the values that `tag` takes, `Val` or what wasmtime takes for one.

        Raises `WasmtimeError` where their number or the values do not fit or the collector's heap is full, `TypeError`
        where a value is of the wrong type, `ValueError` where something belongs to another store.
        """
        from wasmscope.runtime.capi import new_exception

        self._root = new_exception(store, tag, fields)._root

    @classmethod
    def of(cls, root: Root) -> ExnRef:
        """The exception that `root` keeps alive."""
        exception = cls.__new__(cls)
        exception._root = root
        return exception

    def is_in(self, store: Any) -> bool:
        """Whether the exception belongs to this store."""
        return self._root.is_in(store)

    @property
    def tag(self) -> wasmtime.Tag:
        """The tag it was thrown with."""
        return self._root.exn_tag()

    def __len__(self) -> int:
        return self._root.exn_len()

    def field(self, index: int) -> Val:
        """Return one value of the payload."""
        return self._root.exn_field(_checked(index, len(self), "field"))

    def fields(self) -> list[Val]:
        """Return the payload."""
        return [self._root.exn_field(i) for i in range(len(self))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExnRef) and self._root.is_same(other._root)

    def __repr__(self) -> str:
        return "<ExnRef>"


def _checked(index: int, length: int, what: str) -> int:
    """Check `index`, because the engine only says in words what is wrong with it."""
    if not 0 <= index < length:
        raise IndexError(f"no {what} {index}: there are {length}")
    return index
