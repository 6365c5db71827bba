"""Floats for people, beside their exact form in hexadecimal."""

from __future__ import annotations

import math
import struct

_LAYOUTS = {4: "<f", 8: "<d"}


def decimal(encoding: bytes) -> str:
    """The shortest decimal number that is read as the float with these little-endian bytes: `0.1`, `inf`, `nan`."""
    (value,) = struct.unpack(_LAYOUTS[len(encoding)], encoding)
    if len(encoding) == 8 or not math.isfinite(value):
        return repr(value)
    # As many digits as it takes for it to be the same float32 again; 9 always do.
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    return repr(float(next(text for text in texts if _float32(text) == encoding)))


def _float32(text: str) -> bytes | None:
    try:
        return struct.pack("<f", float(text))
    except OverflowError:  # the largest ones, rounded up
        return None
