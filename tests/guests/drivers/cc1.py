"""GCC's C compiler for AVR: 21.7 MB of code."""

from __future__ import annotations

from guests.wasi import Api, Outcome, run_command
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Compile `programs/large.c` to assembly on stdout."""
    return run_command(api, guest("cc1"), ["cc1", "-quiet", "-O2", "/large.c", "-o", "-"], folder=PROGRAMS)
