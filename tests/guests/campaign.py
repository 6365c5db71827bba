"""Runs real programs in a tier: `python -m guests.campaign --tier chaos:1 [NAMES...]`, from `tests/`.

Each must do as it does on plain wasmtime, and as is known of it. In the tier "chaos" guests are woken every few
milliseconds too: what frames go through is not the same in two runs. The exit code is 1 where something differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback

import wasmtime

import wasmscope
from guests.test_guests import CASES
from support import movements, tiers
from support.guests import GuestAbsent


def difference(name: str) -> str:
    """What a workload does other than on plain wasmtime; "": nothing."""
    case = CASES[name]
    expected = case.run(wasmtime)
    if case.expected not in expected.stdout or case.exit_code != expected.exit_code:
        return f"plain wasmtime does not do what is known: {expected}"
    shown = case.run(wasmscope)
    return "" if shown == expected else f"expected {expected}, not {shown}"


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m guests.campaign", description="Run real programs in a tier.")
    parser.add_argument("--tier", type=tiers.Choice.parse, default=tiers.configured(), help="fast, mirror, chaos:SEED")
    parser.add_argument("names", nargs="*", metavar="NAMES", help="which programs; all without any")
    options = parser.parse_args()
    os.environ[tiers.VARIABLE] = str(options.tier)
    differ = 0
    for name in options.names or CASES:
        began = time.perf_counter()
        with movements.counted() as moved:
            try:
                found = difference(name)
            except GuestAbsent as absent:
                print(f"{name:>24}  skipped: {absent}", flush=True)
                continue
            except Exception:
                found = traceback.format_exc()
        differ += bool(found)
        counts = ", ".join(f"{count:,} {what}" for what, count in moved.items())
        print(f"{name:>24}  {time.perf_counter() - began:7.1f} s, {counts}", flush=True)
        if found:
            print(found, flush=True)
    print(f"{differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
