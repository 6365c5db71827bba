"""Types that are known without debug information, and types made of others."""

from __future__ import annotations

from wasmscope.source.types import ArrayType, BaseType, Encoding, PointerKind, PointerType, Type, TypeRef

_S, _U, _F = Encoding.SIGNED, Encoding.UNSIGNED, Encoding.FLOAT
_FIXED: dict[str, tuple[int, Encoding]] = {
    "bool": (1, Encoding.BOOLEAN), "_Bool": (1, Encoding.BOOLEAN), "char": (1, Encoding.SIGNED_CHAR),
    "signed char": (1, Encoding.SIGNED_CHAR), "unsigned char": (1, Encoding.UNSIGNED_CHAR), "wchar_t": (4, _S),
    "char8_t": (1, Encoding.UTF), "char16_t": (2, Encoding.UTF), "char32_t": (4, Encoding.UTF),
    "short": (2, _S), "unsigned short": (2, _U), "int": (4, _S), "unsigned int": (4, _U), "long long": (8, _S),
    "unsigned long long": (8, _U), "__int128": (16, _S), "unsigned __int128": (16, _U),
    "float": (4, _F), "double": (8, _F), "long double": (16, _F),
    "i8": (1, _S), "i16": (2, _S), "i32": (4, _S), "i64": (8, _S), "i128": (16, _S),
    "u8": (1, _U), "u16": (2, _U), "u32": (4, _U), "u64": (8, _U), "u128": (16, _U),
    "f32": (4, _F), "f64": (8, _F), "f128": (16, _F),
    "int8_t": (1, _S), "int16_t": (2, _S), "int32_t": (4, _S), "int64_t": (8, _S),
    "uint8_t": (1, _U), "uint16_t": (2, _U), "uint32_t": (4, _U), "uint64_t": (8, _U),
}  # fmt: skip
_POINTER_SIZED = {
    "long": _S, "unsigned long": _U, "isize": _S, "usize": _U, "size_t": _U, "ssize_t": _S, "ptrdiff_t": _S,
    "intptr_t": _S, "uintptr_t": _U,
}  # fmt: skip


def builtin_type(name: str, pointer_size: int) -> BaseType | None:
    """The type of that name on wasm32 (`pointer_size` 4) or wasm64 (8); None: there is none, or it is `void`."""
    name = _ordered(name)
    if name in _POINTER_SIZED:
        return BaseType(name, pointer_size, _POINTER_SIZED[name])
    if name not in _FIXED:
        return None
    size, encoding = _FIXED[name]
    return BaseType(name, size, encoding)


def _ordered(name: str) -> str:
    """C's words in one order: `unsigned long long int` is `unsigned long long` (C17 6.7.2)."""
    words = name.split(" ")
    if not set(words) <= {"signed", "unsigned", "char", "short", "int", "long", "double", "__int128"}:
        return name
    longs = words.count("long")
    sign = "unsigned" if "unsigned" in words else "signed" if "signed" in words else ""
    rest = [word for word in words if word in ("char", "short", "double", "__int128")]
    if rest == ["char"]:
        return f"{sign} char".strip()
    if rest == ["double"]:
        return "long double" if longs else "double"
    base = rest[0] if rest else " ".join(["long"] * min(longs, 2)) or "int"
    return f"unsigned {base}" if sign == "unsigned" else base


def ref_to(type_: Type) -> TypeRef:
    """A reference to a type that is at hand."""
    return TypeRef(0, lambda _: type_)


def pointer_to(type_: Type | None, size: int) -> PointerType:
    """A pointer to that type; None is `void`."""
    return PointerType("", size, None if type_ is None else ref_to(type_), PointerKind.POINTER)


def array_of(element: Type, count: int | None) -> ArrayType:
    """An array of that type."""
    return ArrayType("", None, ref_to(element), (count,), (0,))
