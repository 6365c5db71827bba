"""Text of the guest's with nothing in it that a terminal would obey: quoted, with escapes, cut where it is long."""

from __future__ import annotations

_SHORT = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 27: "\\033", 92: "\\\\"}


def character(code: int, quote: str = "'") -> str:
    """A code point as it stands between quotes."""
    if code in _SHORT:
        return _SHORT[code]
    if code == ord(quote):
        return f"\\{quote}"
    if 0 <= code < 128:
        return chr(code) if 32 <= code < 127 else f"\\{code:03o}"
    if code > 0x10FFFF or code < 0:
        return f"\\x{{{code & 0xFFFFFFFF:x}}}"
    text = chr(code)
    return text if text.isprintable() else f"\\u{{{code:x}}}"


def quoted(data: bytes, width: int = 1, *, is_cut: bool = False) -> str:
    """Code units of `width` bytes in double quotes; those of one byte are UTF-8, and octal where they are not.

    `is_cut`: there is more of it.
    """
    if width == 1:
        pieces = [_utf8_character(text) for text in data.decode("utf-8", errors="surrogateescape")]
    elif width == 2:
        text = data[: len(data) // 2 * 2].decode("utf-16-le", errors="surrogatepass")
        pieces = [character(ord(each), '"') for each in text]
    else:
        units = (int.from_bytes(data[i : i + width], "little") for i in range(0, len(data) // width * width, width))
        pieces = [character(unit, '"') for unit in units]
    return f'"{"".join(pieces)}"{"..." if is_cut else ""}'


def _utf8_character(text: str) -> str:
    code = ord(text)
    return f"\\{code - 0xDC00:03o}" if 0xDC80 <= code <= 0xDCFF else character(code, '"')


def printable(text: str, longest: int = 200) -> str:
    """A name or a reason in one line, cut where it is long."""
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return "".join(each if each.isprintable() else f"\\u{{{ord(each):x}}}" for each in text)
