"""Numbers, characters and strings as an expression spells them."""

from __future__ import annotations

import re
from fractions import Fraction

from wasmscope.errors import ExpressionError
from wasmscope.source.expressions.syntax import Character, Integer, Real, Text

MAX_NUMBER = 500
"""Characters of a number."""
_MAX_EXPONENT = 6_000
"""Beyond the powers of ten of every float, large or small."""

_INTEGER_SUFFIXES = r"(?i:u|l|ll|ul|ull|lu|llu|z|uz|u8|u16|u32|u64|u128|usize|i8|i16|i32|i64|i128|isize)"
_INTEGER = re.compile(
    r"(?:0[xX](?P<hex>[0-9a-fA-F_']+?)|0[oO](?P<oct>[0-7_]+?)|0[bB](?P<bin>[01_']+?)|(?P<dec>[0-9][0-9_']*?))"
    rf"_?(?P<suffix>{_INTEGER_SUFFIXES})?"
)
_FLOAT = re.compile(
    r"(?P<digits>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE](?P<exponent>[+-]?[0-9]{1,6}))?)"
    r"_?(?P<suffix>(?i:f32|f64|f128|f|l))?"
)
_HEX_FLOAT = re.compile(
    r"0[xX](?P<whole>[0-9a-fA-F_]*)\.?(?P<fraction>[0-9a-fA-F_]*)[pP](?P<exponent>[+-]?[0-9]{1,6})(?P<suffix>(?i:f|l))?"
)
_BASES = {"hex": 16, "oct": 8, "bin": 2, "dec": 10}
_ESCAPES = {
    "n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27, "\\": 92, "'": 39, '"': 34, "?": 63,
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:([ntrabfve\\'\"?])|x([0-9a-fA-F]{1,2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))"
)


def number(text: str, column: int) -> Integer | Real:
    """The number spelled `text`. Raises `ExpressionError` if that is none, or an integer of more than 128 bits."""
    if len(text) > MAX_NUMBER:
        raise ExpressionError(f"a number of more than {MAX_NUMBER} characters", column)
    if match := _INTEGER.fullmatch(text):
        return _integer(match, column)
    if match := _FLOAT.fullmatch(text):
        if abs(int(match["exponent"] or 0)) > _MAX_EXPONENT:
            raise ExpressionError("the exponent is out of range", column)
        return Real(Fraction(match["digits"].replace("_", "")), (match["suffix"] or "").lower(), column)
    if (match := _HEX_FLOAT.fullmatch(text)) and (match["whole"] + match["fraction"]).strip("_"):
        exponent = int(match["exponent"])
        if abs(exponent) > 3 * _MAX_EXPONENT:
            raise ExpressionError("the exponent is out of range", column)
        digits, after = (match["whole"] + match["fraction"]).replace("_", ""), match["fraction"].replace("_", "")
        exact = int(digits, 16) * Fraction(2) ** (exponent - 4 * len(after))
        return Real(exact, (match["suffix"] or "").lower(), column)
    raise ExpressionError(f"{text!r} is no number", column)


def _integer(match: re.Match[str], column: int) -> Integer:
    base = next(name for name in _BASES if match[name] is not None)
    digits = re.sub("[_']", "", match[base])
    if base == "dec" and len(digits) > 1 and digits[0] == "0":
        base = "oct"  # C17 6.4.4.1
    try:
        value = int(digits, _BASES[base])
    except ValueError:
        raise ExpressionError(f"{match[0]!r} is no number", column) from None
    if value >> 128:
        raise ExpressionError(f"{match[0]} does not fit in 128 bits", column)
    return Integer(value, (match["suffix"] or "").lower(), base == "dec", column)


def character(text: str, column: int) -> Character:
    """A character literal with its quotes and its prefix. Raises `ExpressionError`."""
    prefix, _, content = text[:-1].partition("'")
    codes = _codes(content, column + len(prefix) + 1)
    if len(codes) != 1:
        raise ExpressionError("a character literal is one character", column)
    code, is_byte = codes[0]
    size = {"u": 2, "U": 4, "L": 4}.get(prefix, 1 if code < 128 or is_byte else 4)
    return Character(code, size, column)


def string(text: str, column: int) -> Text:
    """A string literal with its quotes and its prefix. Raises `ExpressionError`."""
    prefix, _, content = text[:-1].partition('"')
    if prefix not in ("", "u8", "b", "c"):
        raise ExpressionError("wide strings are not supported", column)
    codes = _codes(content, column + len(prefix) + 1)
    try:
        return Text(b"".join(bytes([code]) if is_byte else chr(code).encode() for code, is_byte in codes), column)
    except UnicodeEncodeError:
        raise ExpressionError("a surrogate is no character", column) from None


def _codes(content: str, column: int) -> list[tuple[int, bool]]:
    """The characters, each with whether it was given as a byte."""
    codes, position = [], 0
    while position < len(content):
        if content[position] != "\\":
            codes.append((ord(content[position]), False))
            position += 1
            continue
        escape = _ESCAPE.match(content, position)
        if escape is None:
            raise ExpressionError(f"no such escape: {content[position : position + 2]}", column + position)
        if escape[1]:
            codes.append((_ESCAPES[escape[1]], False))
        elif escape[2] or escape[6]:
            codes.append((int(escape[2], 16) if escape[2] else int(escape[6], 8) & 0xFF, True))
        else:
            code = int(escape[3] or escape[4] or escape[5], 16)
            if code > 0x10FFFF:
                raise ExpressionError("no such character", column + position)
            codes.append((code, False))
        position = escape.end()
    return codes
