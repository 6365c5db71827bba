"""The primitive values in their shortest binary form (Wasm spec 5.2): the counterpart of `reader`."""

from __future__ import annotations

from collections.abc import Sequence


def unsigned(value: int) -> bytes:
    """An unsigned LEB128 integer."""
    if value <= 0x7F:
        return bytes((value,))
    encoding = bytearray()
    while value > 0x7F:
        encoding.append(value & 0x7F | 0x80)
        value >>= 7
    encoding.append(value)
    return bytes(encoding)


def signed(value: int) -> bytes:
    """A signed LEB128 integer."""
    encoding = bytearray()
    while not -0x40 <= value < 0x40:
        encoding.append(value & 0x7F | 0x80)
        value >>= 7
    encoding.append(value & 0x7F)
    return bytes(encoding)


def sized(content: bytes) -> bytes:
    """Bytes with their number in front."""
    return unsigned(len(content)) + content


def name(text: str) -> bytes:
    """A name (Wasm spec 5.2.4)."""
    return sized(text.encode())


def vector(items: Sequence[bytes]) -> bytes:
    """Items with their number in front (Wasm spec 5.1.3)."""
    return unsigned(len(items)) + b"".join(items)
