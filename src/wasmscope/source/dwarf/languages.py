"""Languages by their codes (DWARF 5, 7.12, and the codes given out since), and how they join names."""

from __future__ import annotations

from collections.abc import Mapping

from wasmscope.source.model import Language

_CODES: Mapping[Language, tuple[int, ...]] = {
    Language.C: (0x01, 0x02, 0x0C, 0x1D, 0x2C, 0x3E),
    Language.CPP: (0x04, 0x19, 0x1A, 0x21, 0x2A, 0x2B, 0x3A),
    Language.OBJECTIVE_C: (0x10, 0x11),
    Language.RUST: (0x1C, 0x9000),
    Language.ZIG: (0x27,),
    Language.GO: (0x16,),
    Language.SWIFT: (0x1E,),
    Language.D: (0x13,),
    Language.FORTRAN: (0x07, 0x08, 0x0E, 0x22, 0x23, 0x2D),
    Language.ASSEMBLER: (0x31, 0x8001),
}
_BY_CODE = {code: language for language, codes in _CODES.items() for code in codes}

_DOTTED = (Language.ZIG, Language.GO, Language.SWIFT, Language.D)


def language_of(code: int, producer: str) -> Language:
    """The language of a unit: what it says, and for old Zig, which says C99, what made it."""
    if producer.startswith("zig "):
        return Language.ZIG
    return _BY_CODE.get(code, Language.UNKNOWN)


def separator(language: Language) -> str:
    """What is between a namespace and a name."""
    return "." if language in _DOTTED else "::"
