"""Tools for the iCE40 FPGA: C++ with Wasm exceptions (exnref)."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from guests.wasi import Api, Outcome, run_command
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Compute the settings of a clock generator: a run without exceptions in a module that has them."""
    return run_command(api, guest("icepll"), ["icepll", "-i", "12", "-o", "60"])


def run_nextpnr(api: Api, netlist: str | None = None) -> Outcome:
    """Place and route a netlist; a broken one is thrown at and caught by `main`, which returns 1."""
    nextpnr = guest("nextpnr-ice40")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(nextpnr.parent / "share", folder / "share")
        (folder / "top.json").write_text(netlist if netlist is not None else (PROGRAMS / "netlist.json").read_text())
        argv = ["nextpnr-ice40", "--lp384", "--package", "qn32", "--json", "/top.json", "--asc", "/top.asc"]
        outcome = run_command(api, nextpnr, argv, folder=folder)
        bitstream = folder / "top.asc"
        digest = hashlib.sha256(bitstream.read_bytes()).hexdigest() if bitstream.exists() else "no bitstream"
    return Outcome(outcome.stdout + digest, outcome.exit_code)
