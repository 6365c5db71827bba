"""C++ and Rust names as people write them: `_ZN3foo3barEv` -> `foo::bar()` (Itanium C++ ABI 5.1; Rust RFC 2603).

The `demangle` package does it in plain Python with bounds on depth and output, so that no name can exhaust the stack or
memory of the process; what it cannot read stays as it is.
"""

from __future__ import annotations

import re

import demangle

LONGEST = 4096
"""Longer mangled names stay as they are, and what a name comes to is bounded by this too."""

_LIMITS = demangle.Limits(max_depth=128, max_output=4 * LONGEST, max_substitutions=LONGEST, max_input=LONGEST)
_SCHEMES = ("itanium", "rust")

_MANGLED = re.compile(r"_{1,4}[ZR]")


def demangled(name: str) -> str:
    """The name in the source, with the types of parameters where it has them; `name` itself where it is not mangled."""
    if len(name) > LONGEST or not _MANGLED.match(name):
        return name
    return demangle.demangle(name, language=_SCHEMES, limits=_LIMITS)


def without_arguments(name: str) -> str:
    """A readable name without parameters and template arguments: `a::b<c>::d(e)` -> `a::b::d`.

    Names of operators and of what is in something without a name come back unchanged.
    """
    if "operator" in name or "(anonymous" in name:
        return name
    depth = 0
    kept: list[str] = []
    for character in name:
        if character == "(" and depth == 0 and kept:
            break
        if character == "<":
            depth += 1
        elif character == ">":
            depth -= 1
        elif depth == 0:
            kept.append(character)
    # A function template's name has the type of its result in front.
    return "".join(kept).rpartition(" ")[2].replace("::::", "::").strip(":") if depth == 0 else name


def is_called(readable: str, name: str) -> bool:
    """Whether `name` is that readable name: all of it, without arguments, or the last parts of that."""
    if name in (readable, without_arguments(readable)):
        return True
    return bool(name) and without_arguments(readable).endswith(f"::{name}")
