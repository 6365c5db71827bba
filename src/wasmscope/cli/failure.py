"""Errors for the user: what is wrong, where, and what to do about it; and the exit statuses.

The statuses are those of `wasmtime run` (49.0), where it has one for the case.
"""

from __future__ import annotations

import sys
from typing import IO, Any

import click

FAILED = 1
"""The guest could not be run, or ended by an error that is no trap."""

INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT, as shells have it."""

TRAPPED = 134
"""The guest trapped, ran out of fuel or of time: 128 + SIGABRT."""


class Failure(click.ClickException):
    """Something that keeps a command from doing its work; `hint` says what to do."""

    exit_code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr."""
        complain("error", self.message)
        if self.hint:
            complain("hint", self.hint)


def complain(kind: str, message: str) -> None:
    """Write a message for the user to stderr; its further lines are indented."""
    click.echo(f"{kind}: " + message.strip().replace("\n", "\n  "), file=sys.stderr)
