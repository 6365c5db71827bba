"""Whether stderr is a terminal, and has colours."""

from __future__ import annotations

import os
import sys
from typing import Literal

from rich.console import Console

Color = Literal["auto", "always", "never"]


def stderr_console(color: Color) -> Console:
    """A console on stderr; `auto` colours a terminal, and whatever it is if `FORCE_COLOR` is set (force-color.org)."""
    colored = color == "always" or (color == "auto" and (stderr_is_terminal() or bool(os.environ.get("FORCE_COLOR"))))
    return Console(
        stderr=True,
        force_terminal=colored or stderr_is_terminal(),
        no_color=True if color == "never" else None,
        color_system="auto" if colored else None,
        soft_wrap=True,
        highlight=False,
        markup=False,
        emoji=False,
    )


def stderr_is_terminal() -> bool:
    """Whether somebody looks: what moves is for them only, whatever the environment says of colours."""
    return sys.stderr.isatty()
