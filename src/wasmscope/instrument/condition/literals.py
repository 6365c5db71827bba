"""Numbers, characters and names as a condition spells them; floats are rounded once, from the exact number."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from fractions import Fraction

from wasmscope.errors import ConditionError
from wasmscope.instrument.condition.syntax import Float, Integer

MAX_NUMBER = 500
"""Characters of a number; more say nothing more about 64 bits."""

_INTEGER = re.compile(r"0[xX](?P<hex>[0-9a-fA-F_]+)|0[oO](?P<oct>[0-7_]+)|0[bB](?P<bin>[01_]+)|(?P<dec>[0-9][0-9_]*)")
_DECIMAL_FLOAT = re.compile(r"(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?")
_HEX_FLOAT = re.compile(
    r"(0[xX])(?P<whole>[0-9a-fA-F_]*)\.?(?P<fraction>[0-9a-fA-F_]*)(?:[pP](?P<exponent>[+-]?[0-9][0-9_]*))?"
)
_BASES = {"hex": 16, "oct": 8, "bin": 2, "dec": 10}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(r"\\(?:([ntr0\\'\"])|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\})")
_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*(?:\.[\w$]+)*")


def number(text: str, column: int) -> Integer | Float:
    """The number spelled `text`; `ConditionError` if that is none, or an integer of more than 64 bits."""
    if len(text) > MAX_NUMBER:
        raise ConditionError(f"a number of more than {MAX_NUMBER} characters", column)
    if integer := _INTEGER.fullmatch(text):
        return _integer(integer, column)
    digits = text.replace("_", "")
    if _DECIMAL_FLOAT.fullmatch(text):
        return _float(float(digits), Fraction, digits, column)
    hexadecimal = _HEX_FLOAT.fullmatch(text)
    if hexadecimal and (hexadecimal["whole"] + hexadecimal["fraction"]).strip("_"):
        try:
            return _float(float.fromhex(digits), _exact_hex, digits, column)
        except OverflowError:
            return special_float(math.inf, column)
    raise ConditionError(f"{text!r} is no number", column)


def _integer(match: re.Match[str], column: int) -> Integer:
    base = match.lastgroup
    assert base is not None
    digits = match[base].replace("_", "")
    if not digits:
        raise ConditionError(f"{match[0]!r} is no number", column)
    if base == "dec" and len(digits) > 1 and digits[0] == "0":
        raise ConditionError(f"an octal number is written 0o{digits.lstrip('0') or '0'}", column)
    value = int(digits, _BASES[base])
    if value >> 64:
        raise ConditionError(f"{match[0]} does not fit in 64 bits", column)
    return Integer(value, base == "dec", column)


def special_float(value: float, column: int) -> Float:
    """An infinity or a NaN."""
    return Float(value, value, column)


def _exact_hex(digits: str) -> Fraction:
    match = _HEX_FLOAT.fullmatch(digits)
    assert match is not None
    significand = int(match["whole"] + match["fraction"], 16)
    return significand * Fraction(2) ** (int(match["exponent"] or 0) - 4 * len(match["fraction"]))


def _float(f64: float, exactly: Callable[[str], Fraction], digits: str, column: int) -> Float:
    # The exact number is asked for only where it is neither huge nor tiny, so its exponent is small.
    if f64 == 0 or math.isinf(f64):
        return Float(f64, f64, column)
    return Float(f64, _nearest_f32(f64, exactly(digits)), column)


def _nearest_f32(f64: float, exact: Fraction) -> float:
    """`exact` rounded to f32. Rounding its `f64` once more is wrong where that lies halfway and the number does not."""
    if f64 == exact:
        return _to_f32(f64)
    nearby = {_to_f32(number) for number in (math.nextafter(f64, -math.inf), f64, math.nextafter(f64, math.inf))}
    # Beyond the largest number the next one would be 2 ** 128, which is infinity instead.
    distances = {candidate: abs(Fraction(min(candidate, 2.0**128)) - exact) for candidate in nearby}
    return min(distances, key=distances.__getitem__)


def _to_f32(number: float) -> float:
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return rounded


def unescape(content: str, column: int) -> str:
    """What is between quotes, with its escapes replaced; `column` is that of its first character."""
    characters, position = [], 0
    while position < len(content):
        if content[position] != "\\":
            characters.append(content[position])
            position += 1
            continue
        escape = _ESCAPE.match(content, position)
        code = int(escape[2] or escape[3] or "0", 16) if escape else 0
        if escape is None or code > 0x10FFFF:
            raise ConditionError(
                "no such escape; there are \\n \\t \\r \\0 \\\\ \\' \\\" \\x41 \\u{1f41b}", column + position
            )
        characters.append(_ESCAPES[escape[1]] if escape[1] else chr(code))
        position = escape.end()
    return "".join(characters)


def spelled(name: str) -> str:
    """A name of the name section as it is written behind `$` or `local.`."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    quoted = (f"\\{c}" if c in '\\"' else c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in name)
    return f'"{"".join(quoted)}"'
