"""resvg, a renderer of SVG in Rust: floating point, traits behind indirect calls, names in the binary."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from guests.wasi import Api, Outcome, run_command
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Render `programs/picture.svg`; the image's digest joins the output."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(PROGRAMS / "picture.svg", folder)
        outcome = run_command(
            api, guest("resvg"), ["resvg", "--zoom", "3", "/picture.svg", "/picture.png"], folder=folder
        )
        digest = hashlib.sha256((folder / "picture.png").read_bytes()).hexdigest()
    return Outcome(outcome.stdout + digest, outcome.exit_code)
