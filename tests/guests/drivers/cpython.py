"""CPython 3.11 and 3.12: interpreters of 5-6 MB of code, run on a script that ends with an exit code."""

from __future__ import annotations

from guests.wasi import Api, Outcome, run_command
from support.guests import guest

from . import PROGRAMS


def run(api: Api, version: str = "3.11") -> Outcome:
    """Interpret `programs/script.py`."""
    source = (PROGRAMS / "script.py").read_text()
    return run_command(api, guest(f"cpython-{version}"), ["python", "-c", source])
