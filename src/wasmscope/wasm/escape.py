"""Text that a guest chose (names, messages, values), made safe to print."""

from __future__ import annotations

LONGEST = 200
"""Longer text is cut: a name may have 100,000 bytes."""


def escaped(text: str, longest: int = LONGEST) -> str:
    """`text` in one line without control characters, direction marks and the like; cut where it is too long."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return "".join(character if character.isprintable() else _code(character) for character in text)


def escaped_lines(text: str, longest: int = LONGEST, most: int = 20) -> str:
    """The same for a message that may have several lines."""
    lines = text.splitlines()
    cut = ["…"] if len(lines) > most else []
    return "\n".join([*(escaped(line, longest) for line in lines[:most]), *cut])


def _code(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{{{ord(character):x}}}")
