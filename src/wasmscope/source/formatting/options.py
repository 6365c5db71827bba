"""How a value is written, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from wasmscope.source.model import Language

LETTERS = "xduotzcfsa"
"""Hexadecimal, signed, unsigned, octal, binary, hexadecimal with leading zeros, character, float, string, address."""


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """`letter` is one of `LETTERS`, as in `p/x`. Without `is_raw`, strings and containers are taken for what they mean.

    The limits: elements of one array or container, characters of one string, structures in structures, values of all.
    """

    language: Language = Language.C
    letter: str | None = None
    is_multi_line: bool = False
    is_raw: bool = False
    max_elements: int = 200
    max_characters: int = 200
    max_depth: int = 20
    max_values: int = 2_000
