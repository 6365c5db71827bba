"""What is known not to pass, from `known.toml`, each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spec.runner import Result

FILE = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True)
class Known:
    """Commands of a script, or with no lines all of it, that do not pass on a backend."""

    script: str
    lines: tuple[int, ...]
    reason: str

    def covers(self, result: Result) -> bool:
        """Tell whether the result is one of these commands."""
        return result.script == self.script and (not self.lines or result.line in self.lines)


def load(backend: str) -> tuple[Known, ...]:
    """Read the entries of a backend; what fails on the plain engine fails on wasmscope too."""
    tables = tomllib.loads(FILE.read_text())
    sections = ("plain",) if backend == "plain" else ("plain", "wasmscope")
    return tuple(
        Known(entry["script"], tuple(entry.get("lines", ())), entry["reason"])
        for section in sections
        for entry in tables.get(section, ())
    )


def reason_for(result: Result, known: Iterable[Known]) -> str | None:
    """Return why a result is known not to pass."""
    return next((entry.reason for entry in known if entry.covers(result)), None)
