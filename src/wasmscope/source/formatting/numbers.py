"""Numbers in the notations of `p/x`, `/d`, `/u`, `/o`, `/t`, `/z`, `/c`, `/f`, `/a`, and as they are without any."""

from __future__ import annotations

from fractions import Fraction

from wasmscope.source.formatting.text import character
from wasmscope.source.model import Language
from wasmscope.source.types import BaseType, EnumType, Type, stripped
from wasmscope.source.values.floats import Real, decode_float, float_text
from wasmscope.source.values.scalars import Scalar, decode, floating, is_bool, is_character

_FLOAT_SIZES = (4, 8, 16)
_MOST_FLAGS = 64


def plain_number(type_: Type | None, number: Scalar, bits: int, bit_size: int, language: Language) -> str:
    """A number as its type has it: `true`, `97 'a'`, `RED`, `0x10`, `1.5`. `bits` are its bits."""
    inner = stripped(type_)
    if isinstance(number, complex):
        half = bit_size // 16
        return f"{float_text(number.real, half)} + {float_text(number.imag, half)}i"
    if isinstance(number, float | Fraction):
        return float_text(number, bit_size // 8, bits)
    if isinstance(inner, EnumType):
        return enumerator_text(inner, number, language)
    if is_bool(inner):
        return {0: "false", 1: "true"}.get(number, str(number))
    if is_character(inner):
        return _character(inner, number, language)
    return str(number)


def _character(type_: Type | None, number: int, language: Language) -> str:
    assert isinstance(type_, BaseType)
    # A char of C's is a small number as well; Zig has no characters; Rust's and the later ones of C++ are just that.
    code = number & ((1 << type_.size * 8) - 1)
    if language in (Language.RUST, Language.ZIG) and type_.size == 1:
        return str(number)
    text = f"\\{code:03o}" if type_.size == 1 and code >= 128 else character(code)
    if language is Language.RUST:
        return f"'{text}'"
    prefix = {2: "u", 4: "U"}.get(type_.size, "")
    return f"{number} {prefix}'{text}'"


def enumerator_text(type_: EnumType, number: int, language: Language) -> str:
    """The name of an enumerator; several as flags, `(A | B)`; what has no name as a number."""
    scope = f"{type_.qualified_name}::" if language is Language.RUST or type_.is_scoped else ""
    scope = "." if language is Language.ZIG else scope
    for enumerator in type_.enumerators:
        if enumerator.value == number:
            return enumerator.name if enumerator.name.startswith("error.") else f"{scope}{enumerator.name}"
    rest, names = number, []
    if number > 0 and _are_flags(type_):
        for enumerator in type_.enumerators:
            if enumerator.value and rest & enumerator.value == enumerator.value:
                names.append(f"{scope}{enumerator.name}")
                rest &= ~enumerator.value
                if len(names) == _MOST_FLAGS:
                    break
    if not names:
        return str(number)
    return f"({' | '.join([*names, *([f'unknown: {rest:#x}'] if rest else [])])})"


def _are_flags(type_: EnumType) -> bool:
    """As gdb decides: every enumerator is of one bit, or of bits that lie side by side, and none shares some."""
    seen = 0
    for enumerator in type_.enumerators:
        value = enumerator.value
        if value == 0:
            continue
        if value < 0 or seen & value:
            return False
        lowest = value & -value
        if (value // lowest) & (value // lowest + 1):
            return False
        seen |= value
    return True


def lettered_number(letter: str, type_: Type | None, bits: int, bit_size: int) -> str:
    """The bits of a number in the notation of `letter`, one of "xduotzcfa" (gdb manual, 10.5 Output Formats)."""
    signed = bits - (1 << bit_size) if bit_size and bits >> (bit_size - 1) else bits
    match letter:
        case "x" | "a":
            return f"{bits:#x}"
        case "z":
            return f"0x{bits:0{-(-bit_size // 4)}x}"
        case "d":
            return str(signed)
        case "u":
            return str(bits)
        case "o":
            return f"0{bits:o}" if bits else "0"
        case "t":
            return f"{bits:b}"
        case "c":
            low = bits & 0xFF
            number = low - 256 if low >= 128 and signed < 0 else low
            return f"{number} '{character(low) if low < 128 else f'{chr(92)}{low:03o}'}'"
        case "f":
            return _as_float(type_, bits, bit_size)
        case _:
            raise ValueError(f"no notation {letter!r}")


def _as_float(type_: Type | None, bits: int, bit_size: int) -> str:
    if (floats := floating(type_)) is not None:
        number = decode(type_, bits)
        assert not isinstance(number, complex)
        return float_text(number, floats.size, bits)
    if bit_size // 8 in _FLOAT_SIZES and bit_size % 8 == 0:
        real: Real = decode_float(bits, bit_size // 8)
        return float_text(real, bit_size // 8, bits)
    return str(bits)
